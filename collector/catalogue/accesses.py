"""The table of intended data races: the cells that may be read by `Port.hint` or stored by `Port.post`, each with a reason.

All other accesses are atomic (the list heads' load and CAS, `nwait` and `ndone` by xadd, caches by exchange, status words
and mark bytes), or plain and ordered by a list operation, a lock, a note, a status change or a stop of the world.  A race
on one of those is a bug, which the race detector reports.  A test runs every program and finds no access that is not here.

Names are those of traces, with `#` for a number and `[#]` for an index.
"""

from __future__ import annotations


RACING: dict[str, str] = {
    "work.full": "getfull and drain look before they pop: a stale value costs a turn of the loop",
    "work.empty": "getempty looks before it pops: a stale 0 costs an allocation, a stale buffer a pop that finds nothing",
    "work.nwait": "drain's handoff: does anybody wait? a stale value only delays (getfull's end reads it atomically)",
    "work.nproc": "changes only while nobody is in the barrier",
    "wbuf#.node_next": "a popper may read it while the owner pushes: the count in the head refuses what it read",
    "m#.currentwbuf": "only its own M makes it non-zero; a stale non-zero is caught by the exchange that follows",
    "m#.helpgc": "written before the helper's wake and by the helper itself; a scan only asks whether it is a helper",
    "g#.stackguard": "the poll: a request missed now is seen at the next poll; stoptheworld and a scan repeat theirs",
    "g#.preempt": "written beside stackguard, for debugging only",
    "g#.preemptscan": "set under the scan bit of a running goroutine, read and taken back by it when it has left running",
    "g#.gcworkdone": "set by whoever holds the scan bit, polled by markroot",
    "g#.gcscanvalid": "set under the scan bit, cleared by its goroutine once it runs: a scan between finds it running",
    "g#.stack[#]": "a blocked partner's slot, written by a channel send while the collector may scan it (K-16's barrier)",
    "bss[#]": "globals: mutators race on them as in Go; a store is shaded, and they are scanned again in mark termination",
    "data[#]": "as bss",
    "arena[#]": "objects: mutators race on their slots as in Go, and scanobject reads what it finds; a store is shaded",
    "finblock.alllink": "a new block is linked in front, whole",
    "finblock.cnt": "raised after the entry is stored: the collector, which takes no lock, looks at cnt entries",
    "finblock[#]": "entries: roots that are scanned again in mark termination",
    "mheap.allfin": "as finblock.alllink",
    "runtime.numgc": "grows while the world is stopped; a program asks how many collections it has waited for",
    "mheap.fingwake": "asks for a look at the queue; a missed one is repeated",
    "mheap.sweepdone": "only ever says that there is nothing left to take",
    "h_spans[#]": "a page's span: stored before the span's state, which is what makes it visible",
    "span#.state": "stored last, atomically, when a span begins to be used: until then a look finds no span",
    "span#.sweepgen": "is it still to be swept? the CAS that follows decides (who goes by `swept` reads it atomically)",
    "span#.specials": "the list is walked without its lock in the scan phase (O-19), and again in mark termination",
    "spanmeta[#]": "object bytes: isMarked before the atomic OR (I15), neighbours in the same word, a sweep's clearing",
    "mstats.heap_alloc": "the trigger: a stale count starts a cycle an allocation earlier or later; elsewhere only a figure",
    "mstats.next_gc": "as heap_alloc",
    "runtime.bggc_working": "is a collection under way? a stale answer costs one assist or asks once more",
    "runtime.gcpercent": "written before the run",
    "runtime.stopping": "the run's end: seen at the next turn of a program",
}

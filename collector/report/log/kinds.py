"""What each kind of event says, in words for those who read a log."""

from __future__ import annotations

from workbuf.events import FIELDS, Event


MEANING = {
    Event.NEW: "a buffer is made",
    Event.GET: "a thread has taken a buffer from a list",
    Event.PUT: "a thread is about to put a buffer on a list",
    Event.CACHED: "a thread leaves its buffer in its own cache",
    Event.UNCACHED: "it takes it out of there again",
    Event.HARVESTED: "the collector takes a buffer with nobj objects out of a thread's cache, its owner's",
    Event.HANDOFF: "a buffer was halved for those that wait: kept goes to a list, moved stay in hand",
    Event.WAIT: "a thread begins to wait for work in getfull, as the nwait-th",
    Event.RESUME: "it goes on, for there is work again",
    Event.REACHED: "it leaves, for all wait and nothing is left: the mark is over",
    Event.CYCLE: "a collection begins; forced: the world is stopped from its beginning to its end",
    Event.PHASE: "the collection comes to another phase",
    Event.STOP: "the world is to stop: waiting is the number of threads that still run, waitedfor who they are",
    Event.STOPPED: "it has stopped; preempted: how often they had to be asked again",
    Event.START: "it goes on",
    Event.ROOT: "a thread begins the root job of that index",
    Event.STEAL: "a thread has taken jobs root jobs of the share of another",
    Event.CYCLE_END: "the collection is over",
    Event.ROOTS: "so many root jobs are ready, for nproc threads",
    Event.ASSIST: "a mutator that allocates begins to help to mark",
    Event.ASSIST_END: "it has scanned so many objects",
    Event.SCANSTACK: "a goroutine's stack of so many frames is scanned",
    Event.PARK: "a thread goes to sleep; gcwaiting: until the world goes on, and otherwise until it is to help",
    Event.UNPARK: "it is awake",
    Event.SYSCALL: "a mutator goes into a system call",
    Event.SYSCALL_END: "it comes back; blocked: it had to wait for its P",
    Event.HELP: "a helper begins to mark, as number helper",
    Event.HELP_END: "it is done, and has scanned so many objects",
    Event.BLOCK: "a goroutine blocks, on a channel say",
    Event.BLOCK_END: "it runs again",
    Event.DRAIN: "a thread begins to scan; all: until nothing is left anywhere, and otherwise until its buffer is empty",
    Event.DRAIN_END: "it ends, and has scanned so many objects",
    Event.LOST: "so many older events of this thread have fallen out of its ring",
}


def kinds() -> str:
    """A line for each kind: its name and fields as a log has them, and what it says."""
    rows = [(f"{kind.name.lower()}({', '.join(filter(None, FIELDS[kind]))})", MEANING[kind]) for kind in Event]
    wide = max(len(name) for name, _ in rows)
    return "\n".join(
        ["Kinds of events, with their fields:", "", *(f"    {name:{wide}}  {said}" for name, said in rows)]
    )

"""Fuzzes the heap readers with mutants of small heaps in every format.

    python -m scripts.fuzz_heaps --mutants 20000 --seed 1

Prints the seed, and for each sample the mutants that were read as a graph, those that were refused, the findings, and the
slowest mutant with its seconds; exit status 1 when there is a finding.  A finding is any exception but HeapError, a graph
that breaks a rule, a message of more than a line, or, by `--memory` and `--hang`, a mutant that takes more than that.
"""

from __future__ import annotations

import argparse
import faulthandler
import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.collector.heaps.fuzz import Fuzzer


HEAPS = Path(__file__).parents[1] / "tests" / "heaps"


def main() -> int:
    """Run the mutants and print a line for each sample."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, default=20_000, help="over all samples (default 20000)")
    parser.add_argument("--real", type=int, default=20, help="of each heap in tests/heaps, besides (default 20)")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000, help="of all mutants (default: drawn)")
    parser.add_argument(
        "--memory", type=int, default=1024, help="address space beyond the interpreter's own, in MiB (1024)"
    )
    parser.add_argument("--hang", type=int, default=60, help="seconds without a line after which to stop (default 60)")
    arguments = parser.parse_args()
    # Beyond what the interpreter has reserved by itself, which without a GIL is more than a gigabyte.
    reserved = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    bound = reserved + (arguments.memory << 20)
    resource.setrlimit(resource.RLIMIT_AS, (bound, bound))
    small = Fuzzer(arguments.seed)
    fuzzer = Fuzzer(arguments.seed, sorted(HEAPS.glob("*.gz")))
    each = -(-arguments.mutants // len(small.samples))
    counts = {name: each if name in small.samples else arguments.real for name in fuzzer.samples}
    print(f"seed {arguments.seed}, {sum(counts.values())} mutants", flush=True)
    findings: list[str] = []
    total: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as directory:
        for name, count in counts.items():
            faulthandler.dump_traceback_later(arguments.hang + count // 100, exit=True)
            tally = fuzzer.run(name, range(count), Path(directory))
            came = tally.outcomes
            print(
                f"{name:36} graph {came['graph']:6}  refused {came['refused']:6}  findings {came['finding']:3}"
                f"  slowest {tally.seconds_max:.3f} s (mutant {tally.slowest})",
                flush=True,
            )
            findings += tally.findings
            total += came
    faulthandler.cancel_dump_traceback_later()
    print(f"{'all':36} graph {total['graph']:6}  refused {total['refused']:6}  findings {total['finding']:3}")
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())

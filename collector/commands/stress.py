"""Mark a real heap with real threads, cycle after cycle, and audit every mark.

The default: four mutators and two helpers on the running interpreter's own object graph, about ten seconds (on a slow
machine over 50,000 of its objects, and as long as two cycles take).
"""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING, Any

from collector.commands import stressnamed
from collector.commands.parser import meant
from collector.commands.series import repeated
from collector.commands.status import VIOLATION, WEAKER
from collector.commands.stressexecution import execute, interpreter
from collector.commands.stressoptions import add_arguments, checkparts, plan
from collector.commands.usage import UsageError, switching
from collector.faults import FAULTS
from collector.report.log.writer import tostderr
from collector.report.tables import flowed
from collector.stress.mixes import mixed


if TYPE_CHECKING:
    import argparse

    from collector.commands.stressnamed import Driving
    from collector.stress.run import Plan

EXAMPLES = {
    "stress": "this interpreter's own heap, about ten seconds; `stress` may be left out",
    "stress --heap synthetic:random,n=500,m=1000,seed=1 --cycles 2": "a small heap, two cycles",
    "stress --heap FILE --log run.log --trace run.json --html run.html": "a heap dump; write log, timeline and page",
    "stress --heap synthetic:random,n=500 --cycles 5 --until-failure": "again and again, each time with the next seed",
    "stress --plant FAULT --heap synthetic:random,n=1000": "with a planted fault, which a check should find",
    "stress contention": "a scenario, which drives one mechanism",
    "stress lfstack --count-bits 0": "an ABA on hardware",
}
ENDS = {
    VIOLATION: "a throw, a lost object, a leak or a hang; what failed, and the command that runs it again",
    WEAKER: "a scenario's mechanism was not driven; one line says how far it was",
}
__all__ = ["ENDS", "EXAMPLES", "add_arguments", "main"]


def main(args: argparse.Namespace) -> int:
    """Run, print, write; returns the exit status."""
    tostderr(args.log_level)
    if args.plant == "list":
        print(flowed("\n".join(f"{fault.name:30} {fault.what}" for fault in FAULTS.values())))
        if args.json:
            args.json.writejson({"faults": {fault.name: fault.what for fault in FAULTS.values()}})
        return 0
    if args.plant and args.plant not in FAULTS:
        near = meant(args.plant, FAULTS)
        raise UsageError(f"--plant {args.plant}: there is no such fault{near}; --plant list says which there are")
    if args.list:
        print(stressnamed.printed())
        if args.json:
            args.json.writejson({"scenarios": stressnamed.listed()})
        return 0
    what = plan(args)
    checkparts(args)
    argv = sys.argv[2:] if sys.argv[1:2] == ["stress"] else sys.argv[1:]

    def facts(plan: Plan) -> dict[str, Any]:
        # Of an option that is given twice the last one counts.
        once = ["--repeat", "1"] if args.repeat != 1 else []
        seed = what.seed if args.all else plan.seed
        drawn = ["--seed", str(seed)] if args.seed is None or once else []
        command = shlex.join(["python", "-m", "collector.run", "stress", *argv, *once, *drawn])
        return {"seed": plan.seed, "python": interpreter(), "command": command}

    def run(plan: Plan, driving: Driving | None = None) -> int:
        return execute(args, plan, facts(plan), driving)

    with switching(args.switch_interval):
        if args.all:
            return stressnamed.everything(args, what, mixed, run, facts)
        if args.scenario:
            return stressnamed.one(args, what, run, facts(what))
        return repeated(what, args.repeat, run)

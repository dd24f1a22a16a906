"""A planted fault on the stepped machine: its program, named `fault:NAME`, and the schedule that the explorer finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.commands.parser import meant
from collector.commands.usage import UsageError


if TYPE_CHECKING:
    from collector.scenarios.scenario import Scenario, Variant

PREFIX = "fault:"
SECONDS = 10.0
"""For finding a schedule behind a stress run."""


def planted(name: str) -> tuple[Scenario, Variant]:
    """The program of the fault that `fault:NAME` names, as a scenario of one variant; raises UsageError."""
    from collector.faults import FAULTS  # noqa: PLC0415  the whole protocol, for those who ask for a fault
    from collector.mutation.programs import PROGRAMS  # noqa: PLC0415
    from collector.scenarios.scenario import Scenario, Variant  # noqa: PLC0415

    fault = name.removeprefix(PREFIX)
    if fault not in PROGRAMS:
        why = "stress alone runs with it" if fault in FAULTS else f"there is no such fault{meant(fault, PROGRAMS)}"
        raise UsageError(f"{name}: {why}; those with a program for the explorer are {', '.join(PROGRAMS)}")
    chosen = Variant(PROGRAMS[fault].program(FAULTS[fault]), races=False, plain_points=PROGRAMS[fault].plain_points)
    return Scenario(name, FAULTS[fault].what, FAULTS[fault].bugs, {"": chosen}), chosen


def unshown(fault: str) -> str:
    """What to print of a run with a planted fault in which nothing failed."""
    from collector.faults import FAULTS  # noqa: PLC0415  as above

    known = FAULTS[fault]
    why = (
        f"no run can tell it from the protocol: {known.equivalent}"
        if known.equivalent
        else f"a stress run does not see it: {known.unseen}"
        if known.unseen
        else "it needs other meetings of threads, or another heap, than this run had"
    )
    return f"the planted fault {fault} did not show in this run; {why}"


def schedule(fault: str) -> str:
    """What to print of the explorer's schedule for a fault that has a program; empty for one that has none.

    The schedule is replayed first, and told only if it fails again in the same way.
    """
    from collector.commands.version import code_version  # noqa: PLC0415  as above
    from collector.explore import explore, replay  # noqa: PLC0415
    from collector.mutation.programs import PROGRAMS  # noqa: PLC0415

    if fault not in PROGRAMS:
        return ""
    _, chosen = planted(f"{PREFIX}{fault}")
    about = {"scenario": f"{PREFIX}{fault}", "variant": "", "version": code_version()}
    found = explore(
        chosen.program, seconds=SECONDS, seed=1, races=chosen.races, plain_points=chosen.plain_points, about=about
    ).failure
    if found is None:
        return f"the explorer has found no schedule in {SECONDS:g} s: python -m collector.run explore {PREFIX}{fault}"
    again = replay(found.schedule, chosen.program).failure
    if again is None or (again.kind, again.message) != (found.kind, found.message):
        return f"the explorer's schedule for this fault does not fail again as it did: {found}, and then {again}"
    return (
        f"the explorer finds this fault in a schedule of {found.steps} steps; replayed, it fails again:\n"
        f"  {found}\n"
        f"in sentences: python -m collector.run explain {found.schedule}\n"
        f"step by step: python -m collector.run replay {found.schedule} --html FILE"
    )

"""The program that a command is about: a scenario's variant, or a function of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.commands.parser import meant
from collector.commands.plantedfault import PREFIX, planted
from collector.commands.programfile import named, program
from collector.commands.usage import UsageError
from collector.scenarios.registry import SCENARIOS


if TYPE_CHECKING:
    from collector.scenarios.scenario import Scenario, Variant

CYCLE = "cycle:"
"""Begins the names of a hunt's worlds."""
FAILING = "failing"
"""The variant, unless said."""


def variant(name: str, of: str) -> tuple[Scenario, Variant]:
    """The variant of that name, or the program that `FILE.py:function` names; raises UsageError."""
    from collector.scenarios.scenario import Scenario, Variant  # noqa: PLC0415  not for the help

    if own := named(name):
        if of not in {"", FAILING}:
            raise UsageError(f"--variant {of}: {name} is a program, not a scenario, and has none")
        chosen = Variant(program(own))
        return Scenario(name, (chosen.program.__doc__ or name).partition("\n")[0], (), {"": chosen}), chosen
    if name.startswith(PREFIX):
        if of not in {"", FAILING}:
            raise UsageError(f"--variant {of}: {name} is a planted fault, and has none")
        return planted(name)
    if name.startswith(CYCLE):
        return smallworld(name)
    scenario = SCENARIOS.get(name)
    if scenario is None:
        raise UsageError(f"no scenario {name!r}{near(name)}; there are {', '.join(SCENARIOS)}; or FILE.py:function")
    if of not in scenario.variants:
        known = scenario.variants
        raise UsageError(f"scenario {name} has no variant {of!r}{meant(of, known)}; there are {', '.join(known)}")
    return scenario, scenario.variants[of]


def near(name: str) -> str:
    """What may have been meant by a name that is none."""
    if name.endswith(".py"):
        return f" (say which function of it: {name}:FUNCTION)"
    if ":" in name:
        return " (a program of your own is FILE.py:FUNCTION)"
    return meant(name, SCENARIOS)


def smallworld(name: str) -> tuple[Scenario, Variant]:
    """The world of a hunt; raises UsageError."""
    from collector.hunt.worlds import world  # noqa: PLC0415  the whole protocol, for those who ask for it

    try:
        return world(name)
    except ValueError as error:
        raise UsageError(str(error)) from None


def about(name: str, of: str) -> dict[str, object]:
    """What a token stores about its origin: scenario, or program of a file, variant, version."""
    from collector.commands.version import code_version  # noqa: PLC0415  not for the help

    return {
        "scenario": name,
        "variant": "" if named(name) or name.startswith(PREFIX) else of,
        "version": code_version(),
    }

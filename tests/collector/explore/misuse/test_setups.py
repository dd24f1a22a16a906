"""Set-ups: what the machine cannot serve is refused where it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.collector.explore.misuse.refusals import refused


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine


@pytest.mark.parametrize("what", ["kill", "optional"])
def test_the_machine_misused_in_a_set_up(what: str) -> None:
    """What it cannot serve is refused where it is asked for."""

    def program(machine: SteppedMachine) -> None:
        machine.spawn(lambda port: port.load(machine.word(0)), "one")
        if what == "kill":
            machine.kill("nobody")
        else:
            machine.optional(iter([1, 2]))  # type: ignore[arg-type]

    assert what in refused(program)


def test_a_state_that_raises() -> None:
    """It is called by the search for states, and is the program's."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")
        machine.state(lambda: 1 // 0)
        for _ in range(2):
            machine.spawn(lambda port: port.store(x, 1))

    assert "raises ZeroDivisionError" in refused(program, "stateful")


def test_words_and_names_that_are_wrong() -> None:
    """A word that is none, and a name that two threads have."""

    def word(machine: SteppedMachine) -> None:
        machine.word("a")  # type: ignore[arg-type]

    def names(machine: SteppedMachine) -> None:
        for _ in range(2):
            machine.spawn(lambda port: port.sysalloc(1), "a")
        machine.kill("a")

    assert "word: a word is an integer, not 'a'" in refused(word)
    assert "there are 2 threads 'a'" in refused(names)


SETTING_UP: dict[str, tuple[Callable[[SteppedMachine], object], str]] = {
    "alloc, a text": (lambda machine: machine.alloc("2", "x"), "alloc: "),  # type: ignore[arg-type]
    "alloc, everything": (lambda machine: machine.alloc(1 << 40, "x"), "a piece has 0 to"),
    "view": (lambda machine: machine.view("v", None), "machine.view takes a function"),  # type: ignore[arg-type]
    "state": (lambda machine: machine.state(5), "machine.state takes a function"),  # type: ignore[arg-type]
    "invariant": (lambda machine: machine.invariant(None), "machine.invariant takes a function"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("name", SETTING_UP)
def test_what_a_set_up_does_not_get(name: str) -> None:
    """It is said where the mistake is, and not where it shows."""
    does, says = SETTING_UP[name]
    assert says in refused(does)

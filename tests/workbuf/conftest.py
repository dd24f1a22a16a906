"""A machine, a world of work buffers in it, and Ms that all run on the test's own thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.machines import Look
from workbuf.getfull import Getfull
from workbuf.hardware.machine import HardwareMachine
from workbuf.local import MLOCAL, Globals


if TYPE_CHECKING:
    from collections.abc import Callable

    from workbuf.machine import Port


@pytest.fixture(name="machine")
def _machine() -> HardwareMachine:
    """A fresh memory with no threads."""
    return HardwareMachine(words=1 << 20)


@pytest.fixture(name="world")
def _world(machine: HardwareMachine) -> Globals:
    """Work buffers of Go's size, none made yet."""
    return Globals.allocate(machine)


@pytest.fixture(name="look")
def _look(machine: HardwareMachine, world: Globals) -> Look:
    """The reader of that world."""
    return Look(machine, world)


@pytest.fixture(name="port")
def _port(machine: HardwareMachine) -> Port:
    """The test's own port: it works the memory step by step while no thread runs."""
    return machine.boot()


@pytest.fixture(name="new_m")
def _new_m(machine: HardwareMachine, world: Globals, port: Port) -> Callable[..., Getfull]:
    """Makes a further M, of the class given, all on the test's own thread."""

    def new_m(cls: type[Getfull] = Getfull, through: Port = port) -> Getfull:
        return cls(through, world, MLOCAL.allocate(machine, "m"))

    return new_m


@pytest.fixture(name="m")
def _m(new_m: Callable[..., Getfull]) -> Getfull:
    """One M."""
    return new_m()

"""Objects that do not say in a text which module they are from: a search looks at them as at any other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from collector.explore import explore
from collector.explore.claim import Kind


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from workbuf.machine import Port


class Silent(type):
    """Its classes do not say it at all."""

    def __getattribute__(cls, name: str) -> Any:  # noqa: ANN401  an attribute
        if name == "__module__":
            raise KeyError(name)
        return super().__getattribute__(name)


def program(machine: SteppedMachine, name: object, where: str) -> Callable[[], None]:
    """Two threads that add one."""
    x = machine.word(0, "x")
    named: Any
    if where == "metaclass":
        named = Silent("Kept", (), {})
    else:
        named = type("Kept", (), {"__module__": name} if where == "class" else {})
    kept = named()
    kept.seen = 0

    def adds(port: Port) -> None:
        kept.seen = port.xadd(x, 1)

    def check() -> None:
        assert machine.peek(x) == 2

    if where == "body":
        adds.__module__ = name  # type: ignore[assignment]
    if where == "check":
        check.__module__ = name  # type: ignore[assignment]
    machine.spawn(adds)
    machine.spawn(adds)
    return check


@pytest.mark.parametrize("strategy", ["portfolio", "dpor", "stateful"])
@pytest.mark.parametrize("where", ["class", "metaclass", "body", "check"])
@pytest.mark.parametrize("name", [None, 5, property()], ids=["None", "number", "property"])
def test_it_is_no_error_of_the_explorer(name: object, where: str, strategy: str) -> None:
    """The program is proved."""
    assert explore(lambda machine: program(machine, name, where), strategy).claim.kind is Kind.PROVED

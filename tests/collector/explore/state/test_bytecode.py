"""How deep the stack is where a frame stands, and which of its variables will be read again."""

from __future__ import annotations

import sys
from types import GeneratorType
from typing import TYPE_CHECKING

from collector.explore.state.bytecode import analysed
from collector.explore.state.interpreter import slots


if TYPE_CHECKING:
    from collections.abc import Generator
    from types import FrameType


def kept(frame: FrameType) -> bool:
    """Does `frame`, which is in a call, keep anything but its variables?"""
    return analysed(frame.f_code).place(frame.f_lasti).below > 0


def live(frame: FrameType) -> dict[str, object]:
    """The variables of `frame` that may be read again."""
    code = analysed(frame.f_code)
    place = code.place(frame.f_lasti)
    values = slots(frame, place.live, len(code.names))
    return dict(zip((code.names[k] for k in place.live), values, strict=True))


class TestTemporaries:
    """Whether a frame that is in a call keeps anything outside its variables."""

    def test_it_is_told_for_every_kind_of_call(self) -> None:
        """Operands, arguments under way and iterators are kept; results, receivers and own arguments are not."""
        found: list[bool] = []

        def here(*_arguments: object, **_named: object) -> int:
            found.append(kept(sys._getframe(1)))
            return 1

        class Word:
            def __getitem__(self, _a: int) -> int:
                found.append(kept(sys._getframe(1)))
                return 0

            def __setitem__(self, _a: int, _v: int) -> None:
                found.append(kept(sys._getframe(1)))

        words = Word()

        def body() -> int:
            x = here()  # no
            here(x, named=1)  # no
            x = 1 + here()  # yes
            x = here() + here()  # no, yes
            for _ in range(1):
                here()  # yes
            while here() != 1:  # no
                pass
            x = words[1]  # no
            words[1] = 2  # no
            words[1] += 1  # yes: where to put it; then no
            x = here(here())  # yes, no
            x = here() and 0  # no
            try:
                here()  # no
            finally:
                here()  # no
            return here() or x  # no

        body()

        assert found == [False, False, True, False, True, True, False, False, False, True, False, True] + [False] * 5


def test_dead_variables_are_told_from_live_ones() -> None:
    """By what comes after: loops, branches, handlers, and what looks at all of them."""
    found: list[set[str]] = []

    def here() -> int:
        found.append(set(live(sys._getframe(1))))
        return 0

    def straight(a: int, b: int) -> int:
        here()  # b alone
        a = b
        here()  # a alone
        return a

    def looping(n: int) -> None:
        k = 5
        while here():  # the loop's own variable, not k
            n -= 1
        k = here()
        here()
        del k

    def handling(a: int, b: int) -> int:
        try:
            here()  # b: the handler reads it
        except ValueError:
            return b
        return 0

    def looking(a: int) -> object:
        here()
        return locals()

    straight(1, 2)
    looping(1)
    handling(1, 2)
    looking(1)

    assert found == [{"b", "here"}, {"a"}, {"n", "here"}, {"here"}, {"k"}, {"b"}, {"a", "here"}]


def test_a_generator_keeps_its_place() -> None:
    """Suspended, its stack is as deep as at its yield; in 3.11 the effect of its first instruction is not what dis says."""

    def counting() -> Generator[int, int, None]:
        for k in range(3):
            yield 10 + (yield k)

    generator = counting()
    assert isinstance(generator, GeneratorType)
    frame = generator.gi_frame
    assert frame is not None
    code = analysed(frame.f_code)
    assert code.place(frame.f_lasti).below == 0, "nothing is on the stack before it begins"
    next(generator)
    place = code.place(frame.f_lasti)
    stack = slots(frame, range(len(code.names), len(code.names) + place.below), len(code.names) + place.below)

    assert [type(v).__name__ for v in stack] == ["range_iterator", "int"]

"""Where the items of a set lie is read from its memory, on every interpreter."""

from __future__ import annotations

from collector.explore.state.sets import LAID, READABLE, Place, items_changed, layout


def test_what_is_left_of_items_is_read() -> None:
    """And how many places there are, and where `pop` goes on."""
    held = {1, 2, 3}
    assert READABLE
    assert layout(held) == ".ooo....:0"
    held.discard(2)
    assert layout(held) == ".oxo....:0"
    assert held.pop() == 1
    assert layout(held) == ".xxo....:2"
    held.clear()
    held.update(range(5))
    assert layout(held).partition(":")[0] == "ooooo" + "." * 27
    assert layout(frozenset((1, 2))) == ".oo.....:0"


def test_who_lies_in_a_place_of_its_own_has_nothing_to_do_with_others() -> None:
    """Who lies in another's place has, and who has made a set grow, or goes where one was removed, or is no integer."""

    def changed(held: set[object], *, add: object = None, discard: object = None) -> list[object]:
        before = [*held, layout(held)]
        held.discard(discard)
        if add is not None:
            held.add(add)
        return [*items_changed(before, [*held, layout(held)])]

    held: set[object] = {0, 3}
    assert changed(held, add=5) == [5, Place(5)]
    assert changed(held, add=5) == []
    assert changed(held, discard=3) == [3, Place(3)]
    assert changed(held, add=3) == [3, Place(3)]
    assert changed(held, add=8) == [8, LAID]
    assert changed(held, discard=0) == [0, Place(0)]
    assert changed(held, add=16) == [16, Place(0)]
    assert {*changed({1, 5}, add=2, discard=5)} == {5, 2, Place(5), Place(2)}
    assert changed({0}, add=8, discard=0) == [0, 8, LAID]
    assert changed({0, 1, 2, 3}, add=4) == [4, LAID]
    assert changed({0}, add="x") == [None]
    assert changed({0}, add=-1) == [-1, Place(6)]
    assert changed({6}, add=-2) == [-2, LAID]

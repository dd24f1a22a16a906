"""Named fields: offsets, sizes, embedding, and what a mistake looks like."""

from __future__ import annotations

import pytest

from workbuf.buffer import WORKBUF, capacity
from workbuf.layout import Struct
from workbuf.local import MLOCAL, WORK
from workbuf.machine import WORD


def test_a_field_is_the_number_of_cells_before_it() -> None:
    """`Struct.field` is an offset in cells, in the order of the names."""
    point = Struct("point", "x", "y", "z")

    assert (point.x, point.y, point.z) == (0, 1, 2)
    assert point.size == 3
    assert point.fields == ("x", "y", "z")


def test_an_extended_struct_begins_as_its_base_does() -> None:
    """Embedding keeps every offset of the base, so code for the base works on the longer record."""
    base = Struct("base", "a", "b")

    longer = base.extended("longer", "c")

    assert (longer.a, longer.b, longer.c) == (0, 1, 2)
    assert longer.name == "longer"
    assert base.size == 2


def test_a_field_named_twice_is_refused() -> None:
    """Two fields of one name could not both be reached, so the struct is refused, by name."""
    with pytest.raises(ValueError, match=r"^struct point: a field is named twice$"):
        Struct("point", "x", "x")


def test_an_extension_may_not_reuse_a_field() -> None:
    """Nor may an embedding struct shadow a field of the one it embeds."""
    with pytest.raises(ValueError, match=r"^struct longer: a field is named twice$"):
        Struct("base", "a").extended("longer", "a")


def test_an_unknown_field_is_named_in_the_error() -> None:
    """A misspelt field is an AttributeError that names it, and never an offset."""
    with pytest.raises(AttributeError, match="'nobjs'"):
        _ = WORKBUF.nobjs


@pytest.mark.parametrize("field", ["size", "name", "fields", "offsets", "extended", "allocate"])
def test_a_field_may_not_hide_what_the_struct_itself_is_asked_for(field: str) -> None:
    """`Struct.size` would be the number of cells where the offset of a field was meant, so the name is refused."""
    with pytest.raises(ValueError, match=rf"^struct span: '{field}' cannot be a field's name$"):
        Struct("span", "start", field)


def test_the_header_of_a_workbuf_is_go_s() -> None:
    """The lfstack node comes first and the header takes 72 bytes, which leaves 23 entries in 256 bytes."""
    assert WORKBUF.fields[:2] == ("node_next", "node_pushcnt")
    assert WORKBUF.size * WORD == 72
    assert [capacity(size) for size in (256, 512, 1024, 2048, 4096)] == [23, 55, 119, 247, 503]


def test_no_two_lists_share_a_word_and_an_m_begins_with_its_cache() -> None:
    """The three heads are neighbours (Go does not pad them from each other) and `currentwbuf` has a place in every M."""
    assert sorted((WORK.full, WORK.empty, WORK.partial)) == [0, 1, 2]
    assert MLOCAL.currentwbuf == 0

"""Names of cells."""

from __future__ import annotations

import pytest

from workbuf.names import Name, Names


@pytest.fixture(name="names")
def _names() -> Names:
    """The labels of a small memory, the inner ones given last."""
    names = Names()
    names.label(100, 50, "chunk")
    names.label(8, 3, "work", ("full", "empty", "partial"))
    names.label(20, 1, "alldone")
    names.label(110, 5, "wbuf0", ("node", "nobj"))
    names.label(115, 5, "wbuf1", ("node", "nobj"))
    return names


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        (8, "work.full"),
        (10, "work.partial"),
        (20, "alldone"),
        (100, "chunk[0]"),
        (149, "chunk[49]"),
    ],
)
def test_a_cell_is_called_by_its_field_or_its_place(names: Names, cell: int, name: str) -> None:
    """Fields by name, single words by the label alone, other words by their number in the range."""
    assert str(names.named(cell)) == name


@pytest.mark.parametrize(
    ("cell", "name"),
    [(109, "chunk[9]"), (111, "wbuf0.nobj"), (114, "wbuf0[4]"), (115, "wbuf1.node"), (120, "chunk[20]")],
)
def test_the_inner_of_two_nested_labels_counts(names: Names, cell: int, name: str) -> None:
    """A buffer inside a chunk is called by the buffer; before and behind it the chunk's name stands."""
    assert str(names.named(cell)) == name


@pytest.mark.parametrize("cell", [0, 7, 11, 19, 21, 99, 150, 1 << 40])
def test_a_cell_that_nobody_named_is_called_by_its_number(names: Names, cell: int) -> None:
    """Beside, between and behind all labels."""
    assert str(names.named(cell)) == f"cell {cell}"


def test_a_new_name_for_the_same_cells_counts(names: Names) -> None:
    """Of two labels that begin together, the later one."""
    names.label(8, 3, "work again", ("full",))

    assert names.named(8) == Name("work again", "full")
    assert names.named(9) == Name("work again", element=1)


def test_a_noun_is_the_name_without_the_field(names: Names) -> None:
    """Of a record the record, of an array the element."""
    assert [names.named(cell).noun for cell in (111, 114, 20, 8)] == ["wbuf0", "wbuf0[4]", "alldone", "work"]

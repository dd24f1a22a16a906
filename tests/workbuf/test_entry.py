"""What an entry number says: every call site of Go's, and of the parent design's, composites included."""

from __future__ import annotations

import pytest

from workbuf.entry import SITES, THROUGH_EMPTY, THROUGH_FULL, TO_EMPTY, decode


TABLE = {
    358: "358: greyobject (its buffer was full), putfull: to full",
    359: "359: greyobject (its buffer was full), getempty: from empty, or new",
    455: "455: scanblock (the parent's), putpartial: to partial or full",
    81500455: "81500455: scanblock (the parent's), putpartial via putempty: to empty",
    460: "460: scanblock (no buffer given), getpartialorempty: from partial",
    80700460: "80700460: scanblock (no buffer given), getpartialorempty via getempty: from empty, or new",
    80100460: "80100460: scanblock (no buffer given), getpartialorempty via putfull of a full cached buffer: to full",
    496: "496: drainworkbuf, putempty: to empty",
    504: "504: drainworkbuf, getfull: from full or partial",
    525: "525: drainobjects (the parent's), putpartial: to partial or full",
    81500525: "81500525: drainobjects (the parent's), putpartial via putempty: to empty",
    544: "544: drainobjects, putempty: to empty",
    545: "545: drainobjects, trygetfull: from full or partial",
    670: "670: markroot (at its end), putpartial: to partial or full",
    81500670: "81500670: markroot (at its end), putpartial via putempty: to empty",
    839: "839: trygetfull (its own cache was empty), putempty: to empty",
    877: "877: getfull (its own cache was empty), putempty: to empty",
    910: "910: shade (the parent's), putpartial: to partial or full",
    81500910: "81500910: shade (the parent's), putpartial via putempty: to empty",
    915: "915: handoff, getempty: from empty, or new",
    942: "942: handoff, putfull: to full",
    945: "945: harvestwbufs, putempty: to empty",
    947: "947: harvestwbufs, putfull: to full",
    1181: "1181: shade, getpartialorempty: from partial",
    80701181: "80701181: shade, getpartialorempty via getempty: from empty, or new",
    80101181: "80101181: shade, getpartialorempty via putfull of a full cached buffer: to full",
    1191: "1191: shade (mark termination), putpartial: to partial or full",
    81501191: "81501191: shade (mark termination), putpartial via putempty: to empty",
    1228: "1228: gchelpwork, trygetfull: from full or partial",
    1175: "1175: gchelpwork, putfull: to full",
    1177: "1177: gchelpwork, putempty: to empty",
}


@pytest.mark.parametrize("entry", sorted(TABLE))
def test_every_number_of_section_3_decodes_to_its_function_and_list(entry: int) -> None:
    """A number of the table, plain or composite, names the caller, the operation and the list."""
    assert str(decode(entry)) == TABLE[entry]


def test_the_table_here_covers_every_site() -> None:
    """No call site is decoded untested."""
    assert {entry % 100_000 for entry in TABLE} == set(SITES)


def test_a_slot_of_the_history_that_was_never_written_is_not_a_place() -> None:
    """0 is what a fresh buffer's history holds."""
    assert str(decode(0)) == "0: nothing recorded"


@pytest.mark.parametrize("entry", [1, 80700001, 80200460, THROUGH_FULL, THROUGH_EMPTY, TO_EMPTY, -1])
def test_a_number_from_nowhere_is_called_so(entry: int) -> None:
    """An unknown caller, or a known caller through an unknown way, is not decoded into something plausible."""
    assert str(decode(entry)) == f"{entry}: not an entry number of this protocol"


@pytest.mark.parametrize("entry", [80700358, 80100496, 81500460, 81500945])
def test_a_composite_that_no_operation_makes_is_called_so(entry: int) -> None:
    """801 and 807 come from getpartialorempty and 815 from putpartial alone; with another operation they mean nothing."""
    assert str(decode(entry)) == f"{entry}: not an entry number of this protocol"

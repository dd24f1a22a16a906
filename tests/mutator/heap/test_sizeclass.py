"""Size classes."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mutator.heap.sizeclass import SizeClasses


GO = SizeClasses()
PAGE_SIZES = st.sampled_from([64, 128, 256, 512, 1024, 4096, 8192])


def test_go_has_67_classes_up_to_32_kilobytes() -> None:
    """With Go's page size the rule gives Go's number of classes, and its largest."""
    assert GO.count == 67
    assert GO.sizes[:8] == [0, 8, 16, 32, 48, 64, 80, 96]
    assert GO.sizes[-1] == 32768


def test_a_class_grows_into_what_its_span_leaves_over() -> None:
    """8448 bytes fit six times into seven pages, and so do 9472: Go's own example."""
    assert 8448 not in GO.sizes
    assert GO.npages[GO.sizes.index(9472)] == 7


@given(PAGE_SIZES)
def test_sizes_grow_strictly_and_are_whole_words(page_size: int) -> None:
    """No class is useless, and no object begins inside a word."""
    classes = SizeClasses(page_size)
    sizes = classes.sizes[1:]

    assert all(small < large for small, large in itertools.pairwise(sizes))
    assert all(size % 8 == 0 for size in sizes)
    assert sizes[-1] >= classes.max_small


@given(PAGE_SIZES)
def test_a_span_leaves_at_most_an_eighth_over(page_size: int) -> None:
    """Go's second rule: what is left at a span's end is at most 12.5 percent of it."""
    classes = SizeClasses(page_size)
    for size, npages in zip(classes.sizes[1:], classes.npages[1:], strict=True):
        assert npages * page_size % size <= npages * page_size / 8


@given(st.integers(128, GO.max_small))
def test_rounding_up_wastes_at_most_an_eighth(size: int) -> None:
    """Go's first rule, from the size on where steps of 16 are an eighth; the growing of classes at the end adds to it."""
    rounded = GO.sizes[GO.class_of[(size + 7) // 8]]
    npages = GO.npages[GO.class_of[(size + 7) // 8]]

    assert size <= rounded
    assert rounded - size <= rounded / 8 or npages * 8192 // (npages * 8192 // rounded) - rounded < 128


@given(PAGE_SIZES, st.data())
def test_a_size_gets_the_smallest_class_that_holds_it(page_size: int, data: st.DataObject) -> None:
    """And the class below would not do."""
    classes = SizeClasses(page_size)
    size = data.draw(st.integers(1, classes.max_small))
    at = classes.class_of[(size + 7) // 8]

    assert classes.sizes[at - 1] < size <= classes.sizes[at]


@pytest.mark.parametrize("page_size", [0, 8, 32, 96, 8191], ids=str)
def test_a_page_is_a_power_of_two_and_not_tiny(page_size: int) -> None:
    """Anything else is refused in one line that says what it must be."""
    with pytest.raises(ValueError, match=r"page size .*: must be a power of 2 and at least 64 bytes"):
        SizeClasses(page_size)


@pytest.mark.parametrize("max_small", [8, 100], ids=str)
def test_the_largest_small_size_is_a_power_of_two(max_small: int) -> None:
    """The walk over the sizes ends there only if it is."""
    with pytest.raises(ValueError, match=r"largest small size .*: must be a power of 2"):
        SizeClasses(64, max_small)

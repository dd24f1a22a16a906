"""A small model for tests that step through it."""

from __future__ import annotations

import pytest

from tests.worlds import Bench


@pytest.fixture(name="bench")
def _bench() -> Bench:
    """Two mutators, a helper, an M that collects; a megabyte of heap."""
    return Bench()

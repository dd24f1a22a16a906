"""Contents of a module for `changingprograms` and `patientprograms` to patch."""

from __future__ import annotations


value = 0


def zero() -> int:
    """Nothing."""
    return 0


def function() -> int:
    """It is patched."""
    return 0

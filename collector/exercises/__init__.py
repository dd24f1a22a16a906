"""Exercises: a small piece of the protocol with a bug in it, to be found and mended; the explorer judges."""

from __future__ import annotations

from collector.exercises.cache.exercise import CACHE
from collector.exercises.termination.exercise import TERMINATION


EXERCISES = {exercise.name: exercise for exercise in (CACHE, TERMINATION)}
"""By name, the easier one first."""

__all__ = ["EXERCISES"]

"""The fuzzer, for a few seconds (scripts/fuzz_heaps.py runs it for as long as one likes), and faults that it must find."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from collector.heaps import go, golayouts, gorecords, hprof
from collector.stress import placement
from tests.collector.heaps.fuzz import Fuzzer


if TYPE_CHECKING:
    from pathlib import Path


MUTANTS = 100
NAMES = list(Fuzzer(0).samples)


@pytest.mark.parametrize("name", NAMES)
def test_mutants(name: str, seed: int, tmp_path: Path) -> None:
    """Every mutant is read as a graph that keeps the rules, or refused in one line."""
    tally = Fuzzer(seed).run(name, range(MUTANTS), tmp_path)

    assert tally.findings == []
    assert tally.outcomes["graph"] > 0
    assert tally.outcomes["refused"] > MUTANTS // 4


@pytest.mark.parametrize("name", NAMES)
def test_mutants_can_be_made_again(name: str) -> None:
    """A mutant depends on the seed, the sample and its number, and on nothing else."""
    one, again, other = Fuzzer(3), Fuzzer(3), Fuzzer(4)

    assert [one.mutant(name, k) for k in (5, 9)] == [again.mutant(name, k) for k in (5, 9)]
    assert [one.mutant(name, k) for k in range(20)] != [other.mutant(name, k) for k in range(20)]


def test_a_number_without_a_bound_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that takes numbers of any length lets another exception escape, and the fuzzer sees it."""

    def careless(data: bytes, at: int) -> tuple[int, int]:
        value = shift = 0
        while (byte := data[at]) > 127:
            value |= (byte & 127) << shift
            shift += 7
            at += 1
        return value | byte << shift, at + 1

    monkeypatch.setattr(go, "number", careless)
    monkeypatch.setattr(gorecords, "number", careless)

    assert found("go", "OverflowError", tmp_path)


def found(name: str, text: str, tmp_path: Path) -> bool:
    """Does a finding of one of the first two thousand mutants say this?"""
    fuzzer = Fuzzer(1)
    return any(text in finding for k in range(2000) for finding in fuzzer.run(name, range(k, k + 1), tmp_path).findings)


def test_finalizers_that_the_model_throws_at_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loader that does not look at them, as it once was: the mutants hold finalizers inside of objects, and twice."""
    monkeypatch.setattr(placement, "checkfinalizers", lambda _: None)

    assert found("go", "pointer not at beginning of allocated block", tmp_path)
    assert found("go", "finalizer already set", tmp_path)


def test_fields_at_the_end_of_all_addresses_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that makes a struct of any length, as it once did."""

    class Narrow(struct.Struct):
        """A Struct whose error nobody expects."""

        def __init__(self, form: str) -> None:
            try:
                super().__init__(form)
            except struct.error as error:
                raise OverflowError(str(error)) from None

    monkeypatch.setattr(golayouts, "Struct", Narrow)

    assert found("go", "total struct size too long", tmp_path)


def test_slots_beyond_the_object_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that makes its objects too small yields graphs that break a rule, and the fuzzer sees it."""
    add = hprof._Reader._add

    def small(self: hprof._Reader, address: int, size: int, *rest: object) -> None:
        add(self, address, min(size, 24), *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(hprof._Reader, "_add", small)

    findings = Fuzzer(1).run("hprof", range(100), tmp_path).findings

    assert any("its slots need" in finding for finding in findings)

"""Specifications of campaigns: what they stand for, and what is told of a wrong one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.campaign import spec
from collector.campaign.spec import SpecError
from collector.faults import FAULTS
from collector.scenarios.registry import SCENARIOS


if TYPE_CHECKING:
    from pathlib import Path


def written(folder: Path, text: str) -> str:
    """A file of that text."""
    path = folder / "spec.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_section_stands_for_all_combinations(tmp_path: Path) -> None:
    """Seeds only where they mean something; a variant that is to fail is known."""
    text = '[[explore]]\nprograms = ["aba:failing", "aba:fixed"]\nstrategies = ["urw", "dpor"]\n'
    text += 'seeds = "3-5"\nschedules = 9\nseconds = 2'
    made = spec.tasks(written(tmp_path, text))

    seeds = [f"seed {seed}" for seed in (3, 4, 5)]
    expected = [f"aba {of} {by}" for of in ("failing", "fixed") for by in (*(f"urw {seed}" for seed in seeds), "dpor")]
    assert [task.name for task in made] == expected
    assert [task.fails for task in made] == [True] * 4 + [False] * 4
    assert made[0].inputs["schedules"] == 9
    assert made[0].seconds == 2


def test_a_star_is_all(tmp_path: Path) -> None:
    """Every variant of every scenario."""
    made = spec.tasks(written(tmp_path, '[[explore]]\nprograms = ["*"]'))

    assert len(made) == sum(len(scenario.variants) for scenario in SCENARIOS.values())


def test_processes(tmp_path: Path) -> None:
    """Options are words, a seed is filled in, and a file counts with its content."""
    test = tmp_path / "test_x.py"
    test.write_text("def test_x(): pass", encoding="ascii")
    text = f'[[stress]]\noptions = ["--seed {{seed}} --quiet"]\nseeds = "1-2"\n[[pytest]]\ntests = ["{tmp_path}/test_*.py"]'
    stress, other, tests = spec.tasks(written(tmp_path, text))

    assert stress.inputs["words"] == ["stress", "--seed", "1", "--quiet"]
    assert other.name == "stress --seed 2 --quiet"
    assert tests.kind == "pytest"
    before = tests.key("code")
    assert before != tests.key("other code")
    test.write_text("def test_x(): assert 0", encoding="ascii")
    assert spec.tasks(written(tmp_path, text))[2].key("code") != before


def test_commands_and_modules(tmp_path: Path) -> None:
    """Any command, cells of the matrix of faults, and fuzzing."""
    text = '[[command]]\nwords = ["scenarios"]\n[[matrix]]\nnames = ["*"]\noptions = ["--seconds 5"]\n'
    text += '[[module]]\nwords = ["scripts.fuzz_programs --seed {seed}"]\nseeds = "1-2"'
    first, *cells, one, two = spec.tasks(written(tmp_path, text))

    assert (first.kind, first.inputs["words"]) == ("command", ["scenarios"])
    assert [cell.inputs["words"] for cell in cells] == [["faults", "--only", name, "--seconds", "5"] for name in FAULTS]
    assert (one.kind, one.name, two.name) == (
        "module",
        "scripts.fuzz_programs --seed 1",
        "scripts.fuzz_programs --seed 2",
    )
    assert one.inputs["file"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no tasks"),
        ("[[explore", "cannot read"),
        ("[[other]]", "no section [[other]]; there are explore, pytest, stress, fault, matrix, referee"),
        ("explore = 3", "write [[explore]]"),
        ('[[explore]]\nprogram = ["aba"]', "number 1: no 'program'; there are depth, preemptions, programs"),
        ('[[explore]]\nprograms = ["abc"]', "no scenario 'abc'; there are aba"),
        ('[[explore]]\nprograms = ["aba:x"]', "has no variant 'x'; there are failing"),
        ('[[explore]]\nprograms = "aba"', "programs: a list of texts is wanted"),
        ('[[explore]]\nprograms = ["aba"]\nstrategies = ["x"]', "no strategy 'x'"),
        ('[[explore]]\nprograms = ["aba"]\nseeds = "5-2"', "seeds: 5-2 are none"),
        ('[[explore]]\nprograms = ["aba"]\nseeds = "x"', "seeds: a number or a range is wanted"),
        ('[[explore]]\nprograms = ["no.py:f"]', "no.py: cannot read: No such file"),
        ('seconds = 0\n[[explore]]\nprograms = ["aba"]', "seconds: a number greater than 0 is wanted, and not 0"),
        ('[[pytest]]\ntests = ["nowhere*.py"]', "no file is 'nowhere*.py'"),
        ('[[fault]]\nnames = ["x"]', "no fault 'x'"),
        ('[[matrix]]\nnames = ["x"]', "no fault 'x'"),
        ('[[referee]]\npairs = [["x"]]', "each is [BEFORE, AFTER]"),
        ('[[command]]\nwords = ["campaign x"]', "'campaign x': a command of this command line is wanted"),
        ('[[command]]\nwords = [""]', "'': a command of this command line is wanted"),
        ('[[module]]\nwords = ["no.such --x"]', "'no.such --x' begins with no module"),
        ('[[module]]\nwords = [""]', "begins with no module"),
        ('[[stress]]\noptions = ["--heap \'"]', "No closing quotation"),
    ],
)
def test_a_wrong_one_is_told_in_a_line(text: str, complaint: str, tmp_path: Path) -> None:
    """What, where, and what there is."""
    with pytest.raises(SpecError) as error:
        spec.tasks(written(tmp_path, text))

    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


def test_one_that_is_not_there() -> None:
    """Also in a line."""
    with pytest.raises(SpecError, match="cannot read: No such file"):
        spec.tasks("nowhere.toml")

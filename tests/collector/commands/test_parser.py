"""The command line as people know it: version, suggestions, help with examples, `-` for stdout, completion."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from collector.commands import COMMANDS, load
from collector.commands.parser import ENDS, RUN, Parser
from collector.run import main, prepare


ROOT = Path(__file__).parents[3]
EXAMPLES = [pytest.param(words, id=words or "none") for name in COMMANDS for words in load(name).EXAMPLES]


def test_three_names_of_one_program() -> None:
    """`python -m collector`, `python -m collector.run` and the console script of the installed package."""
    script = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]["workbuf"]
    assert script == "collector.__main__:program"
    called = "from collector.__main__ import program; program()"
    words = [("-m", "collector", "--version"), ("-m", "collector.run", "--version"), ("-c", called, "--version")]
    said = [subprocess.run([sys.executable, *w], capture_output=True, text=True, check=True, cwd=ROOT) for w in words]

    assert said[0].stdout == said[1].stdout == said[2].stdout
    assert re.fullmatch(r"workbuf-model \S+\+[0-9a-f]{8}, CPython \S+\n", said[0].stdout)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("exlore aba", "collector.run: no command 'exlore' (did you mean explore?); there are stress, heap, "),
        ("explore latedecrment", "collector.run explore: no scenario 'latedecrment' (did you mean latedecrement?)"),
        (
            "explore aba --variant fixd",
            "collector.run explore: scenario aba has no variant 'fixd' (did you mean fixed?)",
        ),
        ("explore aba --strategy dpro", "argument --strategy: no 'dpro' (did you mean dpor?); there are dfs, dpor, "),
        (
            "explore aba --shedules=3",
            "collector.run explore: unrecognized arguments: --shedules=3 (did you mean --schedules?)",
        ),
        (
            "explore aba fixed",
            "collector.run explore: unrecognized arguments: fixed (did you mean --variant fixed?)",
        ),
        ("explore aba dpor --seed 2", "unrecognized arguments: dpor (did you mean --strategy dpor?)"),
        ("explore aba nothing", "collector.run explore: unrecognized arguments: nothing (see "),
        ("explore aba --strategy dpor --depth 3", "--depth is for portfolio and pct; --strategy dpor knows no depth"),
        ("--helprs 2", "collector.run stress: unrecognized arguments: --helprs (did you mean --helpers?)"),
        ("--verson", "collector.run stress: unrecognized arguments: --verson (did you mean --version?)"),
        (
            "--plant greyobject-no-markbit",
            "collector.run stress: --plant greyobject-no-markbit: there is no such fault",
        ),
        ("--programs rewir", "collector.run stress: --programs: 'rewir' is no program (did you mean rewire?)"),
        ("explain latedecremnt", "(did you mean latedecrement?); the scenarios are aba, "),
        ("inspect none sumary", "collector.run inspect: argument QUESTION: no 'sumary' (did you mean summary?)"),
        ("inspect none who-held 5", "collector.run inspect: who-held '5': a number and a unit"),
        ("inspect none cycle x", "collector.run inspect: cycle 'x': a number"),
        ("inspect none --from 5", "collector.run inspect: argument --from: '5': a number and a unit"),
        ("--log -", "collector.run stress: --log -: standard output does not do, name a file"),
        ("explore aba --json - --token -", "collector.run explore: --token and --json both name -: give each a file"),
    ],
)
def test_a_misspelt_word_is_answered_with_the_nearest(
    words: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2 and one line, which begins as every other does; no file is read before."""
    try:
        status: int | str | None = main(shlex.split(words))
    except SystemExit as left:
        status = left.code

    out, err = capsys.readouterr()
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("collector.run")
    assert says in err


@pytest.mark.parametrize("name", COMMANDS)
def test_help_ends_with_examples_and_exit_statuses(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """At least one example, and each status once."""
    with pytest.raises(SystemExit) as left:
        main([name, "--help"])

    said = capsys.readouterr().out
    assert left.value.code == 0
    _, examples, rest = said.partition("\nexamples:\n")
    examples, _, statuses = rest.partition("\nexit status:\n")
    assert [line for line in examples.splitlines() if line.startswith(f"  {RUN}")]
    numbers = re.findall(r"^  (\d+) +\S", statuses, re.MULTILINE)
    assert numbers == sorted(set(numbers), key=int)
    assert set(map(int, numbers)) >= set(ENDS)


@pytest.mark.parametrize("words", EXAMPLES)
def test_an_example_of_the_help_parses(words: str) -> None:
    """Its command and every option of it are there; the guide's tests run what they show."""
    name, *rest = shlex.split(words)
    parser = Parser(prog=name, allow_abbrev=False)
    prepare(parser, name)

    assert vars(parser.parsed(rest))


@pytest.mark.parametrize(
    "words", ["--seed 5 aba --schedules 9", "aba --seed 5 --schedules 9", "--schedules 9 --seed 5 aba"]
)
def test_options_stand_where_they_like(words: str) -> None:
    """Before, between and behind."""
    parser = Parser(prog="explore", allow_abbrev=False)
    prepare(parser, "explore")

    args = parser.parsed(words.split())

    assert (args.scenario, args.seed, args.schedules) == ("aba", 5, 9)


def test_inspect_takes_options_between_its_arguments() -> None:
    """A log, a question, a thing; an option anywhere."""
    parser = Parser(prog="inspect", allow_abbrev=False)
    prepare(parser, "inspect")

    for words in (
        "--most 5 run.log wbuf 3",
        "run.log --most 5 wbuf 3",
        "run.log wbuf --most 5 3",
        "run.log wbuf 3 --most 5",
    ):
        args = parser.parsed(words.split())
        assert (args.log, args.question, args.what, args.most) == ("run.log", "wbuf", "3", 5)


@pytest.mark.parametrize("words", ["scenarios", "explore aba", "heap synthetic:list,n=50", "--plant list"])
def test_json_goes_to_stdout_and_all_else_to_stderr(words: str) -> None:
    """So that it can be piped; the exit status is the same."""
    done = subprocess.run(
        [sys.executable, "-m", "collector", *words.split(), "--json", "-"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )

    assert done.returncode == int(words == "explore aba")
    assert isinstance(json.loads(done.stdout), dict)
    assert done.stderr


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("workbuf exp", {"explore", "explain"}),
        ("workbuf explore lat", {"latedecrement"}),
        ("workbuf explore latedecrement --variant f", {"failing", "failing3", "fixed", "fixed3"}),
        ("workbuf inspect run.log who", {"who-held"}),
    ],
)
def test_a_shell_completes(typed: str, offered: set[str], tmp_path: Path) -> None:
    """Commands, options, scenarios, a scenario's variants: asked as bash and zsh ask, by argcomplete's protocol."""
    answer = tmp_path / "answer"
    shell = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
        "COMP_LINE": typed,
        "COMP_POINT": str(len(typed)),
        "COMP_TYPE": "9",
    }
    subprocess.run(
        [sys.executable, "-m", "collector"], env={**os.environ, **shell}, cwd=ROOT, check=False, capture_output=True
    )

    assert {word.strip() for word in answer.read_text().split("\n")} == offered

"""Programs of one's own, from a file: explored, replayed and explained as a scenario is."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.run import main


TEXT = '''
from helper import START

def program(machine):
    """Two add without care."""
    x = machine.word(START, "x")
    for _ in range(2):
        machine.spawn(lambda port: port.store(x, port.load(x) + 1))
    def check():
        assert machine.peek(x) == START + 2
    return check

def careful(machine):
    x = machine.word(0, "x")
    for _ in range(2):
        machine.spawn(lambda port: port.xadd(x, 1))
    def check():
        assert machine.peek(x) == 2
    return check
'''


@pytest.fixture(name="file")
def _file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file with two programs, and a module beside it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "helper.py").write_text("START = 5\n")
    (tmp_path / "own.py").write_text(TEXT)
    return "own.py"


def test_explore_replay_explain(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The token says which program it is of."""
    assert main(["explore", f"{file}:program", "--token", "t"]) == 1
    assert capsys.readouterr().out.startswith("Two add without care.\n")

    assert main(["replay", "t", "--html", "t.html"]) == 1
    assert capsys.readouterr().out.startswith("own.py:program\n")

    assert main(["explain", f"{file}:program"]) == 1
    assert "t0 is left before" in capsys.readouterr().out

    assert main(["explore", f"{file}:careful", "--require", "proved"]) == 0


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("assert port.load(x)", ["t0: assertion: assertion failed", "it fails at raises.py:4"]),
        ("{}[port.load(x)]", ["t0: exception: KeyError: 0", "it fails at raises.py:4"]),
        ("port.words[x + 99] = 1", ["fatal error: fault", "it fails at raises.py:4"]),
        ("port.sleep(x)", ["deadlock: t0 sleeps on x"]),
    ],
)
def test_the_line_that_failed_is_named(
    file: str, body: str, says: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Where one did; the verdict stays the last line."""
    own = Path(file).with_name("raises.py")
    own.write_text(
        "def program(machine):\n"
        "    x = machine.word(0, 'x')\n"
        "    def body(port):\n"
        f"        {body}\n"
        "    machine.spawn(body)\n"
    )
    assert main(["explore", "raises.py:program"]) == 1
    said = capsys.readouterr().out.splitlines()

    assert [line for line in said if line in says] == says
    assert [line for line in said if "it fails at" in line] == says[1:]
    assert said[-1].startswith("failed: ")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("own.py:progam", "has no function 'progam' (did you mean program?)"),
        ("other.py:program", "other.py: no such file"),
        ("own.py:program --variant fixed", "has none"),
        ("own.py:program --json own.py", "that is the program"),
        ("own:program", "(a program of your own is FILE.py:FUNCTION)"),
        ("own.py:", "(a program of your own is FILE.py:FUNCTION)"),
        ("own.py", "(say which function of it: own.py:FUNCTION)"),
    ],
)
def test_bad_usage(file: str, words: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line, status 2."""
    assert main(["explore", *words.split()]) == 2

    err = capsys.readouterr().err
    assert says in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("status", [0, 3])
def test_a_file_that_exits(file: str, status: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Its status is not that of the search, which has not begun."""
    Path(file).write_text(f"import sys\n\nsys.exit({status})\n")

    assert main(["explore", f"{file}:program"]) == 2

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("collector.run explore: own.py exits when it is loaded")


@pytest.mark.parametrize("command", ["replay", "explain"])
def test_a_file_that_holds_no_token(file: str, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It is named, and not what it holds."""
    assert main([command, file]) == 2

    expected = f"collector.run {command}: token file own.py: no token: one of this version begins with 's2.'\n"
    assert capsys.readouterr().err == expected

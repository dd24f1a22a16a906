"""`explore NAME --interactive`, in a real terminal and from a pipe."""

from __future__ import annotations

import io
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest

from collector.commands.interactive import SAMPLERS, sampler
from collector.commands.status import INTERRUPTED
from collector.run import main


if TYPE_CHECKING:
    Capture = pytest.CaptureFixture[str]

ROOT = Path(__file__).parents[3]
SECONDS = 200.0
"""How long an answer may take."""


class Terminal:
    """A process of ours in a terminal of its own."""

    def __init__(self, *words: str) -> None:
        self.fd, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "collector.run", *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "dumb"},
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self.fd)
        self.process.kill()
        self.process.wait()

    def until(self, pattern: str) -> str:
        """What it prints up to that."""
        said, end = "", time.monotonic() + SECONDS
        while not re.search(pattern, said):
            ready, _, _ = select.select([self.fd], [], [], max(end - time.monotonic(), 0))
            assert ready, f"{pattern!r} does not come: {said}"
            said += os.read(self.fd, 1 << 16).decode()
        return said

    def answer(self, line: str) -> str:
        """Type a line, and wait for the next prompt."""
        os.write(self.fd, f"{line}\n".encode())
        return self.until(r"\(\d+\) $")


def talk(monkeypatch: pytest.MonkeyPatch, capsys: Capture, lines: list[str], *words: str) -> tuple[int, str]:
    """The exit status and what is printed when these lines come from a pipe."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
    status = main(["explore", *(words or ("aba",)), "--interactive"])
    out, err = capsys.readouterr()
    return status, out + err


def test_in_a_terminal_to_a_failure_and_back(tmp_path: Path) -> None:
    """Choose, look, step back, choose otherwise; the token that is saved fails when it is replayed."""
    token = tmp_path / "token"
    with Terminal("explore", "aba", "--interactive") as terminal:
        first = terminal.until(r"\(0\) $")
        assert "full: node2 -> node1 -> node0" in first
        assert re.search(r"\* +0 +popper +load work\.full", first)
        assert "old = load(head)" in first

        assert "step 1: popper: load node2.next = node1#0" in terminal.answer("popper 2")
        assert "full: node1 -> node0" in terminal.answer("pusher 3")
        back = terminal.answer("back")
        assert "full: node2 -> node1 -> node0" in back
        assert back.endswith("(4) ")
        assert ">   97" in terminal.answer("source 1")
        assert "check: a node is lost or in two places" in terminal.answer("default")
        terminal.answer("to 2")
        terminal.answer("popper 9")
        assert "all threads have ended, and nothing failed" in terminal.answer("default")
        terminal.answer("to 2")
        terminal.answer("pusher 9")
        assert "check: a node is lost or in two places" in terminal.answer("popper")
        assert f"replay {token}" in terminal.answer(f"token {token}")
        os.write(terminal.fd, b"quit\n")
        assert terminal.process.wait(SECONDS) == 1

    assert main(["replay", str(token)]) == 1


def test_in_a_terminal_lines_are_edited_and_broken_off() -> None:
    """A line typed before comes again, names are completed; Ctrl-C breaks off a line or a search, and nothing is lost."""
    pytest.importorskip("readline")
    with Terminal("explore", "aba", "--interactive") as terminal:
        terminal.until(r"\(0\) $")
        terminal.answer("popper 2")
        assert "step 2: popper: cas work.full" in terminal.answer("\x10")
        assert "step 3: pusher: load work.full" in terminal.answer("pu\t")
        for line in ("junk", "let pct 1000000000"):
            os.write(terminal.fd, line.encode())
            terminal.until(line)
            os.write(terminal.fd, b"\n" * (line != "junk"))
            time.sleep(0.5)
            terminal.process.send_signal(signal.SIGINT)
            assert "broken off; quit leaves" in terminal.until(r"leaves\s+\(4\) $")
        assert "step 4: pusher: load node1.next" in terminal.answer("1")
        terminal.process.send_signal(signal.SIGTERM)
        os.write(terminal.fd, b"\n")  # else one that comes just before readline waits is seen with the next key
        assert terminal.process.wait(SECONDS) == INTERRUPTED


def test_from_a_pipe_the_conversation_is_printed(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """Lines that are read are printed behind the prompt; the end of the file leaves."""
    status, said = talk(monkeypatch, capsys, ["0", "", "lists", "memory work.full", "trace", "help"])

    assert status == 0
    assert "(0) 0\nstep 0: popper: load work.full = node2#0\n" in said
    assert "(1) \nstep 1: popper: load node2.next = node1#0\n" in said
    assert "held by popper: -" in said
    assert re.search(r"work\.full +node2#0", said)
    assert "   1  load node2.next = node1#0" in said
    assert "follow TOKEN" in said


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("poper", "no thread and no command 'poper' (did you mean popper?)"),
        ("7", "no thread and no command '7'"),
        ("back x", "'x' is not a whole number"),
        (f"back {'9' * 5000}", "' is not a whole number"),
        ("follow /no/such/file", "'/no/such/file': no such file, and no token"),
        ("to", "'' is not a whole number"),
        ("let dpor", "let: a strategy of random, pct, pos, surw, urw"),
        ("follow s2.x", "token 's2.x'"),
        ("follow", "follow: a token, or the file that holds it"),
        ("token /no/such/folder/t", "/no/such/folder/t: cannot write"),
        ("token -", "token: without a name it is printed"),
        ("source 1 2", "no thread and no command '1 2'"),
        ("memory nothing", "no cell is called 'nothing'"),
    ],
)
def test_what_is_wrong_is_one_line(line: str, told: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """And the conversation goes on."""
    status, said = talk(monkeypatch, capsys, [line, "0"])

    assert status == 0
    assert told in said
    assert "(0) 0\nstep 0: popper" in said


def test_owners_are_shown(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """Who has which buffer, as soon as it has left its list."""
    _, said = talk(monkeypatch, capsys, ["m1 3"], "latedecrement")

    assert "  m1: [get buffer wbuf0" in said
    assert "  held by m1: wbuf0" in said


def test_strategies_go_on_from_here(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """To a failure that begins with what was chosen; and not where it is over."""
    status, said = talk(monkeypatch, capsys, ["1", "let random 500 3", "let pct", "back 99", "let urw"])

    assert status == 0
    assert re.search(r"random: run \d+ fails", said)
    assert "check: a node is lost or in two places" in said
    assert "the schedule is over: step back first" in said
    assert "urw: no failure in 1 run\n" in said or "urw: run 1 fails" in said
    assert all(sampler(name, 1, 1).name for name in SAMPLERS)


def test_what_a_token_adds_is_said(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """The default goes on where the steps that were chosen end, which is nowhere at first."""
    _, said = talk(monkeypatch, capsys, ["token", "popper", "token"])

    told = [line for line in said.splitlines() if "it goes on by default" in line]
    assert [line.partition(" it ")[0] for line in told] == ["from the beginning", "behind step 0"]


def test_a_token_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """To its end, from where one steps back; --token writes what was chosen when one leaves."""
    token, kept = tmp_path / "token", tmp_path / "kept"
    assert main(["explore", "aba", "--token", str(token)]) == 1
    text = token.read_text().strip()
    capsys.readouterr()

    blank = tmp_path / "a blank"
    lines = [f"follow {text}", "back", f"follow {token}", "back", "popper", f"token {blank}"]
    status, said = talk(monkeypatch, capsys, lines, "aba", "--token", str(kept))

    assert status == 1
    assert said.count("check: a node is lost or in two places") == 3
    assert kept.read_text() == blank.read_text() == f"{text}\n"
    assert f"replay '{blank}'\n" in said


def test_what_a_followed_token_leaves_out_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Threads and items without which it fails as well: they never go, which is another thing than to have ended."""
    file, token = tmp_path / "three.py", tmp_path / "token"
    file.write_text(
        "def program(machine):\n"
        "    x, y = machine.word(0, 'x'), machine.word(0, 'y')\n"
        "    items = machine.optional(['a'])\n"
        "    def looks(port):\n"
        "        for item in items:\n"
        "            port.load(y)\n"
        "        assert port.load(x) == 0\n"
        "    machine.spawn(lambda port: port.store(x, 1), 'writer')\n"
        "    machine.spawn(looks, 'reader')\n"
        "    machine.spawn(lambda port: port.store(y, 1), 'third')\n"
    )
    assert main(["explore", f"{file}:program", "--token", str(token)]) == 1
    capsys.readouterr()

    _, said = talk(monkeypatch, capsys, [f"follow {token}", "back", "threads", "third"], f"{file}:program")

    assert "left out from here on, as in the token, steps back too: third, optional item 0\n" in said
    assert len(re.findall(r"^ +third +is left out, as in the token$", said, re.MULTILINE)) == 2
    assert "third cannot go: it is left out, as in the token" in said


def test_a_program_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """By FILE.py:function; it chooses a value, and waits for a lock; one that breaks a rule is told."""
    file = tmp_path / "own.py"
    file.write_text(
        "def program(machine):\n"
        "    x, m = machine.word(0, 'x'), machine.word(0, 'm')\n"
        "    def body(port):\n"
        "        port.lock(m)\n"
        "        port.store(x, port.choose(3))\n"
        "        port.unlock(m)\n"
        "    machine.spawn(body, 'a')\n"
        "    machine.spawn(body, 'b')\n"
        "def wrong(machine):\n"
        "    machine.spawn(lambda port: port.choose(0), 'a')\n"
    )

    status, said = talk(monkeypatch, capsys, ["0", "b", "0", "=5", "=2", "0", "memory x", "default"], f"{file}:program")
    assert status == 0
    assert "b cannot go: it waits for m, held by a" in said
    assert "a chooses: =0 to =2 (=0)" in said
    assert "a value is to be chosen: =0 to =2" in said
    assert "store x := 2" in said
    assert "all threads have ended, and nothing failed" in said

    assert main(["explore", f"{file}:wrong", "--interactive"]) == 2
    assert "choose(0): there is nothing to choose" in capsys.readouterr().err


def test_options_of_a_search_are_refused(capsys: Capture) -> None:
    """There is none."""
    for option, value in (
        ("--json", "-"),
        ("--require", "proved"),
        ("--jobs", "2"),
        ("--strategy", "dpor"),
        ("--seed", "2"),
    ):
        assert main(["explore", "aba", "--interactive", option, value]) == 2
        assert f"--interactive: {option}: for searches" in capsys.readouterr().err


class Left(io.StringIO):
    """A pipe whose reader has left."""

    def flush(self) -> None:
        raise BrokenPipeError


@pytest.mark.parametrize("words", [["explore", "aba", "--interactive"], ["replay", "TOKEN", "--pdb"]])
def test_without_a_listener_it_ends(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would go on for as long as lines come."""
    token = tmp_path / "token"
    assert main(["explore", "aba", "--token", str(token)]) == 1
    lines = io.StringIO("memory\n" * 9)
    monkeypatch.setattr(sys, "stdin", lines)
    monkeypatch.setattr(sys, "stdout", Left())

    main([str(token) if word == "TOKEN" else word for word in words])

    assert lines.read().count("memory") >= 8


def test_commands_may_be_shortened(monkeypatch: pytest.MonkeyPatch, capsys: Capture, tmp_path: Path) -> None:
    """As far as they stay one; a thread's name goes before."""
    file = tmp_path / "short.py"
    file.write_text(
        "def program(machine):\n"
        "    x = machine.word(0, 'x')\n"
        "    machine.spawn(lambda port: port.xadd(x, 1), 'b')\n"
        "    machine.spawn(lambda port: port.xadd(x, 1), 'q')\n",
        encoding="ascii",
    )
    status, said = talk(monkeypatch, capsys, ["0", "1", "b 2", "l", "mem full", "q"])
    assert "(0) l\nno thread and no command 'l': it may be let or lists; help lists them" in said
    assert "full" in said.split("(0) mem full\n")[1]
    assert said.endswith("(0) q\n")
    assert status == 0

    _, said = talk(monkeypatch, capsys, ["b", "q", "ba", "quit"], f"{file}:program")
    assert "(2) ba\n" in said
    assert said.endswith("(1) quit\n")


def test_nobody_to_ask(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """Without a stdin (`<&-`) Python has none: one line, status 2."""
    monkeypatch.setattr(sys, "stdin", None)

    assert main(["explore", "aba", "--interactive"]) == 2
    assert capsys.readouterr() == (
        "",
        "collector.run explore: --interactive: stdin is closed: give it a terminal, or a file of commands\n",
    )


def test_what_is_no_text(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """A line of other bytes is no command; the next one is read."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe\nquit\n"), "utf-8"))

    assert main(["explore", "aba", "--interactive"]) == 0
    assert r"no thread and no command '\\xff\\xfe'; help lists them" in capsys.readouterr().out

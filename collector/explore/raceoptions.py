"""The pytest plugin's options: those of the command line, those of the ini file, and the command that runs a test again."""

from __future__ import annotations

import secrets
from os.path import relpath
from shlex import join
from typing import TYPE_CHECKING

import pytest

from collector.explore.token import Token


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from collector.explore.result import Failure


DROPPED = ("--race-seed", "--race-replay", "--race-keep")
"""Options that a command which runs a test again has a value of its own for, or none."""


def add(parser: pytest.Parser) -> None:
    """The options."""
    option = parser.getgroup("race", "races, explored schedule by schedule").addoption
    option(
        "--race-seed",
        type=int,
        metavar="N",
        help="what schedules are drawn follows from N (default: ini race_seed, else drawn; printed)",
    )
    option(
        "--race-schedules",
        type=int,
        metavar="N",
        help="run N schedules of each test that need not exhaust them, whatever its mark says, however long it takes",
    )
    option("--race-replay", metavar="TOKEN", help="run the one schedule TOKEN of the test it is of, and print it")
    keep = "keep TOKEN, of a failure elsewhere, for the test it is of, which then replays it first; runs that test"
    option("--race-keep", metavar="TOKEN", help=keep)
    option("--race-report", action="store_true", help="print what was run of each test: executions, verdict, seconds")
    parser.addini("race_folder", "where failing schedules are remembered, from the root (.races); none: nowhere")
    parser.addini("race_seed", "a fixed seed of race tests, for CI: --race-seed, unless that is given")
    parser.addini("race_seconds", "seconds of each race test whose mark names none; exhaust=True fails after them")


def settle(config: pytest.Config) -> None:
    """Give the options their values; raises UsageError for what cannot be meant."""
    option = config.option
    if option.race_seed is None:
        option.race_seed = int(number(config, "race_seed", int) or secrets.randbits(32))
    option.race_seconds = number(config, "race_seconds", float)
    if option.race_schedules is not None and option.race_schedules < 1:
        raise pytest.UsageError(f"--race-schedules {option.race_schedules}: at least 1")
    for name, token in (("--race-replay", option.race_replay), ("--race-keep", option.race_keep)):
        if token is not None:
            try:
                Token.decode(token)
            except ValueError as error:
                raise pytest.UsageError(f"{name}: {error}") from None


def number(config: pytest.Config, name: str, kind: type[int | float]) -> float | None:
    """The ini option of that name, a positive number; None if it is not there."""
    text = str(config.getini(name) or "")
    if not text:
        return None
    try:
        value = kind(text)
    except ValueError:
        value = 0
    if value <= 0:
        raise pytest.UsageError(f"ini option {name} = {text}: a positive number")
    return value


def only_replayed(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave of `items` the one test that the token to be replayed or kept is of, if it is there."""
    token = config.option.race_replay or config.option.race_keep
    if token is None:
        return
    of = Token.decode(token).about.get("test")
    named = [item for item in items if item.nodeid == of]
    if named:
        config.hook.pytest_deselected(items=[item for item in items if item not in named])
        items[:] = named
    elif config.option.race_keep is not None:
        raise pytest.UsageError(
            f"--race-keep: the token is of {of or 'no test of this plugin'}, which is not among the tests"
        )


def again(item: pytest.Item, *options: str) -> str:
    """The command that runs that test again with these options, called as pytest was called."""
    config = item.config
    where = {str(each) for each in config.known_args_namespace.file_or_dir}
    given = [word for word in kept(config.invocation_params.args) if word not in where]
    file, _, name = item.nodeid.partition("::")
    there = relpath(config.rootpath / file, config.invocation_params.dir)
    return join(["python", "-m", "pytest", *given, f"{there}::{name}", *options])


def failsat(item: pytest.Item, failure: Failure) -> list[str]:
    """The line that raised, seen from where pytest was called; nothing if there is none."""
    if failure.raised_at is None:
        return []
    file, line = failure.raised_at
    return [f"It fails at {relpath(file, item.config.invocation_params.dir)}:{line}"]


def kept(words: Sequence[object]) -> Iterator[str]:
    """Those words of a command that are no option in DROPPED, nor its value."""
    skip = False
    for word in map(str, words):
        if skip:
            skip = False
        elif word in DROPPED:
            skip = True
        elif not word.startswith(tuple(f"{option}=" for option in DROPPED)):
            yield word

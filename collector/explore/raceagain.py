"""Race tests run again what has failed before: the mark's examples, and what is remembered of earlier runs."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import pytest

from collector.explore import raceoptions
from collector.explore.remembered import Remembered
from collector.explore.replay import Replay
from collector.explore.token import Token


if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.explore.program import Invariant, Program
    from collector.explore.result import Result


class Found(NamedTuple):
    """A schedule that has failed before and still does."""

    schedule: str
    story: str
    """As it is to be printed."""
    result: Result


class Again:
    """What has failed one test before."""

    def __init__(self, item: pytest.Function) -> None:
        self.item = item
        self.test = item.nodeid
        self.memory = remembered(item.config)

    def failing(self, examples: list[str], program: Program, invariants: Sequence[Invariant]) -> Found | None:
        """The first of the examples, then of what is remembered, that fails; what does not any more is forgotten.

        Fails the test for an example that is no token.
        """
        for text in examples:
            try:
                token = Token.decode(text)
                again = Replay(token, program, invariants)
            except ValueError as error:
                raise pytest.fail.Exception(f"examples: {error}", pytrace=False) from None
            if again.fault and not again.refused:
                # Its test may have had another name when it was committed.
                mine = replace(token, about={**token.about, "test": self.test}).encode()
                return self._found(again, mine, "an example of the mark")
        for text in self.memory.of(self.test):
            fails = self._replayed(text, program, invariants)
            if fails:
                return self._found(fails, text, "remembered: it has failed an earlier run")
            self.memory.drop(self.test, text)
        return None

    def _replayed(self, text: str, program: Program, invariants: Sequence[Invariant]) -> Replay | None:
        """The run again, if it fails; None if not, or if it cannot be run: made by an older version, or spoilt."""
        try:
            token = Token.decode(text)
            again = Replay(token, program, invariants)
        except ValueError:
            return None
        return again if again.fault and not again.refused else None

    def _found(self, again: Replay, text: str, whence: str) -> Found:
        result = again.result
        failure = result.failure
        story = "\n".join([
            str(failure),
            whence,
            *(f"warning: {warning}" for warning in result.warnings),
            f"\n{again.trace}\n",
            *(raceoptions.failsat(self.item, failure) if failure else []),
            "Replay it with",
            raceoptions.again(self.item, "--race-replay", text),
            *elsewhere(self.item, text),
        ])  # fmt: skip
        return Found(text, story, result)

    def keep(self, schedule: str) -> None:
        """Remember a failing schedule for the next run, if that can be written."""
        try:
            self.memory.keep(self.test, schedule)
        except OSError as error:
            self.item.warn(pytest.PytestWarning(f"race: cannot remember the failure: {error}"))


def remembered(config: pytest.Config) -> Remembered:
    """Where failing schedules are remembered."""
    name = str(config.getini("race_folder") or ".races")
    return Remembered(None if name == "none" else config.rootpath / name)


def elsewhere(item: pytest.Item, token: str) -> list[str]:
    """On a CI server: how to have the failure where one works, and how to commit it."""
    if not os.environ.get("CI"):
        return []
    return [
        "or keep it, to have it fail first until it is mended, with",
        raceoptions.again(item, "--race-keep", token),
        "or commit it:",
        f"@pytest.mark.race(examples=[{token!r}])",
    ]


def forget(config: pytest.Config, items: Sequence[pytest.Item]) -> None:
    """Drop what is remembered of tests that are no more: their file has gone, or was collected whole and has them not."""
    memory = remembered(config)
    if hasattr(config, "workerinput"):
        return  # of pytest-xdist: the others' business
    chosen = any("::" in str(word) for word in config.invocation_params.args)
    there = {item.nodeid for item in items}
    files = {nodeid.partition("::")[0] for nodeid in there}
    for test in set(memory.tests()) - there:
        file = test.partition("::")[0]
        if not (config.rootpath / file).exists() or (file in files and not chosen):
            for token in memory.of(test):
                memory.drop(test, token)

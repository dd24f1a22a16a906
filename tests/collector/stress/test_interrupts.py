"""Signals that are held back."""

from __future__ import annotations

import signal
from threading import Thread

import pytest

from collector.stress.interrupts import Interrupts


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_noted_and_raised_where_it_is_asked_for(number: signal.Signals) -> None:
    """Not before; a second one neither."""
    with Interrupts() as interrupts:
        interrupts.check()
        signal.raise_signal(number)
        signal.raise_signal(number)
        with pytest.raises(KeyboardInterrupt):
            interrupts.check()


def test_somebody_may_be_told_at_once() -> None:
    """Each time."""
    told: list[int] = []

    with Interrupts(lambda: told.append(1)):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    assert told == [1, 1]


def test_the_third_one_is_not_held() -> None:
    """It raises where it comes."""
    with Interrupts():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_what_was_there_before_is_there_again() -> None:
    """Also when what was held has failed."""
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)

    with pytest.raises(ZeroDivisionError), Interrupts():
        raise ZeroDivisionError

    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_elsewhere_than_in_the_main_thread_nothing_is_held() -> None:
    """Python allows handlers to be set there only, and a run may be started anywhere."""
    held: list[Interrupts] = []

    def body() -> None:
        with Interrupts() as interrupts:
            interrupts.check()
            held.append(interrupts)

    thread = Thread(target=body)
    thread.start()
    thread.join()

    assert [interrupts.count for interrupts in held] == [0]

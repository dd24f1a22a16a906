"""Fair circles in a graph of states."""

from __future__ import annotations

from collector.explore.state.graph import Circle, Edge, Graph


def graph(*states: dict[int, int]) -> Graph:
    """Of states that say where each thread that can run leads."""
    found = Graph()
    for state in states:
        number = found.add(state)
        found.edges[number] = [Edge((t,), target) for t, target in state.items()]
    return found


def test_a_thread_alone_in_a_circle_is_fair_only_if_nobody_else_can_run() -> None:
    """A loop from a state to itself counts."""
    assert graph({0: 0, 1: 1}, {0: 1}).fair_circle() == Circle((1,), (0,))
    assert graph({0: 0, 1: 1}, {}).fair_circle() is None


def test_who_is_starved_takes_states_out_and_the_rest_is_asked_again() -> None:
    """Thread 2 can run in state 1 and never does in the circle; without that state thread 0 still goes round."""
    starving = graph({0: 0, 1: 1}, {1: 0, 2: 2}, {})
    assert starving.fair_circle() is None

    smaller = graph({0: 1}, {0: 2, 1: 1}, {0: 1, 2: 3}, {})
    assert smaller.fair_circle() is None

    left = graph({0: 1}, {0: 1}, {0: 0})
    assert left.fair_circle() == Circle((0,), (0,))


def test_a_circle_may_cross_itself() -> None:
    """Both threads have to go by state 0, each on a way of its own."""
    crossing = graph({0: 1, 1: 2}, {0: 0}, {1: 0})

    assert crossing.fair_circle() == Circle((0, 0, 1, 1), (0, 0, 1, 1))


def test_what_has_not_been_followed_is_no_way_out() -> None:
    """A thread that can run and whose step has not been looked at may lead out: no claim."""
    half = graph({0: 0})
    half.runnable[0] = (0, 1)

    assert half.fair_circle() is None

"""What a port and a machine of real threads promise to whoever uses them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from workbuf import events
from workbuf.hardware.machine import FEW, HardwareMachine, mix
from workbuf.machine import MASK64, WORD, Machine, Port


if TYPE_CHECKING:
    from workbuf.machine import Listener


@pytest.fixture(name="machine")
def _machine() -> HardwareMachine:
    """A small one."""
    return HardwareMachine(words=1 << 16)


@pytest.fixture(name="port")
def _port(machine: HardwareMachine) -> Port:
    """The port of the thread that the test runs in."""
    return machine.boot()


def test_every_way_to_the_memory_leads_to_the_same_words(machine: HardwareMachine, port: Port) -> None:
    """Plain, racing, atomic and the machine's own accesses see what any of them wrote."""
    a = machine.alloc(4, "a")

    port.words[a] = 1
    port.post(a + 1, MASK64)
    port.store(a + 2, 3)
    machine.poke(a + 3, 4)

    assert [port.words[a], port.hint(a), port.load(a), machine.peek(a)] == [1] * 4
    assert list(port.hints(a, 4)) == [1, MASK64, 3, 4]


@pytest.mark.parametrize("n", [0, 1, 4, FEW - 1, FEW, 100])
def test_a_fill_reaches_its_cells_and_no_others(n: int, machine: HardwareMachine, port: Port) -> None:
    """From the first to the last, few or many; of none, nothing."""
    a = machine.alloc(n + 2, "a")

    port.fill(a + 1, n, MASK64)

    assert list(port.hints(a, n + 2)) == [0, *[MASK64] * n, 0]


def test_bytes_are_counted_from_the_low_end_of_a_word(machine: HardwareMachine, port: Port) -> None:
    """Byte 8 * cell + k is bits 8k to 8k+7, on this machine as on the stepped one."""
    a = machine.word(0)

    for k in range(8):
        port.or8(a * WORD + k, k + 1)

    assert machine.peek(a) == 0x0807060504030201


def test_a_value_that_is_no_word_is_refused(machine: HardwareMachine, port: Port) -> None:
    """Too large or negative, plain or atomic: an error and not a truncation.  Only xadd's delta may be negative."""
    a = machine.word(5)
    for store in (port.post, port.store, port.xchg, lambda at, v: port.cas(at, 5, v)):
        for value in (-1, 1 << 64):
            with pytest.raises((ValueError, OverflowError)):
                store(a, value)
    assert machine.peek(a) == 5
    assert port.xadd(a, -5) == 0


def test_cells_are_known_by_name(machine: HardwareMachine, port: Port) -> None:
    """Those allocated before the run, those labelled during it, and the abort flag's own."""
    work = machine.alloc(3, "work", ("full", "empty"), align=8)
    alldone = machine.word(7, "alldone")
    arena = port.sysalloc(64, 8)
    port.label(arena, 64, "arena")

    assert [work % 8, arena % 8] == [0, 0]
    assert [machine.name(work + i) for i in range(3)] == ["work.full", "work.empty", "work[2]"]
    assert machine.name(alldone) == "alldone"
    assert machine.name(arena + 17) == "arena[17]"
    assert machine.name(machine.aborted) == "aborted"


def test_threads_that_ask_the_system_for_memory_get_cells_of_their_own(machine: HardwareMachine) -> None:
    """Zeroed, aligned and apart, however many ask at once, and each block keeps its name."""
    blocks: list[list[int]] = [[] for _ in range(4)]

    def body(port: Port) -> None:
        for i in range(200):
            a = port.sysalloc(3, 2)
            assert list(port.hints(a, 3)) == [0, 0, 0]
            port.fill(a, 3, MASK64)
            port.label(a, 3, f"t{port.index}b{i}")
            blocks[port.index].append(a)

    for _ in range(4):
        machine.spawn(body)
    machine.run()

    everything = sorted(a for mine in blocks for a in mine)
    assert all(a % 2 == 0 for a in everything)
    assert all(a + 3 <= b for a, b in pairwise(everything))
    assert [[machine.name(a + 2) for a in mine] for mine in blocks] == [
        [f"t{t}b{i}[2]" for i in range(200)] for t in range(4)
    ]


def test_what_a_thread_draws_follows_from_the_seed() -> None:
    """The same machine seed gives each thread the same seed and choices, another seed others; threads differ."""

    def drawn(seed: int) -> dict[int, tuple[int, tuple[int, ...]]]:
        machine = HardwareMachine(words=64, seed=seed)
        found: dict[int, tuple[int, tuple[int, ...]]] = {}

        def body(port: Port) -> None:
            found[port.index] = port.seed, tuple(port.choose(5) for _ in range(50))

        for _ in range(3):
            machine.spawn(body)
        machine.run()
        return found

    first, again, other = drawn(1), drawn(1), drawn(2)

    assert first == again
    assert len({*first.values(), *other.values()}) == 6
    assert {choice for _, choices in first.values() for choice in choices} == set(range(5))


def test_seeds_are_the_same_everywhere() -> None:
    """A seed in a report is good on another interpreter and in another process: it depends on no hash of Python's."""
    assert mix(1, 0) == 0x8BF3BB58365DA32A
    assert mix(1, "choose") == 0x31ECBBA36A729ED2


def test_a_listener_is_asked_for_once_a_thread() -> None:
    """With the thread's port, before its body runs; the events of the body go there; the boot port has none."""
    asked: list[str] = []
    heard: list[tuple[str, int, int]] = []

    def listener_for(port: Port) -> Listener:
        asked.append(port.name)

        def listener(kind: int, a: int = 0, b: int = 0, c: int = 0, /) -> None:
            del b, c
            heard.append((port.name, kind, a))

        return listener

    machine = HardwareMachine(words=64, listener_for=listener_for)
    machine.boot().event(events.Event.NEW, 1)
    for name in ("m0", "m1"):
        machine.spawn(lambda port: (port.event(events.Event.PUT, 2), port.event(events.Event.GET, 3)), name)
    machine.run()

    assert sorted(asked) == ["m0", "m1"]
    put, get = (events.Event.PUT, 2), (events.Event.GET, 3)
    for name in asked:
        assert [(kind, a) for m, kind, a in heard if m == name] == [put, get]
    assert len(heard) == 4


def test_nobody_listens_by_default(port: Port) -> None:
    """A port's events go to the null listener."""
    assert port.event is events.null


def test_the_clock_begins_with_the_run(machine: HardwareMachine, port: Port) -> None:
    """It shows 0 before it, and never goes back, neither in a thread nor from a run to the next."""
    assert port.now() == 0
    shown: list[int] = []

    for _ in range(2):
        machine.spawn(lambda p: shown.extend(p.now() for _ in range(100)))
        machine.run()

    assert shown == sorted(shown)
    assert shown[0] > 0


def test_a_thread_finds_all_of_the_interface(machine: HardwareMachine) -> None:
    """Everything that `Port` and `Machine` name is there, in a thread's port as in the machine."""
    missing: list[str] = []

    def members(interface: type) -> set[str]:
        return {name for name in {*vars(interface), *interface.__annotations__} if not name.startswith("_")}

    machine.spawn(lambda port: missing.extend(name for name in members(Port) if not hasattr(port, name)))
    machine.run()

    assert missing == []
    assert [name for name in members(Machine) if not hasattr(machine, name)] == []
    assert {"cas", "words", "now"} < members(Port)
    assert "alloc" in members(Machine)


def test_the_boot_port_is_one(machine: HardwareMachine, port: Port) -> None:
    """It is made once, and is none of the threads' ports."""
    seen: list[int] = []
    machine.spawn(lambda p: seen.append(p.index))
    machine.run()

    assert machine.boot() is port
    assert seen == [0]
    assert port.index not in seen

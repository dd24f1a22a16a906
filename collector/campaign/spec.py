"""Reads the specification of a campaign, a TOML file, and makes its tasks.

    seconds = 60                      # of a task, unless its section says otherwise

    [[explore]]                       # schedules of programs
    programs = ["*", "FILE.py:function", "aba", "aba:fixed", "fault:NAME"]
    strategies = ["urw", "dpor"]      # portfolio
    seeds = "1-20"                    # of the strategies that draw; each is a task
    schedules = 2000                  # at most, of a task
    preemptions = 2                   # and depth, as `explore` has them
    traces = true                     # tell the traces of samplers apart

    [[pytest]]                        # files of tests, each a task
    tests = ["tests/race/test_*.py"]
    options = ["--race-seed {seed}"]
    seeds = "1-3"

    [[stress]]                        # configurations
    options = ["--seconds 5 --seed {seed}", "--all --seconds 5"]

    [[fault]]                         # planted faults, which stress is to see
    names = ["*"]
    options = ["--seconds 20"]

    [[matrix]]                        # planted faults, each against all that may detect it
    names = ["*"]
    options = ["--seconds 5"]

    [[referee]]                       # heaps
    pairs = [["BEFORE", "AFTER"]]

    [[command]]                       # any other command of this command line
    words = ["museum", "hunt --seed {seed}"]

    [[module]]                        # Python's modules, as fuzzing: status 1 is a failure
    words = ["scripts.fuzz_programs --programs 100 --seed {seed}"]
    seeds = "1-50"

`*` are all variants of all scenarios, or all faults.  Whatever a section has several of, it stands for all combinations.
"""

from __future__ import annotations

import glob
import shlex
import tomllib
from hashlib import sha256
from importlib.util import find_spec
from itertools import product
from typing import TYPE_CHECKING, Any

from collector.campaign.task import Task
from collector.explore.strategies import BOUNDED, NAMED
from collector.faults import FAULTS
from collector.report.regular import regular
from collector.scenarios.registry import SCENARIOS


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SECONDS = 60.0
SCHEDULES = 2_000
DRAWING = ("portfolio", "random", "urw", "pct", "pos", "surw")
"""Strategies that seeds mean something to."""
MOST_SEEDS = 1_000_000
KEYS = {
    "explore": {"programs", "strategies", "seeds", "schedules", "seconds", "preemptions", "depth", "traces"},
    "pytest": {"tests", "options", "seeds", "seconds"},
    "stress": {"options", "seeds", "seconds"},
    "fault": {"names", "options", "seeds", "seconds"},
    "matrix": {"names", "options", "seeds", "seconds"},
    "referee": {"pairs", "options", "seeds", "seconds"},
    "command": {"words", "seeds", "seconds"},
    "module": {"words", "seeds", "seconds"},
}
"""Of each kind of section."""


LONGEST = 1 << 20
"""Bytes of a specification."""


class SpecError(Exception):
    """The specification cannot be read: one line that says what and where."""


def tasks(path: str) -> list[Task]:
    """The tasks of a specification, in order; raises SpecError."""
    try:
        with open(path, "rb", opener=regular) as file:
            text = file.read(LONGEST + 1)
        if len(text) > LONGEST:
            raise SpecError(f"{path}: no specification: longer than {LONGEST:,} bytes")
        spec = tomllib.loads(text.decode())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise SpecError(f"{path}: cannot read: {why}") from None
    seconds = number(spec.pop("seconds", SECONDS), f"{path}: seconds")
    made: list[Task] = []
    for kind, sections in spec.items():
        if kind not in KEYS:
            raise SpecError(f"{path}: no section [[{kind}]]; there are {', '.join(KEYS)}")
        if not isinstance(sections, list):
            raise SpecError(f"{path}: {kind}: write [[{kind}]], a section for each")
        for count, section in enumerate(sections, 1):
            where = f"{path}: [[{kind}]] number {count}"
            if unknown := sorted(section.keys() - KEYS[kind]):
                raise SpecError(f"{where}: no {unknown[0]!r}; there are {', '.join(sorted(KEYS[kind]))}")
            made += MAKERS[kind]({"seconds": seconds, **section}, where)
    if not made:
        raise SpecError(f"{path}: no tasks: it has no section, or none that names something")
    return made


def explores(section: Mapping[str, Any], where: str) -> Iterator[Task]:
    """Tasks of [[explore]]."""
    strategies = texts(section, "strategies", where, ["portfolio"])
    if unknown := [name for name in strategies if name not in NAMED]:
        raise SpecError(f"{where}: no strategy {unknown[0]!r}; there are {', '.join(NAMED)}")
    programs = [one for word in texts(section, "programs", where) for one in variants(word, where)]
    seconds, seeds = number(section["seconds"], f"{where}: seconds"), drawn(section, where)
    options = {name: section[name] for name in ("preemptions", "depth", "traces") if name in section}
    schedules = int(number(section.get("schedules", SCHEDULES), f"{where}: schedules"))
    for (program, variant, fails), strategy in product(programs, strategies):
        inputs = {"program": program, "variant": variant, "strategy": strategy, "schedules": schedules, **options}
        if strategy not in BOUNDED:
            inputs.pop("preemptions", None)
        if ".py:" in program:
            inputs["file"] = digest(program.rpartition(":")[0], where)
        name = " ".join(word for word in (program, variant, strategy) if word)
        for seed in seeds if strategy in DRAWING else [1]:
            told = f"{name} seed {seed}" if strategy in DRAWING else name
            yield Task("explore", told, {**inputs, "seed": seed}, fails, seconds)


def variants(word: str, where: str) -> Iterator[tuple[str, str, bool]]:
    """Programs that a word means: name, variant, and whether it is to fail."""
    if ".py:" in word or word.startswith("fault:"):
        yield word, "", word.startswith("fault:")
        return
    name, _, variant = word.partition(":")
    if name != "*" and name not in SCENARIOS:
        raise SpecError(f"{where}: no scenario {name!r}; there are {', '.join(SCENARIOS)}")
    for each in SCENARIOS if name == "*" else [name]:
        known = SCENARIOS[each].variants
        if variant and variant not in known and name != "*":
            raise SpecError(f"{where}: scenario {name} has no variant {variant!r}; there are {', '.join(known)}")
        yield from ((each, one, bool(of.fails)) for one, of in known.items() if variant in {"", one})


def pytests(section: Mapping[str, Any], where: str) -> Iterator[Task]:
    """Tasks of [[pytest]]."""
    for pattern in texts(section, "tests", where):
        found = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207  a pattern with folders, from here
        if not found:
            raise SpecError(f"{where}: tests: no file is {pattern!r}")
        for file in found:
            yield from processes("pytest", [file], section, where, file=digest(file, where))


def stresses(section: Mapping[str, Any], where: str) -> Iterator[Task]:
    """Tasks of [[stress]]."""
    yield from processes("command", ["stress"], section, where)


def planted(section: Mapping[str, Any], where: str) -> Iterator[str]:
    """Names of faults."""
    for word in texts(section, "names", where):
        if word != "*" and word not in FAULTS:
            raise SpecError(f"{where}: no fault {word!r}; there are {', '.join(FAULTS)}")
        yield from FAULTS if word == "*" else [word]


def faults(section: Mapping[str, Any], where: str) -> Iterator[Task]:
    """Tasks of [[fault]]."""
    for name in planted(section, where):
        fault = FAULTS[name]
        words = ["stress", "--all", "--quiet", "--plant", name]
        yield from processes("command", words, section, where, fails=not (fault.equivalent or fault.unseen))


def matrices(section: Mapping[str, Any], where: str) -> Iterator[Task]:
    """Tasks of [[matrix]]."""
    for name in planted(section, where):
        yield from processes("command", ["faults", "--only", name], section, where)


def referees(section: Mapping[str, Any], where: str) -> Iterator[Task]:
    """Tasks of [[referee]]."""
    for pair in section.get("pairs", []):
        if not (isinstance(pair, list) and len(pair) == 2):
            raise SpecError(f"{where}: pairs: each is [BEFORE, AFTER], and not {pair!r}")
        before, after = map(str, pair)
        files = digest(before, where) + digest(after, where)
        yield from processes("command", ["referee", before, after], section, where, file=files)


def commands(section: Mapping[str, Any], where: str) -> Iterator[Task]:
    """Tasks of [[command]]."""
    for words in texts(section, "words", where):
        if first(words, where) in ("", "campaign"):
            raise SpecError(f"{where}: words: {words!r}: a command of this command line is wanted, and not campaign")
        yield from processes("command", [], {**section, "options": [words]}, where)


def modules(section: Mapping[str, Any], where: str) -> Iterator[Task]:
    """Tasks of [[module]]."""
    for words in texts(section, "words", where):
        try:
            there = find_spec(first(words, where))
        except (ImportError, ValueError):
            there = None
        if there is None or there.origin is None:
            raise SpecError(f"{where}: words: {words!r} begins with no module that can be imported from here")
        yield from processes("module", [], {**section, "options": [words]}, where, file=digest(there.origin, where))


def processes(
    kind: str, words: list[str], section: Mapping[str, Any], where: str, *, fails: bool = False, file: str = ""
) -> Iterator[Task]:
    """A task for each of the section's options and seeds."""
    seconds = number(section["seconds"], f"{where}: seconds")
    for options in texts(section, "options", where, [""]):
        for seed in drawn(section, where) if "{seed}" in options else [0]:
            more = apart(options.replace("{seed}", str(seed)), where)
            inputs = {"words": [*words, *more], **({"file": file} if file else {})}
            yield Task(kind, shlex.join([*words, *more]), inputs, fails, seconds)


def apart(options: str, where: str) -> list[str]:
    """The words, as a shell tells them apart."""
    try:
        return shlex.split(options)
    except ValueError as error:
        raise SpecError(f"{where}: {options!r}: {error}") from None


def first(words: str, where: str) -> str:
    """The first word; "" if there is none."""
    return next(iter(apart(words, where)), "")


MAKERS = {
    "explore": explores,
    "pytest": pytests,
    "stress": stresses,
    "fault": faults,
    "matrix": matrices,
    "referee": referees,
    "command": commands,
    "module": modules,
}


def texts(section: Mapping[str, Any], key: str, where: str, default: list[str] | None = None) -> list[str]:
    """A list of texts."""
    found = section.get(key, default)
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise SpecError(f'{where}: {key}: a list of texts is wanted, say {key} = ["..."]')
    return found


def number(found: object, where: str) -> float:
    """A number greater than 0."""
    if not isinstance(found, int | float) or isinstance(found, bool) or not 0 < found < 1e9:
        raise SpecError(f"{where}: a number greater than 0 is wanted, and not {found!r}")
    return found


def drawn(section: Mapping[str, Any], where: str) -> range:
    """Seeds: a number, or `first-last`."""
    found = section.get("seeds", 1)
    first, _, last = str(found).partition("-")
    if not (first.isdecimal() and (last or first).isdecimal()):
        raise SpecError(f'{where}: seeds: a number or a range is wanted, say seeds = "1-20", and not {found!r}')
    seeds = range(int(first), int(last or first) + 1)
    if not 0 < len(seeds) <= MOST_SEEDS:
        raise SpecError(f"{where}: seeds: {found} are none, or more than {MOST_SEEDS}")
    return seeds


def digest(file: str, where: str) -> str:
    """Of the file's content."""
    try:
        with open(file, "rb", opener=regular) as content:
            return sha256(content.read()).hexdigest()[:16]
    except OSError as error:
        raise SpecError(f"{where}: {file}: cannot read: {error.strerror}") from None

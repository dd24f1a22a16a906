"""Programs that keep what they read in what is constant in most: closures' variables, methods, modules, enumerations.

In a few schedules the check fails, as of `keepingprograms`.
"""

# ruff: noqa: ANN401, B009, B010, D103, PLW0108, TRY301  the programs' names say what they are, and this is how they change things

from __future__ import annotations

import functools
import itertools
import os
import sys
import types
from typing import TYPE_CHECKING, Any

from tests.collector.explore import patched
from tests.collector.explore.keepingprograms import keeping
from tests.collector.explore.kinds import of
from tests.collector.explore.patientprograms import TURNS, Gear


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine

KEEPING: dict[str, Callable[[SteppedMachine], Any]] = {}


def one() -> int:
    return 1


def zero() -> int:
    return 0


def patchable() -> int:
    return 0


@of(KEEPING)
def in_a_nonlocal_flag(machine: SteppedMachine) -> Any:
    kept = False

    def keep(v: int) -> None:
        nonlocal kept
        kept = bool(v)

    return keeping(keep, lambda: int(kept))(machine)


@of(KEEPING)
def in_a_nonlocal_function(machine: SteppedMachine) -> Any:
    kept = zero

    def keep(v: int) -> None:
        nonlocal kept
        kept = one if v else zero

    return keeping(keep, lambda: kept())(machine)


@of(KEEPING)
def in_a_module_by_setattr(machine: SteppedMachine) -> Any:
    setattr(patched, "value", 0)
    return keeping(lambda v: setattr(patched, "value", v), lambda: getattr(patched, "value"))(machine)


@of(KEEPING)
def in_a_module_by_its_dictionary(machine: SteppedMachine) -> Any:
    vars(patched)["value"] = 0
    return keeping(lambda v: vars(patched).__setitem__("value", v), lambda: vars(patched)["value"])(machine)


@of(KEEPING)
def in_a_module_found_by_name(machine: SteppedMachine) -> Any:
    name = patched.__name__
    setattr(patched, "value", 0)
    return keeping(lambda v: setattr(sys.modules[name], "value", v), lambda: sys.modules[name].value)(machine)


@of(KEEPING)
def in_an_attribute_that_a_module_had_not(machine: SteppedMachine) -> Any:
    vars(patched).pop("late", None)
    return keeping(lambda v: setattr(patched, "late", v) if v else None, lambda: getattr(patched, "late", 0))(machine)


@of(KEEPING)
def in_a_module_of_its_own(machine: SteppedMachine) -> Any:
    module = types.ModuleType("module")
    setattr(module, "value", 0)
    return keeping(lambda v: setattr(module, "value", v), lambda: module.value)(machine)


@of(KEEPING)
def in_which_function_a_module_has(machine: SteppedMachine) -> Any:
    patched.function = zero
    return keeping(lambda v: setattr(patched, "function", one if v else zero), lambda: patched.function())(machine)


@of(KEEPING)
def in_a_global_by_its_text(machine: SteppedMachine) -> Any:
    globals()["KEPT"] = 0
    return keeping(lambda v: globals().__setitem__("KEPT", v), lambda: globals()["KEPT"])(machine)


@of(KEEPING)
def in_a_computed_global(machine: SteppedMachine) -> Any:
    globals()[f"KEPT{TURNS}"] = 0
    return keeping(lambda v: globals().__setitem__(f"KEPT{TURNS}", v), lambda: globals()[f"KEPT{TURNS}"])(machine)


@of(KEEPING)
def in_a_computed_global_of_a_function(machine: SteppedMachine) -> Any:
    zero.__globals__[f"KEPT{TURNS}"] = 0
    return keeping(lambda v: zero.__globals__.__setitem__(f"KEPT{TURNS}", v), lambda: zero.__globals__[f"KEPT{TURNS}"])(
        machine
    )


@of(KEEPING)
def in_the_code_of_a_function(machine: SteppedMachine) -> Any:
    def keep(v: int) -> None:
        patchable.__code__ = (one if v else zero).__code__

    keep(0)
    return keeping(keep, lambda: patchable())(machine)


class Patched:
    """Its method is replaced."""

    def method(self) -> int:
        return 0


@of(KEEPING)
def in_a_method(machine: SteppedMachine) -> Any:
    def keep(v: int) -> None:
        Patched.method = (lambda self: 1) if v else (lambda self: 0)  # type: ignore[method-assign]  # noqa: ARG005

    keep(0)
    return keeping(keep, lambda: Patched().method())(machine)


@of(KEEPING)
def in_a_method_of_a_class_of_its_own(machine: SteppedMachine) -> Any:
    class Own:
        def method(self) -> int:
            return 0

    return keeping(
        lambda v: setattr(Own, "method", (lambda _: 1) if v else (lambda _: 0)),
        lambda: Own().method(),
    )(machine)


@of(KEEPING)
def in_an_attribute_that_a_class_had_not(machine: SteppedMachine) -> Any:
    if hasattr(Patched, "late"):
        del Patched.late
    return keeping(lambda v: setattr(Patched, "late", 1) if v else None, lambda: getattr(Patched, "late", 0))(machine)


@of(KEEPING)
def in_the_bases_of_a_class(machine: SteppedMachine) -> Any:
    class Zero:
        value = 0

    class One:
        value = 1

    class Own(Zero):
        pass

    return keeping(lambda v: setattr(Own, "__bases__", (One if v else Zero,)), lambda: Own.value)(machine)


@of(KEEPING)
def on_an_enumeration(machine: SteppedMachine) -> Any:
    setattr(Gear.LOW, "kept", 0)
    return keeping(lambda v: setattr(Gear.LOW, "kept", v), lambda: getattr(Gear.LOW, "kept"))(machine)


@of(KEEPING)
def in_the_environment(machine: SteppedMachine) -> Any:
    os.environ["EXPLORED"] = "0"
    return keeping(lambda v: os.environ.__setitem__("EXPLORED", str(v)), lambda: int(os.environ["EXPLORED"]))(machine)


@of(KEEPING)
def in_a_dispatch(machine: SteppedMachine) -> Any:
    @functools.singledispatch
    def said(_v: object) -> int:
        return 0

    return keeping(lambda v: said.register(int, lambda _: 1) if v else None, lambda: said(5))(machine)


@of(KEEPING)
def in_an_exceptions_traceback(machine: SteppedMachine) -> Any:
    kept: list[Exception] = []

    def keep(v: int) -> None:
        try:
            raise ValueError
        except ValueError as error:
            kept.append(error)
        assert v < 2

    def read() -> int:
        trace = kept[0].__traceback__
        assert trace is not None
        return int(trace.tb_frame.f_locals["v"])

    return keeping(keep, read)(machine)


class Secretive(dict[str, int]):
    """Says that it holds nothing."""

    def keys(self) -> Any:
        return {}.keys()

    def values(self) -> Any:
        return {}.values()


@of(KEEPING)
def in_a_dictionary_that_denies_it(machine: SteppedMachine) -> Any:
    kept = Secretive(v=0)
    return keeping(lambda v: kept.__setitem__("v", v), lambda: kept["v"])(machine)


@of(KEEPING)
def in_compiled_code(machine: SteppedMachine) -> Any:
    kept: list[types.CodeType] = []
    return keeping(
        lambda v: kept.append(compile(str(v), "<kept>", "eval")),
        lambda: next(iter(itertools.chain(kept[0].co_consts))),
    )(machine)

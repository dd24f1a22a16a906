"""Puts functions into dictionaries by their names, each kind into its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar


if TYPE_CHECKING:
    from collections.abc import Callable

Function = TypeVar("Function", bound="Callable[..., Any]")


def of(kind: dict[str, Function]) -> Callable[[Function], Function]:
    """The decorator that adds to this kind."""

    def add(function: Function) -> Function:
        kind[function.__name__] = function
        return function

    return add

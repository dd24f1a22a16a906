"""Stand-in for `threading.local`.

Its `__dict__` holds a dictionary per thread; a program that asks for that sees its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self


if TYPE_CHECKING:
    from collector.explore.stdlib.place import Place


class Local:
    """As `threading.local` is documented: every thread has attributes of its own, which `__init__` makes for each."""

    __slots__ = ("__arguments", "__dict__", "__weakref__")
    __place: ClassVar[Place]
    __arguments: tuple[tuple[Any, ...], dict[str, Any]]

    def __new__(cls, *args: object, **kwargs: object) -> Self:
        if (args or kwargs) and cls.__init__ is object.__init__:
            raise TypeError("Initialization arguments are not supported")
        self = super().__new__(cls)
        object.__setattr__(self, "_Local__arguments", (args, kwargs))
        all_of(self)[cls.__place.me()] = {}
        return self

    def __own(self) -> dict[str, Any]:
        """The attributes of the running thread; a class that initialises them does so when a thread first comes.

        One that raises does so again when the thread comes again.
        """
        cls, attributes = type(self), all_of(self)
        me = cls.__place.me()
        if me not in attributes:
            attributes[me] = {}
            if cls.__init__ is not object.__init__:
                args, kwargs = object.__getattribute__(self, "_Local__arguments")
                try:
                    cls.__init__(self, *args, **kwargs)
                except BaseException:
                    del attributes[me]
                    raise
        return attributes[me]

    def __getattribute__(self, name: str) -> Any:  # noqa: ANN401  whatever was put there
        mine = Local.__own(self)
        if name == "__dict__":
            return mine
        if name in mine and not hasattr(type(of_class(self, name)), "__set__"):
            return mine[name]
        return object.__getattribute__(self, name)

    def __setattr__(self, name: str, value: object) -> None:
        mine = Local.__own(self)
        if name == "__dict__":
            raise AttributeError(f"{type(self).__name__!r} object attribute '__dict__' is read-only")
        if hasattr(type(of_class(self, name)), "__set__"):
            object.__setattr__(self, name, value)
        else:
            mine[name] = value

    def __delattr__(self, name: str) -> None:
        mine = Local.__own(self)
        if hasattr(type(of_class(self, name)), "__delete__"):
            object.__delattr__(self, name)
        elif name in mine:
            del mine[name]
        else:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


def all_of(local: Local) -> dict[int, dict[str, Any]]:
    """The attributes of each thread."""
    attributes: dict[int, dict[str, Any]] = object.__getattribute__(local, "__dict__")
    return attributes


def of_class(local: Local, name: str) -> object:
    """What the class has by that name."""
    return next((vars(base)[name] for base in type(local).__mro__ if name in vars(base)), None)

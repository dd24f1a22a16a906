"""The classes of an HPROF file: their names, and where the references lie in the bytes of an instance.

An instance is written as the bytes of its fields, those of its own class first and those of each superclass behind; what
types they have, the class records say.  A class may come after its instances.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

from collector.heaps.errors import MismatchError, printable
from collector.heaps.graph import WORD


OBJECT_TYPE = 2
TYPES = {OBJECT_TYPE: 8, 4: 1, 5: 2, 6: 4, 7: 8, 8: 1, 9: 2, 10: 4, 11: 8}
"""Bytes of a value: object, boolean, char, float, double, byte, short, int, long."""
CLASS = 0x20
"""The tag of a class's record."""
NAMES = dict(zip("ZCFDBSIJ", ("boolean", "char", "float", "double", "byte", "short", "int", "long"), strict=True))
"""The primitive types by their letters in the JVM's names of arrays, in the order of TYPES."""
NAMELESS = dict(
    zip((CLASS, *list(TYPES)[1:]), ("java.lang.Class", *(f"{name}[]" for name in NAMES.values())), strict=True)
)
"""What the objects are that name no class: classes, and primitive arrays by the type of an element."""


DEPTH_LIMIT = 256
"""Superclasses above a class: a chain of more is taken for a cycle."""


@dataclass(frozen=True, slots=True)
class Class:
    """What the instances of a class need: its superclass (0 for none), the types of its own fields, their bytes."""

    parent: int
    fields: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Layout:
    """How to take the references out of the `size` bytes of an instance's fields, and where they lie in our object."""

    size: int
    words: Struct
    offsets: range


class Classes:
    """The classes met so far, by address."""

    def __init__(self) -> None:
        self._classes: dict[int, Class] = {}
        self._layouts: dict[int, Layout] = {}

    def add(self, address: int, parent: int, fields: bytes) -> None:
        """A class with the types of its own fields."""
        self._classes[address] = Class(parent, fields, sum(TYPES[kind] for kind in fields))

    def layout(self, address: int, size: int, at: int) -> Layout | None:
        """The layout of an instance of the class at `address` with `size` bytes of fields, which stands at `at`.

        None while a class of the chain is unknown; MismatchError where the chain is endless or the bytes are another number.

        The bytes are compared before the layout is made, so that a layout costs no more than an instance that has it.
        """
        known = self._layouts.get(address)
        if known is not None and known.size == size:
            return known
        chain: list[Class] = []
        above = address
        while above:
            if above not in self._classes:
                return None
            if len(chain) == DEPTH_LIMIT:
                raise MismatchError(at, f"at most {DEPTH_LIMIT} superclasses", f"more (a cycle?) above {address:#x}")
            chain.append(self._classes[above])
            above = chain[-1].parent
        total = sum(part.size for part in chain)
        if total != size:
            raise MismatchError(at, f"an instance of {total} bytes of fields", str(size))
        kinds = b"".join(part.fields for part in chain)
        words = "".join("Q" if kind == OBJECT_TYPE else f"{TYPES[kind]}x" for kind in kinds)
        offsets = range(16, 16 + WORD * kinds.count(OBJECT_TYPE), WORD)
        layout = self._layouts[address] = Layout(size, Struct(">" + words), offsets)
        return layout


class Names:
    """The names of the loaded classes."""

    def __init__(self) -> None:
        self.strings: dict[int, bytes] = {}
        """By identifier."""
        self._named: dict[int, int] = {}

    def loaded(self, address: int, name: int) -> None:
        """The class at `address` has the string `name` for its name."""
        self._named[address] = name

    def of(self, key: int) -> str:
        """The name of a class by its address, or what an object is that has none by its kind."""
        if key in NAMELESS:
            return NAMELESS[key]
        name = self.strings.get(self._named.get(key, 0))
        return f"class at {key:#x}" if name is None else readable(printable(name.decode("utf-8", "replace")))


def readable(name: str) -> str:
    """`java/lang/String` and `[[Ljava/lang/String;` as Java's own sources write them."""
    element = name.lstrip("[")
    dimensions = len(name) - len(element)
    if dimensions:
        element = element[1:].removesuffix(";") if element.startswith("L") else NAMES.get(element, element)
    return element.replace("/", ".") + "[]" * dimensions

"""Record layouts: named fields at fixed offsets in the flat memory.

A `Struct` is a list of field names, one cell each; `Struct.field` is the field's offset in cells, so that
`record + WORKBUF.nobj` is the cell of a buffer's `nobj`.  Names are Go's, and `allocate` hands them to the machine, so a
trace prints `wbuf3.nobj` and never a number.  Not modelled: fields narrower than a word (`inuse` is a bool in Go; its
padding makes it a word there too).
"""

from __future__ import annotations

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from workbuf.machine import Machine, Port


class Struct:
    """Offsets, in cells, of the fields of one kind of record."""

    def __init__(self, name: str, *fields: str) -> None:
        self.name = name
        self.fields = fields
        self.size = len(fields)
        """Cells in one record."""
        self.offsets = {field: at for at, field in enumerate(fields)}
        if len(self.offsets) != self.size:
            raise ValueError(f"struct {name}: a field is named twice")
        # An attribute wins over a field of the same name, and `Struct.size` would silently be the wrong offset.
        hidden = [field for field in fields if hasattr(type(self), field) or field in vars(self)]
        if hidden:
            raise ValueError(f"struct {name}: {hidden[0]!r} cannot be a field's name")
        # Ordinary attributes: a lookup through __getattr__ costs four times as much, and the protocol is made of them.
        vars(self).update(self.offsets)

    if TYPE_CHECKING:

        def __getattr__(self, field: str) -> int:
            """The offset of `field`."""

    def extended(self, name: str, *fields: str) -> Struct:
        """This struct with further fields behind its own (Go's embedding)."""
        return Struct(name, *self.fields, *fields)

    def allocate(self, machine: Machine, name: str, *, align: int = 1) -> int:
        """A zeroed record before any thread runs; returns its first cell."""
        return machine.alloc(self.size, name, self.fields, align=align)

    def allocate_late(self, port: Port, name: str, *, align: int = 1) -> int:
        """A zeroed record while threads run; returns its first cell."""
        at = port.sysalloc(self.size, align)
        port.label(at, self.size, name, self.fields)
        return at

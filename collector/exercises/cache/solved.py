"""A cache of one work buffer, which its M and the collector may empty at the same time."""


class Cache:
    """The slot holds a buffer, or 0."""

    def __init__(self, machine):
        self.slot = machine.word(0, "slot")

    def give(self, port, buffer):
        """Leave a buffer; returns what was there, which is the caller's again."""
        return port.xchg(self.slot, buffer)

    def take(self, port):
        """The buffer, which is the caller's from here on, or 0."""
        return port.xchg(self.slot, 0)

"""Faults of the list operations and of the cache."""

from __future__ import annotations

from collector.faults.fault import Fault
from workbuf.buffer import NOBJ
from workbuf.entry import THROUGH_EMPTY
from workbuf.events import EMPTY, FULL, Event
from workbuf.lists import Lists
from workbuf.machine import WORD


class UncheckedEmpty(Lists):
    """getempty does not look whether what it took is empty."""

    def getempty(self, entry: int) -> int:
        """As in lists.py, but for the check."""
        b = (self.lfstackpop(self.work_empty) if self.port.hint(self.work_empty) else 0) or self.newbuffer()
        self.logget(b, entry)
        self.port.event(Event.GET, b, entry, EMPTY)
        return b


class UncheckedFull(Lists):
    """trygetfull does not look whether what it took holds anything."""

    def trygetfull(self, entry: int) -> int:
        """As in lists.py, but for the check."""
        return self.popfull(entry) or self.poppartial(entry) or self.takecachedwork(839)


class TakeByStore(Lists):
    """The cached buffer is taken by a load and a store, between which the harvest takes it as well."""

    def takecached(self) -> int:
        """Two steps where one is needed."""
        b = self.port.load(self.currentwbuf) // WORD
        self.port.store(self.currentwbuf, 0)
        if b:
            self.port.event(Event.UNCACHED, b)
        return b


class CacheByStore(Lists):
    """A buffer is left in the cache by a load and a store."""

    def cache(self, b: int) -> int:
        """Two steps where one is needed."""
        if b:
            self.port.event(Event.CACHED, b)
        old = self.port.load(self.currentwbuf) // WORD
        self.port.store(self.currentwbuf, b * WORD)
        return old


class UnloggedFull(Lists):
    """putfull does not log, so the buffer still counts as in use."""

    def putfull(self, b: int, entry: int) -> None:
        """Push without logput."""
        self.port.event(Event.PUT, b, entry, FULL)
        self.lfstackpush(self.work_full, b)


class PutTwice(Lists):
    """putempty leaves the buffer in use and pushes it once more a little later: it is on the list twice."""

    def putempty(self, b: int, entry: int) -> None:
        """Every second time."""
        super().putempty(b, entry)
        if b % 128 == 0 and self.port.words[b + NOBJ] == 0:
            self.lfstackpush(self.work_empty, b)


class CacheOverlooked(Lists):
    """A producer gets a further buffer although this M caches one."""

    def getpartialorempty(self, entry: int) -> int:
        """Off the lists only."""
        return self.poppartial(entry) or self.getempty(entry + THROUGH_EMPTY)


class OwnCacheUntried(Lists):
    """trygetfull does not look into this M's own cache."""

    def trygetfull(self, entry: int) -> int:
        """Off the lists only."""
        b = self.popfull(entry) or self.poppartial(entry)
        if b:
            self.checknonempty(b)
        return b


class FullOnPartial(Lists):
    """putpartial puts a full buffer on partial too."""

    def putpartial(self, b: int, entry: int) -> None:
        """By whether it is empty, and not by whether it is full."""
        if self.port.words[b + NOBJ] == 0:
            super().putpartial(b, entry)
            return
        self.logput(b, entry)
        self.lfstackpush(self.work_partial, b)


FAULTS = (
    Fault("getempty-unchecked", UncheckedEmpty, unseen="the check sees what another fault has done, never its own"),
    Fault("trygetfull-unchecked", UncheckedFull, unseen="the check sees what another fault has done, never its own"),
    Fault("take-by-store", TakeByStore, bugs=("O-15",)),
    Fault(
        "cache-by-store", CacheByStore, equivalent="only the M itself fills its cache, and it is empty whenever it does"
    ),
    Fault("putfull-unlogged", UnloggedFull),
    Fault("putempty-twice", PutTwice),
    Fault("cache-overlooked", CacheOverlooked),
    Fault(
        "trygetfull-without-cache",
        OwnCacheUntried,
        unseen="an assist takes its cache before it asks, and keeps it 0",
    ),
    Fault("full-on-partial", FullOnPartial, unseen="consumers take from partial too, producers replace a full buffer"),
)

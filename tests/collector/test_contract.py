"""What the seed commit adds or changes: every row of its table exists, under Go's name, where it belongs.

What each row does is tested beside its module: this is the list by which nothing is forgotten.
"""

from __future__ import annotations

import inspect

import pytest

from collector.runtime import CollectorM
from mutator.world import MRECORD, RUNTIME
from workbuf import buffer
from workbuf.buffer import LOG0, LOG3, WORKBUF, capacity
from workbuf.local import Globals
from workbuf.machine import WORD


FUNCTIONS = {
    "gcinstallmarkwb": ("collector.cycle", ""),
    "gcwork": ("collector.cycle", "force"),
    "greyobject": ("collector.grey", "obj base off hbits bits wbuf"),
    "checknocurrentwbuf": ("workbuf.lists", ""),
    "scanblock": ("collector.grey", "b n ptrmask wbuf"),
    "drainworkbuf": ("collector.drain", "wbuf all"),
    "drainobjects": ("collector.drain", "wbuf count"),
    "markroot": ("collector.roots", "i"),
    "logget": ("workbuf.buffer", "b entry"),
    "logput": ("workbuf.buffer", "b entry"),
    "checknonempty": ("workbuf.buffer", "b"),
    "checkempty": ("workbuf.buffer", "b"),
    "getempty": ("workbuf.lists", "entry"),
    "putempty": ("workbuf.lists", "b entry"),
    "putfull": ("workbuf.lists", "b entry"),
    "getpartialorempty": ("workbuf.lists", "entry"),
    "putpartial": ("workbuf.lists", "b entry"),
    "trygetfull": ("workbuf.lists", "entry"),
    "getfull": ("workbuf.getfull", "entry"),
    "handoff": ("workbuf.getfull", "b"),
    "harvestwbufs": ("collector.harvest", ""),
    "scanframeworker": ("collector.stackscan", "frame wbuf"),
    "scanstack": ("collector.stackscan", "gp"),
    "shade": ("collector.shade", "b"),
    "gchelpwork": ("collector.shade", ""),
    "gchelper": ("collector.helper", ""),
    "gcmark_m": ("collector.cycle", ""),
    "gc": ("collector.gc", "eager"),
    "readGCStats_m": ("collector.memstats", "cap"),
}
"""Row: the module that defines it for the finished M, and its parameters.

Go passes greyobject the heap bits as a pair of values and scanframeworker an unused argument; gc's `start` is
among a cycle's stamps; the body of markroot's parfor comes with the call.
"""

REMOVED = ["gcinstallmarkwb_m"]
"""Deleted by the commit."""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_of_the_table_is_a_method_of_the_finished_m(name: str) -> None:
    """Defined where its subject is, with the parameters of its row."""
    module, parameters = FUNCTIONS[name]
    method = getattr(CollectorM, name)

    assert method.__module__ == module
    assert list(inspect.signature(method).parameters) == ["self", *parameters.split()]


def test_gcinit_is_a_function_that_every_model_calls() -> None:
    """It looks at the size before there is an M."""
    assert list(inspect.signature(buffer.gcinit).parameters) == ["wbufsize"]


@pytest.mark.parametrize("name", REMOVED)
def test_what_the_commit_removed_is_not_here(name: str) -> None:
    """It was a dead duplicate."""
    assert not hasattr(CollectorM, name)


def test_the_buffer_of_the_table() -> None:
    """256 bytes: node, nobj, id, inuse, four words of history, newest first; 23 entries; checked and logged."""
    assert CollectorM._Debugwbufs
    assert Globals.wbufsize == 256
    assert WORKBUF.fields == ("node_next", "node_pushcnt", "nobj", "id", "inuse", "log0", "log1", "log2", "log3")
    assert (WORKBUF.size * WORD, capacity(256)) == (72, 23)
    assert LOG3 - LOG0 == 3


def test_the_fields_of_the_table() -> None:
    """An M caches one buffer; the harvest has a flag that nobody reads (O-6)."""
    assert "currentwbuf" in MRECORD.fields
    assert "harvestingwbufs" in RUNTIME.fields

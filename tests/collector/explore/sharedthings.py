"""Python objects of all kinds that threads may share: how each is made, what is done to it, and what is found in it.

Lines of source; `a` and `b` stand for small numbers, `r` for a list of the thread's own, `mine` for a cell of its own.
"""

# ruff: noqa: E501  a statement a line would be ten times as long

from __future__ import annotations

from typing import NamedTuple


class Thing(NamedTuple):
    """Something that threads share."""

    make: str
    """Lines that make it; `v` is its name."""
    does: str
    """What changes it, or may, a statement a line; `a` and `b` are small numbers."""
    finds: str
    """What is read of it, an expression a line."""
    left: str
    """All that there is of it."""
    outside: str = ""
    """Lines of the module."""


CLASS = """
class Plain:
    shared = 0
    items = []
    def __init__(self): self.n = 0; self.kept = []
    def add(self, n): self.n += n
    def put(self, n): self.kept.append(n)
    @property
    def half(self): return self.n // 2
    @half.setter
    def half(self, n): self.n = 2 * n
    def __len__(self): return len(self.kept)
    def __getitem__(self, k): return self.kept[k]
    def __setitem__(self, k, n): self.kept[k:] = [n]
    def __call__(self, n): self.n = n; return n
    def __enter__(self): self.n += 1; return self
    def __exit__(self, *_): self.n *= 2
    def __iter__(self): return iter(self.kept)
    def __contains__(self, n): return n in self.kept
    def __eq__(self, other): return self.n == other
    def __iadd__(self, n): self.n = 3 * self.n + n; return self
    def __getattr__(self, name): return self.kept[-1] if name == "last" and self.kept else -1
    __hash__ = None
class Below(Plain): pass
class Slotted:
    __slots__ = ("n", "m")
    def __init__(self): self.n = 0
@dataclasses.dataclass
class Record:
    n: int = 0
    items: list = dataclasses.field(default_factory=list)
    def push(self, n): self.items.append(n)
class Data:
    def __get__(self, it, kind=None): return self.n
    def __set__(self, it, n): self.n = n
class Described:
    d = Data()
class Bag(dict): pass
class Row(list):
    total = 0
    def append(self, n): super().append(n); self.total += n
class Color(enum.Enum):
    RED = 1
"""
THINGS: dict[str, Thing] = {
    "an object": Thing(
        "v = Plain()",
        "v.n = a\nv.n += a\nv.add(a)\nv.put(a)\nv.kept.append(a)\nv.kept = [a]\nv.half = a\nv[0] = a\nv(a)\nv += a\n"
        "setattr(v, 'n', a)\nvars(v)['n'] = a\nv.__dict__.update(n=a)\nv.late = a\ndel v.late\nv.kept.clear()\n"
        "v.add = lambda n: None\nv.__class__ = Below\nv.__dict__ = {'n': a, 'kept': []}\nobject.__setattr__(v, 'n', a)",
        "v.n\nlen(v)\nv[-1]\nv.half\nlist(v)\na in v\nv == a\nv.last\nv.late\ngetattr(v, 'n')\nvars(v)['n']\n"
        "[*vars(v)]\nsum(v.kept)\noperator.attrgetter('n')(v)\nv.__class__.__name__\nv(0) or v.n\nbool(v)",
        "sorted(vars(v).items(), key=str), type(v).__name__",
        CLASS,
    ),
    "an object with slots": Thing(
        "v = Slotted()",
        "v.n = a\nv.n += a\nv.m = a\ndel v.m\nsetattr(v, 'm', b)\nSlotted.n.__set__(v, a)",
        "v.n\nv.m\ngetattr(v, 'm', 9)\nSlotted.m.__get__(v)\nhasattr(v, 'm')",
        "v.n, getattr(v, 'm', None)",
        CLASS,
    ),
    "a data class": Thing(
        "v = Record()",
        "v.n = a\nv.items.append(a)\nv.push(a)\nv.items = [a]\nv.items[:] = [a, b]\nv = dataclasses.replace(v, n=a)",
        "v.n\nv.items[-1]\nv == Record(a)\nrepr(v)\ndataclasses.asdict(v)\ndataclasses.astuple(v)\nhash(repr(v)) and v.n",
        "repr(v)",
        CLASS,
    ),
    "a descriptor": Thing(
        "v = Described(); vars(Described)['d'].n = 0", "v.d = a\nDescribed().d = a", "v.d\nDescribed().d", "v.d", CLASS
    ),
    "a class": Thing(
        "v = type('Own', (Plain,), {'items': []})",
        "v.shared = a\nv.shared += a\nv.items.append(a)\ndel v.shared\nsetattr(v, 'new', a)\nv.put = lambda self, n: None\n"
        "v.__len__ = lambda self: a\nv.n = a\nv.__bases__ = (Below,)",
        "v.shared\nv().shared\nv.items[-1]\nv().new\nlen(v())\nv().put(1)\nhasattr(v, 'n')\nv.__mro__[1].__name__",
        "v.shared, v.items, hasattr(v, 'new'), hasattr(v, 'n')",
        CLASS,
    ),
    "an enumeration's member": Thing(
        "v = enum.Enum('Light', 'RED GREEN').RED",
        "v.seen = a\nv.seen += b",
        "v.seen\nv.name\nhasattr(v, 'seen')",
        "getattr(v, 'seen', None)",
    ),
    "a dictionary": Thing(
        "v = {0: 0, 'k': 0}",
        "v[a] = b\nv['k'] = a\nv[0] += a\nv.pop(a, None)\nv.setdefault(a, b)\nv.update({a: b})\ndel v[a]\nv |= {a: b}\n"
        "v.clear()\nv.popitem()\nv['k'] = v.get(a)",
        "v[a]\nv.get(a)\na in v\nlen(v)\n[*v]\n[*v.items()]\nv['k']\nnext(iter(v))\nv == {0: 0, 'k': 0}\nmax(v.values())\n"
        "operator.itemgetter('k')(v)\nf'{v}'\n{**v}",
        "[*v.items()]",
    ),
    "kinds of dictionaries": Thing(
        "v = [collections.defaultdict(list), collections.OrderedDict(x=0, y=0), collections.Counter('ab'), Bag(),"
        " collections.ChainMap({})]",
        "v[0][a].append(b)\nv[1].move_to_end('x')\nv[1]['y'] = a\nv[2]['a'] += 1\nv[2].update('b')\nv[3]['q'] = a\nv[3].q = a\n"
        "v[4]['k'] = a\nv[4].maps.append({})\nv[0].default_factory = int",
        "v[0][a]\n[*v[0]]\n[*v[1]]\nv[1]['y']\nv[2].most_common(1)\nv[2]['a']\nv[3]['q']\nv[3].q\nv[4]['k']\nlen(v[4].maps)",
        "repr(v), getattr(v[3], 'q', None)",
        CLASS,
    ),
    "a set": Thing(
        "v = {0, 3}",
        "v.add(a)\nv.discard(a)\nv.add(8 * a)\nv.discard(8 * a)\nv.add(a + 8)\nv.pop()\nv |= {a, 8 * b}\nv -= {a}\nv ^= {a, 8}\n"
        "v.update(range(a, a + 4))\nv.clear()",
        "[*v]\na in v\nlen(v)\n8 * a in v\nv.copy()\nsorted(v)\nnext(iter(v))\nv & {a}\nv == {0, 3}\nv.pop()",
        "[*v]",
    ),
    "a list": Thing(
        "v = [0, 0]",
        "v.append(a)\nv.pop()\nv[0] = a\nv[1] += a\nv[-1] = a\nv.insert(0, a)\nv.sort()\nv.reverse()\nv[:] = [a]\nv.extend((a, b))\n"
        "v += [a]\nv.clear()\ndel v[0]\nv[0:1] = []\nv *= 2\nv[a % 2], v[0] = b, a",
        "v[0]\nv[-1]\nlen(v)\nv[:]\nsum(v)\na in v\nv.index(a)\nv.count(a)\nv == [0, 0]\n[*reversed(v)]\nv[a]\nv[1:]\nmax(v)\n"
        "[x for x in v]\nf'{v}'\nv and v[0]\n[*zip(v, v)]\nsorted(v)\nany(v)\nv.pop()\nv.copy()\nmin(v, default=3)",
        "v",
    ),
    "a row": Thing(
        "v = Row()", "v.append(a)\nv.total = a\nlist.append(v, a)", "v.total\nlen(v)\nv[-1]", "[*v], v.total", CLASS
    ),
    "lists in lists": Thing(
        "v = [[0], [0, [0]]]",
        "v[0].append(a)\nv[1][1].append(a)\nv[0] = v[1]\nv[1] = [a, [b]]\nv[1][0] = a\nv.reverse()\nv[0][0] += a",
        "v[0][-1]\nv[1][1][-1]\nlen(v[0])\nv[1][0]\nrepr(v)\nv[0] is v[1]\nsum(v[0][:1])",
        "repr(v)",
    ),
    "a deque": Thing(
        "v = collections.deque([0, 1], maxlen=3)",
        "v.append(a)\nv.appendleft(a)\nv.popleft()\nv.pop()\nv.rotate(1)\nv[0] = a\nv.extend([a, b])\nv.clear()\nv.reverse()",
        "v[0]\nv[-1]\nlen(v)\n[*v]\nv.count(a)\na in v\nv.pop()\nv and v[0]",
        "[*v]",
    ),
    "a variable": Thing(
        "v = 0",
        "v = a\nv += a\nv = v * 2 + a\nv = [a]",
        "v\n-v\n(lambda: v)()\n[v for _ in '1'][0]\nf'{v}'\nv or a\nv if a else 0",
        "v",
    ),
    "a variable and what keeps it": Thing(
        "v = 0\ndef keep(n):\n    nonlocal v\n    v = n\ndef kept(): return v\nways = {'k': keep, 'g': kept}",
        "keep(a)\nways['k'](a)\n[keep(n) for n in (a,)]\nlist(map(keep, [a]))\nv = a",
        "kept()\nways['g']()\nsum(kept() for _ in '12')\nmax([1], key=lambda _: kept()) and v\nv",
        "v",
    ),
    "a global": Thing(
        "global G, H; G = 0; H = [0]",
        "globals_to(a)\nH.append(a)\nH[0] = a\nset_both(a)",
        "G\nH[-1]\nglobals_of()\nlen(H)",
        "G, H",
        "G = 0\nH = []\ndef globals_to(n):\n    global G\n    G = n\ndef globals_of(): return G, H[0]\n"
        "def set_both(n):\n    global G, H\n    G, H = n, [n]\n",
    ),
    "a function's defaults": Thing(
        "def v(n=0, kept=[], *, m=0, more=[]): return n, kept, m, more\nv.__kwdefaults__['more'] = []; v.__defaults__ = (0, [])",
        "v.__defaults__ = (a, [])\nv.__kwdefaults__['m'] = a\nv.__kwdefaults__ = {'m': a, 'more': []}\nv()[1].append(a)\nv()[3].append(a)\n"
        "v.last = a\nv.__kwdefaults__.update(m=a)\nv.__dict__['last'] = b\nv.__code__ = (lambda n=0, kept=0, *, m=0, more=0: (a, [], 0, [])).__code__",
        "v()\nv(n=1)\nv.__defaults__\nv.last\n[*map(v, (1,))]\nv.__kwdefaults__['m']\nhasattr(v, 'last')\nfunctools.partial(v, 2)()",
        "v(), getattr(v, 'last', None)",
    ),
    "an iterator": Thing(
        "src = [1, 2, 3, 4, 5]; v = iter(src)",
        "next(v)\nnext(v, None)\nsrc.append(a)\n[*v]\nsrc.clear()\nv.__setstate__(a)",
        "next(v)\nnext(v, 0)\n[*itertools.islice(v, 1)]\nv.__length_hint__()\na in v",
        "[*v], src",
    ),
    "iterators": Thing(
        "src = [1, 2, 3, 4, 5]; d = dict.fromkeys(src); v = [enumerate(src), zip(src, src), map(abs, src), itertools.count(), iter(d),"
        " reversed(src), (x for x in src), itertools.cycle('ab'), iter('abc')]",
        "next(v[0])\nnext(v[1])\nnext(v[2])\nnext(v[3])\nnext(v[4])\nnext(v[5])\nnext(v[6])\nsrc.append(a)\nd.pop(a, 0)\nnext(v[7])\nnext(v[8])",
        "next(v[0])\nnext(v[1])\nnext(v[2])\nnext(v[3])\nnext(v[4])\nnext(v[5])\nnext(v[6])\nnext(v[7])\nnext(v[8])",
        "src",
    ),
    "a generator": Thing(
        "kept = []\ndef g():\n    n = 0\n    while n < 9:\n        got = yield n\n        n += 1 if got is None else got\n        kept.append(n)\n"
        "v = g(); next(v)",
        "next(v)\nv.send(a)\nv.close()\nkept.append(a)",
        "next(v)\nv.send(1)\nlen(kept)\nsum(kept)\nv.gi_running",
        "kept",
    ),
    "bytes": Thing(
        "v = bytearray(2); m = memoryview(v); w = array.array('q', [0, 0]); mw = memoryview(w)",
        "v[0] = a\nm[0] = a\nm[1] += 1\nw[0] = a\nmw[1] = a\nv[:] = bytes([a, b])\nm[:1] = bytes([b])\nw[1] += a\nv.reverse()",
        "v[0]\nm[1]\nbytes(v)\nw[0]\nmw[1]\nw.tolist()\nm.tobytes()\nv.find(a)\nsum(v)\nlen(v)\nbytes(m[:1])\nint.from_bytes(v, 'big')",
        "bytes(v), w.tolist()",
    ),
    "bytes that grow": Thing(
        "v = bytearray(); w = array.array('q')",
        "v.append(a)\nw.append(a)\nv += bytes([a])\nv.pop()\nw.pop()\nv.extend([a, b])\nw.extend([a])\ndel v[0]",
        "v[-1]\nlen(v)\nw[-1]\nlen(w)\nbytes(v)\nw.tolist()\nv.count(a)",
        "bytes(v), w.tolist()",
    ),
    "a stream": Thing(
        "v = io.StringIO('abc'); w = io.BytesIO(b'abc')",
        "v.write('x')\nv.seek(a)\nv.read(1)\nw.write(bytes([a]))\nw.seek(0)\nv.truncate(1)",
        "v.read(1)\nv.getvalue()\nv.tell()\nw.getvalue()\nw.tell()",
        "v.getvalue(), w.getvalue()",
    ),
    "bound things": Thing(
        "o = Plain(); l = []; p = functools.partial(l.append, 7); put = l.append; add = o.add; get = l.__len__; v = types.SimpleNamespace(n=0)",
        "p()\nput(a)\nadd(a)\nv.n += a\no.n = a\nv.late = a\nl.clear()\nlist.append(l, a)\no.add.__func__(o, a)\nvars(v).update(n=b)",
        "get()\no.n\nlen(l)\nv.n\nv\nv.late\nl.__len__()\noperator.length_hint(l)\nadd.__self__.n\nlist.__len__(l)\nput.__self__[-1]",
        "o.n, l, repr(v)",
        CLASS,
    ),
    "caches": Thing(
        "calls = []\n@functools.cache\ndef v(n):\n    calls.append(n)\n    return len(calls)\n"
        "class C:\n    @functools.cached_property\n    def first(self):\n        calls.append(-1)\n        return len(calls)\nc = C()",
        "v(a)\nc.first\nv.cache_clear()\ncalls.append(a)\nvars(c).clear()\nc.first = a",
        "v(a)\nv(b)\nc.first\nlen(calls)\nv.__wrapped__(a)",
        "calls",
    ),
    "an exception": Thing(
        "v = ValueError(0, [])",
        "v.args = (a, [])\nv.args[1].append(a)\nv.n = a\nv.__cause__ = KeyError(a)\nv.__notes__ = [a]",
        "v.args\nv.args[1]\nstr(v)\nv.n\nrepr(v.__cause__)\nhasattr(v, 'n')",
        "v.args, getattr(v, 'n', None), repr(v.__cause__)",
    ),
    "randomness": Thing(
        "v = random.Random(1)",
        "v.random()\nv.seed(a)\nv.shuffle([1, 2])",
        "v.randrange(9)\nv.getstate()[1][-1]",
        "v.randrange(99)",
    ),
    "what is handed over": Thing(
        "v = []; w = {}; z = types.SimpleNamespace(o=None)",
        "own = [a]; v.append(own)\nv.append(r)\nr.append(a)\nown = [b]; w['k'] = own; port.load(mine); own.append(a)\nz.o = r\n"
        "own = {}; z.o = own; port.load(mine); own[a] = b\nv.append(w)\nw['l'] = v\nz.o = (r,)\nz.o = lambda: r.append(a)",
        "len(v[-1])\nw['k'][-1]\nv and v[-1].append(b)\nz.o and len(z.o)\nz.o[0] and z.o[0][-1]\nz.o()\nlen(w.get('k', ''))\nlen(z.o[0])",
        "len(v), len(w)",
    ),
}
"""By what they are."""

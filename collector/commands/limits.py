"""The options that limit the size of a heap, shared by every command that reads one."""

from __future__ import annotations

import argparse
import re

from collector.commands.usage import atleast
from collector.heaps import Limits


UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
UNBOUNDED = (1 << 63) - 1


def add_limits(parser: argparse.ArgumentParser) -> None:
    """`--max-heap`, `--max-objects`, `--max-ratio`, `--trust`."""
    default = Limits()
    add = parser.add_argument_group("limits of the readers").add_argument
    heap = "largest heap that is read, after unzipping; K, M, G and T are powers of 1024 (8G)"
    add("--max-heap", type=size, default=default.total, metavar="BYTES", help=heap)
    objects = f"most objects of a heap; each takes about 200 bytes while it is read ({default.objects})"
    add("--max-objects", type=atleast(1), default=default.objects, metavar="N", help=objects)
    ratio = (
        f"most bytes that a byte of a gzipped file becomes, after the first {default.grace >> 20} MiB ({default.ratio})"
    )
    add("--max-ratio", type=atleast(1), default=default.ratio, metavar="N", help=ratio)
    add("--trust", action="store_true", help="none of these limits, for a heap of known origin")


def limits(args: argparse.Namespace) -> Limits:
    """What the options say."""
    if args.trust:
        return Limits(total=UNBOUNDED, objects=UNBOUNDED, ratio=UNBOUNDED)
    return Limits(total=args.max_heap, objects=args.max_objects, ratio=args.max_ratio)


def size(text: str) -> int:
    """An argparse type: a number of bytes, as in 500000, 512M or 8G."""
    found = re.fullmatch(r"(\d+)([KMGT]?)", text.strip(), re.ASCII | re.IGNORECASE)
    if found is None or len(text) > 20 or not int(found[1]):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of bytes: say 500000, 512M or 8G")
    return int(found[1]) * UNITS[found[2].upper()]

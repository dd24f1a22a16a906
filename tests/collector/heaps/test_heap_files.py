"""Files as such: what is opened, unzipped, recognised and refused before any reader looks at it."""

from __future__ import annotations

import gzip
import os
import random
import struct
import threading
import tracemalloc
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from collector.heaps import HeapError, Limits, read
from collector.heaps.stream import Stream
from tests.collector.heaps.writers import HPROF_HEADER, GoDump, mini_go, mini_hprof, mini_snapshot, text, varints


if TYPE_CHECKING:
    from collections.abc import Iterator


def refused(source: str, limits: Limits | None = None) -> str:
    """The message that a source is refused with; it is always one printable line that names the source."""
    with pytest.raises(HeapError) as caught:
        read(source, limits=limits)
    line = str(caught.value)
    assert line.isprintable()
    return line


def write(tmp_path: Path, content: bytes) -> str:
    """A file with `content`."""
    path = tmp_path / "heap"
    path.write_bytes(content)
    return str(path)


@pytest.mark.parametrize(
    ("make", "format_name"), [(mini_go, "go"), (mini_hprof, "hprof"), (mini_snapshot, "v8")], ids=["go", "hprof", "v8"]
)
@pytest.mark.parametrize("level", [None, 0, 9])
def test_detected_by_content(tmp_path: Path, make: object, format_name: str, level: int | None) -> None:
    """Each format is known by its first bytes, plain or gzipped, whatever the file is called."""
    assert callable(make)
    content = make() if level is None else gzip.compress(make(), level)

    graph = read(write(tmp_path, content))

    assert graph.source.format == format_name
    assert graph.source.name == str(tmp_path / "heap")


def test_members_and_padding(tmp_path: Path) -> None:
    """A gzip file may have several members, empty ones among them, and zero bytes behind the last."""
    whole = mini_go()
    members = gzip.compress(whole[:100]) + gzip.compress(b"") * 50 + gzip.compress(whole[100:]) + bytes(600)

    assert read(write(tmp_path, members)).objects == 10


def test_what_is_no_file(tmp_path: Path) -> None:
    """A directory, a device, a pipe, an empty, missing or unreadable file and an impossible name are refused."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert "expected a heap file, found a directory" in refused(str(tmp_path))
    assert "expected a regular file, found a device, pipe or socket" in refused("/dev/zero")
    assert "expected a regular file, found a device, pipe or socket" in refused(str(pipe))
    assert "byte 0: expected a heap, found an empty file" in refused(write(tmp_path, b""))
    assert "found No such file or directory" in refused(str(tmp_path / "none"))
    assert "found a name that no file can have" in refused("a\0b")
    assert "a\\nb: expected" in refused("a\nb")
    assert "expected a readable heap file" in refused("")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable(tmp_path: Path) -> None:
    """A file that may not be read is refused with the reason."""
    path = write(tmp_path, mini_go())
    Path(path).chmod(0)

    assert "Permission denied" in refused(path)


def test_read_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the disc in the middle of a file is refused like anything else."""

    class Broken:
        def read(self, _: int) -> bytes:
            raise OSError(5, "Input/output error")

        def close(self) -> None:
            pass

    monkeypatch.setattr("collector.heaps.stream.open_regular", lambda _: (Broken(), 100))

    assert "byte 0: expected a readable file, found Input/output error" in refused(write(tmp_path, mini_go()))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"go1.4 heap dump\n", "a Go heap dump of before Go 1.7"),
        (b"JAVA PROFILE 1.0.1\0", "HPROF of another version"),
        (b"PK\x03\x04", "a zip archive"),
        (b"\x28\xb5\x2f\xfd", "zstandard"),
        (b"\x7fELF", "an ELF file (a core?)"),
        (gzip.compress(gzip.compress(mini_go())), "gzip within gzip"),
        (b"hello\n", "'hello\\n'"),
        (gzip.compress(b""), "''"),
        (b"\x1f", "'\\x1f'"),
    ],
    ids=["go1.4", "hprof1.0.1", "zip", "zstd", "elf", "gzip twice", "text", "empty gzip", "one byte"],
)
def test_unknown_formats(tmp_path: Path, content: bytes, found: str) -> None:
    """What is no heap is refused with what it is, as far as its first bytes tell, and with what is read."""
    message = refused(write(tmp_path, content))

    assert "byte 0: expected a Go heap dump ('go1.7 heap dump'), a V8 .heapsnapshot or JVM HPROF 1.0.2" in message
    assert message.endswith(f"found {found}")


def test_damaged_gzip(tmp_path: Path) -> None:
    """Damage in a gzip file is refused with the byte of the file, unlike damage in what it holds."""
    whole = gzip.compress(mini_go(), mtime=0)
    wrong_sum = whole[:-8] + bytes(4) + whole[-4:]

    assert "expected sound gzip data, found" in refused(write(tmp_path, wrong_sum))
    assert "expected the rest of a gzip member, found the end of the file" in refused(write(tmp_path, whole[:-9]))
    assert "expected another gzip member or nothing, found bytes 7878" in refused(write(tmp_path, whole + b"xx"))
    assert "expected another gzip member or nothing, found a byte of one" in refused(write(tmp_path, whole + b"\x1f"))
    assert "heap (unzipped): byte 1300: expected" in refused(write(tmp_path, gzip.compress(mini_go()[:1300])))


def test_every_truncation_of_gzip(tmp_path: Path) -> None:
    """A gzip file cut off anywhere is refused."""
    whole = gzip.compress(mini_hprof())

    for cut in range(1, len(whole)):
        refused(write(tmp_path, whole[:cut]))


def bomb(megabytes: int) -> bytes:
    """A gzip file that begins like a heap and goes on with so many megabytes of one long string."""
    packer = zlib.compressobj(9, wbits=31)
    parts = [packer.compress(b'{"x": "')] + [packer.compress(b"a" * (1 << 20)) for _ in range(megabytes)]
    return b"".join(parts) + packer.flush()


def test_zip_bomb(tmp_path: Path) -> None:
    """A small file that unzips to a huge one is given up on after the grace, at the ratio that the limits allow."""
    path = write(tmp_path, bomb(64))
    limits = Limits(grace=4 << 20, ratio=100)

    message = refused(path, limits)

    assert "expected at most " in message
    assert "bytes unzipped (unzip it yourself if you trust it), found more" in message


def test_total(tmp_path: Path) -> None:
    """A heap is given up on at the limit of its length, whatever the ratio."""
    assert "expected at most 500 bytes of heap, found more" in refused(
        write(tmp_path, mini_go()), Limits(window=100, total=500)
    )


def test_objects_are_limited(tmp_path: Path) -> None:
    """A heap of more objects than the limit is refused, in every format."""
    for content in (mini_go(), mini_hprof(), mini_snapshot()):
        assert "expected at most 3 objects, found more" in refused(write(tmp_path, content), Limits(objects=3))


def test_absurd_lengths_in_gzip(tmp_path: Path) -> None:
    """What can be left of a zipped heap bounds the lengths in it, since deflate does no better than 1032 to 1."""
    dump = mini_go()[:16] + b"\x06\x00\x08\x00\x00\xff\xff\xff\xff\xff\x7f"

    assert "bytes left for 'parameters'" in refused(write(tmp_path, gzip.compress(dump)))


def descriptors() -> list[str]:
    """The numbers of the files that this process has open, where the system tells (the one that asks is closed again)."""
    own = Path("/proc/self/fd")
    return sorted(entry.name for entry in own.iterdir()) if own.is_dir() else []


def test_file_is_closed(tmp_path: Path) -> None:
    """The file is closed whether it was read or refused."""
    before = descriptors()

    read(write(tmp_path, mini_go()))
    refused(write(tmp_path, mini_go()[:500]))
    refused(write(tmp_path, b"x"))

    assert descriptors() == before


def test_window_forgets(tmp_path: Path) -> None:
    """The window holds what is asked for and about as much again, not the file."""
    path = write(tmp_path, bytes(1 << 20))
    longest = 0

    with Stream(path, Limits(window=1000)) as stream:
        stream.head(10)
        for _ in range(500):
            stream.more(len(stream.data) - 10, "more")
            longest = max(longest, len(stream.data))

    assert 1000 < longest < 2000


MIB = 1 << 20
BLOCKS = 32


def large(name: str) -> Iterator[bytes]:
    """A heap of 32 MiB in pieces: many large objects, one of that size, or a JSON string and an array that do not matter."""
    block = random.Random(1).randbytes(MIB)
    if name == "go":
        yield bytes(GoDump().params().out)
        for i in range(BLOCKS):
            yield varints(1, 0xC000000000 + i * MIB) + text(block) + b"\0"
        yield b"\0"
    elif name == "hprof":
        yield HPROF_HEADER + struct.pack(">BII", 0x0C, 0, 18 + BLOCKS * MIB)
        yield struct.pack(">BQIIB", 0x23, 0x300, 0, BLOCKS * MIB, 8)
        yield from [block] * BLOCKS
    else:
        yield b'{"notes": "'
        letters = block[: MIB // 2].hex().encode()
        yield from [letters + b"\\"] + [b'"' + letters + b"\\"] * (BLOCKS - 2)  # an escaped quote at every seam
        yield b'"", ' + mini_snapshot()[1:]


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("name", ["go", "hprof", "v8"])
def test_large_files_stream(tmp_path: Path, name: str, zipped: bool) -> None:  # noqa: FBT001 - a parameter
    """What is held of a file is a few windows and the longest record that matters, not the file."""
    path = tmp_path / "heap"
    with gzip.open(path, "wb", compresslevel=1) if zipped else path.open("wb") as file:
        file.writelines(large(name))

    tracemalloc.start()
    try:
        graph = read(str(path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert graph.objects == {"go": BLOCKS, "hprof": 1, "v8": 4}[name]
    assert path.stat().st_size > (BLOCKS - 2) * MIB or zipped
    assert peak < 8 * MIB


def test_readers_share_nothing(tmp_path: Path) -> None:
    """Several threads may read heaps at once."""
    paths = []
    for k, make in enumerate((mini_go, mini_hprof, mini_snapshot, mini_go)):
        path = tmp_path / str(k)
        path.write_bytes(make())
        paths.append(str(path))
    found: list[int] = [0] * len(paths)

    def work(k: int) -> None:
        for _ in range(20):
            found[k] += read(paths[k], limits=Limits(window=64)).objects

    threads = [threading.Thread(target=work, args=(k,)) for k in range(len(paths))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [200, 120, 80, 200]

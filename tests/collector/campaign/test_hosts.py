"""A campaign on several hosts: network namespaces of this machine, with addresses of their own, and wires between them."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from collector.commands.status import OK


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IP = shutil.which("ip") or ""
PORT = 8786
SPEC = '[[explore]]\nprograms = ["aba:fixed", "harvest:fixed"]\nstrategies = ["urw"]\nseeds = "1-4"\nschedules = 200\n'


def ip(*words: str) -> None:
    """Set the network up."""
    subprocess.run([IP, *words], check=True, capture_output=True, text=True)


@pytest.fixture(name="hosts")
def _hosts() -> Iterator[list[str]]:
    """Three namespaces: the first one has a wire to each of the others, with addresses 10.77.N.1 and 10.77.N.2."""
    if not (find_spec("distributed") and IP):
        pytest.skip("needs the extra `campaign`, and `ip`")
    names = [f"workbuf{os.getpid()}-{number}" for number in range(3)]
    try:
        try:
            for name in names:
                ip("netns", "add", name)
                ip("-n", name, "link", "set", "lo", "up")
            for number, name in enumerate(names[1:], 1):
                ip("-n", names[0], "link", "add", f"to{number}", "type", "veth", "peer", "name", "out", "netns", name)
                for of, link, last in ((names[0], f"to{number}", 1), (name, "out", 2)):
                    ip("-n", of, "address", "add", f"10.77.{number}.{last}/24", "dev", link)
                    ip("-n", of, "link", "set", link, "up")
        except subprocess.CalledProcessError as error:
            pytest.skip(f"this machine gives no network namespaces: {error.stderr.strip()}")
        yield names
    finally:
        for name in names:
            subprocess.run([IP, "netns", "del", name], check=False, capture_output=True)


def begun(host: str, *words: str) -> subprocess.Popen[bytes]:
    """An interpreter on that host, which becomes the process that is returned."""
    command = [IP, "netns", "exec", host, sys.executable, "-m", *words]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_workers_on_two_hosts_reach_one_scheduler(hosts: list[str], tmp_path: Path) -> None:
    """Neither reaches the other; each does tasks, and all are done."""
    (tmp_path / "spec.toml").write_text(SPEC, encoding="ascii")
    results = tmp_path / "results.db"
    scheduler, *others = hosts
    quiet = ("--no-dashboard", "--nthreads", "1", "--no-nanny", "--local-directory", str(tmp_path))
    processes = [begun(scheduler, "distributed.cli.dask_scheduler", "--port", str(PORT), "--no-dashboard")]
    try:
        for number, host in enumerate(others, 1):
            where = f"tcp://10.77.{number}.1:{PORT}"
            processes.append(begun(host, "distributed.cli.dask_worker", where, "--name", host, *quiet))
        waiting = (
            "import sys, distributed; distributed.Client(sys.argv[1], timeout=150).wait_for_workers(2, timeout=150)"
        )
        command = [IP, "netns", "exec", scheduler, sys.executable]
        address = f"tcp://127.0.0.1:{PORT}"
        subprocess.run([*command, "-c", waiting, address], check=True, timeout=200, capture_output=True)
        words = ["campaign", str(tmp_path / "spec.toml"), "--cluster", address, "--results", str(results)]
        done = subprocess.run([*command, "-m", "collector.run", *words], timeout=200, capture_output=True, check=False)
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert done.returncode == OK, done.stderr.decode()
    with closing(sqlite3.connect(results)) as db:
        by = db.execute("SELECT worker, verdict, count(*) FROM tasks GROUP BY 1, 2").fetchall()

    assert sum(number for *_, number in by) == 8
    assert {verdict for _, verdict, _ in by} == {"sampled"}
    assert {int(worker.rpartition(":")[2]) for worker, *_ in by} == {process.pid for process in processes[1:]}

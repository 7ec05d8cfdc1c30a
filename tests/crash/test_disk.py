"""The disk under the gateway: full, locked by somebody else, or failing at fsync. Nothing acknowledged is ever lost."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

import pytest

from benchmarks.load import body
from tests.crash import machine
from tests.crash.judge import Complaint
from tests.crash.machine import Answer, Gateway
from tests.crash.run import judged_folder
from tests.crash.shim import Shim, compiled

SIZE = 48 << 20
RESERVE = 8 << 20


def post(gateway: Gateway, key: str, size: int = 0) -> Answer:
    """One petition under that key; white space makes it as large as wanted."""
    petition = body(7, random.Random(key))
    headers = {"Idempotency-Key": f"{key}-of-a-test"}
    return machine.ask(gateway.port, "/api/v1/petitions", petition.ljust(size), headers, timeout=30)


def opens(gateway: Gateway, answer: Answer) -> bool:
    """Whether number and code of an acknowledgment open the case."""
    path, code = f"/api/v1/petitions/{answer.body['case_no']}", str(answer.body["query_code"])
    return machine.ask(gateway.port, path, headers={"X-Query-Code": code}).status == 200


def wait(gateway: Gateway, key: str, status: int, seconds: float, told: list[int] | None = None) -> Answer:
    """Send until the answer has this status. told: gets the status of every answer."""
    until = time.monotonic() + seconds
    while True:
        answer = post(gateway, key)
        if told is not None:
            told.append(answer.status)
        if answer.status == status:
            return answer
        assert time.monotonic() < until, f"no {status} in {seconds} s, but {answer}"
        time.sleep(0.1)


class Disk(Protocol):
    """A disk that can be filled up and emptied again. data: the folder on it."""

    data: Path
    settings: dict[str, str]

    def fill(self, free: int) -> None:
        """Leave so many bytes."""
        ...

    def empty(self) -> None:
        """Take the filler away."""
        ...


class Tmpfs:
    """A small file system of its own."""

    def __init__(self, top: Path) -> None:
        self.data = top / "data"
        self.settings: dict[str, str] = {}
        self._filler = top / "filler"

    def fill(self, free: int) -> None:
        stat = os.statvfs(self._filler.parent)
        room = stat.f_bavail * stat.f_frsize - free
        with self._filler.open("ab", buffering=0) as target, suppress(OSError):  # the gateway may be faster: full too
            while room > 0:
                room -= target.write(bytes(min(room, 1 << 16)))

    def empty(self) -> None:
        self._filler.unlink()


class Shimmed:
    """Without the right to mount: a shim that answers ENOSPC. It cannot be nearly full."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self._shim = compiled(folder, self.data)
        self.settings = dict(self._shim.settings)

    def fill(self, free: int) -> None:
        self._shim.set("full")

    def empty(self) -> None:
        self._shim.clear("full")


@contextmanager
def small_disk(folder: Path, *, mounted: bool) -> Iterator[Disk]:
    """A small tmpfs where we may mount one, else the shim."""
    top = folder / "disk"
    top.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0700", "tmpfs", str(top)]
    if mounted and subprocess.run(command, check=False, capture_output=True).returncode == 0:
        try:
            yield Tmpfs(top)
        finally:
            # Lazily: a gateway that was just killed may hold a file for another moment.
            subprocess.run(["umount", "--lazy", str(top)], check=True)
    else:
        print("\n  no right to mount: the disk is full by the shim's word" if mounted else "")
        yield Shimmed(folder)


def test_low_disk_refuses_in_time_and_works_again(folder: Path) -> None:
    with (
        small_disk(folder, mounted=True) as disk,
        machine.gateway(
            disk.data, {**disk.settings, "GATEWAY_MIN_FREE": str(RESERVE if isinstance(disk, Tmpfs) else 0)}
        ) as gateway,
    ):
        gateway.start()
        before = [post(gateway, f"before-{number}", 100_000 * (number % 2)) for number in range(6)]
        assert {answer.status for answer in before} == {201}
        disk.fill(RESERVE - (1 << 20))
        for size in (0, 100_000):
            refused = post(gateway, f"refused-{size}", size)
            assert (refused.status, refused.body["code"]) == (503, "low_disk")
            assert int(refused.headers["Retry-After"]) > 0
        if isinstance(disk, Tmpfs):
            ready = machine.ask(gateway.port, "/readyz")
            assert (ready.status, ready.body["code"]) == (503, "low_disk")
        assert all(opens(gateway, answer) for answer in before)
        disk.empty()
        assert post(gateway, "refused-0").status == 201
        assert machine.ask(gateway.port, "/readyz").status == 200
        assert gateway.stop()[0] == 0


@pytest.mark.parametrize("mounted", [True, pytest.param(False, marks=pytest.mark.only_in_make_crash)])
def test_a_full_disk_under_load_loses_nothing(folder: Path, mounted: bool) -> None:
    record, told = folder / "record.json", list[int]()
    with (
        small_disk(folder, mounted=mounted) as disk,
        machine.gateway(disk.data, {**disk.settings, "GATEWAY_READING": "deferred"}) as gateway,
    ):
        gateway.start()
        with machine.senders(record, gateway, 5, connections=16, most=600) as senders:
            time.sleep(0.5)
            disk.fill(0)
            # A small petition may still find room in what the database holds already: it is told so, and counted.
            wait(gateway, "full", 503, 10, told)
            time.sleep(0.5)
            assert machine.ask(gateway.port, "/healthz").status == 200
            disk.empty()
            wait(gateway, "full", 201, 10, told)
            senders.finish(60)
        machine.look_up(record, gateway.port)
        stopped = gateway.stop()
        assert not broken(gateway, record, stopped, extra=1, echoes=told.count(201) - 1)


def broken(gateway: Gateway, record: Path, stopped: tuple[int, float], extra: int, echoes: int = 0) -> list[Complaint]:
    """What the judge says where errors in the log are right, and `extra` petitions came from the test itself."""
    return judged_folder(gateway, record, stopped, extra=extra, echoes=echoes)


def test_a_locked_database_is_waited_for_then_refused_then_well_again(folder: Path) -> None:
    with machine.gateway(folder / "data") as gateway:
        gateway.start()
        before = post(gateway, "before")
        stranger = sqlite3.connect(gateway.data / "gateway.db", isolation_level=None, check_same_thread=False)
        try:
            stranger.execute("BEGIN IMMEDIATE")
            refused = post(gateway, "locked")
            assert refused.status == 503
            assert refused.headers["Retry-After"]
            # As long as busy_timeout says, and once more if the relay had just begun to wait.
            assert 4 < refused.seconds < 17
            assert opens(gateway, before)
            stranger.execute("ROLLBACK")
        finally:
            stranger.close()
        assert wait(gateway, "locked", 201, 10).status == 201
        assert machine.ask(gateway.port, "/readyz").status == 200
        assert gateway.stop()[0] == 0
        assert gateway.command("ledger", "verify").returncode == 0


@pytest.fixture
def shim(folder: Path) -> Shim:
    """A shim over the data folder of this test."""
    return compiled(folder, folder / "data")


def test_what_is_acknowledged_was_synced_before(folder: Path, shim: Shim) -> None:
    """kill -9 cannot see a missing fsync: the kernel keeps what was written. So the calls themselves are looked at."""
    with machine.gateway(shim.data, {**shim.settings, "GATEWAY_READING": "inline"}) as gateway:
        gateway.start()
        assert "" in [str(Path(path).parent).strip(".") for path in shim.synced()]  # the key, at the first start
        for number in range(5):
            assert post(gateway, f"small-{number}").status == 201
            assert "gateway.db-wal" in shim.synced()
        for number in range(3):
            assert post(gateway, f"large-{number}", 100_000).status == 201
            order = shim.synced()
            body_file = next(place for place, path in enumerate(order) if "blobs/.new-" in path)
            last = max(place for place, path in enumerate(order) if path.count("/") == 2)
            assert body_file < last < order.index("gateway.db-wal", last), order


def test_a_failing_fsync_ends_all_promises(folder: Path, shim: Shim) -> None:
    record = folder / "record.json"
    with machine.gateway(shim.data, {**shim.settings, "GATEWAY_READING": "deferred"}) as gateway:
        gateway.start()
        with machine.senders(record, gateway, 6, connections=16, most=1000) as senders:
            time.sleep(0.5)
            shim.set("sync-fails")
            wait(gateway, "after", 503, 10)
            shim.clear("sync-fails")
            # The disk says that it is well again, but what it dropped meanwhile nobody knows.
            assert [post(gateway, "after").status for _ in range(3)] == [503] * 3
            ready = machine.ask(gateway.port, "/readyz")
            assert (ready.status, ready.body["code"]) == (503, "unavailable")
            assert machine.ask(gateway.port, "/healthz").status == 200
            assert gateway.stop()[1] < 10
            gateway.start()
            assert wait(gateway, "after", 201, 10).status == 201
            senders.finish(60)
        machine.look_up(record, gateway.port)
        assert not broken(gateway, record, gateway.stop(), extra=1)

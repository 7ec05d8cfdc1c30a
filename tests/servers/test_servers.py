"""The private servers of the tests are private, fresh for each test, and gone afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from redis import Redis

from tests.servers.postgres import Postgres
from tests.servers.process import MissingServer, find_program, own_folder, running
from tests.servers.redis import PrivateRedis

pytestmark = pytest.mark.servers


def test_each_test_gets_an_empty_database(postgres: Postgres) -> None:
    with postgres.database() as first, postgres.database() as second:
        assert first != second
        name = first.rpartition("/")[2]
        with postgres.connect(name) as connection:
            connection.execute("CREATE TABLE here (id int)")
        with postgres.connect(second.rpartition("/")[2]) as connection:
            assert connection.execute("SELECT to_regclass('here')").fetchone() == (None,)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        postgres.connect(name)


def test_postgres_is_not_the_machines_own(postgres: Postgres, postgres_url: str) -> None:
    with postgres.connect(postgres_url.rpartition("/")[2]) as connection:
        row = connection.execute("SELECT current_setting('data_directory'), current_setting('fsync')").fetchone()
    assert row == (str(postgres.folder / "data"), "off")
    assert postgres.port != 5432


def test_redis_is_empty_for_each_test(redis_server: PrivateRedis, redis_url: str) -> None:
    with Redis.from_url(redis_url) as client:
        client.set("left", "over")
        redis_server.empty()
        assert client.dbsize() == 0
    assert redis_server.port != 6379


def test_a_missing_program_says_what_to_do() -> None:
    with pytest.raises(MissingServer, match="make test"):
        find_program("no-such-server")


def test_what_does_not_start_says_why() -> None:
    with (
        own_folder("xf-", None) as folder,
        pytest.raises(RuntimeError, match="no such wisdom"),
        running([sys.executable, "-c", "raise SystemExit('no such wisdom')"], user=None, folder=folder, ready=bool),
    ):
        pytest.fail("it cannot be running")


def test_a_server_dies_with_the_tests_that_started_it(tmp_path: Path) -> None:
    """A test run that is killed leaves no server behind."""
    note, up = tmp_path / "pid", tmp_path / "up"
    command = ["sh", "-c", f"touch {up}; exec sleep 60"]
    script = (
        "import os, pathlib, tests.servers.process as process\n"
        f"ready = pathlib.Path({str(up)!r}).exists\n"
        "with process.own_folder('xf-', None) as folder, \\\n"
        f"    process.running({command!r}, user=None, folder=folder, ready=ready) as pid:\n"
        f"    pathlib.Path({str(note)!r}).write_text(str(pid))\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[2], check=False)
    pid = int(note.read_text())
    end = time.monotonic() + 5
    while _alive(pid) and time.monotonic() < end:
        time.sleep(0.02)
    assert not _alive(pid)


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return os.path.exists(f"/proc/{pid}") and state != "Z"

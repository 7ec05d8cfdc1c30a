"""A private PostgreSQL: own data folder, own port; a fresh database for each test."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.servers.process import find_program, free_port, other_user, own_folder, running


@dataclass(frozen=True)
class Postgres:
    """A running server. folder: its data lies in folder/data; pid: of the postmaster, for tests that kill it."""

    folder: Path
    port: int
    pid: int

    def url(self, database: str) -> str:
        """The SQLAlchemy address of a database."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """A plain connection that commits each statement."""
        return psycopg.connect(f"postgresql://postgres@127.0.0.1:{self.port}/{database}", autocommit=True)

    @contextmanager
    def database(self) -> Iterator[str]:
        """The address of a new, empty database; dropped at the end, whoever is still connected."""
        name = f"case_{secrets.token_hex(6)}"
        with self.connect() as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        try:
            yield self.url(name)
        finally:
            with self.connect() as connection:
                connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def private_postgres(*, fsync: bool = False) -> Iterator[Postgres]:
    """A server of our own for the block. fsync: whether it waits for the disk; benchmarks want that, tests do not."""
    newest_first = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: -int(folder.parent.name))
    folders = tuple(newest_first)
    user = other_user("postgres")  # PostgreSQL refuses to run as root
    with own_folder("xf-pg-", user) as folder:
        data = folder / "data"
        initdb = f"{find_program('initdb', folders)} -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync -D"
        subprocess.run(
            [*initdb.split(), str(data)],
            user=user,
            extra_groups=[] if user else None,
            cwd=folder,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        port = free_port()
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": str(folder),
            "max_connections": "60",
            "timezone": "Asia/Shanghai",
        }
        if not fsync:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        command = [str(find_program("postgres", folders)), "-D", str(data)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]

        def ready() -> bool:
            try:
                psycopg.connect(f"postgresql://postgres@127.0.0.1:{port}/postgres").close()
            except psycopg.OperationalError:
                return False
            return True

        with running(command, user=user, folder=folder, ready=ready) as pid:
            yield Postgres(folder, port, pid)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One private server for all tests of this process, without fsync."""
    with private_postgres() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """The SQLAlchemy address of a fresh database for this test alone."""
    with postgres.database() as url:
        yield url

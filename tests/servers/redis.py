"""A private Redis: own folder, own port, nothing kept on disk; emptied for each test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as NotYet

from tests.servers.process import find_program, free_port, own_folder, running


@dataclass(frozen=True)
class PrivateRedis:
    """A running server."""

    port: int
    pid: int

    @property
    def url(self) -> str:
        """Its address for Celery."""
        return f"redis://127.0.0.1:{self.port}/0"

    def empty(self) -> None:
        """Forget everything."""
        with Redis(port=self.port) as client:
            client.flushall()


@contextmanager
def private_redis() -> Iterator[PrivateRedis]:
    """A server of our own for the block."""
    with own_folder("xf-redis-", None) as folder:
        port = free_port()
        command = [str(find_program("redis-server")), "--port", str(port), "--bind", "127.0.0.1"]
        command += ["--dir", str(folder), "--save", "", "--appendonly", "no"]

        def ready() -> bool:
            try:
                with Redis(port=port) as client:
                    return bool(client.ping())
            except NotYet:
                return False

        with running(command, user=None, folder=folder, ready=ready) as pid:
            yield PrivateRedis(port, pid)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[PrivateRedis]:
    """One private server for all tests of this process."""
    with private_redis() as server:
        yield server


@pytest.fixture
def redis_url(redis_server: PrivateRedis) -> str:
    """The address of the private Redis, empty."""
    redis_server.empty()
    return redis_server.url

"""What every test stands on: no settings from outside, no network beyond this machine, servers of our own."""

from __future__ import annotations

import ipaddress
import os
import sys
from typing import Any

import pytest

pytest_plugins = ["tests.servers.blank", "tests.servers.postgres", "tests.servers.redis"]

_SERVER_FIXTURES = {"postgres", "postgres_url", "redis_server", "redis_url"}


def _stay_here(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook: a connection to anything but this machine ends the test that tries it."""
    if event != "socket.connect" or not isinstance(arguments[1], tuple):
        return
    host = str(arguments[1][0])
    try:
        local = ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        local = host in ("localhost", "")
    if not local:
        raise RuntimeError(f"a test tried to reach {host}: tests stay on this machine")


def pytest_configure(config: pytest.Config) -> None:
    """Close the ways out before anything of ours is imported."""
    for name in [name for name in os.environ if name.upper().startswith("GATEWAY_") and name != "GATEWAY_TEST_KILLS"]:
        del os.environ[name]
    sys.addaudithook(_stay_here)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses a private server, and keep it on one worker: a server for each would cost more than it saves."""
    for item in items:
        if _SERVER_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.servers)
        if item.get_closest_marker("servers"):
            item.add_marker(pytest.mark.xdist_group("servers"))

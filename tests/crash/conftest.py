"""A folder of its own for each crash test, gone afterwards: what a run leaves behind is a hundred megabytes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.process import own_folder


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """All of this folder kills processes; what takes long is for `make crash`, which sets the number of kills."""
    left_out = []
    for item in items:
        if Path(__file__).parent not in item.path.parents:
            continue
        if item.get_closest_marker("quick") is None:
            item.add_marker(pytest.mark.crash)
        if "GATEWAY_TEST_KILLS" not in os.environ and item.get_closest_marker("only_in_make_crash"):
            left_out.append(item)
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


def pytest_configure(config: pytest.Config) -> None:
    """The marks of this folder."""
    config.addinivalue_line("markers", "quick: of the crash folder, but kills nothing")
    config.addinivalue_line("markers", "only_in_make_crash: takes too long for `make test`")


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder."""
    with own_folder("xf-crash-", None) as made:
        yield made

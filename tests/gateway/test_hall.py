"""What the hall tells the doors: which addresses are our own."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.settings import Settings
from config.themes import Themes
from gateway.hall import postbox_of

# label, our mailboxes, the sender of our letters, the addresses by which a loop is known
OWN: list[tuple[str, tuple[str, ...], str, set[str]]] = [
    ("none", (), "", set()),
    ("one", ("a@office.example",), "", {"a@office.example"}),
    ("a fax gateway in its own name", ("a@office.example", "fax@office.example=传真"), "", {"a@office.example"}),
    ("a sender of its own", ("a@office.example",), "no@office.example", {"a@office.example", "no@office.example"}),
]


@pytest.mark.parametrize(("boxes", "sender", "own"), [case[1:] for case in OWN], ids=[case[0] for case in OWN])
def test_a_loop_is_known_by_our_own_addresses(
    tmp_path: Path, boxes: tuple[str, ...], sender: str, own: set[str]
) -> None:
    settings = Settings(data=tmp_path, mail_addresses=boxes, mail_from=sender)
    assert postbox_of(settings, Themes()).own == own

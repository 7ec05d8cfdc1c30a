"""The acknowledgement by text message: when the intake orders one, and when a door may promise it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from normalizer.archive import Archive
from normalizer.governor import Governor
from normalizer.intake import TEXT, IntakeDesk
from normalizer.pipeline import ReadingParts, build
from petition import clock
from petition.arrival import SUPPLEMENT, Outcome
from petition.petition import Purpose
from store import opt_outs, outbox
from store.database import Store, database_url, open_store
from store.migrate import migrate
from store.petitions import context_of
from tests.normalizer.conftest import arrival

MOBILE = "+8615400000001"
STORY = "兰州市城关区演示小区物业自2026年1月起多收物业费，要求退还。"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    url = database_url("", tmp_path)
    migrate(url)
    opened = open_store(url, tmp_path, b"a secret for tests, 32 bytes or more", min_free=0)
    yield opened
    opened.close()


def desk(store: Store, parts: ReadingParts, mode: Any = "inline", *, texting: bool = True) -> IntakeDesk:
    reader = build(parts, Archive(store))
    return IntakeDesk(store, reader, Governor(mode), "620000", clock.now, texting=texting)


# label, how the house is set, what the arrival is, what was stated, whether it is ordered, whether it may be promised
CASES: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any], bool, bool]] = [
    ("asked for", {}, {}, {}, True, True),
    ("written as people write", {}, {"text_to": "154 0000 0001"}, {}, True, True),
    ("not asked for", {}, {"text_to": ""}, {}, False, False),
    ("no mobile", {}, {"text_to": "0931-8123456"}, {}, False, False),
    ("nothing leaves this house", {"texting": False}, {}, {}, False, False),
    ("not read yet", {"mode": "deferred"}, {}, {}, True, False),
    ("held for a person", {}, {"hold": "签名不符"}, {}, True, True),
    ("an accusation", {}, {}, {"purpose": Purpose.ACCUSATION}, False, False),
    ("an accusation not read yet", {"mode": "deferred"}, {}, {"purpose": Purpose.ACCUSATION}, False, False),
    ("to be kept secret", {}, {}, {"confidential": True}, False, False),
]


@pytest.mark.parametrize(
    ("house", "changes", "said", "ordered", "promised"), [row[1:] for row in CASES], ids=[row[0] for row in CASES]
)
async def test_ordered_and_promised(
    store: Store,
    parts: ReadingParts,
    house: dict[str, Any],
    changes: dict[str, Any],
    said: dict[str, Any],
    ordered: bool,
    promised: bool,
) -> None:
    one = replace(arrival(content=STORY, **said), **{"text_to": MOBILE, **changes})
    receipt = await desk(store, parts, **house)(one)
    orders = [each for each in store.read_now(lambda tx: outbox.of(tx, receipt.case_no)) if each.kind == TEXT]
    assert (bool(orders), receipt.texted) == (ordered, promised)
    for order in orders:
        assert "15400000001" not in repr(order)
        uid = bytes.fromhex(order.payload["uid"])
        assert store.vault.open(bytes.fromhex(order.payload["to"]), context_of(uid)).decode() == MOBILE


async def test_once_for_the_same_event_and_never_for_a_supplement(store: Store, parts: ReadingParts) -> None:
    take, one = desk(store, parts), replace(arrival(content=STORY), text_to=MOBILE)
    first, again = await take(one), await take(one)
    assert (first.case_no, first.texted, again.texted) == (again.case_no, True, True)
    more = replace(one, raw_id="raw-2", sub_source=SUPPLEMENT + first.case_no)
    joined = await take(more)
    assert (joined.outcome, joined.texted) == (Outcome.LINKED, False)
    orders = store.read_now(lambda tx: outbox.of(tx, first.case_no))
    assert [order.kind for order in orders].count(TEXT) == 1


async def test_nothing_is_promised_to_a_number_that_wants_none(store: Store, parts: ReadingParts) -> None:
    await store.write(lambda tx: opt_outs.put(tx, MOBILE, "退订"))
    receipt = await desk(store, parts)(replace(arrival(content=STORY), text_to=MOBILE))
    assert not receipt.texted

"""A clerk's drafts: what happens when another click or window was faster."""

from __future__ import annotations

import pytest
from aiohttp import web

from channels.answers import Answers
from gateway.clerk_drafts import ClerkDrafts
from gateway.house import House
from petition import clock
from petition.arrival import Outcome, Receipt
from petition.errors import Conflict
from store import drafts
from store.drafts import Draft

TOKEN = "a-token-of-this-test-and-long-enough-"


def desk(house: House) -> ClerkDrafts:
    return ClerkDrafts(store=house.store, clock=clock.now, cookie="sample", path="/desk/sample", secure=False)


async def begun(house: House, token: str) -> Draft:
    """A draft of an officer."""
    await house.store.write(lambda tx: drafts.create(tx, token, Answers({"by": "officer:yanshi"}).to_dict()))
    found = await house.store.read(lambda tx: drafts.load(tx, token))
    assert found is not None
    return found


async def test_two_windows_keep_what_both_typed(house: House) -> None:
    draft = await begun(house, TOKEN + "two")
    await desk(house).change(draft, lambda old: old.put({"title": "一"}))
    kept = await desk(house).change(draft, lambda old: old.put({"content": "二"}))
    assert Answers.from_dict(kept.answers).get("title") == "一"
    assert Answers.from_dict(kept.answers).get("content") == "二"


async def test_a_second_click_finds_the_receipt_of_the_first(house: House) -> None:
    draft = await begun(house, TOKEN + "click")
    receipt = Receipt(
        case_no="620000J20261120000017", query_code="7Q4K2M9XA1BC", received_at=clock.now(), outcome=Outcome.PETITION
    )
    await desk(house).submitted(draft, receipt, {"clerk": "演示员"})
    await desk(house).submitted(draft, receipt, {"clerk": "演示员"})
    with pytest.raises(web.HTTPSeeOther) as away:
        await desk(house).change(draft, lambda old: old.put({"title": "再来一次"}))
    assert away.value.location == "/desk/sample/receipt"
    kept = await house.store.read(lambda tx: drafts.load(tx, draft.token))
    assert kept is not None
    assert kept.submitted is not None
    assert (kept.submitted["by"], kept.submitted["clerk"]) == ("officer:yanshi", "演示员")


async def test_a_draft_that_was_cleared_takes_nothing_more(house: House) -> None:
    draft = await begun(house, TOKEN + "cleared")
    await house.store.write(lambda tx: drafts.drop(tx, draft.token))
    with pytest.raises(Conflict):
        await desk(house).again(draft)

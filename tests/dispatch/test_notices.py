"""Acknowledgements by e-mail: written when they leave, to a real relay; tried again, held, never answered."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from dispatch.couriers.email import MailCourier
from dispatch.notices import Acknowledge, Letterhead, Post
from petition.arrival import MARKER, Reply
from store import outbox
from store.codes import acknowledgement_id, query_code_of
from store.database import Store
from store.outbox import Order, OrderState
from store.petitions import context_of
from tests.fakes.relay import relaying
from tests.store.entries import entry

HEAD = Letterhead(sender="xinfang@office.example", office="示例信访局", public_url="https://office.example")
REPLY = Reply(to="zhang@mail.example", message_id="one@mail.example")


def ordered(store: Store, reply: Reply = REPLY) -> Order:
    """A case that waits for its acknowledgement."""
    one = entry(store, channel="email", orders=())
    sealed = store.vault.seal(json.dumps(asdict(reply)).encode(), context_of(one.uid))
    name = acknowledgement_id(store.vault, "email", one.raw_id)
    payload = {"reply": sealed.hex(), "uid": one.uid.hex(), "id": name}
    entered = store.writer.write_now(entry(store, channel="email", uid=one.uid, orders=(("acknowledge", payload),)))
    return store.read_now(lambda tx: outbox.of(tx, entered.case_no))[0]


def after(store: Store, order: Order, post: Post | None) -> Order:
    """The order once the verb has tried it."""
    Acknowledge(store, post, HEAD, chance=lambda: 0.5)(order.id)
    found = store.read_now(lambda tx: outbox.find(tx, order.id))
    assert found is not None
    return found


def test_a_letter_tells_number_and_code_and_wants_no_answer(store: Store) -> None:
    order = ordered(store)
    with relaying() as relay:
        assert after(store, order, MailCourier(relay.address)).state is OrderState.DELIVERED
        after(store, order, MailCourier(relay.address))
    [(sender, to, letter)] = relay.letters
    assert (sender.strip("<>"), to) == ("", ["zhang@mail.example"])
    assert letter["Auto-Submitted"] == "auto-replied"
    assert letter[MARKER]
    assert letter["In-Reply-To"] == "<one@mail.example>"
    assert letter["Message-ID"].startswith(f"<{order.payload['id']}@office.example")
    text = letter.get_content()
    row = entry(store)
    code = query_code_of(store.vault, "email", row.raw_id, row.digest, ())
    assert code in text
    assert order.case_no[-6:] in text.replace("-", "")
    assert "示例信访局" in text


# label, what the relay says to DATA, state afterwards
MOODS: list[tuple[str, str, OrderState]] = [
    ("a full mailbox", "452 4.2.2 full", OrderState.OPEN),
    ("greylisting", "451 4.7.1 later", OrderState.OPEN),
    ("nobody of that name", "550 5.1.1 unknown", OrderState.HELD),
]


@pytest.mark.parametrize(("mood", "state"), [row[1:] for row in MOODS], ids=[row[0] for row in MOODS])
def test_a_relay_that_will_not_take_it(store: Store, mood: str, state: OrderState) -> None:
    order = ordered(store)
    with relaying() as relay:
        relay.mood = mood
        found = after(store, order, MailCourier(relay.address))
    assert found.state is state
    assert found.problem
    assert "mail.example" not in found.problem


def test_no_relay_listens(store: Store) -> None:
    with relaying() as relay:
        address = relay.address
    assert after(store, ordered(store), MailCourier(address)).state is OrderState.OPEN


def test_without_a_relay_the_order_is_held_and_says_why(store: Store) -> None:
    found = after(store, ordered(store), None)
    assert found.state is OrderState.HELD
    assert "GATEWAY_MAIL_RELAY" in found.problem


def test_a_message_id_cannot_smuggle_a_header(store: Store) -> None:
    order = ordered(store, Reply(to="zhang@mail.example", message_id="x@y>\r\nBcc: evil@example"))
    with relaying() as relay:
        after(store, order, MailCourier(relay.address))
    [(_, to, letter)] = relay.letters
    assert to == ["zhang@mail.example"]
    assert letter["In-Reply-To"] is None
    assert letter["Bcc"] is None


def test_an_address_that_is_none_is_held(store: Store) -> None:
    order = ordered(store, Reply(to="a\r\nBcc: evil@example"))
    with relaying() as relay:
        assert after(store, order, MailCourier(relay.address)).state is OrderState.HELD
    assert relay.letters == []

"""Entries for the tests of the store: real seals, fictional content."""

from __future__ import annotations

import os
from typing import Any

from petition.arrival import Outcome
from petition.clock import now
from petition.petition import Form, Petition
from store.database import Store
from store.entry import Entry
from store.petitions import code_hash, seal_record
from store.proof import original_context
from store.vault import digest_of

CODE = "AAAA-BBBB-CCCC"


def entry(store: Store, raw_id: str = "first", **changes: Any) -> Entry:
    """A new petition of the web channel; the raw bytes are told by `raw`."""
    uid, moment = os.urandom(16), now()
    raw: bytes = changes.pop("raw", f'{{"id":"{raw_id}"}}'.encode())
    digest = digest_of(raw)
    petition = Petition(
        case_no="", form=Form.WEB, raw_id=raw_id, petition_date=moment.date(), received_at=moment, title="路灯不亮"
    )
    values: dict[str, Any] = {
        "channel": "web",
        "form": Form.WEB,
        "region": "620000",
        "raw_id": raw_id,
        "received_at": moment,
        "digest": digest,
        "size": len(raw),
        "media_type": "application/json",
        "original": store.vault.seal(raw, original_context(digest)),
        "outcome": Outcome.PETITION,
        "uid": uid,
        "record": seal_record(store.vault, store.records.petition_to_json(petition), uid),
        "code_hash": code_hash(store.vault, uid, CODE),
        "look_ups": (("mobile", store.vault.index("mobile", "+8615400000001")),),
        "orders": (("dispatch", {}),),
        "read": True,
    }
    return Entry(**{**values, **changes})

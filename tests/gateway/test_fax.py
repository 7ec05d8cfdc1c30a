"""A fax's whole trip through a real house: from the folder to the officers' queue, once, and proved."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from config.reference import load_reference
from petition.arrival import Outcome
from petition.petition import Form
from store import petitions
from tests.fakes.pages import tiff
from tests.houses import running_house, until


def test_a_fax_waits_at_the_desk_and_is_counted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = load_reference()
    quick = replace(reference.fax, watch=replace(reference.fax.watch, every=0.02, settle=0.01))
    monkeypatch.setattr("gateway.house.load_reference", lambda **_: replace(reference, fax=quick))
    inbox = tmp_path / "faxes"
    inbox.mkdir()
    body = tiff(2)
    for name in ("fax-8615400000001-20261122-093000.tif", "again.tif"):
        (inbox / name).write_bytes(body)
        os.utime(inbox / name, (1_000_000, 1_000_000 - len(name)))
    (inbox / "late.tif").write_bytes(tiff(3))
    with running_house(tmp_path / "var", channels=("web", "fax"), fax_inbox=inbox) as rig:
        store = rig.house.store
        assert until(lambda: rig.balance("fax").received == 3, seconds=20)
        assert until(lambda: not [path for path in inbox.iterdir() if path.is_file()])
        balance = rig.balance("fax")
        assert (balance.held, balance.linked, balance.gap) == (2, 1, 0)
        cases = store.read_now(lambda tx: petitions.queue(tx, standing=Outcome.HELD))
        assert {case.form for case in cases} == {Form.FAX}
        assert all("F" in case.case_no for case in cases)
        assert {case.hold_reason for case in cases} == {"传真待录入"}
        [first] = [case for case in cases if case.petition.petitioners]
        [page] = first.petition.attachments
        assert store.files.open(page.sha256) == body
        assert "15400000001" not in rig.log.getvalue()
        assert not rig.stumbles()

"""Announcements (办理情况告知): the order by which a petitioner learns by text message that the case has moved."""

from __future__ import annotations

from petition.notice import told_of
from petition.petition import Petition
from petition.status import Status
from store import outbox
from store.transaction import Transaction

KIND = "notice"


def order(tx: Transaction, case_no: str, status: Status, petition: Petition) -> None:
    """Order the notice of a status if there is somebody to tell; one that still waits is out of date by it.

    The order names the status only: number and words are looked up when it leaves.
    """
    if not told_of(petition):
        return
    outbox.withdraw(tx, case_no, KIND, "已有更新的办理状态")
    outbox.add(tx, KIND, case_no, payload={"status": status.value})

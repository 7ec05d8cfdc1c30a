"""A transaction (事务): the connection and what is needed to seal and open what passes through it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection

from store.records import Records
from store.vault import Vault

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Transaction:
    """Handed to every piece of work; `now` is aware, Asia/Shanghai, and the same for the whole batch."""

    connection: Connection
    vault: Vault
    records: Records
    now: datetime
    told: frozenset[str] = frozenset()  # statuses of which the petitioner is told by text message


# Work may be run twice (a failed batch is retried one by one): it must touch nothing but the database.
Work = Callable[[Transaction], T]

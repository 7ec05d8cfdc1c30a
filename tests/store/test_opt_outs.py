"""Opt-outs: kept for good and without a readable number, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from store import opt_outs, tables
from store.database import Store, open_store
from tests.store.conftest import SECRET

MOBILE = "+8615400000006"

# label, number that said stop, number that is asked about, whether it is the same
SAME: list[tuple[str, str, str, bool]] = [
    ("as it was", MOBILE, MOBILE, True),
    ("without the country", "154 0000 0006", MOBILE, True),
    ("in full width", "１５４０００００００６", MOBILE, True),
    ("of another country", "+15400000001", "+15400000001", True),
    ("another one", MOBILE, "+8615400000007", False),
    ("nobody", "", "", False),
]


@pytest.mark.parametrize(("said", "asked", "same"), [row[1:] for row in SAME], ids=[row[0] for row in SAME])
def test_a_number_is_known_however_it_is_written(store: Store, said: str, asked: str, same: bool) -> None:
    store.write_now(lambda tx: opt_outs.put(tx, said, "退订"))
    assert store.read_now(lambda tx: opt_outs.has(tx, asked)) is same


def test_stop_holds_over_a_restart_and_start_ends_it(url: str, tmp_path: Path) -> None:
    for number in (MOBILE, "+8615400000007"):
        first = open_store(url, tmp_path, SECRET, min_free=0)
        first.write_now(lambda tx, number=number: opt_outs.put(tx, number, "TD"))  # type: ignore[misc]
        first.write_now(lambda tx, number=number: opt_outs.put(tx, number, "STOP"))  # type: ignore[misc]
        first.close()
    second = open_store(url, tmp_path, SECRET, min_free=0)
    try:
        assert second.read_now(lambda tx: opt_outs.has(tx, MOBILE))
        assert second.write_now(lambda tx: opt_outs.remove(tx, MOBILE))
        assert not second.write_now(lambda tx: opt_outs.remove(tx, MOBILE))
        assert not second.read_now(lambda tx: opt_outs.has(tx, MOBILE))
        [row] = second.read_now(lambda tx: tx.connection.execute(select(tables.opt_outs)).all())
        assert (row.word, row.at > 0) == ("TD", True), "the first word stays"
    finally:
        second.close()


def test_the_row_names_nobody(store: Store) -> None:
    store.write_now(lambda tx: opt_outs.put(tx, MOBILE, "不要再给15400000006发短信了，谢谢，谢谢"))
    [row] = store.read_now(lambda tx: tx.connection.execute(select(tables.opt_outs)).all())
    assert "15400000006" not in repr(row)
    assert row.code != store.vault.index("mobile", MOBILE), "not to be joined with the people of the cases"

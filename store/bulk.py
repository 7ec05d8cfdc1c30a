"""Bulk inserts (批量写入): many rows in one statement, for the one place where every microsecond is a citizen's wait.

Python's sqlite3 gives up the interpreter lock for every row of `executemany` and has to win it back from the loop each
time; a statement of many rows does so once. The shapes are few, so that both databases keep them prepared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table

SHAPES = (64, 16, 4, 1)  # rows of one statement; 64 rows of the widest table stay far below SQLite's 32,766 values


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, conflict: str = "") -> None:
    """Insert rows that all have the same keys, in order; `conflict` is an ON CONFLICT clause."""
    if not rows:
        return
    columns = tuple(rows[0])
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    place = 0
    for shape in SHAPES:
        statement = ""
        while len(rows) - place >= shape:
            statement = statement or _statement(table.name, columns, mark, shape, conflict)
            values = tuple(row[name] for row in rows[place : place + shape] for name in columns)
            connection.exec_driver_sql(statement, values)
            place += shape


def _statement(table: str, columns: tuple[str, ...], mark: str, shape: int, conflict: str) -> str:
    one = "(" + ", ".join([mark] * len(columns)) + ")"
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([one] * shape)} {conflict}".rstrip()

"""Bulk statements (批量写入): the few statements of every group commit, given to the driver as they are.

Here every microsecond is a citizen's wait. SQLAlchemy spends more on one execution than SQLite on the row, and Python's
sqlite3 gives up the interpreter lock for every row of `executemany` and has to win it back from the loop each time; a
statement of many rows does so once. The shapes are few, so that both databases keep them prepared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.exc import DBAPIError

SHAPES = (64, 16, 4, 2, 1)  # rows of one statement; 64 rows of the widest table stay far below SQLite's 32,766 values


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, conflict: str = "") -> None:
    """Insert rows that all have the same keys in the same order; `conflict` is an ON CONFLICT clause.

    Raises what SQLAlchemy raises for the same failure.
    """
    if not rows:
        return
    columns, mark = tuple(rows[0]), mark_of(connection)
    place = 0
    for shape in SHAPES:
        while len(rows) - place >= shape:
            values = tuple(chain.from_iterable(row.values() for row in rows[place : place + shape]))
            execute(connection, _insert(table.name, columns, mark, shape, conflict), values)
            place += shape


def execute(connection: Connection, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run a statement in the dialect of the driver, inside the transaction of the connection; its rows, if any."""
    driver = connection.dialect.loaded_dbapi
    cursor = connection.connection.cursor()
    try:
        cursor.execute(statement, values)
        return list(cursor.fetchall()) if cursor.description else []
    except driver.Error as problem:
        wrapped = DBAPIError.instance(statement, None, problem, driver.Error, True, dialect=connection.dialect)
        raise wrapped from problem
    finally:
        cursor.close()


def mark_of(connection: Connection) -> str:
    """How the driver marks a value in a statement."""
    return "?" if connection.dialect.paramstyle == "qmark" else "%s"


@cache
def _insert(table: str, columns: tuple[str, ...], mark: str, shape: int, conflict: str) -> str:
    one = "(" + ", ".join([mark] * len(columns)) + ")"
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([one] * shape)} {conflict}".rstrip()

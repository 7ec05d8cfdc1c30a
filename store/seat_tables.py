"""The tables of the seats (话务台数据表): calls, callbacks, who sits there, sheets, orders of 12345."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, Table, Text, UniqueConstraint, text

from store.tables import Moment, Serial, metadata

# 来电: a call as the telephone system tells of it; the number is sealed, `code` is its look-up code.
calls = Table(
    "calls",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("channel", Text, nullable=False),
    Column("call_id", Text, nullable=False),
    Column("number", LargeBinary, nullable=False),
    Column("code", LargeBinary),
    Column("line", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("renewed_at", Moment, nullable=False),
    Column("over_at", Moment),
    Column("state", Text, nullable=False),  # waiting | taken | over | missed
    Column("seat", Text, nullable=False),
    Column("sheet", Text, nullable=False),
    Column("case_no", Text, nullable=False),
    Column("version", Integer, nullable=False),
    UniqueConstraint("channel", "call_id", name="calls_call"),
    Index("calls_code", "code", "at"),
    Index(
        "calls_shown",
        "at",
        sqlite_where=text("state IN ('waiting', 'taken')"),
        postgresql_where=text("state IN ('waiting', 'taken')"),
    ),
)

# 回呼任务: whom a seat has to call back; number, wish and result are sealed.
callbacks = Table(
    "callbacks",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("channel", Text, nullable=False),
    Column("call_id", Text, nullable=False),
    Column("reason", Text, nullable=False),  # wish | missed | unwritten
    Column("number", LargeBinary, nullable=False),
    Column("code", LargeBinary),
    Column("line", Text, nullable=False),
    Column("wish", LargeBinary, nullable=False),
    Column("case_no", Text, nullable=False),
    Column("called_at", Moment, nullable=False),
    Column("due", Moment, nullable=False),
    Column("state", Text, nullable=False),  # open | taken | done
    Column("seat", Text, nullable=False),
    Column("result", LargeBinary),
    Column("done_at", Moment),
    Column("version", Integer, nullable=False),
    UniqueConstraint("channel", "call_id", name="callbacks_call"),
    Index("callbacks_due", "due", sqlite_where=text("state <> 'done'"), postgresql_where=text("state <> 'done'")),
)

# 在席: one row for each officer in each process whose page is open; a row that is not renewed counts for nothing.
seats = Table(
    "seats",
    metadata,
    Column("house", Text, primary_key=True),
    Column("officer", Text, primary_key=True),
    Column("seen_at", Moment, nullable=False),
)

# 工单草稿: what a seat types while the caller speaks, sealed; after submission only the receipt is left.
sheets = Table(
    "sheets",
    metadata,
    Column("id", Text, primary_key=True),
    Column("seat", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("call_id", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("touched_at", Moment, nullable=False),
    Column("case_no", Text, nullable=False),
    Index("sheets_seat", "seat", "touched_at"),
    Index("sheets_touched", "touched_at"),
)

# 热线工单: the newest content of each order of the 12345 platform, and the case it belongs to.
hotline_orders = Table(
    "hotline_orders",
    metadata,
    Column("order_no", Text, primary_key=True),
    Column("case_no", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("changes", Integer, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Index("hotline_orders_case", "case_no"),
)

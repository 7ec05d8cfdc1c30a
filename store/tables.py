"""The tables (数据表): one description for SQLite and PostgreSQL; migrations make them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

# Moments are whole microseconds since 1970 (UTC): exact, sortable, the same in both databases.
Moment = BigInteger
# SQLite numbers rows by itself only for its own INTEGER type.
Serial = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData()

# 登记台账: append-only, hash-chained; id = chain * 2**40 + place in the chain.
ledger = Table(
    "ledger",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("channel", Text, nullable=False),
    Column("counter", BigInteger, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("key", Text, unique=True),
    Column("raw_id", Text, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("digest", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("files", Text, nullable=False),
    Column("case_no", Text, nullable=False),
    Column("first_id", BigInteger),
    Column("reason", Text, nullable=False),
    Column("prev", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)

# The head of each chain and the counter of each channel in it, with a keyed code against a changed head.
ledger_heads = Table(
    "ledger_heads",
    metadata,
    Column("chain", Integer, primary_key=True, autoincrement=False),
    Column("channel", Text, primary_key=True),
    Column("counter", BigInteger, nullable=False),
    Column("last_id", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("mac", LargeBinary, nullable=False),
)

# Originals small enough to ride in the transaction (saves two fsyncs); larger ones are files. Sealed.
originals = Table(
    "originals",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)

# 信访事项: the current record of each case, sealed whole; only what routing and queues need is in clear.
petitions = Table(
    "petitions",
    metadata,
    Column("case_no", Text, primary_key=True),
    Column("ledger_id", BigInteger, nullable=False),
    Column("uid", LargeBinary, nullable=False),
    Column("channel", Text, nullable=False),
    Column("form", Text, nullable=False),
    Column("standing", Text, nullable=False),  # petition | held | linked | refused
    Column("hold_reason", Text, nullable=False, server_default=""),
    Column("status", Text, nullable=False),
    Column("unit", Text, nullable=False, server_default=""),
    Column("lane", Text, nullable=False),
    Column("region", Text, nullable=False, server_default=""),
    Column("category", Text, nullable=False, server_default=""),
    Column("purpose", Text, nullable=False, server_default=""),
    Column("urgency", Text, nullable=False),
    Column("headcount", Integer, nullable=False),
    Column("record", LargeBinary, nullable=False),
    Column("code_hash", LargeBinary, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("received_at", Moment, nullable=False),
    Column("read_at", Moment),
    Column("confirmed_at", Moment),
    Column("updated_at", Moment, nullable=False),
    Index("petitions_queue", "standing", "confirmed_at", "received_at"),
    Index("petitions_region", "region", "received_at"),
    Index(
        "petitions_unit", "unit", "received_at", sqlite_where=text("unit <> ''"), postgresql_where=text("unit <> ''")
    ),
)

# 判重索引: keyed digests of phones, identity numbers, names; the values themselves are only in the sealed record.
look_ups = Table(
    "look_ups",
    metadata,
    Column("code", LargeBinary, primary_key=True),
    Column("case_no", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Index("look_ups_case", "case_no"),
    sqlite_with_rowid=False,
)

# 办理过程: append-only.
history = Table(
    "history",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("case_no", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("event", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("unit", Text, nullable=False, server_default=""),
    Column("actor", Text, nullable=False),
    Column("words", LargeBinary),  # sealed; officers may write names here
    Column("document", Text, nullable=False, server_default=""),
    Column("public", Boolean, nullable=False),
    Column("event_id", Text),
    Index("history_case", "case_no", "id"),
    Index(
        "history_event",
        "event_id",
        unique=True,
        sqlite_where=text("event_id IS NOT NULL"),
        postgresql_where=text("event_id IS NOT NULL"),
    ),
)

# 发出的短信: what became of each order of a text message at the provider; recipient is a keyed digest.
texts = Table(
    "texts",
    metadata,
    Column("order_id", BigInteger, primary_key=True, autoincrement=False),
    Column("recipient", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),  # ready | sending | unsure | accepted | delivered | failed
    Column("at", Moment, nullable=False),  # of the last step
    Column("message_id", Text, nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    Index("texts_recipient", "recipient", "at"),
)

# 转办单: the only truth about what still has to leave the house.
outbox = Table(
    "outbox",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),
    Column("case_no", Text, nullable=False),
    Column("state", Text, nullable=False),  # open | delivered | held | withdrawn
    Column("due", Moment, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("payload", Text, nullable=False, server_default="{}"),
    Column("problem", Text, nullable=False, server_default=""),
    Column("created_at", Moment, nullable=False),
    Column("done_at", Moment),
    Index("outbox_due", "due", sqlite_where=text("state = 'open'"), postgresql_where=text("state = 'open'")),
    Index("outbox_case", "case_no"),
)

counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

# 网上填写草稿: sealed, found only by the digest of the browser's token.
drafts = Table(
    "drafts",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("answers", LargeBinary, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("touched_at", Moment, nullable=False),
    Column("case_no", Text),
    Column("kiosk", Boolean, nullable=False, server_default=false()),  # typed at a terminal others use next
    Index("drafts_touched", "touched_at"),
)

draft_uploads = Table(
    "draft_uploads",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("token_hash", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("position", SmallInteger, nullable=False),
    Index("draft_uploads_token", "token_hash"),
)

# 对话记事: what doors remember of conversations that are still going on; sealed, found by a keyed code.
notes = Table(
    "notes",
    metadata,
    Column("code", LargeBinary, primary_key=True),
    Column("book", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("version", Integer, nullable=False),
    Column("touched_at", Moment, nullable=False),
    Index("notes_touched", "book", "touched_at"),
)

# 短信退订: keyed digests of the numbers that want no text message of ours; it never expires by itself.
opt_outs = Table(
    "opt_outs",
    metadata,
    Column("code", LargeBinary, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("word", Text, nullable=False),
)

officers = Table(
    "officers",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("totp_sealed", LargeBinary),
    Column("totp_last_step", BigInteger, nullable=False, server_default="0"),
    Column("roles", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("lanes", Text, nullable=False),
    Column("failed", Integer, nullable=False, server_default="0"),
    Column("locked_until", Moment),
    Column("active", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("name", name="officers_name"),
)

officer_sessions = Table(
    "officer_sessions",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("officer_id", BigInteger, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("second_factor", Boolean, nullable=False),
    Column("address", Text, nullable=False),
)

# 候访号: numbers of the waiting hall, anew each day; nothing about who holds them.
queue_tickets = Table(
    "queue_tickets",
    metadata,
    Column("day", Text, primary_key=True),
    Column("office", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False),  # waiting | called | serving | done | left
    Column("window", Text, nullable=False, server_default=""),
    Column("priority", Text, nullable=False, server_default=""),
    Column("source", Text, nullable=False),  # counter | kiosk
    Column("calls", Integer, nullable=False, server_default="0"),
    Column("issued_at", Moment, nullable=False),
    Column("called_at", Moment),
    Column("done_at", Moment),
)

# 查阅留痕: append-only.
audit = Table(
    "audit",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("case_no", Text, nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    Column("fields", Text, nullable=False, server_default="[]"),
    Column("address", Text, nullable=False, server_default=""),
    Index("audit_case", "case_no"),
)

# 网上联名: the link of a joint petition; the words its opener released are sealed, the link is kept as a digest.
groups = Table(
    "groups",
    metadata,
    Column("case_no", Text, primary_key=True),
    Column("serial", Integer, nullable=False),
    Column("token", LargeBinary, nullable=False),
    Column("shown", LargeBinary, nullable=False),
    Column("household", LargeBinary, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("created_at", Moment, nullable=False),
    Index("groups_token", "token", unique=True),
)

# Who joined, by keyed digests; names and numbers are only in the sealed record of the case.
group_members = Table(
    "group_members",
    metadata,
    Column("uid", LargeBinary, primary_key=True),
    Column("case_no", Text, nullable=False),
    Column("person", LargeBinary, nullable=False),
    Column("household", LargeBinary, nullable=False),
    Column("code_hash", LargeBinary, nullable=False),
    Column("proved", Text, nullable=False),  # sms, or empty
    Column("counts", Boolean, nullable=False),
    Column("joined_at", Moment, nullable=False),
    Column("left_at", Moment),
    Index("group_members_case", "case_no", "person"),
)

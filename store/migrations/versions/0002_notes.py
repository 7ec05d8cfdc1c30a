"""Notes of the doors: what is remembered of a conversation that is still going on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "notes",
        sa.Column("code", sa.LargeBinary(), nullable=False),
        sa.Column("book", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("touched_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_index("notes_touched", "notes", ["book", "touched_at"], unique=False)

"""Drafts typed at a self-service terminal are forgotten sooner."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Forward."""
    op.add_column("drafts", sa.Column("kiosk", sa.Boolean(), nullable=False, server_default=sa.false()))

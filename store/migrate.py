"""Migration (升级): brings a database to the tables of today; nothing is ever taken back."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, create_engine, inspect, make_url, text

_SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = 0x58464D47  # two servers that start together must not migrate at once


def migrate(url: str) -> str:
    """Bring the database to the newest revision; returns that revision. Safe to call at every start."""
    made = make_url(url)
    if made.get_backend_name() == "sqlite" and made.database:
        Path(made.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            else:
                connection.execute(text(f"SELECT pg_advisory_lock({_LOCK})"))
                connection.commit()
            newest = newest_revision()
            if _revision(connection) != newest:
                connection.commit()
                _upgrade(connection)
                connection.commit()
            return newest
    finally:
        engine.dispose()


def newest_revision() -> str:
    """The revision a database must have; told by the names of the scripts, which are numbered."""
    return max(path.name.partition("_")[0] for path in (_SCRIPTS / "versions").glob("[0-9]*_*.py"))


def _upgrade(connection: Connection) -> None:
    # Loaded here: most starts have nothing to migrate, and would wait a tenth of a second for the tool.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _revision(connection: Connection) -> str:
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return connection.scalar(text("SELECT version_num FROM alembic_version")) or ""

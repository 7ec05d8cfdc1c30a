"""The API as documents: the OpenAPI document and the schema of petition/1 (`--write` renews them, a test compares)."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from channels.registry import DOORS
from config.settings import Settings
from gateway.api.openapi import document
from gateway.api.schema import petition_schema
from store.records import Records

ROOT = Path(__file__).parent.parent


def _defaults() -> Settings:
    """All doors open, nothing else changed: the documents must not depend on the environment of who writes them."""
    names = ("public_url", "max_body", "max_upload")
    return Settings(channels=tuple(DOORS), **{name: Settings.model_fields[name].default for name in names})


def documents() -> dict[Path, str]:
    """The text of every document by its place; the schema also lies in the package, for `gateway export`'s readers."""
    schema = _written(petition_schema(Records()))
    return {
        ROOT / "docs" / "api" / "openapi.json": _written(document(_defaults())),
        ROOT / "docs" / "api" / "petition-1.schema.json": schema,
        ROOT / "gateway" / "data" / "petition-1.schema.json": schema,
    }


def _written(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    for path, text in documents().items():
        if sys.argv[1:] == ["--write"]:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        else:
            print(path.relative_to(ROOT), "ok" if path.exists() and path.read_text("utf-8") == text else "out of date")

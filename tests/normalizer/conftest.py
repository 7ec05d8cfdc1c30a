"""What the tests of the reading room share: the shipped data, loaded once, and a reader of statements."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from config.categories import load_categories
from config.regions import load_regions
from config.words import load_words
from normalizer.candidates import NoCandidates
from normalizer.draft import Draft
from normalizer.pipeline import Pipeline, ReadingParts, build
from petition.arrival import Arrival, Statement
from petition.clock import SHANGHAI
from petition.petition import Form

DATA = Path(__file__).parents[2] / "config" / "data"
DAY = date(2026, 11, 22)

Read = Callable[..., Draft]


def arrival(form: Form = Form.WEB, raw_id: str = "raw-1", day: date = DAY, **said: Any) -> Arrival:
    """An arrival of the web door with this statement."""
    return Arrival(
        channel="web",
        form=form,
        raw_id=raw_id,
        received_at=datetime(day.year, day.month, day.day, 9, tzinfo=SHANGHAI),
        petition_date=day,
        raw=b"{}",
        raw_type="application/json",
        statement=Statement(**said),
    )


@pytest.fixture(scope="session")
def parts() -> ReadingParts:
    """The shipped data; the ID area of the demo data counts as known."""
    return ReadingParts(
        regions=load_regions(DATA),
        categories=load_categories(DATA),
        words=load_words(DATA),
        extra_areas=frozenset({"620199"}),
    )


@pytest.fixture(scope="session")
def pipeline(parts: ReadingParts) -> Pipeline:
    """The whole pipeline without memory."""
    return build(parts, NoCandidates())


@pytest.fixture(scope="session")
def read(pipeline: Pipeline) -> Read:
    """Reads a statement: read(content=..., petitioners=...) -> Draft."""

    def reader(**said: Any) -> Draft:
        return pipeline.read(Draft.of(arrival(**said)))

    return reader

"""The pipeline (甄别流程): the stages in their order, and one way to run them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from config.categories import Categories
from config.regions import Regions
from config.themes import Themes
from config.words import Words
from normalizer.candidates import Candidates
from normalizer.draft import Draft
from normalizer.gazetteer import Gazetteer
from normalizer.stages.category import CategoryStage
from normalizer.stages.legal_path import LegalPathStage
from normalizer.stages.people import People
from normalizer.stages.purpose import PurposeStage
from normalizer.stages.region import RegionStage
from normalizer.stages.remit import RemitStage
from normalizer.stages.repeats import RepeatsStage
from normalizer.stages.text import Text
from normalizer.stages.theme import ThemeStage
from normalizer.stages.urgency import UrgencyStage
from petition.errors import PetitionError


class StageFailed(PetitionError):
    """A stage of reading broke; the arrival is held for a person, nothing is lost. cause: the original error."""

    code = "stage_failed"
    words = "系统没有读懂这份来件,已登记并转人工处理。"

    def __init__(self, stage: str, cause: Exception) -> None:
        super().__init__()
        self.stage = stage
        self.cause = cause


class Stage(Protocol):
    """One question put to the draft. It fills fields through `draft.found` and must not keep state of its own."""

    @property
    def name(self) -> str:
        """Stable, lower case; stands in evidence and notes."""
        ...

    def __call__(self, draft: Draft) -> None:
        """Read and fill; any exception holds the arrival."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingParts:
    """What the stages are built from. office: the office's own region code; extra_areas: ID areas of demo data."""

    regions: Regions
    categories: Categories
    words: Words
    office: str = "620000"
    extra_areas: frozenset[str] = frozenset()
    themes: Themes = field(default_factory=Themes)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The stages in order. Safe to share between threads: all state is in the draft."""

    stages: tuple[Stage, ...]

    def read(self, draft: Draft) -> Draft:
        """Run every stage over the draft and give it back; raises StageFailed at the first stage that breaks."""
        for stage in self.stages:
            try:
                stage(draft)
            except Exception as cause:
                raise StageFailed(stage.name, cause) from cause
        return draft


Factory = Callable[[ReadingParts, Candidates], Stage]

# The order matters: text lays out what all others read; purpose tempers urgency and path; remit judges what was found.
ORDER: tuple[Factory, ...] = (
    lambda parts, _: Text(parts.words),
    lambda parts, _: People(parts.regions, parts.words, parts.extra_areas),
    lambda parts, _: RegionStage(
        Gazetteer(parts.regions, parts.office, parts.words.groups["region.common"]), parts.words
    ),
    lambda parts, _: PurposeStage(),
    lambda parts, _: CategoryStage(parts.categories),
    lambda parts, _: UrgencyStage(),
    lambda parts, _: ThemeStage(parts.themes, parts.categories),
    lambda parts, _: LegalPathStage(parts.words),
    lambda parts, candidates: RepeatsStage(candidates, parts.words),
    lambda parts, _: RemitStage(parts.regions, parts.office),
)


def build(parts: ReadingParts, candidates: Candidates) -> Pipeline:
    """The reading pipeline of one house; build it once at the start (about a tenth of a second)."""
    return Pipeline(tuple(make(parts, candidates) for make in ORDER))

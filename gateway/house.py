"""The house (总装): what both composition roots build alike - store, reference data, reading, intake and routing."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from celery import Celery

from casework.calls import Calls
from casework.permissions import Permissions
from config.key import load_or_make_key
from config.reference import Reference, load_reference
from config.settings import CONFIG, Settings, load
from config.themes import theme_folder
from dispatch import tasks
from dispatch.delivery import Delivery
from dispatch.routing import Routing
from dispatch.tasks import BRIDGE, DELIVER, NOTIFY, READ, TEXT, Task
from dispatch.texts import SendText
from gateway.texting import text_of, texter_of
from gateway.worker import Verb, acknowledge_of, bridge_of, courier_of, external_app, patiently, routing_of
from normalizer import pipeline
from normalizer.archive import Archive
from normalizer.governor import Governor
from normalizer.intake import IntakeDesk
from normalizer.pipeline import ReadingParts
from normalizer.reading import Reading
from petition import clock
from petition.deadlines import DeadlineEngine
from store.database import Store, open_store
from store.migrate import migrate

# ID area codes of the demo data (DOMAIN 8): unassigned, so they can be nobody's.
DEMO_AREAS = frozenset({"620199"})


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The parts every process of ours has. intake wakes nobody until `serve` gives it a relay."""

    settings: Settings
    reference: Reference
    store: Store
    governor: Governor
    reading: Reading
    routing: Routing
    deadlines: DeadlineEngine
    pipeline: pipeline.Pipeline
    text: SendText

    def intake(self, woken: Callable[[], None] = lambda: None) -> IntakeDesk:
        """The one door in. woken: called when an order waits to leave."""
        region, texting = self.settings.region, self.text.ready
        return IntakeDesk(self.store, self.pipeline, self.governor, region, clock.now, woken, texting=texting)

    @property
    def calls(self) -> Calls:
        """The verbs of the hotline seats."""
        permissions = Permissions(
            roles=self.reference.roles,
            units=self.reference.units,
            office_region=self.settings.region,
            guard=self.routing.conflict,
        )
        return Calls(permissions, self.deadlines)

    @property
    def office_name(self) -> str:
        """What the office is called."""
        return self.settings.office_name or self.reference.office.name

    def known_region(self, code: str) -> bool:
        """Whether a region code exists; 6, 9 or 12 digits."""
        regions = self.reference.regions
        return code in regions or regions.find(code) is not None

    def close(self) -> None:
        """Commit what waits and close the store."""
        self.text.close()
        self.store.close(self.settings.drain_seconds)


def secret_of(settings: Settings) -> bytes:
    """SECRET_KEY's bytes, or those of the key file made at the first start; raises BadSettings."""
    given = settings.secret_key.get_secret_value()
    return given.encode() if given else load_or_make_key(settings.data)


def open_house(settings: Settings) -> House:
    """Migrate, open and wire everything; ValueError or Unavailable says what stands in the way."""
    reference = load_reference(themes=(theme_folder(settings),))
    secret = secret_of(settings)
    texter = texter_of(settings, reference)
    migrate(settings.database)
    store = open_store(
        settings.database,
        settings.data,
        secret,
        min_free=int(settings.min_free),
        queue_limit=settings.queue_limit,
        told=frozenset(reference.notices.status) if texter is not None else frozenset(),
    )
    governor = Governor(settings.reading)
    parts = ReadingParts(
        regions=reference.regions,
        categories=reference.categories,
        words=reference.words,
        office=settings.region,
        extra_areas=DEMO_AREAS,
        themes=reference.themes,
    )
    reader = pipeline.build(parts, Archive(store))
    return House(
        settings=settings,
        reference=reference,
        store=store,
        governor=governor,
        reading=Reading(store, reader, reference.group),
        routing=routing_of(settings, reference.units, reference.routes),
        deadlines=DeadlineEngine(reference.deadlines.rules, reference.calendars),
        pipeline=reader,
        text=text_of(settings, reference, store, texter),
    )


def worker_app() -> Celery:
    """The Celery app of `celery -A gateway.worker worker`; the house opens when the worker starts."""
    named = os.environ.get(CONFIG)
    settings = load(Path(named) if named else None)

    def verbs() -> tuple[dict[Task, Verb], Callable[[], None]]:
        house = open_house(settings)
        courier = courier_of(settings, house.store)
        deliver = Delivery(house.store, house.routing, courier)

        def close() -> None:
            courier.close()
            house.close()

        notify = acknowledge_of(settings, house.store, house.office_name)
        return {
            DELIVER: deliver,
            READ: partial(patiently, house.store, house.reading),
            NOTIFY: partial(patiently, house.store, notify),
            BRIDGE: partial(patiently, house.store, bridge_of(settings, house.store)),
            TEXT: partial(patiently, house.store, house.text),
        }, close

    app = external_app(settings, verbs)
    tasks.configure(app)
    return app

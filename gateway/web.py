"""The web root (网页总装): pages, API and doors on one loop, the way out beside it, and a stop that loses nothing."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import structlog
from aiohttp import web

from channels.door import Listener, Listening
from channels.provider import Twilio
from channels.registry import open_doors
from config.settings import Settings
from gateway.api.events import RoutingEvents
from gateway.api.health import Health
from gateway.api.openapi import OpenApi
from gateway.api.petitions import PetitionStatus
from gateway.auth import Passwords
from gateway.counter import Counter
from gateway.csrf import Csrf
from gateway.hall import hall_of
from gateway.house import House, open_house
from gateway.housekeeping import clear_spool, keep_house
from gateway.keys import DOORS, HALL
from gateway.limiter import Limiter
from gateway.metrics import Metrics
from gateway.middleware import Doorkeeper, Drain, Entrance, Limits
from gateway.portal import Portal
from gateway.rounds import Rounds
from gateway.seat_feed import SeatFeed
from gateway.seats import Seats
from gateway.switchboard import SeatBoard
from gateway.tending import tend_doors
from gateway.texting import HouseCodes
from gateway.worker import WayOut, way_out
from gateway.workplace import Workplace
from normalizer.intake import IntakeDesk
from petition import clock

STATIC = Path(__file__).parent / "static"
BACKLOG = 1024  # connections that may wait for accept: a crowd at the door is not turned away by the kernel
KEEPALIVE = 75.0

Ready = Callable[[House, int], Awaitable[None]]

log = structlog.get_logger(__name__)


def build_app(house: House, intake: IntakeDesk, way: WayOut, drain: Drain, metrics: Metrics) -> web.Application:
    """The aiohttp application; every route it has stands in `gateway.routes.GUARDS`."""
    settings = house.settings
    rate = settings.rate_per_minute
    limits = Limits(forms=Limiter(rate, rate), doors=Limiter(rate, rate), codes=Limiter(60, 60))
    csrf = Csrf(house.store.vault, settings.public_url, settings.over_tls)
    portal = Portal(house, intake, csrf, STATIC, HouseCodes(house.text))
    doorkeeper = Doorkeeper(settings, csrf, limits, portal.prepare)
    entrance = Entrance(settings, drain, metrics, portal.error_page)
    # What is read into memory at once; files come as streams with limits of their own.
    app = web.Application(middlewares=[entrance, doorkeeper], client_max_size=int(settings.max_body))
    portal.set_up(app)
    units, store = house.reference.units, house.store
    calls = house.calls
    feed = SeatFeed(store, calls.sweep, lambda: drain.on)
    app[HALL] = hall_of(house, intake, metrics, SeatBoard(store, calls, feed.wake))
    app[DOORS] = open_doors(settings.channels)
    for door in app[DOORS]:
        app.add_routes(door.routes(app[HALL]))
    app.on_cleanup.append(_let_go)
    workplace = Workplace(
        store,
        house.reference,
        house.deadlines,
        house.routing.conflict,
        Passwords(),
        way.wake,
        office_region=settings.region,
        over_tls=settings.over_tls,
    )
    texting = app[HALL].texting.ready
    seats = Seats(store, house.reference, workplace.gate, calls, feed, intake, home=settings.region, texting=texting)
    guesses = Limiter(10, 10)
    for part in (
        PetitionStatus(store, units, house.deadlines, settings.api_keys, guesses, clock.now),
        RoutingEvents(store, house.routing, settings.routing_secret.get_secret_value()),
        OpenApi(store.records, settings),
        Health(store, drain, metrics, lambda: way.alive),
        portal,
        workplace,
        Counter(house, intake, workplace.gate),
        seats,
    ):
        app.add_routes(part.routes())
    app.router.add_static("/static", STATIC)
    return app


async def serve(settings: Settings, ready: Ready | None = None) -> int:
    """Run until SIGTERM or SIGINT; returns the exit code: 0 only if everything that was begun was finished.

    ready: called once the door is open, with the house and the port that listens.
    """
    open_doors(settings.channels)  # an unknown channel stops the start before anything is made
    gc.disable()  # until everything is built
    house = open_house(settings)
    busy, office = house.governor.busy, house.office_name
    way = way_out(settings, house.store, house.routing, house.reading, busy, office, house.text)
    intake = house.intake(way.wake)
    drain, metrics = Drain(), Metrics()
    metrics.watch(house.store, clock.now, house.governor)
    app = build_app(house, intake, way, drain, metrics)
    _spare_the_collector()
    runner = web.AppRunner(
        app, access_log=None, shutdown_timeout=1.0, keepalive_timeout=KEEPALIVE, handle_signals=False
    )
    await runner.setup()
    address = settings.http_address
    site = web.TCPSite(runner, address.host, address.port, backlog=BACKLOG)
    clear_spool(settings.data / "spool", clock.now().timestamp())
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    listeners: list[Listener] = []
    try:
        await site.start()
        for door in app[DOORS]:
            if isinstance(door, Listening):
                listeners.append(await door.listen(app[HALL]))
        await asyncio.to_thread(way.start)
        port = runner.addresses[0][1]
        log.info("the door is open", port=port, channels=list(settings.channels))
        # What a fresh house is given at its first start is given whole: the next start is not fresh any more.
        greeting = asyncio.ensure_future(ready(house, port)) if ready is not None else None
        chores = [
            asyncio.ensure_future(keep_house(house.store, clock.now)),
            asyncio.ensure_future(tend_doors(app[DOORS], app[HALL])),
        ]
        if settings.twilio_reconcile_seconds:
            rounds = Rounds(app[DOORS], app[HALL], metrics)
            chores.append(asyncio.ensure_future(rounds.walk(settings.twilio_reconcile_seconds)))
        await stop.wait()
        for chore in chores:
            chore.cancel()
        if greeting is not None:
            await greeting
    finally:
        clean = await _close(settings, drain, runner, site, listeners, way, house)
    return 0 if clean else 1


async def _let_go(app: web.Application) -> None:
    provider = app[HALL].provider
    if isinstance(provider, Twilio):
        await provider.close()


def _spare_the_collector() -> None:
    """What was built at the start lives as long as the process: the collector need not walk over it again and again.

    Unfrozen, it took an eighth of the time under load and made every hundredth citizen wait 140 ms instead of 60.
    """
    gc.freeze()
    gc.set_threshold(5000, 20, 50)
    gc.enable()
    # A thread that works off may hold the interpreter a fifth as long before the door gets it back.
    sys.setswitchinterval(0.001)


async def _close(
    settings: Settings,
    drain: Drain,
    runner: web.AppRunner,
    site: web.TCPSite,
    listeners: Sequence[Listener],
    way: WayOut,
    house: House,
) -> bool:
    """No new connections, a polite 503 on open ones, finish what is inside, then the way out, then the memory.

    All of it shares one budget of `drain_seconds`: whoever stops us kills us soon after ten seconds.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + settings.drain_seconds
    drain.on = True
    log.info("stopping", inside=drain.inside)
    await site.stop()
    await asyncio.gather(*(listener.stop() for listener in listeners))
    while drain.inside and loop.time() < until - settings.drain_seconds / 2:
        await asyncio.sleep(0.02)
    way_clean = await asyncio.to_thread(way.stop, max(0.5, (until - loop.time()) / 2))
    await runner.cleanup()
    await asyncio.to_thread(house.store.close, max(1.0, until - loop.time()))
    log.info("stopped", way_out=way_clean, inside=drain.inside)
    return drain.inside == 0

"""The tending (渠道照看): doors that keep something open are asked again and again to look after it."""

from __future__ import annotations

import asyncio

import structlog

from channels.door import Door, Hall, Tending

EVERY = 60.0  # seconds between two looks

log = structlog.get_logger(__name__)


async def tend_doors(doors: tuple[Door, ...], hall: Hall, every: float = EVERY) -> None:
    """Look again and again until cancelled; a door that fails disturbs neither the others nor the next look."""
    tended = [door for door in doors if isinstance(door, Tending)]
    while tended:
        for door in tended:
            try:
                done = await door.tend(hall)
            except Exception as problem:  # a bug in one door must not leave the others alone for ever
                log.warning("a door could not be tended", channel=door.name, problem=type(problem).__name__)
                continue
            if done:
                log.info("a door was tended", channel=door.name, finished=done)
        await asyncio.sleep(every)

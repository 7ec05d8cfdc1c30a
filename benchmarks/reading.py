"""Reading alone: how many petitions a second the pipeline reads on one thread, with its memory of earlier cases.

python -m benchmarks.reading SECONDS   prints one line of JSON
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.load import body
from channels.door import Hall
from channels.rest import Rest
from config.settings import Settings
from gateway.house import open_house
from normalizer.draft import Draft
from petition import clock


def main(seconds: float) -> dict[str, float]:
    """Read made-up petitions, whose repeats are looked up in a store that holds some hundred others."""
    chance = random.Random(11)
    with tempfile.TemporaryDirectory() as folder:
        house = open_house(Settings(data=Path(folder), min_free=0, reading="inline"))
        intake = house.intake()
        hall = Hall(
            intake=intake,
            refuse=_nothing,
            clock=clock.now,
            known_region=house.known_region,
            public_url="",
            max_body=1 << 20,
            max_upload=1 << 20,
            spool=Path(folder),
        )
        door = Rest()

        async def fill() -> None:
            for number in range(400):
                await intake(door.read(body(number, chance), (), f"fill-{number:08d}", clock.now(), hall))

        asyncio.run(fill())
        arrivals = [door.read(body(n, chance), (), f"read-{n:08d}", clock.now(), hall) for n in range(1000, 1400)]
        done, until = 0, time.perf_counter() + seconds
        started = time.perf_counter()
        while time.perf_counter() < until:
            house.pipeline.read(Draft.of(arrivals[done % len(arrivals)]))
            done += 1
        took = time.perf_counter() - started
        house.close()
    return {"rate": done / took}


async def _nothing(arrival: object, reason: str) -> None:
    """Nothing is refused here."""


if __name__ == "__main__":
    print(json.dumps(main(float(sys.argv[1]))))

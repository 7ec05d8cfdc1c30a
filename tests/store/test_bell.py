"""The bell: an idle loop rings at once, a busy one gathers, a long turn does not make the first wait for the last."""

from __future__ import annotations

import asyncio
import threading
import time

from store.bell import GATHER, Bell


class Listener:
    """A writer that only remembers when it was called."""

    def __init__(self, bell: Bell) -> None:
        self.calls: list[float] = []
        self._bell = bell
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            self._bell.wait()
            self.calls.append(time.monotonic())


async def test_whoever_comes_alone_waits_for_nobody() -> None:
    bell = Bell()
    listener = Listener(bell)
    for _ in range(3):
        announced = time.monotonic()
        bell.announce(asyncio.get_running_loop())
        while not listener.calls:
            await asyncio.sleep(0.001)
        assert min(listener.calls) - announced < GATHER
        listener.calls.clear()


async def test_works_of_one_turn_are_called_for_once() -> None:
    bell = Bell()
    listener = Listener(bell)
    for _ in range(50):
        bell.announce(asyncio.get_running_loop())
    await asyncio.sleep(0.1)
    assert len(listener.calls) == 1


async def test_a_long_turn_rings_in_its_middle() -> None:
    bell = Bell()
    listener = Listener(bell)
    for _ in range(3):
        bell.announce(asyncio.get_running_loop())
        time.sleep(GATHER * 0.8)
    assert len(listener.calls) == 1


def test_a_loop_that_died_does_not_silence_the_next_one() -> None:
    bell = Bell()
    listener = Listener(bell)

    async def announce(rest: float) -> None:
        bell.announce(asyncio.get_running_loop())
        await asyncio.sleep(rest)

    dead = asyncio.new_event_loop()
    dead.call_soon(bell.announce, dead)
    dead.call_soon(dead.stop)
    dead.run_forever()
    dead.close()
    asyncio.run(announce(0.1))
    assert listener.calls


def test_a_ring_before_the_listener_is_not_lost() -> None:
    bell = Bell()
    bell.ring()
    listener = Listener(bell)
    time.sleep(0.05)
    assert len(listener.calls) == 1

"""The senders (来件人): clients in a process of their own who try until they are acknowledged and remember each answer.

python -m tests.crash.senders send PORT RECORD --smtp PORT   until standard input ends; then only what was begun
python -m tests.crash.senders look PORT RECORD   opens every case of the record by its query code
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.crash.ways import API, KEY, ONCE, Link, Lost, Ways

TWIN = 0.03  # sent twice at the same time
AGAIN = 0.07  # sent again after it was acknowledged
PATIENCE = 60.0  # seconds for what was begun, once nothing new is taken


@dataclass(slots=True)
class Sent:
    """One input. answers: (case number, query code) of each acknowledgement; found: whether the code, or the
    partner's key where the door tells no code, opened the case."""

    id: str
    kind: str
    wanted: int = 1
    tries: int = 0
    answers: list[tuple[str, str]] = field(default_factory=list)
    found: bool | None = None


@dataclass(slots=True)
class Record:
    """What the senders saw. unanswered: requests whose answer never came, half: answers cut in the middle;
    later: answers that asked to come again; polite, abrupt: of these, with and without saying that the door closes;
    strange: answers there should be none of."""

    inputs: list[Sent] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    unanswered: int = 0
    half: int = 0
    later: int = 0
    unreachable: int = 0
    polite: int = 0
    abrupt: int = 0
    strange: list[str] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """As one JSON file, whole or not at all."""
        new = path.with_suffix(".new")
        new.write_text(json.dumps(asdict(self), ensure_ascii=False))
        new.replace(path)


def read(path: Path) -> Record:
    """What `Record.write` wrote."""
    given = json.loads(path.read_text())
    inputs = [Sent(**{**one, "answers": [tuple(each) for each in one["answers"]]}) for one in given.pop("inputs")]
    return Record(inputs=inputs, **given)


class Crowd:
    """All senders."""

    def __init__(self, port: int, smtp: int, seed: int, most: int) -> None:
        self.record = Record()
        self._port = port
        self._ways = Ways(port, smtp, seed)
        self._most = most
        self._again: deque[int] = deque()
        self._chance = random.Random(f"crowd {seed}")
        self.ending = False

    async def run(self, connections: int) -> None:
        """Until `ending` is set and everything begun is acknowledged."""
        await asyncio.gather(*(self._one() for _ in range(connections)))

    async def _one(self) -> None:
        link = Link(self._port)
        while (number := self._next()) is not None:
            await self._until_acknowledged(link, number)
        link.close()

    def _next(self) -> int | None:
        if self._again:
            return self._again.popleft()
        number = len(self.record.inputs)
        if self.ending or number >= self._most:
            return None
        sent = Sent(id=self._ways.name(number), kind=self._ways.kind(number))
        self.record.inputs.append(sent)
        if self._chance.random() < TWIN and sent.kind not in ONCE:
            self._more(number)
        return number

    def _more(self, number: int) -> None:
        self.record.inputs[number].wanted += 1
        self._again.append(number)

    async def _until_acknowledged(self, link: Link, number: int) -> None:
        sent = self.record.inputs[number]
        while True:
            sent.tries += 1
            try:
                told = await self._ways.send(link, number)
            except Lost as lost:
                self._note(lost)
                # Everybody waits a little and not all the same time, or the restart meets a wall of connections.
                await asyncio.sleep(self._chance.uniform(0.03, 0.15))
                continue
            self.record.statuses[told.status] = self.record.statuses.get(told.status, 0) + 1
            if told.taken is not None:
                sent.answers.append(told.taken)
                if len(sent.answers) == 1 and self._chance.random() < AGAIN and sent.kind not in ONCE:
                    self._more(number)
                return
            if told.again:
                self.record.later += 1
                self.record.polite += told.polite
                self.record.abrupt += not told.polite
            else:
                self.record.strange.append(f"{sent.id} ({sent.kind}): {told.status} {told.words[:200]!r}")
                if told.status < "5":
                    return
            await asyncio.sleep(self._chance.uniform(0.05, 0.2))

    def _note(self, lost: Lost) -> None:
        self.record.unreachable += not lost.sent
        self.record.unanswered += lost.sent
        self.record.half += lost.half


async def send(port: int, smtp: int, path: Path, seed: int, connections: int, most: int) -> None:
    """Send until standard input ends, then finish what was begun as far as PATIENCE goes, and write the record."""
    crowd = Crowd(port, smtp, seed, most)
    loop = asyncio.get_running_loop()
    working = asyncio.create_task(crowd.run(connections))

    def no_more() -> None:
        loop.remove_reader(sys.stdin)
        crowd.ending = True
        loop.call_later(PATIENCE, working.cancel)

    loop.add_reader(sys.stdin, no_more)
    await asyncio.gather(working, return_exceptions=True)
    if not working.cancelled() and (problem := working.exception()) is not None:
        raise problem
    crowd.record.write(path)


async def look(port: int, path: Path, connections: int = 24) -> None:
    """GET every case with the code of its first answer."""
    record = read(path)
    waiting = deque(sent for sent in record.inputs if sent.answers)

    async def one(place: int) -> None:
        link = Link(port)
        while waiting:
            sent = waiting.popleft()
            sent.found = await _opens(link, sent, place, record.strange.append)
        link.close()

    await asyncio.gather(*(one(place) for place in range(connections)))
    record.write(path)


async def _opens(link: Link, sent: Sent, place: int, strange: Callable[[str], None]) -> bool:
    case_no, code = sent.answers[0]
    shown = f"X-Query-Code: {code}" if code else f"X-API-Key: {KEY}"
    for turn in range(100):
        # From an address of its own each time: guesses are counted by address.
        address = f"10.{100 + place}.{turn}.{hash(sent.id) % 250}"
        request = f"GET {API}/{case_no} HTTP/1.1\r\nHost: 127.0.0.1\r\n{shown}\r\n"
        try:
            status, _, text = await link.ask(f"{request}X-Forwarded-For: {address}\r\n\r\n".encode())
        except Lost:
            await asyncio.sleep(0.1)
            continue
        if status == 200:
            told: dict[str, Any] = json.loads(text)
            return bool(told["case_no"] == case_no)
        if status == 404:
            return False
        if status not in (429, 503):
            strange(f"look {case_no}: {status} {text[:200]!r}")
        await asyncio.sleep(0.1)
    return False


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Senders who do not give up")
    parser.add_argument("what", choices=("send", "look"))
    parser.add_argument("port", type=int)
    parser.add_argument("record", type=Path)
    parser.add_argument("--smtp", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--connections", type=int, default=48)
    parser.add_argument("--most", type=int, default=100_000)
    given = parser.parse_args()
    if given.what == "send":
        asyncio.run(send(given.port, given.smtp, given.record, given.seed, given.connections, given.most))
    else:
        asyncio.run(look(given.port, given.record))


if __name__ == "__main__":
    main()

"""The senders (来件人): clients in a process of their own who try until they are acknowledged and remember each answer.

python -m tests.crash.senders send PORT RECORD   until standard input ends; then only what was begun
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

from benchmarks.load import body

PATH = "/api/v1/petitions"
TWIN = 0.03  # sent twice at the same time
AGAIN = 0.07  # sent again after it was acknowledged
FILES = 0.04  # with attachments
LARGE = 0.02  # a body that does not ride in the transaction
PATIENCE = 60.0  # seconds for what was begun, once nothing new is taken
ANSWER = 12.0  # seconds until an answer counts as lost
CROWD = 400  # addresses they come from


@dataclass(slots=True)
class Sent:
    """One input. answers: (case number, query code) of each 201; found: whether the code opened the case."""

    id: str
    kind: str
    wanted: int = 1
    tries: int = 0
    answers: list[tuple[str, str]] = field(default_factory=list)
    found: bool | None = None


@dataclass(slots=True)
class Record:
    """What the senders saw. unanswered: requests whose answer never came, half: answers cut in the middle;
    polite, abrupt: 503 with and without `Connection: close`; strange: answers there should be none of."""

    inputs: list[Sent] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    unanswered: int = 0
    half: int = 0
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


class Lost(Exception):
    """No whole answer came. sent: whether the request may have reached the gateway; half: bytes of an answer came."""

    def __init__(self, *, sent: bool, half: bool = False) -> None:
        super().__init__()
        self.sent = sent
        self.half = half


class Link:
    """One keep-alive connection, made anew when it is broken."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> tuple[int, dict[str, str], bytes]:
        """Status, headers in lower case, body; raises Lost."""
        if self._streams is None:
            try:
                self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            except OSError:
                raise Lost(sent=False) from None
        reader, writer = self._streams
        came = b""
        try:
            async with asyncio.timeout(ANSWER):
                writer.write(request)
                came = await reader.readuntil(b"\r\n\r\n")
                first, *lines = came.decode("latin-1").strip().split("\r\n")
                headers = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in lines}
                text = await reader.readexactly(int(headers.get("content-length", "0")))
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as problem:
            self.close()
            partial = problem.partial if isinstance(problem, asyncio.IncompleteReadError) else b""
            raise Lost(sent=True, half=bool(came or partial)) from None
        if headers.get("connection", "").lower() == "close":
            self.close()
        return int(first.split()[1]), headers, text

    def close(self) -> None:
        """Let go of it."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


class Crowd:
    """All senders. Each input is made from seed and number alone, so that it is the same bytes at every try."""

    def __init__(self, port: int, seed: int, most: int) -> None:
        self.record = Record()
        self._port = port
        self._seed = seed
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
        kind, _ = self._request(number)
        sent = Sent(id=f"{self._seed}-sender-{number}", kind=kind)
        self.record.inputs.append(sent)
        if self._chance.random() < TWIN:
            self._more(number)
        return number

    def _more(self, number: int) -> None:
        self.record.inputs[number].wanted += 1
        self._again.append(number)

    async def _until_acknowledged(self, link: Link, number: int) -> None:
        sent = self.record.inputs[number]
        _, request = self._request(number)
        while True:
            sent.tries += 1
            try:
                status, headers, text = await link.ask(request)
            except Lost as lost:
                self._note(lost)
                # Everybody waits a little and not all the same time, or the restart meets a wall of connections.
                await asyncio.sleep(self._chance.uniform(0.03, 0.15))
                continue
            self.record.statuses[str(status)] = self.record.statuses.get(str(status), 0) + 1
            if status == 201:
                answer = json.loads(text)
                sent.answers.append((answer["case_no"], answer["query_code"]))
                if len(sent.answers) == 1 and self._chance.random() < AGAIN:
                    self._more(number)
                return
            if status != 503:
                self.record.strange.append(f"{sent.id} ({sent.kind}): {status} {text[:200]!r}")
                if status < 500:
                    return
            elif headers.get("connection", "").lower() == "close":
                self.record.polite += 1
            else:
                self.record.abrupt += 1
            await asyncio.sleep(self._chance.uniform(0.05, 0.2))

    def _note(self, lost: Lost) -> None:
        self.record.unreachable += not lost.sent
        self.record.unanswered += lost.sent
        self.record.half += lost.half

    def _request(self, number: int) -> tuple[str, bytes]:
        chance = random.Random(f"input {self._seed} {number}")
        petition = body(number, chance)
        kind, content_type = "plain", "application/json"
        draw = chance.random()
        if draw < FILES:
            kind = "files"
            content_type, petition = _multipart(petition, chance)
        elif draw < FILES + LARGE:
            # White space is content too: the original is kept as it came.
            kind, petition = "large", petition + b" " * chance.randrange(65_000, 200_000)
        head = (
            f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {content_type}\r\n"
            f"X-Forwarded-For: 10.0.{number % CROWD // 200}.{number % 200}\r\n"
            f"Idempotency-Key: {self._seed}-sender-{number}\r\nContent-Length: {len(petition)}\r\n\r\n"
        )
        return kind, head.encode() + petition


def _multipart(petition: bytes, chance: random.Random) -> tuple[str, bytes]:
    edge = f"edge{chance.getrandbits(64):016x}"
    parts = [f'--{edge}\r\nContent-Disposition: form-data; name="petition"\r\n\r\n'.encode() + petition + b"\r\n"]
    for place in range(chance.choice((1, 1, 2))):
        head = f'--{edge}\r\nContent-Disposition: form-data; name="attachments"; filename="{place}.bin"\r\n\r\n'
        parts.append(head.encode() + chance.randbytes(chance.randrange(2_000, 150_000)) + b"\r\n")
    return f"multipart/form-data; boundary={edge}", b"".join(parts) + f"--{edge}--\r\n".encode()


async def send(port: int, path: Path, seed: int, connections: int, most: int) -> None:
    """Send until standard input ends, then finish what was begun as far as PATIENCE goes, and write the record."""
    crowd = Crowd(port, seed, most)
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
    for turn in range(100):
        # From an address of its own each time: guesses are counted by address.
        address = f"10.{100 + place}.{turn}.{hash(sent.id) % 250}"
        request = f"GET {PATH}/{case_no} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Query-Code: {code}\r\n"
        try:
            status, _, text = await link.ask(f"{request}X-Forwarded-For: {address}\r\n\r\n".encode())
        except Lost:
            await asyncio.sleep(0.1)
            continue
        if status == 200:
            shown: dict[str, Any] = json.loads(text)
            return bool(shown["case_no"] == case_no)
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
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--connections", type=int, default=48)
    parser.add_argument("--most", type=int, default=100_000)
    given = parser.parse_args()
    if given.what == "send":
        asyncio.run(send(given.port, given.record, given.seed, given.connections, given.most))
    else:
        asyncio.run(look(given.port, given.record))


if __name__ == "__main__":
    main()

"""The load (压力源): HTTP clients in a process of their own; prints one line of JSON.

python -m benchmarks.load PORT SECONDS CONNECTIONS RATE   RATE 0 = as fast as the answers come
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
import uuid
from dataclasses import dataclass, field

COUNTIES = ("620102", "620103", "620105", "620402", "620502", "620702", "620902", "621102", "621202", "622926")
TEXTS = (
    "反映演示小区物业公共收益不公开,自2026年1月起每平方米多收0.6元物业费,要求公开账目并退还多收费用。",
    "在虚构工地务工三个月,被拖欠工资共计约2.1万元,已留存考勤表,多次讨要无果,要求支付拖欠工资。",
    "家中供暖温度只有13度,有80岁老人,多次报修没有结果,请求尽快恢复正常供暖。",
    "样例乡养殖场粪污直排水渠,影响灌溉和饮水,气味难闻,要求治理污染并公布检测结果。",
    "同一项目两期征地补偿标准不同,差额较大,要求说明补偿依据并补足差额。",
)
FILLER = "事情的经过如下,相关情况已向村委会和街道反映过,一直没有得到明确答复,现有照片和票据可以证明。"


def body(number: int, chance: random.Random) -> bytes:
    """A petition of about 2 KB, unlike every other one."""
    petition = {
        "form": "APP",
        "title": f"{TEXTS[number % len(TEXTS)][:18]}(第{number}件)",
        "content": TEXTS[number % len(TEXTS)] + FILLER * 8 + f"编号{number}",
        "requests": ["依法处理并书面答复"],
        "purpose": "APPEAL",
        "problem_region": chance.choice(COUNTIES),
        "petitioners": [
            {
                "name": f"示例{chr(0x4E00 + number % 5000)}",
                "mobile": f"154{number % 100_000_000:08d}",
                "address": f"兰州市城关区示例街道{number % 900}号",
                "region_code": "620102",
            }
        ],
    }
    return json.dumps(petition, ensure_ascii=False).encode()


@dataclass
class Tally:
    """What the clients saw: seconds of each good answer, and how many were of another kind."""

    good: list[float] = field(default_factory=list)
    other: dict[int, int] = field(default_factory=dict)


class Client(asyncio.Protocol):
    """One keep-alive connection; `ask` sends a request and waits for the whole answer."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._waiting: asyncio.Future[int] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(0)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._buffer[:end]).lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        if len(self._buffer) >= end + 4 + length:
            status = int(self._buffer[9:12])
            del self._buffer[: end + 4 + length]
            if self._waiting is not None and not self._waiting.done():
                self._waiting.set_result(status)

    async def ask(self, request: bytes) -> int:
        """The status of the answer; 0 when the connection broke."""
        assert self._transport is not None
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting


async def run(port: int, seconds: float, connections: int, rate: float) -> dict[str, object]:
    """Load the server for some seconds; the first tenth only warms it up and is not counted."""
    loop = asyncio.get_running_loop()
    chance = random.Random(7)
    count = int((rate or 12_000) * seconds * 1.1) + connections
    base = random.SystemRandom().randrange(10**7)
    requests = [_request(base + number, chance) for number in range(min(count, 60_000))]
    tally = Tally()
    begin = time.perf_counter()
    counted_from = begin + seconds / 10
    until = begin + seconds
    turn = iter(requests)

    async def one(place: int) -> None:
        _, client = await loop.create_connection(Client, "127.0.0.1", port)
        due = begin + place / rate if rate else 0.0
        while time.perf_counter() < until:
            if rate:
                # An open-loop pace: an answer that is late does not make the next question later.
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
            request = next(turn, None)
            if request is None:
                return
            started = due if rate else time.perf_counter()
            status = await client.ask(request)
            ended = time.perf_counter()
            due += connections / rate if rate else 0.0
            if ended < counted_from or ended > until:
                continue
            if status == 201:
                tally.good.append(ended - started)
            else:
                tally.other[status] = tally.other.get(status, 0) + 1
            if status == 0:
                return

    await asyncio.gather(*(one(place) for place in range(connections)))
    ordered = sorted(tally.good)
    span = seconds * 0.9 if next(turn, None) is not None else max(1e-9, time.perf_counter() - counted_from)
    return {
        "rate": len(ordered) / span,
        "p50_ms": 1000 * ordered[len(ordered) // 2] if ordered else None,
        "p99_ms": 1000 * ordered[int(len(ordered) * 0.99)] if ordered else None,
        "other": tally.other,
    }


def _request(number: int, chance: random.Random) -> bytes:
    payload = body(number, chance)
    head = (
        "POST /api/v1/petitions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Idempotency-Key: {uuid.UUID(int=chance.getrandbits(128))}-{number}\r\nContent-Length: {len(payload)}\r\n\r\n"
    )
    return head.encode() + payload


if __name__ == "__main__":
    found = asyncio.run(run(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
    print(json.dumps(found))

"""The attachments of a message: fetched while the sender waits, else noted or named."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from channels.notebook import PocketNotebook
from channels.provider import NoProvider
from channels.sms import Sms
from petition.arrival import Outcome, Upload
from petition.errors import Invalid, NotFound, TooLarge, Unavailable
from tests.fakes.texts import Phone, TextDesk, answered, hall_of

STORY = "演示村后山出现裂缝并有落石，请派人查看"
PICTURES = {
    "NumMedia": "2",
    "MediaUrl0": "https://media.example/0",
    "MediaContentType0": "image/jpeg",
    "MediaUrl1": "https://media.example/1",
    "MediaContentType1": "image/png",
}


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[Phone]]]:
    clients: list[TestClient[Any, Any]] = []

    async def start(**changes: Any) -> Phone:
        desk = TextDesk()
        hall = replace(hall_of(desk, tmp_path), **changes)
        app = web.Application(middlewares=[answered])
        app.add_routes(Sms().routes(hall))
        client = TestClient(TestServer(app))
        clients.append(client)
        await client.start_server()
        return Phone(client, desk)

    yield start
    for client in clients:
        await client.close()


@dataclass
class Cupboard(NoProvider):
    """A provider with these files by their addresses; None never answers, an error is raised."""

    spool: Path
    files: dict[str, bytes | Exception | None]

    async def fetch(self, url: str, name: str) -> Upload:
        """See `Provider`."""
        body = self.files[url]
        if body is None:
            await asyncio.sleep(60)
        if isinstance(body, Exception):
            raise body
        folder = self.spool / url.rpartition("/")[2]
        folder.mkdir(parents=True)
        (folder / "body").write_bytes(body or b"")
        return Upload(name=f"{name}.jpg", media_type="image/jpeg", path=folder / "body")


URLS = ("https://media.example/0", "https://media.example/1")
# label, what the second file is, the words of the record, whether it is tried again
SECOND: list[tuple[str, Exception | None, str, bool]] = [
    ("not there yet", NotFound(), "尚未取回", True),
    ("down", Unavailable(), "尚未取回", True),
    ("slow", None, "尚未取回", True),
    ("a bug of the client", KeyError("x"), "尚未取回", True),
    ("not ours to fetch", Invalid(()), "没有取回", False),
    ("too large", TooLarge(), "没有取回", False),
]


@pytest.mark.parametrize(("second", "words", "again"), [case[1:] for case in SECOND], ids=[case[0] for case in SECOND])
async def test_what_can_be_fetched_is_attached_and_the_rest_named(
    opened: Callable[..., Awaitable[Phone]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    second: Exception | None,
    words: str,
    again: bool,
) -> None:
    monkeypatch.setattr("channels.sms_media.AT_ONCE", 0.05)
    spool, notebook = tmp_path / "spool", PocketNotebook()
    cupboard = Cupboard(spool, {URLS[0]: b"picture", URLS[1]: second})
    phone = await opened(provider=cupboard, notebook=notebook)
    assert "已登记" in await phone.text(STORY, **PICTURES)
    [arrival] = phone.desk.arrivals
    assert [upload.name for upload in arrival.uploads] == ["短信附件1.jpg"]
    assert arrival.statement.content == f"{STORY}\n（随短信发来的附件，{words}：1个）\nimage/png {URLS[1]}"
    assert list(spool.iterdir()) == [], "nothing is left lying about"
    page = await notebook.look("sms.media", f"SM{1:032x}")
    assert (page.content["left"] if page else []) == ([[URLS[1], "image/png"]] if again else [])


async def test_a_retry_gets_the_same_answer_whatever_can_be_fetched_then(
    opened: Callable[..., Awaitable[Phone]], tmp_path: Path
) -> None:
    cupboard = Cupboard(tmp_path / "spool", {URLS[0]: b"picture", URLS[1]: b"another"})
    phone = await opened(provider=cupboard)
    first = await phone.text(STORY, **PICTURES)
    cupboard.files = {}
    assert await phone.text(STORY, **PICTURES) == first
    assert phone.desk.outcomes == [Outcome.PETITION, Outcome.LINKED]

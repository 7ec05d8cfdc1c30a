"""The client of the provider's interface, over real HTTP against the stand-in and against servers that misbehave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from channels.provider import ORIGIN, VERSION, Account, NoProvider, Twilio, discard, file_of
from gateway.demo.provider import ACCOUNT, TOKEN, StandIn, new_sid
from petition.clock import SHANGHAI
from petition.errors import Invalid, NotFound, PetitionError, TooLarge, Unavailable

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=SHANGHAI)
MOBILE = "+8615400000006"
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(90_000)


def account(base: str, spool: Path, **changes: Any) -> Account:
    known = Account(sid=ACCOUNT, token=SecretStr(TOKEN), base=base, max_file=100_000, spool=spool)
    return replace(known, **changes)


@pytest.fixture
async def twilio() -> AsyncIterator[StandIn]:
    async with StandIn(page=3, now=lambda: NOON) as opened:
        yield opened


@pytest.fixture
async def client(twilio: StandIn, tmp_path: Path) -> AsyncIterator[Twilio]:
    opened = Twilio(account(twilio.url, tmp_path / "spool", sender="+8615400009999"))
    yield opened
    await opened.close()


async def test_every_page_of_a_list_is_read(twilio: StandIn, client: Twilio) -> None:
    sids = [twilio.receive(f"第{number}条", MOBILE) for number in range(7)]
    found = [one async for one in client.messages(NOON - timedelta(hours=24))]
    assert [one["sid"] for one in found] == sids[::-1]
    told = {"from": MOBILE, "direction": "inbound", "body": "第6条", "num_media": "0"}
    assert told.items() <= found[0].items()
    assert found[0]["error_code"] == "", "what is null is empty"
    assert len(twilio.asked) == 3
    assert "DateSent%3E=2026-11-21T04:00:00Z" in twilio.asked[0], "the moment is told in UTC"


async def test_a_list_begins_where_it_is_asked_to(twilio: StandIn, client: Twilio) -> None:
    moments = iter([NOON - timedelta(days=2), NOON, NOON, NOON])
    twilio.now = lambda: next(moments)
    twilio.receive("旧", MOBILE)
    twilio.receive("新", MOBILE)
    twilio.ring(MOBILE, sid=(call := new_sid("CA")))
    recording = twilio.record(call, b"RIFF", 3)
    since = NOON - timedelta(days=1)
    assert [one["body"] async for one in client.messages(since)] == ["新"]
    assert [one["sid"] async for one in client.calls(since)] == [call]
    assert [(one["sid"], one["call_sid"]) async for one in client.recordings(since)] == [(recording, call)]
    assert [one async for one in client.recordings(NOON + timedelta(seconds=1))] == []


async def test_attachments_are_listed_and_fetched_into_the_spool(
    twilio: StandIn, client: Twilio, tmp_path: Path
) -> None:
    sid = twilio.receive("", MOBILE, files=[("image/png", PICTURE), ("text/vcard", b"BEGIN:VCARD")])
    listed = [one async for one in client.media(sid)]
    assert [one["content_type"] for one in listed] == ["image/png", "text/vcard"]
    told = twilio.webhook_of(sid)["MediaUrl0"]
    # from the list, from the webhook, and as Twilio names it whatever the base address is
    for url in (file_of(listed[0]), told, told.replace(twilio.url, ORIGIN)):
        upload = await client.fetch(url, "照片1")
        assert (upload.name, upload.media_type) == ("照片1.png", "image/png")
        assert upload.path is not None
        assert upload.path.read_bytes() == PICTURE
        discard(upload)
    assert list((tmp_path / "spool").iterdir()) == []


async def test_a_recording_is_there_once_it_is_finished(twilio: StandIn, client: Twilio) -> None:
    recording = twilio.record(twilio.ring(MOBILE), b"RIFF and sound", 12)
    url = f"{ORIGIN}/{VERSION}/Accounts/{ACCOUNT}/Recordings/{recording}"
    with pytest.raises(NotFound):
        await client.fetch(url, "录音")
    twilio.finish(recording)
    for suffix in ("", ".wav"):
        upload = await client.fetch(url + suffix, "录音")
        assert (upload.name, upload.path and upload.path.read_bytes()) == ("录音.wav", b"RIFF and sound")
    with pytest.raises(NotFound):
        await client.fetch(url + ".mp3", "录音")


FILE = f"/{VERSION}/Accounts/{ACCOUNT}/Recordings/RE{'0' * 32}"
# label, address; {base} is that of the stand-in
FOREIGN = [
    ("another host", f"https://media.example{FILE}"),
    ("a host that begins like ours", f"{ORIGIN}.example{FILE}"),
    ("a name before it", f"https://x@api.twilio.com{FILE}"),
    ("the metadata of a cloud", "http://169.254.169.254/latest/meta-data"),
    ("our own host, another path", "{base}/internal"),
    ("another account", f"{ORIGIN}/{VERSION}/Accounts/AC{'1' * 32}/Recordings/RE{'0' * 32}"),
    ("up and away", f"{ORIGIN}/{VERSION}/Accounts/{ACCOUNT}/../../Recordings/RE{'0' * 32}"),
    ("a query", f"{{base}}{FILE}?x=1"),
    ("an encoded slash", f"{{base}}{FILE}%2f.."),
    ("a line behind it", f"{{base}}{FILE}\n"),
    ("a file", "file:///etc/passwd"),
    ("nothing", ""),
]


@pytest.mark.parametrize("url", [case[1] for case in FOREIGN], ids=[case[0] for case in FOREIGN])
async def test_nothing_is_asked_at_foreign_addresses(twilio: StandIn, client: Twilio, url: str) -> None:
    with pytest.raises(Invalid):
        await client.fetch(url.replace("{base}", twilio.url), "文件")
    assert twilio.asked == []


async def test_a_file_beyond_the_limit_is_not_kept(twilio: StandIn, client: Twilio, tmp_path: Path) -> None:
    sid = twilio.receive("", MOBILE, files=[("image/png", bytes(100_001))])
    with pytest.raises(TooLarge):
        await client.fetch(twilio.webhook_of(sid)["MediaUrl0"], "照片")
    assert list((tmp_path / "spool").iterdir()) == []


async def test_a_message_is_sent_with_its_callback(twilio: StandIn, client: Twilio) -> None:
    sid = await client.send(MOBILE, "编号", "https://petitions.example/webhooks/twilio/sms/status")
    [sent] = twilio.sent
    assert (sent["sid"], sent["to"], sent["from"], sent["body"]) == (sid, MOBILE, "+8615400009999", "编号")
    with pytest.raises(Invalid):
        await client.send(MOBILE, "")


async def test_a_messaging_service_sends_too(twilio: StandIn, tmp_path: Path) -> None:
    client = Twilio(account(twilio.url, tmp_path, sender="MG" + "0" * 32))
    await client.send(MOBILE, "编号")
    await client.close()
    assert (twilio.sent[0]["from"], twilio.sent[0]["messaging_service_sid"]) == (None, "MG" + "0" * 32)


async def test_wrong_credentials_and_a_provider_that_is_down_mean_again(twilio: StandIn, tmp_path: Path) -> None:
    client = Twilio(account(twilio.url, tmp_path, token=SecretStr("wrong")))
    with pytest.raises(Unavailable):
        await client.fetch(FILE, "录音")
    with pytest.raises(Unavailable):
        [one async for one in client.messages(NOON)]
    await client.close()
    client = Twilio(account(twilio.url, tmp_path))
    twilio.down = True
    with pytest.raises(Unavailable):
        await client.fetch(FILE, "录音")
    await twilio.stop()
    with pytest.raises(Unavailable):
        [one async for one in client.calls(NOON)]
    await client.close()


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture
async def bad(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[Twilio]]]:
    """A client of a server whose every answer is made by the handler."""
    opened: list[tuple[TestServer, Twilio]] = []

    async def start(handler: Handler, whole: float = 5.0, **changes: Any) -> Twilio:
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", handler)
        server = TestServer(app, host="127.0.0.1")
        await server.start_server()
        client = Twilio(account(str(server.make_url("")).rstrip("/"), tmp_path / "spool", **changes), whole)
        opened.append((server, client))
        return client

    yield start
    for server, client in opened:
        await client.close()
        await server.close()


# label, status, body, what is raised by a list
ANSWERS: list[tuple[str, int, str, type[PetitionError]]] = [
    ("too many", 429, "{}", Unavailable),
    ("an error there", 500, "{}", Unavailable),
    ("bad request", 400, "{}", Invalid),
    ("no page", 404, "{}", NotFound),
    ("not JSON", 200, "<html>", Unavailable),
    ("no object", 200, "[]", Unavailable),
    ("no list", 200, "{}", Unavailable),
    ("a next page elsewhere", 200, '{"messages": [], "next_page_uri": "//media.example/x"}', Unavailable),
    ("a next page of others", 200, '{"messages": [], "next_page_uri": "/2010-04-01/Accounts/AC1/x"}', Unavailable),
    ("a redirect", 302, "", Invalid),
]


@pytest.mark.parametrize(("status", "body", "error"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS])
async def test_bad_answers(
    bad: Callable[..., Awaitable[Twilio]], status: int, body: str, error: type[PetitionError]
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, text=body, headers={"Location": "https://media.example/"})

    client = await bad(answer)
    with pytest.raises(error):
        [one async for one in client.messages(NOON)]


async def test_a_list_without_end_is_given_up(
    bad: Callable[..., Awaitable[Twilio]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.provider.PAGES_MOST", 3)

    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"messages": [], "next_page_uri": request.path_qs})

    client = await bad(answer)
    with pytest.raises(Unavailable):
        [one async for one in client.messages(NOON)]


async def test_a_slow_provider_is_not_waited_for(bad: Callable[..., Awaitable[Twilio]]) -> None:
    async def answer(request: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.Response()

    client = await bad(answer, whole=0.03)
    with pytest.raises(Unavailable):
        await client.fetch(FILE, "录音")


async def test_a_body_that_breaks_off_leaves_nothing(bad: Callable[..., Awaitable[Twilio]], tmp_path: Path) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "5000"})
        await response.prepare(request)
        await response.write(b"x" * 1000)
        assert request.transport is not None
        request.transport.close()
        return response

    client = await bad(answer)
    with pytest.raises(Unavailable):
        await client.fetch(FILE, "录音")
    assert list((tmp_path / "spool").iterdir()) == []


# label, where the provider redirects to, the error: Unavailable shows that it was tried (nobody listens there)
REDIRECTS: list[tuple[str, str, type[PetitionError]]] = [
    ("a host of the settings", "https://127.0.0.1/file?signature=a%2Fb", Unavailable),
    ("in the clear", "http://127.0.0.1/file", Invalid),
    ("another host", "https://127.0.0.2/file", Invalid),
    ("another port", "https://127.0.0.1:8443/file", Invalid),
    ("nowhere", "", Invalid),
    ("no address", "https://[", Invalid),
]


@pytest.mark.parametrize(("target", "error"), [case[1:] for case in REDIRECTS], ids=[case[0] for case in REDIRECTS])
async def test_media_are_followed_to_known_hosts_only(
    bad: Callable[..., Awaitable[Twilio]], target: str, error: type[PetitionError]
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": target})

    client = await bad(answer, media_hosts=frozenset({"127.0.0.1"}))
    with pytest.raises(error):
        await client.fetch(FILE, "录音")


async def test_a_house_without_a_provider() -> None:
    none = NoProvider()
    assert [one async for one in none.messages(NOON)] == []
    assert [one async for one in none.media("SM")] == []
    assert [one async for one in none.calls(NOON)] == []
    assert [one async for one in none.recordings(NOON)] == []
    with pytest.raises(Invalid):
        await none.fetch(FILE, "录音")
    with pytest.raises(Invalid):
        await none.send(MOBILE, "编号")

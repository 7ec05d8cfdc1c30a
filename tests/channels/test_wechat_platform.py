"""The platform's interfaces over real HTTP, with the stand-in of the demonstration on the other side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from channels.wechat_platform import WechatPlatform
from gateway.demo.wechat import APP_ID, SECRET, WechatStandIn
from petition.errors import Invalid, NotFound, PetitionError, TooLarge, Unavailable

OPENID = "oDemo_0123456789-abcdefgh"


@pytest.fixture
async def wechat() -> AsyncIterator[WechatStandIn]:
    async with WechatStandIn() as standing_in:
        standing_in.files["m-1"] = ("image/jpeg", b"\xff\xd8 a picture")
        yield standing_in


@pytest.fixture
def platform(wechat: WechatStandIn) -> WechatPlatform:
    return WechatPlatform(wechat.url + "/", APP_ID, SECRET)


async def test_a_file_is_fetched_into_the_spool(platform: WechatPlatform, tmp_path: Path) -> None:
    upload = await platform.media("m-1", "一.jpg", tmp_path / "spool", 1000)
    assert (upload.name, upload.media_type) == ("一.jpg", "image/jpeg")
    assert upload.path is not None
    assert upload.path.read_bytes() == b"\xff\xd8 a picture"


async def test_the_token_is_asked_for_once_by_many(
    platform: WechatPlatform, wechat: WechatStandIn, tmp_path: Path
) -> None:
    await asyncio.gather(*(platform.media("m-1", "一.jpg", tmp_path, 1000) for _ in range(5)))
    assert wechat.tokens == 1


async def test_a_token_that_is_over_is_renewed_once(
    platform: WechatPlatform, wechat: WechatStandIn, tmp_path: Path
) -> None:
    await platform.tell(OPENID, "一")
    wechat.revoke()
    await asyncio.gather(*(platform.media("m-1", "一.jpg", tmp_path, 1000) for _ in range(3)))
    assert wechat.tokens == 2


async def test_a_token_is_renewed_before_it_ends(wechat: WechatStandIn) -> None:
    now = [0.0]
    platform = WechatPlatform(wechat.url, APP_ID, SECRET, lambda: now[0])
    await platform.tell(OPENID, "一")
    wechat.revoke()
    now[0] = 7200 - 299
    await platform.tell(OPENID, "二")
    assert (wechat.tokens, wechat.calls, wechat.told) == (2, 2, [(OPENID, "一"), (OPENID, "二")])


# label, errcodes of the next calls, what is raised
ERRORS: list[tuple[str, list[int], type[PetitionError] | None]] = [
    ("an invalid token, once", [40001], None),
    ("an expired token, for ever", [42001, 42001], Unavailable),
    ("busy", [-1], Unavailable),
    ("too often", [45009], Unavailable),
    ("not in the list of addresses", [40164], Unavailable),
    ("more than two days silent", [45015], Invalid),
    ("no longer a follower", [43004], Invalid),
    ("something new", [99999], Unavailable),
]


@pytest.mark.parametrize(("codes", "raised"), [case[1:] for case in ERRORS], ids=[case[0] for case in ERRORS])
async def test_errors_of_messages(
    platform: WechatPlatform, wechat: WechatStandIn, codes: list[int], raised: type[PetitionError] | None
) -> None:
    wechat.answers.extend(codes)
    if raised is None:
        await platform.tell(OPENID, "好")
        assert wechat.told == [(OPENID, "好")]
        return
    with pytest.raises(raised):
        await platform.tell(OPENID, "好")
    assert wechat.told == []


async def test_what_cannot_be_fetched(platform: WechatPlatform, wechat: WechatStandIn, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        await platform.media("gone", "一.jpg", tmp_path, 1000)
    with pytest.raises(TooLarge):
        await platform.media("m-1", "一.jpg", tmp_path, 5)
    wechat.answers.append(-1)
    with pytest.raises(Unavailable):
        await platform.media("m-1", "一.jpg", tmp_path, 1000)
    assert not list(tmp_path.iterdir()), "nothing half is left behind"


@pytest.mark.parametrize("host", ["http://other.example", "https://127.0.0.1:1", "file://", "//127.0.0.1"])
async def test_a_video_elsewhere_is_not_called(
    platform: WechatPlatform, wechat: WechatStandIn, tmp_path: Path, host: str
) -> None:
    wechat.videos["v-1"] = f"{host}/videos/m-1"
    with pytest.raises(NotFound):
        await platform.media("v-1", "一.mp4", tmp_path, 1000)


async def test_a_video_of_the_platform_is_fetched(
    platform: WechatPlatform, wechat: WechatStandIn, tmp_path: Path
) -> None:
    wechat.files["film"] = ("video/mp4", b"a film")
    wechat.videos["v-1"] = f"{wechat.url}/videos/film?t=1"
    upload = await platform.media("v-1", "一.mp4", tmp_path, 1000)
    assert upload.path is not None
    assert upload.path.read_bytes() == b"a film"


async def test_a_wrong_secret_or_nobody_there_is_for_later(wechat: WechatStandIn, tmp_path: Path) -> None:
    for platform in (WechatPlatform(wechat.url, APP_ID, "wrong"), WechatPlatform("http://127.0.0.1:9", APP_ID, SECRET)):
        with pytest.raises(Unavailable) as raised:
            await platform.media("m-1", "一.jpg", tmp_path, 1000)
        assert "127.0.0.1" not in str(raised.value)
    assert wechat.calls == 0

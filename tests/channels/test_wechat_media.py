"""What takes longer: files that are fetched, and answers that come too late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from channels import wechat_walk
from channels import wechat_words as words
from channels.notebook import PocketNotebook
from channels.wechat_media import KEPT, MediaRounds
from tests.fakes.wechat import FakePlatform, WechatDesk, hall_of, xml
from tests.fakes.wechat_door import Opener, doors

STORY = "虚构工地拖欠我们18个人三个月工资"
NAMELESS, COUNTED = [STORY, "完成", "跳过", "匿名"], ["done", "skip", "anonymous"]
KNOWN = "620000X2026112200001K 7M2K-9QXA-4TBD"
HEARD = "工资没有发\n（以上为机器识别"
PLACE = {"Location_X": "39.73", "Location_Y": "98.49"}
WHERE = "北纬39.73，东经98.49"


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Opener]:
    async with doors(tmp_path) as opener:
        yield opener


async def test_files_are_fetched_and_join_their_case(opened: Opener) -> None:
    platform = FakePlatform({"m-1": b"a picture"})
    person = await opened(platform=platform)
    await person.give("image", MediaId="m-1", MsgId="24000000777")
    await until(lambda: bool(person.desk.files))
    [(number, (_, file))] = person.desk.cases.items()
    assert (file.raw_id, file.sub_source) == ("24000000777:media", f"supplement:{number}")
    assert person.desk.files == {"微信图片000777.jpg": b"a picture"}


async def test_files_wait_while_the_platform_is_down(opened: Opener, tmp_path: Path) -> None:
    desk, platform = WechatDesk(), FakePlatform({"m-1": b"a picture"}, down=True)
    pages = PocketNotebook(lambda: desk.now)
    person = await opened(desk, platform=platform, notebook=pages)
    await person.give("image", MediaId="m-1")
    rounds = MediaRounds(hall_of(desk, tmp_path, platform, sealed=True, notebook=pages))
    person.later(minutes=1)
    assert await rounds.look() == 0
    platform.down = False
    assert await rounds.look() == 0, "what was just tried waits"
    person.later(minutes=1)
    assert await rounds.look() == 1
    assert list(desk.files.values()) == [b"a picture"]
    person.later(minutes=1)
    assert await rounds.look() == 0
    assert not list(tmp_path.glob("fetched-*")), "no file is left behind"


@pytest.mark.parametrize("down", [True, False], ids=["never reached", "gone"])
async def test_a_file_that_cannot_be_had_is_told_in_the_case(opened: Opener, tmp_path: Path, down: bool) -> None:
    desk, platform = WechatDesk(), FakePlatform(down=True)
    pages = PocketNotebook(lambda: desk.now)
    person = await opened(desk, platform=platform, notebook=pages)
    await person.give("voice", MediaId="m-9")
    platform.down = down
    person.desk.now += KEPT + timedelta(minutes=1) if down else timedelta(minutes=1)
    rounds = MediaRounds(hall_of(desk, tmp_path, platform, sealed=True, notebook=pages))
    assert await rounds.look() == 1
    [number] = desk.cases
    assert "语音没有取到" in desk.content(number)
    assert "m-9" in desk.content(number)


@pytest.mark.parametrize("down", [False, True], ids=["told by a message", "told with the next reply"])
async def test_a_slow_commit_is_told_later(opened: Opener, monkeypatch: pytest.MonkeyPatch, down: bool) -> None:
    monkeypatch.setattr(wechat_walk, "REPLY_SECONDS", 0.02)
    platform = FakePlatform(down=down)
    person = await opened(WechatDesk(slow=0.15), platform=platform)
    body = xml(person.message(Content=STORY))
    assert await person.send(body) == (200, words.SLOW)
    assert await person.send(body) == (200, words.SLOW), "the retry waits for the same work"
    await until(lambda: bool(person.desk.cases))
    await asyncio.sleep(0.03)
    person.desk.slow = 0.0
    if not down:
        [(openid, said)] = platform.told
        assert (openid, "查询码" in said) == (person.openid, True)
    said = await person.say("帮助")
    assert ("查询码" in said) is down
    assert "查询码：" not in await person.say("帮助")
    assert len(person.desk.cases) == 1


async def test_after_a_long_silence_a_walk_begins_anew(opened: Opener) -> None:
    person = await opened()
    await person.say(STORY)
    await person.say("完成")
    person.later(hours=13)
    assert "已登记" in await person.say("路灯也坏了")
    assert len(person.desk.cases) == 2, "it is no answer to a question of yesterday"


async def test_the_same_id_with_other_words_is_refused_and_told(opened: Opener) -> None:
    person = await opened()
    await person.say(STORY, MsgId="77")
    person.later(hours=13)
    for n in range(13):
        await person.say(f"帮助{n}")
    assert await person.say("别的", MsgId="77") == words.KNOWN_ONLY


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(400):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not happen")

"""WeChat in the whole house: a walk over the real protocol, a restart in the middle, and bodies nobody would send."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from channels.wechat import PATH
from channels.wechat_account import OfficialAccount
from channels.wechat_envelope import signature, xml_of
from gateway.demo.wechat import APP_ID, SECRET, Follower, WechatStandIn
from petition.petition import Form
from petition.workflow import Status
from store import petitions
from store.petitions import Case
from store.proof import verify
from tests.houses import Rig, running_house, until

# aiohttp-jinja2 1.6 still names its request values by words.
pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web_exceptions.NotAppKeyWarning")

TOKEN, KEY = "token-of-the-house", "abcDEF0123456789abcDEF0123456789abcDEF01234"
ACCOUNT = OfficialAccount(token=SecretStr(TOKEN), app_id=APP_ID, aes_key=SecretStr(KEY))
PLAIN = OfficialAccount(token=SecretStr(TOKEN))
STORY = "我们18个人2026年7月至9月在肃州区虚构工地干活，三个月工资一分没发，一共大约41万元。"


@contextmanager
def standing_in() -> Iterator[WechatStandIn]:
    """The platform's interfaces, on a loop of their own."""
    loop, platform = asyncio.new_event_loop(), WechatStandIn()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(platform.__aenter__(), loop).result(5)
    try:
        yield platform
    finally:
        asyncio.run_coroutine_threadsafe(platform.__aexit__(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


def house(data: Path, **more: Any) -> Any:
    """A house whose account is in the safe mode."""
    chosen = {"wechat_token": TOKEN, "wechat_app_id": APP_ID, "wechat_aes_key": KEY, **more}
    return running_house(data, channels=("web", "wechat"), **chosen)


def case_of(rig: Rig, number: str) -> Case:
    return rig.house.store.read_now(lambda tx: petitions.get(tx, number))


def test_a_walk_with_a_restart_in_the_middle(tmp_path: Path) -> None:
    openid = "oDemo_walker-0000000001"
    with standing_in() as platform:
        platform.files["m-1"] = ("image/png", b"\x89PNG\r\n\x1a\n a list of days")
        more = {"wechat_api_url": platform.url, "wechat_app_secret": SECRET, "way_out_too": True}
        with house(tmp_path, **more) as rig:
            person = Follower(rig.url, ACCOUNT, openid)
            assert "1　反映问题" in person.say("你好")
            person.say("1")
            told = re.search(r"编号：(\S+)\n查询码：(\S+)", person.say(STORY))
            assert told is not None
            number, code = told.groups()
            person.send(person.message("image", MediaId="m-1", PicUrl="http://pictures.example/1"))
            assert until(lambda: bool(case_of(rig, number).petition.attachments))
            assert case_of(rig, number).read_at is None, "it waits for the rest"
            assert "地方" in person.say("完成")
        with house(tmp_path, **more) as rig:
            person = Follower(rig.url, ACCOUNT, openid)
            assert "联系您" in person.say("酒泉市肃州区虚构工地")
            assert "王＊，154****0003" in person.say("王样本 15400000003")
            last = person.message("text", Content="提交")
            assert "提交成功" in person.send(last)
            assert "提交成功" in person.send(last)
            assert until(lambda: bool(case_of(rig, number).unit))
            case = case_of(rig, number)
            record = case.petition
            assert (case.form, record.petitioners[0].name, record.petitioners[0].mobile, record.headcount) == (
                Form.WECHAT,
                "王样本",
                "+8615400000003",
                18,
            )
            assert (record.problem_region[:6], record.occur_place) == ("620902", "酒泉市肃州区虚构工地")
            assert [file.media_type for file in record.attachments] == ["image/png"]
            assert "15400000003" not in record.content
            assert "不" not in person.say(f"CX {number} {code}")[:2]
            assert "没有查到" in person.say(f"CX {number} AAAA-AAAA-AAAA")
            assert case.status is not Status.RECEIVED
            assert rig.gap() == 0
            balance = rig.balance("wechat")
            # Two of the eleven messages were sent for orders only counted; the picture's file is an event of its own.
            assert (balance.received, balance.petitions) == (12, 1)
            assert verify(rig.house.store, tmp_path) == []
            assert rig.stumbles() == []
            assert openid not in rig.log.getvalue()
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert openid.encode() not in written, "who wrote is nowhere in clear"
    assert b"15400000003" not in written


def test_a_menu_that_was_never_answered_is_no_case(tmp_path: Path) -> None:
    with house(tmp_path) as rig:
        person = Follower(rig.url, ACCOUNT)
        for said in ("你好", "2", "3", "取消"):
            person.say(said)
        balance = rig.balance("wechat")
        assert (balance.received, balance.petitions, balance.refused) == (4, 0, 4)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with running_house(tmp_path_factory.mktemp("fuzz"), channels=("wechat",), wechat_token=TOKEN) as rig:
        yield rig
        assert rig.gap() == 0
        assert rig.stumbles() == []


_NAMES = st.sampled_from(
    "ToUserName FromUserName CreateTime MsgType Event EventKey Content MsgId MediaId Location_X Location_Y Label"
    " Recognition Title Url Encrypt".split()
)
_WORDS = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        "text image voice video location link event subscribe CLICK SCAN 完成 提交 1 取消 oDemo_abcdef".split()
    ),
)
_BODIES = st.one_of(
    st.binary(max_size=300),
    st.dictionaries(_NAMES, _WORDS, max_size=9).map(xml_of),
    st.tuples(st.dictionaries(_NAMES, _WORDS, max_size=9).map(xml_of), st.integers(0, 300)).map(
        lambda cut: cut[0][: cut[1]]
    ),
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=_BODIES, honest=st.booleans(), nonce=st.text(max_size=10))
def test_no_body_makes_it_stumble(plain: Rig, body: bytes, honest: bool, nonce: str) -> None:
    stamp = str(int(time.time()))
    nonce = nonce.encode("utf-8", "replace").decode()
    query = {"timestamp": stamp, "nonce": nonce, "signature": signature(TOKEN, stamp, nonce) if honest else "f" * 40}
    answer = httpx.post(f"{plain.url}{PATH}", params=query, content=body, trust_env=False)
    assert answer.status_code in ((200, 400) if honest else (403, 429))

"""The stand-in of WeChat (微信替身): the interfaces the house calls, and somebody who writes to the account.

    async with WechatStandIn() as wechat:                # GATEWAY_WECHAT_API_URL = wechat.url
        wechat.files["m-1"] = ("image/jpeg", picture)
        ...
        wechat.told[-1]                                  # (openid, words) of the last customer service message
    Follower("http://127.0.0.1:8080", account).say("你好")  # signed, and sealed if the account is

Nothing leaves 127.0.0.1.
"""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import dataclass, field
from typing import Any, Self

import httpx
from aiohttp import web

from channels.wechat import PATH as WECHAT
from channels.wechat_account import OfficialAccount
from channels.wechat_envelope import fields_of, signature, xml_of
from gateway.demo.browser import Stuck
from gateway.demo.doors import Filed, Place
from gateway.demo.samples import Sample

APP_ID, SECRET = "wxdemo0000000001", "secret of the stand-in"  # fictional, as everything here
_ACCOUNT = "gh_demo"
_OPENED = re.compile(r"编号：(?P<case_no>\S+)\n查询码：(?P<code>\S+)")


@dataclass
class WechatStandIn:
    """The platform's interfaces. files: media id -> (media type, bytes); videos: media id -> address; lives: seconds of

    a token; tokens: how many were given out; answers: errcodes for the next calls, whatever they ask.
    """

    app_id: str = APP_ID
    secret: str = SECRET
    lives: float = 7200
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    videos: dict[str, str] = field(default_factory=dict)
    told: list[tuple[str, str]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    tokens: int = 0
    calls: int = 0
    url: str = ""
    _valid: str = ""
    _runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/cgi-bin/stable_token", self._token)
        app.router.add_get("/cgi-bin/media/get", self._media)
        app.router.add_get("/videos/{name}", self._video)
        app.router.add_post("/cgi-bin/message/custom/send", self._send)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def revoke(self) -> None:
        """The token that is out is over, as after a new secret."""
        self._valid = ""

    async def _token(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if (asked.get("appid"), asked.get("secret")) != (self.app_id, self.secret):
            return _error(40125)
        if not self._valid or asked.get("force_refresh"):
            self.tokens += 1
            self._valid = f"token-{self.tokens}-{secrets.token_hex(4)}"
        return web.json_response({"access_token": self._valid, "expires_in": self.lives})

    def _refused(self, request: web.Request) -> web.Response | None:
        self.calls += 1
        if self.answers:
            return _error(self.answers.pop(0))
        given = request.query.get("access_token", "")
        return None if self._valid and given == self._valid else _error(40001 if given else 41001)

    async def _media(self, request: web.Request) -> web.Response:
        if (refused := self._refused(request)) is not None:
            return refused
        media_id = request.query.get("media_id", "")
        if media_id in self.videos:
            return web.json_response({"video_url": self.videos[media_id]})
        if media_id not in self.files:
            return _error(40007)
        kind, body = self.files[media_id]
        headers = {"Content-Disposition": f'attachment; filename="{media_id}.bin"'}
        return web.Response(body=body, content_type=kind, headers=headers)

    async def _video(self, request: web.Request) -> web.Response:
        kind, body = self.files[request.match_info["name"]]
        return web.Response(body=body, content_type=kind)

    async def _send(self, request: web.Request) -> web.Response:
        if (refused := self._refused(request)) is not None:
            return refused
        asked: dict[str, Any] = await request.json()
        self.told.append((asked["touser"], asked["text"]["content"]))
        return web.json_response({"errcode": 0, "errmsg": "ok"})


def _error(code: int) -> web.Response:
    # As the platform does: an error is JSON in a plain text answer with status 200.
    return web.Response(text=f'{{"errcode":{code},"errmsg":"told by the stand-in"}}', content_type="text/plain")


class Follower:
    """Somebody who writes to the account; the platform in between signs, and seals if the account is set so."""

    def __init__(self, url: str, account: OfficialAccount, openid: str = "") -> None:
        self._url = url.rstrip("/")
        self._account = account
        self._openid = openid or f"oDemo_{secrets.token_hex(11)}"

    def say(self, words: str) -> str:
        """What is answered to a text."""
        return self.send(self.message("text", Content=words))

    def message(self, kind: str, **fields: str) -> bytes:
        """A new message as XML; sent twice it is the platform asking again."""
        now = str(int(time.time()))
        known = {"ToUserName": _ACCOUNT, "FromUserName": self._openid, "CreateTime": now, "MsgType": kind}
        return xml_of({**known, **fields, "MsgId": str(24_000_000_000_000_000 + secrets.randbelow(10**15))})

    def send(self, message: bytes) -> str:
        """What is answered; Stuck when the house does not take it."""
        token, stamp, nonce = self._account.token.get_secret_value(), str(int(time.time())), secrets.token_hex(5)
        query = {"signature": signature(token, stamp, nonce), "timestamp": stamp, "nonce": nonce}
        cipherer = self._account.cipherer
        if cipherer is not None:
            encrypted = cipherer.seal(message)
            message = xml_of({"ToUserName": _ACCOUNT, "Encrypt": encrypted})
            query |= {"encrypt_type": "aes", "msg_signature": signature(token, stamp, nonce, encrypted)}
        answer = httpx.post(f"{self._url}{WECHAT}", params=query, content=message, timeout=30, trust_env=False)
        if answer.status_code != 200:
            raise Stuck(f"{WECHAT}: 应答 {answer.status_code}")
        if answer.text == "success":
            return ""
        fields = fields_of(answer.content)
        if cipherer is not None:
            fields = fields_of(cipherer.open(fields["Encrypt"]))
        return fields["Content"]


def has_token(place: Place) -> bool:
    """Whether we hold what the platform signs with."""
    return place.wechat is not None and bool(place.wechat.token.get_secret_value())


def file_by_wechat(place: Place, sample: Sample) -> Filed:
    """As a citizen does, step by step; number and code are read from the answer to the first message that tells."""
    assert place.wechat is not None
    person, somebody = sample.people[0], Follower(place.url, place.wechat)
    somebody.say("你好")
    somebody.say("1")
    story = somebody.message("text", Content=sample.content)
    first, again = (_OPENED.search(somebody.send(story)) for _ in range(2))
    if first is None or again is None:
        raise Stuck(f"{WECHAT}: 没有告知编号和查询码")
    for words in ("完成", f"{sample.region_name}{sample.occur_place}", f"{person.name} {person.mobile}"):
        somebody.say(words)
    last = somebody.say("提交")
    if "提交成功" not in last:
        raise Stuck(f"{WECHAT}: {last[:200]}")
    return Filed(first["case_no"], first["code"], again["case_no"])

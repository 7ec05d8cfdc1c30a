"""The platform (微信接口): files and customer service messages over the official account interfaces, bounded.

POST /cgi-bin/stable_token, GET /cgi-bin/media/get, POST /cgi-bin/message/custom/send (developers.weixin.qq.com). The
stable token is asked for, not /cgi-bin/token: each call of that one makes the token of every other process invalid.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import structlog

from petition.arrival import Upload
from petition.errors import Invalid, NotFound, TooLarge, Unavailable

SECONDS = 20.0  # for one request; a file of ten megabytes over a slow line
_SPARE = 300.0  # seconds before its end at which a token counts as over
_TOKEN_OVER = frozenset({40001, 40014, 42001, 41001})  # invalid, expired or missing access_token
_GONE = frozenset({40007, 40004, 41006})  # invalid or missing media id: older than three days
_NEVER = frozenset({40003, 45015, 48001, 43004, 45047})  # no such person, 48 hours over, no right, not following
_ANSWER_MAX = 64 << 10  # bytes of an answer that is no file

log = structlog.get_logger(__name__)


class WechatPlatform:
    """Implements `channels.wechat_account.Platform`. url: of the interfaces; nothing else is ever called.

    The token is kept until shortly before it ends and renewed once, whoever asks. monotonic: seconds.
    """

    def __init__(self, url: str, app_id: str, secret: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._url = url.rstrip("/")
        self._app_id = app_id
        self._secret = secret
        self._monotonic = monotonic
        self._token = ""
        self._until = 0.0
        self._renewing = asyncio.Lock()

    async def media(self, media_id: str, name: str, spool: Path, most: int) -> Upload:
        """The file of a message as a temporary file in `spool`; Unavailable, NotFound, TooLarge."""
        for last in (False, True):
            token = await self._valid_token()
            path = spool / f"wechat-{secrets.token_hex(12)}"
            asked = {"access_token": token, "media_id": media_id}
            kind, answer = await self._fetch(f"{self._url}/cgi-bin/media/get", asked, path, most)
            if answer is None:
                return Upload(name=name, media_type=kind, path=path)
            if isinstance(video := answer.get("video_url"), str):
                return await self._video(video, name, path, most)
            self._judge(answer, token, last)
        raise Unavailable()

    async def tell(self, openid: str, words: str) -> None:
        """A customer service message; Unavailable: again later, Invalid: never."""
        body = json.dumps({"touser": openid, "msgtype": "text", "text": {"content": words}}, ensure_ascii=False)
        for last in (False, True):
            token = await self._valid_token()
            answer = await self._post("/cgi-bin/message/custom/send", body, {"access_token": token})
            if not answer.get("errcode"):
                return
            self._judge(answer, token, last)

    async def _video(self, address: str, name: str, path: Path, most: int) -> Upload:
        """Videos lie at an address of their own; one that is not the platform's is not called."""
        if urlsplit(address).netloc != urlsplit(self._url).netloc or not address.startswith(("https://", "http://")):
            raise NotFound()
        kind, answer = await self._fetch(
            f"{self._url}{urlsplit(address).path}", {}, path, most, urlsplit(address).query
        )
        if answer is not None:
            raise Unavailable()
        return Upload(name=name, media_type=kind, path=path)

    def _judge(self, answer: Mapping[str, Any], token: str, last: bool) -> None:
        """Raise what an error means; return to try once more with a new token."""
        code = answer.get("errcode")
        if code in _TOKEN_OVER and not last:
            if self._token == token:
                self._token = ""
            return
        if code in _GONE:
            raise NotFound()
        if code in _NEVER:
            raise Invalid(())
        log.warning("the wechat platform refuses", errcode=code if isinstance(code, int) else None)
        raise Unavailable()

    async def _valid_token(self) -> str:
        if self._token and self._monotonic() < self._until:
            return self._token
        async with self._renewing:
            if not self._token or self._monotonic() >= self._until:
                body = {"grant_type": "client_credential", "appid": self._app_id, "secret": self._secret}
                answer = await self._post("/cgi-bin/stable_token", json.dumps(body), {})
                token, seconds = answer.get("access_token"), answer.get("expires_in")
                if not isinstance(token, str) or not token or not isinstance(seconds, int | float):
                    log.warning("the wechat platform gives no token", errcode=answer.get("errcode"))
                    raise Unavailable()
                self._token, self._until = token, self._monotonic() + max(0.0, seconds - _SPARE)
            return self._token

    async def _post(self, path: str, body: str, query: dict[str, str]) -> Mapping[str, Any]:
        try:
            async with self._client() as client:
                answer = await client.post(
                    f"{self._url}{path}",
                    params=query,
                    content=body.encode(),
                    headers={"Content-Type": "application/json"},
                )
        except (httpx.HTTPError, OSError):
            raise Unavailable() from None  # its words would hold the address with the token
        return _json(answer.content) if answer.status_code == 200 and len(answer.content) <= _ANSWER_MAX else {}

    async def _fetch(
        self, url: str, query: dict[str, str], path: Path, most: int, search: str = ""
    ) -> tuple[str, Mapping[str, Any] | None]:
        """(media type, None) once the file lies at `path`, or ("", the answer) where it was words."""
        try:
            async with asyncio.timeout(SECONDS), self._client() as client:
                asked = f"{url}?{search}" if search else str(httpx.URL(url, params=query))
                async with client.stream("GET", asked) as answer:
                    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
                    if answer.status_code != 200:
                        raise Unavailable()
                    told = kind in ("application/json", "text/plain", "text/json")
                    body = await _bounded(answer, _ANSWER_MAX if told else most)
        except (httpx.HTTPError, OSError, TimeoutError):
            raise Unavailable() from None
        if told:
            return "", _json(body)
        path.parent.mkdir(parents=True, exist_ok=True)
        await asyncio.to_thread(path.write_bytes, body)
        return kind or "application/octet-stream", None

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(timeout=SECONDS, trust_env=False, follow_redirects=False)


async def _bounded(answer: httpx.Response, most: int) -> bytes:
    body = bytearray()
    async for piece in answer.aiter_bytes():
        body += piece
        if len(body) > most:
            raise TooLarge()
    return bytes(body)


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}

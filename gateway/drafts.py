"""Drafts for pages (草稿): the port the citizen's pages use, its implementation over the store, and the cookie."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from aiohttp import web

from channels.answers import Answers
from gateway.kiosk import KEPT as KIOSK_KEPT
from petition.arrival import Receipt
from petition.attachment import AttachmentRole
from petition.clock import Clock
from petition.errors import Conflict, NotFound
from store import drafts
from store.database import Store
from store.drafts import Draft, DraftUpload
from store.transaction import Transaction

COOKIE = "draft"
PATH = "/file"
IDLE = timedelta(hours=24)  # long enough to fetch a paper from home, short enough for a borrowed phone
RECEIPT = timedelta(minutes=30)  # the query code is told once; afterwards only tracking
FILES_MAX = 30  # a peer dropped files beyond fifteen; sixteen and more do come
_TRIES = 5  # two tabs and a few uploads at once


class Drafts(Protocol):
    """Where half-filled petitions are kept; every token is random and known only to one browser."""

    async def create(self, answers: Mapping[str, object], *, kiosk: bool = False) -> str:
        """Begin a draft; its token. kiosk: typed at a terminal, so that it is forgotten soon."""
        ...

    async def stay(self, token: str) -> None:
        """The idle time of a draft begins anew."""
        ...

    async def load(self, token: str) -> Draft | None:
        """The draft, or None."""
        ...

    async def save(self, token: str, answers: Mapping[str, object], version: int) -> None:
        """Replace the answers; Conflict if they changed since, NotFound if the draft is gone."""
        ...

    async def add_upload(self, token: str, name: str, media_type: str, path: Path, role: AttachmentRole) -> None:
        """Take over a temporary file; TooLarge when there are too many."""
        ...

    async def remove_upload(self, token: str, upload_id: int) -> None:
        """Take a file out."""
        ...

    async def copy_out(self, upload: DraftUpload, folder: Path) -> Path:
        """The body of a file as a new temporary file in the folder."""
        ...

    async def submitted(self, draft: Draft, receipt: Receipt) -> None:
        """Forget the answers, keep what the receipt page shows."""
        ...

    async def drop(self, token: str) -> None:
        """Forget the draft."""
        ...


class StoredDrafts:
    """`Drafts` over the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def create(self, answers: Mapping[str, object], *, kiosk: bool = False) -> str:
        token = secrets.token_urlsafe(32)

        def work(tx: Transaction) -> None:
            if kiosk:
                drafts.expire_kiosk(tx, KIOSK_KEPT)  # the next person need not wait for the housekeeping
            drafts.create(tx, token, answers, kiosk=kiosk)

        await self._store.write(work)
        return token

    async def stay(self, token: str) -> None:
        await self._store.write(lambda tx: drafts.stay(tx, token))

    async def load(self, token: str) -> Draft | None:
        return await self._store.read(lambda tx: drafts.load(tx, token))

    async def save(self, token: str, answers: Mapping[str, object], version: int) -> None:
        await self._store.write(lambda tx: drafts.save(tx, token, answers, version))

    async def add_upload(self, token: str, name: str, media_type: str, path: Path, role: AttachmentRole) -> None:
        size = path.stat().st_size
        # The body is on the disk before the transaction that names it.
        digest = await asyncio.to_thread(self._store.files.adopt, path)
        row = DraftUpload(id=0, name=name, media_type=media_type, size=size, sha256=digest, role=role)
        await self._store.write(lambda tx: drafts.add_upload(tx, token, row, FILES_MAX))

    async def remove_upload(self, token: str, upload_id: int) -> None:
        await self._store.write(lambda tx: drafts.remove_upload(tx, token, upload_id))

    async def copy_out(self, upload: DraftUpload, folder: Path) -> Path:
        path = folder / f"{upload.id}-{upload.sha256[:12]}"

        def copy() -> None:
            with path.open("wb") as target:
                for piece in self._store.files.pieces(upload.sha256):
                    target.write(piece)

        await asyncio.to_thread(copy)
        return path

    async def submitted(self, draft: Draft, receipt: Receipt) -> None:
        shown = {
            "case_no": receipt.case_no,
            "query_code": receipt.query_code,
            "received_at": receipt.received_at.isoformat(),
            "purpose": (Answers.from_dict(draft.answers).purpose or ""),
            "join": "link" if Answers.from_dict(draft.answers).by_link else "",
        }
        await self._store.write(lambda tx: drafts.submit(tx, draft.token, draft.version, receipt.case_no, shown))

    async def drop(self, token: str) -> None:
        await self._store.write(lambda tx: drafts.drop(tx, token))


@dataclass(frozen=True, slots=True)
class DraftDesk:
    """What every page of the filing does first and last: find this browser's draft, and keep what was typed."""

    drafts: Drafts
    clock: Clock
    secure: bool  # cookies over TLS only

    async def begin(self, response: web.StreamResponse, answers: Answers, *, kiosk: bool = False) -> None:
        """Begin a new draft and give its token to the browser."""
        token = await self.drafts.create(answers.to_dict(), kiosk=kiosk)
        response.set_cookie(COOKIE, token, path=PATH, httponly=True, samesite="Lax", secure=self.secure)

    async def find(self, request: web.Request) -> Draft | None:
        """This browser's draft or receipt, or None; what is too old counts as gone."""
        token = request.cookies.get(COOKIE, "")
        draft = await self.drafts.load(token) if 20 <= len(token) <= 100 else None
        if draft is None:
            return None
        age = self.clock() - draft.touched_at
        if draft.kiosk:
            return draft if age <= KIOSK_KEPT else None
        return draft if age <= (RECEIPT if draft.submitted else IDLE) else None

    async def stay(self, request: web.Request) -> None:
        """Somebody is at the terminal: what was typed there is kept a little longer."""
        draft = await self.find(request)
        if draft is not None and draft.kiosk:
            await self.drafts.stay(draft.token)

    async def current(self, request: web.Request) -> Draft:
        """The draft still being filled; sends to the first page without one, to the receipt once it is submitted."""
        draft = await self.find(request)
        if draft is None:
            raise web.HTTPSeeOther(f"{PATH}?gone=1" if COOKIE in request.cookies else PATH)
        if draft.kiosk:
            await self.drafts.stay(draft.token)
        if draft.submitted:
            raise web.HTTPSeeOther(f"{PATH}/receipt")
        return draft

    async def change(self, request: web.Request, draft: Draft, edit: Callable[[Answers], Answers]) -> Answers:
        """Keep a change of the answers; when another tab was faster the change is made on what that tab kept."""
        for _ in range(_TRIES):
            answers = edit(Answers.from_dict(draft.answers))
            try:
                await self.drafts.save(draft.token, answers.to_dict(), draft.version)
            except Conflict:
                draft = await self.current(request)
                continue
            except NotFound:
                raise web.HTTPSeeOther(f"{PATH}?gone=1") from None
            return answers
        raise Conflict("这份内容正在另一个窗口里修改，请稍等再试。")

    async def forget(self, draft: Draft, response: web.StreamResponse) -> None:
        """Drop the draft and its cookie."""
        await self.drafts.drop(draft.token)
        response.del_cookie(COOKIE, path=PATH)

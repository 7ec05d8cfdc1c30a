"""A clerk's drafts (窗口草稿): what an officer types for somebody else, sealed, for this officer and browser only."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from aiohttp import web

from channels.answers import Answers
from gateway.auth import Sitting
from gateway.drafts import IDLE, RECEIPT, StoredDrafts
from gateway.forms import IncomingFile
from petition.arrival import Receipt, Upload
from petition.attachment import AttachmentRole
from petition.clock import Clock
from petition.errors import Conflict, NotFound, TooLarge
from store import drafts
from store.database import Store
from store.drafts import Draft

_TRIES = 5
_OWNER = "by"  # in the answers and in the receipt: whose draft it is


@dataclass(frozen=True, slots=True, kw_only=True)
class ClerkDrafts:
    """One page's drafts. cookie: its name; path: the page, which alone gets the cookie; secure: over TLS only."""

    store: Store
    clock: Clock
    cookie: str
    path: str
    secure: bool

    @property
    def _kept(self) -> StoredDrafts:
        return StoredDrafts(self.store)

    async def find(self, request: web.Request, sitting: Sitting) -> Draft | None:
        """The draft or receipt of this officer in this browser; of a colleague who sat here before, nothing."""
        token = request.cookies.get(self.cookie, "")
        draft = await self._kept.load(token) if 20 <= len(token) <= 100 else None
        if draft is None or self.clock() - draft.touched_at > (RECEIPT if draft.submitted else IDLE):
            return None
        owner = draft.submitted.get(_OWNER) if draft.submitted else Answers.from_dict(draft.answers).get(_OWNER)
        return draft if owner == sitting.officer.actor else None

    async def open(self, request: web.Request, sitting: Sitting) -> Draft:
        """The draft being filled, a new one if there is none; the answer must be given its token by `give`."""
        draft = await self.find(request, sitting)
        if draft is not None and not draft.submitted:
            return draft
        token = await self._kept.create(Answers({_OWNER: sitting.officer.actor}).to_dict())
        made = await self._kept.load(token)
        if made is None:
            raise NotFound()
        return made

    def give(self, response: web.StreamResponse, draft: Draft) -> None:
        """Tell the browser the token; it ends with the browser."""
        response.set_cookie(
            self.cookie, draft.token, path=self.path, httponly=True, samesite="Strict", secure=self.secure
        )

    async def change(self, draft: Draft, edit: Callable[[Answers], Answers]) -> Draft:
        """Keep a change; when another window was faster it is made on what that one kept."""
        for _ in range(_TRIES):
            answers = edit(Answers.from_dict(draft.answers))
            try:
                await self._kept.save(draft.token, answers.to_dict(), draft.version)
            except Conflict:
                pass
            else:
                return await self.again(draft)
            draft = await self.again(draft)
        raise Conflict("这份登记正在另一个页面里修改，请稍等再试。您填写的内容没有丢失。")

    async def again(self, draft: Draft) -> Draft:
        """The draft as it stands now; to the receipt when another click has handed it in, Conflict when it is gone."""
        fresh = await self._kept.load(draft.token)
        if fresh is None:
            raise Conflict("这份登记已经清除，请刷新页面。")
        if fresh.submitted:
            raise web.HTTPSeeOther(f"{self.path}/receipt")
        return fresh

    async def attach(self, draft: Draft, files: tuple[IncomingFile, ...], role: AttachmentRole) -> list[str]:
        """Take files over; the words of those that could not be taken."""
        problems = []
        for file in files:
            if file.problem:
                problems.append(file.problem)
                continue
            try:
                await self._kept.add_upload(draft.token, file.name, file.media_type, file.path, role)
            except TooLarge as problem:
                problems.append(problem.words)
        return problems

    async def detach(self, draft: Draft, upload: int) -> None:
        """Take a file out."""
        await self._kept.remove_upload(draft.token, upload)

    @asynccontextmanager
    async def uploads(self, draft: Draft) -> AsyncIterator[list[Upload]]:
        """The files as uploads of an arrival, copied out for the time of the block."""
        with tempfile.TemporaryDirectory(prefix="submit-") as folder:
            yield [
                Upload(
                    name=each.name,
                    media_type=each.media_type,
                    path=await self._kept.copy_out(each, Path(folder)),
                    role=each.role,
                )
                for each in draft.uploads
            ]

    async def submitted(self, draft: Draft, receipt: Receipt, shown: Mapping[str, str]) -> None:
        """Forget what was typed and keep what the receipt shows; the case is in already, so nothing may prevent it."""
        owner = Answers.from_dict(draft.answers).get(_OWNER)
        told = {
            "case_no": receipt.case_no,
            "query_code": receipt.query_code,
            "received_at": receipt.received_at.isoformat(),
            _OWNER: owner,
            **shown,
        }
        kept: Draft | None = draft
        while kept is not None and not kept.submitted:
            work = partial(drafts.submit, token=kept.token, version=kept.version, case_no=receipt.case_no, receipt=told)
            try:
                return await self.store.write(work)
            except Conflict:  # another click was faster, or another window kept something
                kept = await self._kept.load(draft.token)

    async def forget(self, draft: Draft, response: web.StreamResponse) -> None:
        """Drop everything, here and in the browser."""
        await self._kept.drop(draft.token)
        response.del_cookie(self.cookie, path=self.path)

"""Petitions over the API (事项查询): where a case stands, for its petitioner or for systems with a key."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from config.apikey import ApiKey
from config.units import Units
from gateway.limiter import Limiter
from gateway.pages.schedule import bars
from gateway.pages.track import DOCUMENTS
from petition import numbering
from petition.clock import Clock
from petition.deadlines import DeadlineEngine
from petition.errors import Forged, Invalid, NotFound
from petition.petition import Lane, Purpose
from petition.workflow import words_for_citizen
from store import audit, history, petitions
from store.database import Store
from store.history import Step
from store.petitions import Case
from store.transaction import Transaction

CODE = "X-Query-Code"
KEY = "X-API-Key"


class PetitionStatus:
    """`GET /api/v1/petitions/{case_no}`."""

    def __init__(
        self,
        store: Store,
        units: Units,
        deadlines: DeadlineEngine,
        keys: Sequence[ApiKey],
        limiter: Limiter,
        clock: Clock,
    ) -> None:
        self._store = store
        self._units = units
        self._deadlines = deadlines
        self._keys = tuple(keys)
        self._limiter = limiter
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """The one route."""
        return [web.get("/api/v1/petitions/{case_no}", self.show)]

    async def show(self, request: web.Request) -> web.Response:
        """Status, timeline, documents; the record itself is never told here.

        A wrong code and an unknown number get the same answer. Systems with a key see cases of the normal lane only,
        and each of their looks is written down.
        """
        try:
            case_no = str(numbering.parse_case_no(request.match_info["case_no"]))
        except Invalid:
            raise NotFound() from None
        caller = self._caller(request)
        if caller is None:
            self._limiter.check(f"case:{case_no}")
            code = request.headers.get(CODE, "")
            if not code or not await self._store.read(lambda tx: petitions.check_code(tx, case_no, code)):
                raise NotFound()
        else:
            await self._store.write(lambda tx: audit.record(tx, f"api:{caller}", "status", case_no=case_no))
        case, steps = await self._store.read(lambda tx: _look(tx, case_no))
        if caller is not None and case.lane is Lane.SEALED:
            raise NotFound()
        return web.json_response(self.view(case, steps))

    def view(self, case: Case, steps: list[Step]) -> dict[str, Any]:
        """What may be told: of a sealed case nothing but that it is with the organ that has the power (art. 30)."""
        sealed = case.petition.purpose is Purpose.ACCUSATION or case.lane is Lane.SEALED
        purpose = Purpose.ACCUSATION if sealed else case.petition.purpose
        limits = bars(self._deadlines, steps, case.received_at, self._clock().date(), purpose=purpose)
        return {
            "case_no": case.case_no,
            "form": case.form.value,
            "received_at": case.received_at.isoformat(),
            "status": "" if sealed else case.status.value,
            "status_words": words_for_citizen(case.status, accusation=sealed),
            "unit": None if sealed else self._unit(case.unit),
            "timeline": [self._step(step, sealed) for step in steps],
            "deadlines": [
                {
                    "title": bar.title,
                    "state": bar.state,
                    "words": bar.words,
                    "last_day": bar.last.isoformat() if bar.last else None,
                    "article": bar.article,
                    "provisional": bar.provisional,
                }
                for bar in limits
            ],
            "documents": [
                {"at": step.at.isoformat(), "code": step.document, "name": DOCUMENTS[step.document]}
                for step in steps
                if step.document in DOCUMENTS and not sealed
            ],
        }

    def _step(self, step: Step, sealed: bool) -> dict[str, Any]:
        return {
            "at": step.at.isoformat(),
            "status_words": words_for_citizen(step.status, accusation=sealed),
            "words": "" if sealed else step.words,
            "unit": None if sealed else self._unit(step.unit),
            "document": "" if sealed else DOCUMENTS.get(step.document, ""),
        }

    def _unit(self, code: str) -> dict[str, str] | None:
        unit = self._units.find(code)
        return {"code": unit.code, "name": unit.name} if unit else None

    def _caller(self, request: web.Request) -> str | None:
        given = request.headers.get(KEY)
        if given is None:
            return None
        for key in self._keys:
            if hmac.compare_digest(key.key.get_secret_value().encode(), given.encode("utf-8", "replace")):
                return key.name
        raise Forged("接口密钥不对。")


def _look(tx: Transaction, case_no: str) -> tuple[Case, list[Step]]:
    return petitions.get(tx, case_no), [step for step in history.of(tx, case_no) if step.public]

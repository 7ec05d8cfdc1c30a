"""People (个人信息): one page a person; a list with add and remove when several join."""

from __future__ import annotations

import aiohttp_jinja2
from aiohttp import web

from channels.answers import Answers
from channels.web import PEOPLE_MAX, check_person, check_step
from gateway.drafts import PATH, DraftDesk
from gateway.forms import read_fields
from gateway.pages.filing import after, answers_of, before, shown, view
from petition.errors import Problem
from petition.people import IdType, Role

_INPUTS = ("name", "id_type", "id_no", "phone", "address", "assist_need", "role")

ID_TYPES = (
    (IdType.RESIDENT_ID, "居民身份证"),
    (IdType.HOUSEHOLD, "户口簿"),
    (IdType.HMT_RESIDENCE, "港澳台居民居住证"),
    (IdType.HK_MACAO_PERMIT, "港澳居民来往内地通行证"),
    (IdType.TAIWAN_PERMIT, "台湾居民来往大陆通行证"),
    (IdType.FOREIGN_PERMANENT, "外国人永久居留身份证"),
    (IdType.PASSPORT, "护照"),
    (IdType.OFFICER_CARD, "军官证"),
    (IdType.USCC, "统一社会信用代码（单位）"),
    (IdType.OTHER, "其他证件"),
)
ROLE_NAMES = {
    Role.SELF: "本人",
    Role.REPRESENTATIVE: "代表",
    Role.COSIGNER: "联名人",
    Role.AGENT: "代理人",
    Role.PRINCIPAL: "被代理人",
}


class PeoplePages:
    """`/file/people` (the list) and `/file/person/N` (N from 1)."""

    def __init__(self, desk: DraftDesk) -> None:
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        """The list, each person, add and remove."""
        return [
            web.get(f"{PATH}/people", self.show_list),
            web.post(f"{PATH}/people", self.keep_list),
            web.get(rf"{PATH}/person/{{place:[1-9]\d{{0,2}}}}", self.show_person),
            web.post(rf"{PATH}/person/{{place:[1-9]\d{{0,2}}}}", self.keep_person),
            web.post(rf"{PATH}/person/{{place:[1-9]\d{{0,2}}}}/remove", self.remove_person),
        ]

    async def show_list(self, request: web.Request) -> web.StreamResponse:
        """Everybody named so far; the first time straight to the first person."""
        answers = answers_of(await self._desk.current(request))
        if not answers.manner:
            raise web.HTTPSeeOther(f"{PATH}/who")
        if answers.manner == "anonymous":
            raise web.HTTPSeeOther(after("people", answers))
        to_check = request.query.get("from") == "check"
        if answers.manner == "self" or not answers.people:
            raise web.HTTPSeeOther(f"{PATH}/person/1" + ("?from=check" if to_check else ""))
        today = self._desk.clock().date()
        problems = (
            _by_person(check_step("people", answers, today=today), len(answers.named)) if "fix" in request.query else ()
        )
        context = view("people", answers, problems, to_check=to_check) | {
            "rows": self._rows(answers),
            "missing": max(0, answers.expected() - len(answers.named)),
            "full": len(answers.people) >= PEOPLE_MAX,
        }
        return aiohttp_jinja2.render_template("filing/people.html", request, context)

    async def keep_list(self, request: web.Request) -> web.StreamResponse:
        """Keep the headcount; `do=add` goes to a new person, otherwise on."""
        draft = await self._desk.current(request)
        fields = await read_fields(request)
        typed: dict[str, str] = {name: fields[name] for name in ("headcount", "join") if name in fields}
        answers = await self._desk.change(request, draft, lambda old: old.put(typed))
        to_check = fields.get("from") == "check"
        ask = "from=check" if to_check else ""
        if fields.get("do") == "add" and len(answers.people) < PEOPLE_MAX:
            raise web.HTTPSeeOther(f"{PATH}/person/{len(answers.people) + 1}" + (ask and f"?{ask}"))
        if check_step("people", answers, today=self._desk.clock().date()):
            raise web.HTTPSeeOther(f"{PATH}/people?fix=1" + (ask and f"&{ask}"))
        raise web.HTTPSeeOther(after("people", answers, to_check=to_check))

    async def show_person(self, request: web.Request) -> web.StreamResponse:
        """The page of one person."""
        answers = answers_of(await self._desk.current(request))
        index = int(request.match_info["place"]) - 1
        if not answers.manner:
            raise web.HTTPSeeOther(f"{PATH}/who")
        if answers.manner == "anonymous" or index > len(answers.people) or index >= self._room(answers):
            raise web.HTTPSeeOther(f"{PATH}/people")
        to_check = request.query.get("from") == "check"
        problems = check_person(answers, index, self._desk.clock().date()) if "fix" in request.query else ()
        typed = answers.people[index] if index < len(answers.people) else {}
        role = answers.role(index)
        context = view("people", answers, problems, to_check=to_check) | {
            "index": index,
            "values": {"id_type": IdType.RESIDENT_ID.value, **shown(typed)},
            "role": role.value,
            "id_types": ID_TYPES,
            "back": self._back(answers, index, to_check),
        }
        return aiohttp_jinja2.render_template("filing/person.html", request, context)

    async def keep_person(self, request: web.Request) -> web.StreamResponse:
        """Keep one person as typed."""
        draft = await self._desk.current(request)
        fields = await read_fields(request)
        index = int(request.match_info["place"]) - 1
        if index > len(answers_of(draft).people) or index >= PEOPLE_MAX:
            raise web.HTTPSeeOther(f"{PATH}/people")
        typed = {name: fields.get(name, "") for name in _INPUTS}
        answers = await self._desk.change(
            request, draft, lambda old: old.put_person(min(index, len(old.people)), typed)
        )
        to_check = fields.get("from") == "check"
        ask = "from=check" if to_check else ""
        if check_person(answers, index, self._desk.clock().date()):
            raise web.HTTPSeeOther(f"{PATH}/person/{index + 1}?fix=1" + (ask and f"&{ask}"))
        if answers.manner == "self":
            raise web.HTTPSeeOther(after("people", answers, to_check=to_check))
        if answers.manner == "agent" and len(answers.people) < answers.expected():
            raise web.HTTPSeeOther(f"{PATH}/person/{len(answers.people) + 1}" + (ask and f"?{ask}"))
        raise web.HTTPSeeOther(f"{PATH}/people" + (ask and f"?{ask}"))

    async def remove_person(self, request: web.Request) -> web.StreamResponse:
        """Take one person out; the first of a joint petition is the one who fills it in and stays."""
        draft = await self._desk.current(request)
        fields = await read_fields(request)
        index = int(request.match_info["place"]) - 1
        if index:
            await self._desk.change(request, draft, lambda old: old.drop_person(index))
        raise web.HTTPSeeOther(f"{PATH}/people" + ("?from=check" if fields.get("from") == "check" else ""))

    @staticmethod
    def _room(answers: Answers) -> int:
        return {"self": 1, "agent": 2}.get(answers.manner, PEOPLE_MAX)

    @staticmethod
    def _back(answers: Answers, index: int, to_check: bool) -> str:
        if to_check and answers.manner == "self":
            return f"{PATH}/check"
        if index and answers.manner == "agent":
            return f"{PATH}/person/{index}"
        return f"{PATH}/people" if index else before("people", answers)

    def _rows(self, answers: Answers) -> list[dict[str, object]]:
        today = self._desk.clock().date()
        return [
            {
                "place": index + 1,
                "name": shown(person).get("name", "").strip() or "（未填写姓名）",
                "role": ROLE_NAMES[answers.role(index)],
                "phone": shown(person).get("phone", ""),
                "open": bool(check_person(answers, index, today)),
                "fixed": index == 0 or answers.manner == "agent",
            }
            for index, person in enumerate(answers.named)
        ]


def _by_person(problems: tuple[Problem, ...], named: int) -> tuple[Problem, ...]:
    """One line a person on the list; what exactly is to be mended stands on the person's own page."""
    found: dict[str, Problem] = {}
    for problem in problems:
        head, _, rest = problem.field.partition(".")
        place = rest.partition(".")[0]
        if head == "people" and place:
            words = f"第{int(place) + 1}位的信息还没填好。"
            field = f"people.{place}" if int(place) < named else "people"
            found.setdefault(f"people.{place}", Problem(field, "open", words))
        else:
            found[problem.field] = problem
    return tuple(found.values())

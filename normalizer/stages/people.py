"""People (信访人): checks numbers, reads gender from the ID, finds agent, head count and who needs help."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from datetime import date

from config.regions import Regions
from config.words import Words
from normalizer.draft import Draft
from normalizer.quantities import heads
from petition.identity import (
    check_resident_id,
    check_uscc,
    mask_id,
    mask_phone,
    normal_landline,
    normal_mobile,
    normal_name,
)
from petition.people import IdType, Person, Role

NAME = "people"
_MOBILE = re.compile(r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)")
_LANDLINE = re.compile(r"(?<!\d)0\d{2,3}[-— ]\d{7,8}(?!\d)")
_RESIDENT_ID = re.compile(r"(?<![0-9A-Za-z])\d{17}[\dXx](?![0-9A-Za-z])")
_OWN_CONTACT = re.compile(
    r"(?:联系(?:电话|方式|手机)?|(?:我的|本人)(?:电话|手机)|手机号?码?|电话)(?:是|为|号码)?[:： ]{0,2}$"
)
_ROLE_MARK = re.compile(r"[(（](?P<role>被代理人|代理人|代理员|代表|联名人|本人|匿名)[)）]")
_ROLES = {
    "被代理人": Role.PRINCIPAL,
    "代理人": Role.AGENT,
    "代理员": Role.AGENT,
    "代表": Role.REPRESENTATIVE,
    "联名人": Role.COSIGNER,
    "本人": Role.SELF,
}
_AGENT = re.compile(
    r"(?:委托|代理人|代理员)(?:本?村|社区|我村)?(?:的|信访|法律|本村)*(?:代理人|代理员)?[:：是为]?"
    r"(?P<name>[\u4e00-\u9fff·]{2,6}?)(?P<rest>[(（,，、 ](?:电话|手机|联系电话|身份证号?码?)?[:： ]?\d[^。；\n]{9,60})"
)
_MOST_CHECKED = 2000  # people checked one by one; a longer list of co-signers is checked by a person


class People:
    """Everything about who speaks. extra_areas: ID area codes outside GB/T 2260 that are taken as known (demo data)."""

    name = NAME

    def __init__(self, regions: Regions, words: Words, extra_areas: Collection[str] = ()) -> None:
        self._limits = words.parameters
        self._anonymous = frozenset(words.groups["people.anonymous"])
        extra = frozenset(extra_areas)
        self._known_area: Callable[[str], bool] = lambda area: area in regions or area in extra

    def __call__(self, draft: Draft) -> None:
        """Normal forms and checks first, then what the text adds."""
        self._roles(draft)
        self._agent(draft)
        for place in range(min(len(draft.petitioners), _MOST_CHECKED)):
            self._names(draft, place)
            self._numbers(draft, place)
        if len(draft.petitioners) > _MOST_CHECKED:
            words = f"名单超过{_MOST_CHECKED}人,其余人员的证件没有自动校验。"
            draft.note(NAME, "PEOPLE_MANY", words, "petitioners")
        self._contacts(draft)
        self._heads(draft)
        self._anonymity(draft)
        self._help(draft)

    def _roles(self, draft: Draft) -> None:
        for place, person in enumerate(draft.petitioners[:_MOST_CHECKED]):
            mark = _ROLE_MARK.search(person.name[:60])
            if mark:
                name = (person.name[: mark.start()] + person.name[mark.end() :]).strip()
                role = _ROLES.get(mark["role"], person.role)
                draft.person(place, name=name, role=role if person.role is Role.SELF else person.role)

    def _agent(self, draft: Draft) -> None:
        """钱代理(15400000012,身份证…): an agent named in the text with a number becomes a proposed person."""
        if any(person.role is Role.AGENT for person in draft.petitioners) or not draft.petitioners:
            return
        for source, text in draft.passages:
            found = _AGENT.search(text)
            if found is None:
                continue
            number, mobile = _RESIDENT_ID.search(found["rest"]), _MOBILE.search(found["rest"])
            check = check_resident_id(number[0], known_area=self._known_area) if number else None
            id_no = check.normal if check and check.ok else ""
            phone = normal_mobile(mobile[0]) if mobile else ""
            if not id_no and not phone:
                continue
            known = {person.id_no for person in draft.petitioners} | {person.mobile for person in draft.petitioners}
            if id_no in known - {""} or phone in known - {""}:
                continue
            agent = Person(
                role=Role.AGENT,
                name=normal_name(found["name"]),
                id_type=IdType.RESIDENT_ID if id_no else None,
                id_no=id_no,
                mobile=phone,
            )
            place = len(draft.petitioners)
            draft.petitioners = (*draft.petitioners, agent)
            for field in filter(None, ("name", "id_no" if id_no else "", "mobile" if phone else "")):
                value, span = getattr(agent, field), (found.start("name"), found.end())
                draft.found(f"petitioners.{place}.{field}", value, stage=NAME, source=source, confidence=0.7, span=span)
            if draft.petitioners[0].role is Role.SELF:
                draft.person(0, role=Role.PRINCIPAL)
            words = "正文写明由代理人提交,已列入代理人,请核对授权委托书。"
            draft.note(NAME, "AGENT_FOUND", words, f"petitioners.{place}")
            return

    def _names(self, draft: Draft, place: int) -> None:
        person = draft.petitioners[place]
        name = normal_name(person.name)
        bare = name.strip("()（） ")
        if bare in self._anonymous:
            draft.found("is_anonymous", True, stage=NAME, source=f"petitioners.{place}.name", confidence=0.9)
            name = ""
        draft.person(place, name=name, org_name=person.org_name.strip())

    def _numbers(self, draft: Draft, place: int) -> None:
        person = draft.petitioners[place]
        path = f"petitioners.{place}"
        id_type = person.id_type
        if person.id_no and id_type in (None, IdType.RESIDENT_ID):
            check = check_resident_id(person.id_no, known_area=self._known_area)
            if check.ok:
                draft.person(place, id_no=check.normal, id_type=IdType.RESIDENT_ID)
                if check.code:
                    draft.note(NAME, check.code.upper(), check.words, f"{path}.id_no")
                self._from_id(draft, place, check.gender, check.birth)
            elif id_type is IdType.RESIDENT_ID or re.fullmatch(r"[\d\s]{15,20}[Xx]?", person.id_no):
                draft.problem(NAME, f"{path}.id_no", check.code.upper(), check.words)
        uscc = person.uscc or (person.id_no if id_type is IdType.USCC else "")
        if uscc:
            check = check_uscc(uscc)
            if check.ok:
                changes = {"id_no": check.normal} if id_type is IdType.USCC else {}
                draft.person(place, uscc=check.normal, **changes)
            else:
                draft.problem(NAME, f"{path}.uscc", check.code.upper(), check.words)
        for field, normal, words in (
            ("mobile", normal_mobile, "手机号码不是11位大陆号码,请核对。"),
            ("landline", normal_landline, "固定电话应为区号加7至8位号码,请核对。"),
        ):
            given = getattr(person, field)
            if not given:
                continue
            value = normal(given)
            if value:
                draft.person(place, **{field: value})
            else:
                draft.problem(NAME, f"{path}.{field}", f"{field.upper()}_INVALID", words)

    def _from_id(self, draft: Draft, place: int, gender: object, birth: date | None) -> None:
        path = f"petitioners.{place}"
        stated = draft.petitioners[place].gender
        if stated is None and gender is not None:
            draft.found(f"{path}.gender", gender, stage=NAME, source="id_no", confidence=0.95)
        elif gender is not None and stated is not gender:
            draft.note(NAME, "GENDER_DIFFERS", "填写的性别与身份证号码不一致,请核对。", f"{path}.gender")
        if birth is not None:
            today = draft.petition_date
            age = today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))
            if age >= self._limits.assist_age:
                words = f"按身份证号码,此人{age}岁,请按适老要求服务(电话联系、纸质送达)。"
                draft.note(NAME, "ASSIST_ELDERLY", words, f"{path}.assist_need")
            elif 0 <= age < 18:
                draft.note(NAME, "ASSIST_MINOR", f"按身份证号码,此人{age}岁,是未成年人。", f"{path}.assist_need")

    def _contacts(self, draft: Draft) -> None:
        """Numbers in the text are suggestions; one is filled in only where the writer calls it his own."""
        known = {number for person in draft.petitioners for number in (person.mobile, person.landline, person.id_no)}
        own = [place for place, person in enumerate(draft.petitioners) if person.role is not Role.AGENT]
        alone = own[0] if len(own) == 1 else None
        for source, text in draft.passages:
            for field, pattern, normal in (
                ("mobile", _MOBILE, normal_mobile),
                ("landline", _LANDLINE, normal_landline),
            ):
                for match in pattern.finditer(text):
                    number = normal(match[0])
                    if not number or number in known or len(known) > 50:
                        continue
                    known.add(number)
                    said = _OWN_CONTACT.search(text[max(0, match.start() - 12) : match.start()])
                    if alone is not None and said and not getattr(draft.petitioners[alone], field):
                        path, span = f"petitioners.{alone}.{field}", match.span()
                        draft.found(path, number, stage=NAME, source=source, confidence=0.6, span=span)
                    else:
                        words = f"正文中有电话{mask_phone(number)},不清楚是谁的,没有填入。"
                        draft.note(NAME, "PHONE_FOUND", words, source)
            for match in _RESIDENT_ID.finditer(text):
                check = check_resident_id(match[0], known_area=self._known_area)
                if check.ok and check.normal not in known and len(known) <= 50:
                    known.add(check.normal)
                    words = f"正文中有身份证号{mask_id(check.normal)},不清楚是谁的,没有填入。"
                    draft.note(NAME, "ID_FOUND", words, source)

    def _heads(self, draft: Draft) -> None:
        persons = [person for person in draft.petitioners if person.role is not Role.AGENT]
        counted, vague = 0, ""
        where: tuple[str, tuple[int, int]] | None = None
        for source, text in draft.passages:
            for head in heads(text):
                if head.people is None:
                    vague = vague or text[head.start : head.end]
                elif head.people > counted:
                    counted, where = head.people, (source, (head.start, head.end))
        if draft.stated("headcount"):
            if counted > draft.headcount and counted >= self._limits.group_headcount:
                words = f"填写的人数是{draft.headcount},正文说{counted}人,请核对。"
                draft.note(NAME, "HEADCOUNT_DIFFERS", words, "headcount")
        elif where is not None and counted > len(persons):
            source, span = where
            draft.found("headcount", counted, stage=NAME, source=source, confidence=0.7, span=span)
        else:
            draft.found("headcount", max(1, len(persons)), stage=NAME, source="petitioners", confidence=0.8)
        if vague:
            draft.note(NAME, "HEADCOUNT_VAGUE", f"正文提到“{vague}”,人数不确定,请核对。", "headcount")
        if draft.headcount >= self._limits.group_headcount:
            draft.found("is_group", True, stage=NAME, source="headcount", confidence=0.9)
        joint = next((source for source, text in draft.passages if "联名" in text or "联合签名" in text), "")
        signers = max(draft.headcount, sum(person.role is Role.COSIGNER for person in persons))
        if joint and signers >= self._limits.joint_headcount:
            draft.found("is_joint_letter", True, stage=NAME, source=joint, confidence=0.8)
        representatives = sum(person.role is Role.REPRESENTATIVE for person in persons)
        if representatives > self._limits.representatives:
            most = self._limits.representatives
            words = f"代表{representatives}人,按信访工作条例第二十条不得超过{most}人,请重新推选。"
            draft.problem(NAME, "petitioners", "REPRESENTATIVES_TOO_MANY", words)

    def _anonymity(self, draft: Draft) -> None:
        people = draft.petitioners
        named = any(person.name or person.org_name for person in people)
        reachable = any(person.mobile or person.landline or person.email or person.address for person in people)
        if named and draft.is_anonymous and not draft.stated("is_anonymous"):
            draft.is_anonymous = False
            draft.evidence.pop("is_anonymous", None)
        elif not named and not reachable:
            draft.found("is_anonymous", True, stage=NAME, source="petitioners", confidence=0.9)
        elif not named and not draft.is_anonymous:
            draft.note(NAME, "NAME_MISSING", "没有姓名,有联系方式,请联系补全。", "petitioners")

    def _help(self, draft: Draft) -> None:
        needs = dict.fromkeys(signal.word for signal in draft.signals.get("people.assist", ()))
        if needs:
            draft.note(NAME, "ASSIST_HINT", f"正文提到{'、'.join(needs)},请留意特殊需求。", "petitioners.0.assist_need")
        tongues = dict.fromkeys(signal.word for signal in draft.signals.get("people.language", ()))
        if tongues:
            words = f"正文提到{'、'.join(tongues)},请留意语言服务。"
            draft.note(NAME, "LANGUAGE_HINT", words, "petitioners.0.language")

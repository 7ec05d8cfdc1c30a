"""The conversation (微信对话): where somebody stands on the way through filing and querying, and the next turn.

Pure: a state and a message give a turn. Steps: "" (nothing is going on), story, where, who, check, query, person.
What a message says becomes part of a case at once - the first one opens it, each further one joins it - so whoever
stops in the middle has lost nothing and holds a number already; the walk adds what is missing and ends the waiting.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from channels import wechat_words as words
from channels.sms_words import Order, order_of
from channels.sms_words import Word as SmsWord
from channels.wechat_message import MEDIA, Message
from channels.wechat_words import Word, word_of
from petition.arrival import Statement
from petition.errors import Invalid
from petition.identity import mask_name, mask_phone, normal_mobile, tidy
from petition.numbering import parse_case_no
from petition.people import Person

REMEMBERED = 12  # answers kept for retries: the platform asks again within 15 seconds
QUIET = timedelta(hours=12)  # afterwards a walk is over; its case stays
AFTERTHOUGHT = timedelta(minutes=30)  # after 提交, what still comes belongs to the same matter


class Entering(StrEnum):
    """How a message gets into the ledger."""

    COUNT = "count"  # a command: counted with its reason
    OPEN = "open"  # the first of a case
    JOIN = "join"  # a further part of a case
    END = "end"  # a further part, and the sender has finished
    CALL = "call"  # a case that asks for a call


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """The state, plain JSON values. case: the one being told or told last; back: the step to go on with after a
    question in between; opener: the message that opens the case, claimed at `since` (seconds since 1970); told: parts
    so far; submitted: when (seconds); origin: the place whose code was scanned; owed: an answer that came too late;
    answers: (raw id, how it was entered, what was said), newest last.
    """

    step: str = ""
    back: str = ""
    case: str = ""
    opener: str = ""
    since: float = 0.0
    told: int = 0
    where: str = ""
    name: str = ""
    mobile: str = ""
    anonymous: bool = False
    submitted: float = 0.0
    origin: str = ""
    owed: str = ""
    answers: tuple[tuple[str, str, str], ...] = ()

    @classmethod
    def of(cls, content: Mapping[str, Any], quiet: bool) -> Talk:
        """The state on a page. quiet: nobody wrote for long: only what is owed and what was answered still counts."""
        known = {name: content[name] for name in _FIELDS if name in content}
        known["answers"] = tuple(tuple(one) for one in known.get("answers", ()))
        if quiet:
            known = {name: known[name] for name in ("owed", "answers", "origin") if name in known}
        return cls(**known)

    def page(self) -> dict[str, Any]:
        """What is written down."""
        return asdict(self)

    def answered(self, raw_id: str) -> tuple[str, str] | None:
        """(how it was entered, what was said) if this message came before."""
        return next(((how, said) for known, how, said in self.answers if known == raw_id), None)

    def answer(self, raw_id: str, how: str, said: str) -> Talk:
        """The state with one more answer."""
        return replace(self, answers=(*self.answers, (raw_id, how, said))[-REMEMBERED:])


_BRACES = str.maketrans("{}", "｛｝")
_FIELDS = tuple(Talk.__dataclass_fields__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What follows from a message. reason: of a command, stable; say: with {case_no} and {code} still to be filled in

    where the message is entered; order: a query to be asked.
    """

    talk: Talk
    how: Entering
    say: str
    reason: str = ""
    statement: Statement = field(default_factory=Statement)
    order: Order | None = None


def turn(talk: Talk, message: Message, now: datetime, office: str, url: str) -> Turn:
    """The next turn. office: its name; url: of our pages."""
    if message.event:
        return _event(talk, message, office, url)
    if not tidy(message.words):
        return _count(talk, words.EMPTY, "empty")
    if message.kind == "text" and (word := _word(talk, message.text)) is not None:
        return _command(talk, word, office, url)
    if (order := _order(talk, message.text)) is None:
        return _told(talk, message, now)
    if not order.number and talk.step != "query":
        return _command(talk, Word.QUERY, office, url)
    # Whoever mistyped may simply send both again.
    stays = talk.step == "query" and not talk.back
    return Turn(talk=talk if stays else _out(talk), how=Entering.COUNT, say="", reason=order.word, order=order)


def _order(talk: Talk, text: str) -> Order | None:
    """The query a text is: with CX before it, at the query step, or number and code alone as they were told."""
    order = order_of(text)
    if order is None:
        order = order_of(f"CX {text}")
        if order is not None and talk.step != "query" and not is_case_no(order.number):
            return None
    return order if order is not None and order.word is SmsWord.QUERY else None


def _word(talk: Talk, text: str) -> Word | None:
    if talk.step == "story" and not talk.told:  # nothing is being told yet, so the menu is still open
        return word_of(text, "story") or word_of(text, "")
    return word_of(text, talk.step)


def is_case_no(text: str) -> bool:
    """Whether a text is a case number, check character and all."""
    try:
        parse_case_no(text)
    except Invalid:
        return False
    return True


def _aside(talk: Talk, step: str) -> Talk:
    """A question in between."""
    return replace(talk, step=step, back=talk.back if talk.step in _ASIDES else talk.step)


def _out(talk: Talk) -> Talk:
    """Back to what was going on before the question in between."""
    return replace(talk, step=talk.back, back="") if talk.step in _ASIDES else talk


_ASIDES = ("query", "person")


def _event(talk: Talk, message: Message, office: str, url: str) -> Turn:
    talk = replace(talk, origin=message.origin or talk.origin)
    if message.event in ("subscribe", "scan"):
        return _count(talk, words.MENU.format(office=office), f"event_{message.event}")
    if message.event == "click" and message.text:
        word = word_of(message.text, "")
        if word is not None:
            return replace(_command(talk, word, office, url), reason=f"click_{word}")
    return _count(talk, "", f"event_{message.event}")


def _count(talk: Talk, say: str, reason: str) -> Turn:
    return Turn(talk=talk, how=Entering.COUNT, say=say, reason=reason)


def _command(talk: Talk, word: Word, office: str, url: str) -> Turn:
    step = talk.step
    match word:
        case Word.MENU:
            talk = _out(talk)
            going = bool(talk.step and talk.case)
            say = words.GOING.format(case_no=talk.case) if going else words.MENU.format(office=office)
            return _count(talk, say, word)
        case Word.THANKS:
            again = {"where": words.WHERE, "who": words.WHO, "story": words.GO_ON}
            return _count(talk, _check(talk) if step == "check" else again.get(step, words.WELCOME), word)
        case Word.WEB:
            return _count(talk, words.WEB.format(url=url), word)
        case Word.QUERY:
            return _count(_aside(talk, "query"), words.QUERY, word)
        case Word.PERSON:
            return _count(_aside(talk, "person"), words.PERSON, word)
        case Word.FILE:
            return _count(_afresh(talk, step="story"), words.STORY, word)
        case Word.DONE | Word.CANCEL | Word.BACK if not talk.told:
            stays = word == Word.DONE
            say = words.NOTHING_YET if stays else words.MENU.format(office=office)
            return _count(talk if stays else _afresh(talk, step=""), say, word)
        case Word.DONE:
            return _count(replace(talk, step="where"), words.WHERE, word)
        case Word.SKIP if step == "where":
            return _count(replace(talk, step="who"), words.WHO, word)
        case Word.SKIP:
            return _checked(replace(talk, step="check"), word)
        case Word.ANONYMOUS:
            return _checked(replace(talk, step="check", anonymous=not (talk.name or talk.mobile)), word)
        case Word.BACK:
            before = {"story": "story", "where": "story", "who": "where", "check": "who"}[step]
            say = {"story": words.STORY, "where": words.WHERE, "who": words.WHO}[before]
            return _count(replace(talk, step=before), say, word)
        case Word.CANCEL:
            done = replace(talk, step="", submitted=0.0, case="", told=0)
            said = Statement(content=words.WITHDRAWN)
            return Turn(talk=done, how=Entering.END, say=words.CANCELLED, reason=word, statement=said)
        case Word.SUBMIT:
            said = Statement(is_anonymous=talk.anonymous)
            return Turn(talk=talk, how=Entering.END, say=words.SUBMITTED, reason=word, statement=said)


def _afresh(talk: Talk, step: str) -> Talk:
    return Talk(step=step, origin=talk.origin, owed=talk.owed, answers=talk.answers)


def _checked(talk: Talk, reason: str) -> Turn:
    return _count(talk, _check(talk), reason)


def _check(talk: Talk) -> str:
    who = "，".join(part for part in (mask_name(talk.name), mask_phone(talk.mobile)) if part)
    where = talk.where.translate(_BRACES)  # what is filled in later must not be found in what the person wrote
    return words.CHECK.format(case_no=talk.case, count=talk.told, where=where or "没有写", who=who or "匿名")


def _told(talk: Talk, message: Message, now: datetime) -> Turn:
    """Something is said: by the step it is the story, a place, a person - and never nothing."""
    if talk.step == "person":
        mobile = normal_mobile(words.contact_of(message.text)[1])
        if mobile:
            name = words.contact_of(message.text)[0]
            said = Statement(petitioners=(Person(name=name, mobile=mobile),), content=words.WISH)
            return Turn(talk=_out(talk), how=Entering.CALL, say=words.CALL_BACK, statement=said)
        if len(message.text) < 20 and message.kind == "text":
            return _count(talk, words.PERSON_AGAIN, "no_mobile")
    if talk.step == "where" and talk.case:
        return _place(talk, message)
    if talk.step == "who" and talk.case and message.kind == "text":
        name, number = words.contact_of(message.text)
        mobile = normal_mobile(number)
        if name or mobile:
            return _person(talk, name, mobile)
    return _story(talk, message, now)


def _story(talk: Talk, message: Message, now: datetime) -> Turn:
    said = Statement(content=message.words)
    after = bool(talk.submitted) and now.timestamp() - talk.submitted < AFTERTHOUGHT.total_seconds()
    if not talk.step and talk.case and after:
        return Turn(talk=talk, how=Entering.JOIN, say=words.ADDED, statement=said)
    talk = _out(talk)
    if not talk.step or not talk.case:
        fresh = replace(_afresh(talk, step="story"), told=1)
        if message.kind == "location":
            fresh = replace(fresh, where=message.place)
            said = replace(said, occur_place=message.place)
        return Turn(talk=fresh, how=Entering.OPEN, say=words.OPENED, statement=said)
    more = replace(talk, told=talk.told + 1)
    if message.kind == "location" and not talk.where:
        more, said = replace(more, where=message.place), replace(said, occur_place=message.place)
    say = {"who": words.WHO_AGAIN, "check": words.CHECK_MORE}.get(talk.step, words.MORE.format(count=more.told))
    return Turn(talk=more, how=Entering.JOIN, say=say, statement=said)


def _place(talk: Talk, message: Message) -> Turn:
    """An answer to 在什么地方; a picture or a voice is kept, and the question stays open unless a voice was heard."""
    if message.kind in MEDIA:
        more = replace(talk, told=talk.told + 1)
        say = f"{words.MORE.format(count=more.told)}\n\n{words.WHERE}"
        return Turn(talk=more, how=Entering.JOIN, say=say, statement=Statement(content=message.words))
    place = message.place or message.words
    said = Statement(content=f"地点：{place}", occur_place="" if talk.where else place[:200])
    where = talk.where or place[:60]
    return Turn(talk=replace(talk, step="who", where=where), how=Entering.JOIN, say=words.WHO, statement=said)


def _person(talk: Talk, name: str, mobile: str) -> Turn:
    person = Person(name=name, mobile=mobile)
    known = replace(talk, name=name or talk.name, mobile=mobile or talk.mobile, anonymous=False)
    said = Statement(petitioners=(person,))
    if known.name and known.mobile:
        known = replace(known, step="check")
        return Turn(talk=known, how=Entering.JOIN, say=_check(known), statement=said)
    say = words.WHO_MOBILE if known.name else words.WHO_NAME
    return Turn(talk=known, how=Entering.JOIN, say=say, statement=said)


def entered(turn: Turn, case_no: str, code: str, now: datetime) -> tuple[Talk, str]:
    """(the state, what is said) once a turn's message is in the ledger."""
    talk = turn.talk
    if turn.how is Entering.OPEN:
        talk = replace(talk, case=case_no, opener="", since=0.0)
    elif turn.reason == Word.SUBMIT:
        talk = replace(talk, step="", submitted=now.timestamp())
    # Not `format`: what the person wrote may stand in it, braces and all.
    return talk, turn.say.replace("{case_no}", case_no).replace("{code}", code)

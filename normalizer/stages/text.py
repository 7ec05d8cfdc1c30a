"""Text (文本): cleans what was written, makes title and abstract, splits requests, finds amounts and dates."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import date
from itertools import pairwise
from typing import Any, TypeVar

from config.words import Words
from normalizer.draft import Draft, Passage, Signal
from normalizer.lexicon import Lexicon
from normalizer.quantities import amounts, periods
from petition.people import Accused, Person

NAME = "text"
_MARKS_IN_A_ROW = 30  # the stream-safe limit of UAX 15; longer runs make normalisation quadratic
_LONGEST_WORK = 50  # amounts and dates kept; a table pasted into the text is no list of facts

_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_INVISIBLE = re.compile("[\u200b\u2060-\u2064\ufeff\ufff9-\ufffb]")
_FULL_WIDTH = re.compile("[０-９Ａ-Ｚａ-ｚ．％＋－]")
_FOLD = {code: code - 0xFEE0 for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))} | {
    ord("．"): ord("."),
    ord("％"): ord("%"),
    ord("＋"): ord("+"),
    ord("－"): ord("-"),
}
_SENTENCE = re.compile(r"[^。！？!?；;\n]{1,400}[。！？!?；;]?")
_GREETING = re.compile(
    r"^(?:尊敬的[^,，。：:\n]{0,24}|各位领导|领导|您?们?好|你好|你们好|敬爱的[^,，。：:\n]{0,20}|[^,，。：:\n]{0,16}(?:信访局|政府)(?:领导)?)[,，:：。！!\s]*$"
)
_GREETING_HEAD = re.compile(r"^(?:尊敬的[^,，。：:!！\n]{0,24}[,，:：!！]|(?:领导)?(?:您|你)们?好[,，。:：!！])+\s*")
_ASKS = re.compile(
    r"诉求|请求事项|要求|请求|恳请|希望|(?<![申邀聘])请(?=上级|领导|政府|贵|相关|有关|尽快|帮|你们|您|给)"
)
_ASK_HEAD = re.compile(r"(?:我的|我们的|主要|具体|本人)?(?:诉求|请求事项|请求|要求)(?:如下|是|为)?[:：]\s*")
_ITEM = re.compile(
    r"(?:(?:^|(?<=[\s;；。,，:：]))(?:\d{1,2}|[一二三四五六七八九十]{1,3})[)\u3001.．)]"
    r"|[①-⑳]|[（(](?:\d{1,2}|[一二三四五六七八九十]{1,3})[)）])(?!\d)\s*"
)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A text as the record keeps it, and which kinds of marks were taken out (control, direction, invisible, runs)."""

    text: str
    removed: tuple[str, ...] = ()


def clean(text: str) -> Cleaned:
    """NFC (never NFKC: the citizen's own signs stay), one kind of line end, no control or direction marks."""
    removed: list[str] = []
    text = _LINE_ENDS.sub("\n", text)
    for kind, pattern in (("control", _CONTROL), ("direction", _DIRECTION), ("invisible", _INVISIBLE)):
        text, count = pattern.subn("", text)
        if count:
            removed.append(kind)
    marks = "" if text.isascii() else "".join(sign for sign in set(text) if unicodedata.combining(sign))
    if marks and re.search(f"[{re.escape(marks)}]{{{_MARKS_IN_A_ROW + 1}}}", text):
        removed.append("runs")
    else:
        text = unicodedata.normalize("NFC", text)
    return Cleaned(text.strip(), tuple(removed))


def foldable(text: str) -> str:
    """The text with full-width digits and letters made half-width, one for one, so that spans keep their places."""
    return text.translate(_FOLD) if _FULL_WIDTH.search(text) else text


def sentences(text: str) -> list[str]:
    """The sentences, greetings left out."""
    found = []
    for match in _SENTENCE.finditer(text):
        sentence = _GREETING_HEAD.sub("", match[0].strip())
        if len(sentence) > 1 and not _GREETING.match(sentence):
            found.append(sentence)
    return found


def split_requests(text: str) -> tuple[str, ...]:
    """1. …2. … or lines or semicolons apart; one request stays one."""
    text = _ASK_HEAD.sub("", text.strip(), count=1)
    starts = [match.start() for match in _ITEM.finditer(text)]
    if len(starts) >= 2:
        pieces = [text[: starts[0]], *(text[a:b] for a, b in pairwise([*starts, len(text)]))]
        pieces = [_ITEM.sub("", piece, count=1) for piece in pieces]
    else:
        pieces = re.split(r"[\n;；]", text)
    return tuple(kept for piece in pieces if (kept := piece.strip(" \t\u3000。;；,，")))


class Text:
    """The first stage: everything later reads `draft.passages` and `draft.signals`, which it lays out."""

    name = NAME

    def __init__(self, words: Words) -> None:
        self._limits = words.parameters
        self._lexicon = Lexicon(
            (word, (group, weight))
            for group, table in words.groups.items()
            if not group.startswith(("region.", "likeness."))
            for word, weight in table.items()
        )

    def __call__(self, draft: Draft) -> None:
        """Clean, make title, summary and requests, find amounts and dates."""
        self._clean(draft)
        self._title(draft)
        self._requests(draft)
        self._summary(draft)
        self._lay_out(draft)
        self._figures(draft)

    def _clean(self, draft: Draft) -> None:
        removed: set[str] = set()

        def cleaned(text: str) -> str:
            result = clean(text)
            removed.update(result.removed)
            return result.text

        for name in ("title", "content", "main_facts", "occur_place", "occur_time"):
            setattr(draft, name, cleaned(getattr(draft, name)))
        draft.requests = tuple(filter(None, (cleaned(request) for request in draft.requests)))
        draft.petitioners = tuple(_clean_record(person, cleaned) for person in draft.petitioners)
        draft.accused = tuple(_clean_record(accused, cleaned) for accused in draft.accused)
        if removed - {"runs"}:
            kinds = "、".join(_KINDS[kind] for kind in _KINDS if kind in removed)
            draft.note(NAME, "TEXT_CLEANED", f"原文中的{kinds}没有写入记录,原件未动。")
        if "runs" in removed:
            draft.note(NAME, "TEXT_MARKS", "原文有异常的连续附加符号,按原样保留,请人工核对。")

    def _title(self, draft: Draft) -> None:
        limit = self._limits.title_length
        title = re.sub(r"\s+", " ", draft.title)
        if len(title) > limit:
            # Nothing typed is lost: the long title opens the text and the record shows its beginning.
            if not draft.content.startswith(title):
                draft.content = f"{title}\n{draft.content}".strip()
            title = title[: limit - 1] + "…"
            draft.note(NAME, "TITLE_SHORTENED", f"标题超过{limit}字,全文已放在正文开头。", "title")
        draft.title = title
        if not title:
            made = self._make_title(draft)
            if made:
                draft.found("title", made, stage=NAME, source="content", confidence=0.5)
                draft.note(NAME, "TITLE_MADE", "来件没有标题,由正文拟出,请核对。", "title")

    def _make_title(self, draft: Draft) -> str:
        limit = self._limits.title_length
        for text in (draft.content, draft.main_facts, *draft.requests):
            for sentence in sentences(text[:2000]):
                title = re.sub(r"\s+", " ", sentence).strip("。；;,， ")
                if len(title) > limit:
                    cut = max(title.rfind(stop, 8, limit) for stop in ",，、 ")
                    title = title[:cut] if cut >= 8 else title[: limit - 1] + "…"
                return title
        return ""

    def _requests(self, draft: Draft) -> None:
        if draft.requests:
            draft.requests = tuple(part for request in draft.requests for part in split_requests(request))
            return
        text = draft.content[: self._limits.read_characters]
        headed = _ASK_HEAD.search(text)
        if headed:
            found = split_requests(text[headed.end() : headed.end() + 1000])[:10]
            if found:
                span = (headed.end(), min(headed.end() + 1000, len(text)))
                draft.found("requests", found, stage=NAME, source="content", confidence=0.7, span=span)
                return
        for match in reversed(list(_SENTENCE.finditer(text))):
            asked = _ASKS.search(match[0])
            if asked:
                start = match.start() + asked.start()
                request = text[start : match.end()].strip("。；;!！ \n")
                found = (request[:300],)
                draft.found("requests", found, stage=NAME, source="content", confidence=0.5, span=(start, match.end()))
                return

    def _summary(self, draft: Draft) -> None:
        limit = self._limits.summary_length
        text = draft.main_facts or draft.content
        summary = ""
        for sentence in sentences(text[:4000]):
            if summary and len(summary) + len(sentence) > limit:
                break
            summary += re.sub(r"\s+", " ", sentence)
        summary = summary if len(summary) <= limit else summary[: limit - 1] + "…"
        asked = ";".join(draft.requests)
        if summary and asked and asked not in summary and len(asked) < limit:
            summary = f"{summary.rstrip('。')}。诉求:{asked}"
        if summary:
            source = "main_facts" if draft.main_facts else "content"
            draft.found("summary", summary, stage=NAME, source=source, confidence=0.5)

    def _lay_out(self, draft: Draft) -> None:
        left = self._limits.read_characters
        passages: list[Passage] = []
        title = draft.title if draft.stated("title") else ""
        facts = draft.main_facts if draft.main_facts not in draft.content else ""
        asked = draft.requests if draft.stated("requests") else ()
        sources = [("title", title), ("content", draft.content), ("main_facts", facts)]
        sources += [(f"requests.{place}", request) for place, request in enumerate(asked)]
        cut = False
        for source, text in sources:
            cut = cut or len(text) > left
            text = text[:left]
            left -= len(text)
            if text:
                passages.append(Passage(source, foldable(text)))
        if cut:
            words = f"来件很长,只自动阅读了前{self._limits.read_characters}字,记录中保留全文,其余请人工阅读。"
            draft.note(NAME, "TEXT_LONG", words, "content")
        draft.passages = tuple(passages)
        signals: dict[str, list[Signal]] = {}
        for source, text in passages:
            for start, end, marks in self._lexicon.scan(text, overlap=True):
                for group, weight in marks:
                    signals.setdefault(group, []).append(Signal(text[start:end], weight, source, start, end))
        draft.signals = signals

    def _figures(self, draft: Draft) -> None:
        sums: dict[float, None] = {}
        days: dict[date, None] = {}
        for source, text in draft.passages:
            for amount in amounts(text):
                span = (amount.start, amount.end)
                draft.found("amounts", (amount.yuan,), stage=NAME, source=source, confidence=0.9, span=span)
                sums[amount.yuan] = None
            for period in periods(text, draft.petition_date):
                span, sure = (period.start, period.end), 0.9 if period.sure else 0.6
                draft.found("dates", (period.first,), stage=NAME, source=source, confidence=sure, span=span)
                if period.sure and period.first <= draft.petition_date:
                    said = text[period.start : period.end]
                    draft.found("occur_time", said, stage=NAME, source=source, confidence=0.5, span=span)
                days[period.first] = None
                if 31 <= (period.last - period.first).days < 360:  # a range of months has an end worth keeping
                    days[period.last] = None
        draft.amounts, draft.dates = tuple(sums)[:_LONGEST_WORK], tuple(days)[:_LONGEST_WORK]


_KINDS = {"control": "控制字符", "direction": "文字方向控制符", "invisible": "不可见字符"}

_Record = TypeVar("_Record", Person, Accused)


def _clean_record(record: _Record, cleaned: Callable[[str], str]) -> _Record:
    changes: dict[str, Any] = {}
    for own in fields(record):
        old = getattr(record, own.name)
        if type(old) is str and old and (new := cleaned(old)) != old:  # not the enumerations
            changes[own.name] = new
    return replace(record, **changes) if changes else record

"""Numbers (编号): the case number with its check character, and the query code told once to the sender."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from petition.errors import Invalid, Problem
from petition.identity import CODE_31, tidy
from petition.petition import Form

# One letter a form, each in the 31-character alphabet; J is 接访, D is 短信, B the leader's box, T the television room.
FORM_LETTERS: Mapping[Form, str] = MappingProxyType(
    {
        Form.WEB: "W",
        Form.APP: "A",
        Form.WECHAT: "X",
        Form.KIOSK: "K",
        Form.EMAIL: "E",
        Form.SMS: "D",
        Form.PHONE: "P",
        Form.HOTLINE: "H",
        Form.LETTER: "L",
        Form.FAX: "F",
        Form.VISIT: "J",
        Form.VIDEO: "T",
        Form.LEADER_BOX: "B",
        Form.GRID: "G",
    }
)

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# How a clerk reads a character aloud on the phone; every reading differs from every other.
_READINGS = (
    *("零", "一", "二", "三", "四", "五", "六", "七", "八", "九"),
    *("诶", "比", "西", "迪", "衣", "艾弗", "吉", "艾尺", "杰", "开", "艾姆"),
    *("恩", "皮", "丘", "阿儿", "艾丝", "提", "维", "达不溜", "艾克斯", "歪", "贼"),
)

_NUMBER = re.compile(rf"([0-9]{{6}})([A-Z])([0-9]{{8}})([0-9]{{5}}|[1-9][0-9]{{5,11}})([{CODE_31}])")
_FILLERS = re.compile(r"[\s\-‐-―−_./·]+")
_SERIAL_WIDTH = 5
_QUERY_LENGTH = 12
_VALUES: Mapping[str, int] = MappingProxyType({character: value for value, character in enumerate(CODE_31)})
_PLAIN_CODE = re.compile(rf"[{CROCKFORD}]{{{_QUERY_LENGTH}}}")
_SHIFTS = tuple(5 * place for place in reversed(range(_QUERY_LENGTH)))


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseNo:
    """A case number taken apart; `str()` gives the stored form, `shown` the one for people."""

    region: str
    form: Form
    day: date
    serial: int
    check: str

    def __str__(self) -> str:
        return "".join(self._parts)

    @property
    def shown(self) -> str:
        """620000-W-20261122-00001-X, easier on the eye; `parse_case_no` takes it back."""
        return "-".join(self._parts)

    @property
    def _parts(self) -> tuple[str, ...]:
        serial = f"{self.serial:0{_SERIAL_WIDTH}d}"
        return (self.region, FORM_LETTERS[self.form], self.day.strftime("%Y%m%d"), serial, self.check)


def check_character(body: str) -> str:
    """The check character of a body over the alphabet of 31 (ValueError for any other character).

    ISO 7064's pure system with modulus 31 and radix 3 over the alphabet of GB 32100: 31 is prime and 3 its primitive
    root, so every wrong character and every exchange of two characters less than 30 places apart is found.
    """
    return CODE_31[-_weigh(body) % 31]


def _weigh(body: str, total: int = 0) -> int:
    """The sum of ISO 7064 over a body that may be continued: _weigh(b, _weigh(a)) is _weigh(a + b)."""
    for character in body:
        if character not in _VALUES:
            raise ValueError("a character outside the alphabet of 31")
        total = (total + _VALUES[character]) * 3 % 31
    return total


class Series:
    """The case numbers of one office, form and day: what they share is worked out once.

    ValueError for a region that is not six digits.
    """

    def __init__(self, region6: str, form: Form, day: date) -> None:
        if not re.fullmatch(r"[0-9]{6}", region6):
            raise ValueError("a case number needs a region of six digits")
        self._head = f"{region6}{FORM_LETTERS[form]}{day:%Y%m%d}"
        self._weight = _weigh(self._head)

    def number(self, serial: int) -> str:
        """The number with this serial; ValueError if it is not in 1..10^12-1."""
        if not 1 <= serial < 10**12:
            raise ValueError("the serial of a case number must be from 1 to 10^12 - 1")
        tail = f"{serial:0{_SERIAL_WIDTH}d}"
        return f"{self._head}{tail}{CODE_31[-_weigh(tail, self._weight) % 31]}"


def case_no(region6: str, form: Form, day: date, serial: int) -> str:
    """信访编号: region (6 digits) + form letter + yyyymmdd + serial (at least 5 digits, grows) + check character.

    serial starts at 1; ValueError for a region that is not six digits or a serial out of 1..10^12-1.
    """
    return Series(region6, form, day).number(serial)


def parse_case_no(text: str) -> CaseNo:
    """Read a case number as people type it: blanks, hyphens, full-width, lower case, O for 0 and I for 1.

    Raises Invalid with one problem at `case_no` (codes case_no_empty, case_no_shape, case_no_check).
    """
    normal = _FILLERS.sub("", tidy(text[:200])).upper().replace("O", "0").replace("I", "1")
    if not normal:
        raise _invalid("case_no_empty", "请填写信访编号。")
    found = _NUMBER.fullmatch(normal)
    forms = {letter: form for form, letter in FORM_LETTERS.items()}
    if not found or found[2] not in forms:
        raise _invalid("case_no_shape", "信访编号的写法不对，请照回执上的编号填写。")
    region, letter, day, serial, check = found.groups()
    if check != check_character(normal[:-1]):
        raise _invalid("case_no_check", "信访编号的校验位不对，可能写错了某一位，请照回执核对。")
    try:
        moment = date(int(day[:4]), int(day[4:6]), int(day[6:]))
    except ValueError:
        raise _invalid("case_no_shape", "信访编号里的日期不存在，请照回执核对。") from None
    if int(serial) == 0:
        raise _invalid("case_no_shape", "信访编号的序号不存在，请照回执核对。")
    return CaseNo(region=region, form=forms[letter], day=moment, serial=int(serial), check=check)


def _invalid(code: str, words: str) -> Invalid:
    return Invalid((Problem("case_no", code, words),), words)


def query_code_from(digest: bytes) -> str:
    """查询码 from the first 60 bits of a secret digest (8 bytes or more): three fours of Crockford base 32."""
    if len(digest) < 8:
        raise ValueError("a query code needs at least 8 bytes")
    number = int.from_bytes(digest[:8], "big") >> 4
    signs = "".join([CROCKFORD[number >> shift & 31] for shift in _SHIFTS])
    return f"{signs[:4]}-{signs[4:8]}-{signs[8:]}"


def normal_query_code(text: str) -> str:
    """The form that is hashed: 12 upper-case characters without hyphens, O read as 0, I and L as 1.

    Never raises: what is no query code comes back tidied (at most 64 characters) and simply matches nothing.
    """
    plain = text.replace("-", "")
    if _PLAIN_CODE.fullmatch(plain):
        return plain
    return _FILLERS.sub("", tidy(text[:64])).upper().replace("O", "0").replace("I", "1").replace("L", "1")[:64]


def is_query_code(text: str) -> bool:
    """Whether the text can be a query code at all: twelve characters of Crockford's alphabet."""
    normal = normal_query_code(text)
    return len(normal) == _QUERY_LENGTH and all(character in CROCKFORD for character in normal)


def shown_query_code(text: str) -> str:
    """The form for the eye: fours joined by hyphens."""
    normal = normal_query_code(text)
    return "-".join(normal[start : start + 4] for start in range(0, len(normal), 4))


def spoken_query_code(text: str) -> str:
    """The form for the ear: every character with its Chinese reading, a comma between fours (A诶 7七 ...,...)."""
    fours = shown_query_code(text).split("-")
    readings = dict(zip(CROCKFORD, _READINGS, strict=True))
    return ",".join(" ".join(f"{character}{readings.get(character, '')}" for character in four) for four in fours)

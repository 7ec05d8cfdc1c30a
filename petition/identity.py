"""Identity (身份信息): checks, normal forms and masks of ID numbers, phones, names and e-mail addresses."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from petition import clock
from petition.people import Gender

# GB 32100 alphabet: 31 characters, a prime, without I O Z S V which the eye takes for 1 0 2 5 U.
CODE_31 = "0123456789ABCDEFGHJKLMNPQRTUWXY"

_RIC_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_RIC_CHECKS = "10X98765432"
_USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
# First two digits of GB/T 2260; 81-83 Hong Kong, Macao, Taiwan residence permits; 9x permanent residence of foreigners.
_PROVINCE = re.compile("1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|9[0-9]")
_EARLIEST_BIRTH = date(1850, 1, 1)
_NAME_LENGTH = (2, 20)

_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_SPACES = re.compile(r"\s+")
_SEPARATORS = re.compile(r"[\s\-‐-―−_.,/()]+")
_LOOKS_LIKE_X = re.compile("[×✕ⅩХхΧχ]")
_MIDDLE_DOTS = re.compile("[·•‧∙⋅・●᛫・]")
_HAN = "\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_SPACE_AT_HAN = re.compile(rf"(?<=[{_HAN}·]) | (?=[{_HAN}·])")
_DOT_AT_HAN = re.compile(rf"(?<=[{_HAN}])\.(?=[{_HAN}])")
_PLAIN_NAME = re.compile("[\u4e00-\u9fff]{2,20}")  # most names: nothing to bring into one spelling
_MOBILE = re.compile(r"(?:\+?86|0086)?0?(1[3-9][0-9]{9})")
_LANDLINE = re.compile(
    r"(?:(?:\+86|0086|86)[ -]*\(?0?|\(?0)(10|2[0-9]|[3-9][0-9]{2})\)?[ -]*([2-9][0-9]{2,3})[ -]?([0-9]{4})"
    r"(?: *(?:转|分机|ext\.?|x|#|\*|-|,) *([0-9]{1,6}))?",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"[^\s@<>()\[\],;:\"\\]{1,64}@(?:[\w-]{1,63}\.){1,10}[\w-]{2,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class IdCheck:
    """What a check found. `ok` with a `code` is a warning (take it, show the words); not `ok` must be mended.

    normal: the normal form, "" when not ok; code: stable, "" when nothing is wrong; words: plain Chinese without
    identity data; birth, gender, area (6 digits): only where the number tells them.
    """

    ok: bool
    normal: str = ""
    code: str = ""
    words: str = ""
    birth: date | None = None
    gender: Gender | None = None
    area: str = ""


def tidy(text: str) -> str:
    """Half-width (NFKC), without control, direction, zero-width and surrogate code points, ends stripped."""
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).strip()


def resident_check_character(body17: str) -> str:
    """The check character of GB 11643 for 17 ASCII digits."""
    return _RIC_CHECKS[sum(int(digit) * weight for digit, weight in zip(body17, _RIC_WEIGHTS, strict=True)) % 11]


def check_resident_id(
    text: str, *, today: date | None = None, known_area: Callable[[str], bool] | None = None
) -> IdCheck:
    """Check a resident ID number 公民身份号码 (GB 11643), 18 characters or the old 15 digits.

    The normal form has always 18 characters, so that the old and the new number of one person meet. today: in
    Asia/Shanghai, the clock's when None. known_area tells whether six digits are in GB/T 2260; an unknown area is only
    a warning (counties are abolished), without it only the province is looked at.
    """
    normal = _LOOKS_LIKE_X.sub("X", _SEPARATORS.sub("", tidy(text)[:80]).upper())
    if not normal:
        return IdCheck(ok=False, code="id_empty", words="请填写身份证号码。")
    if len(normal) not in (15, 18):
        return IdCheck(ok=False, code="id_length", words=f"身份证号码应为18位，现在是{len(normal)}位，请核对。")
    if not re.fullmatch(r"[0-9]{17}[0-9X]|[0-9]{15}", normal):
        return IdCheck(ok=False, code="id_characters", words="身份证号码只能是数字，最后一位可以是字母X。")
    old = len(normal) == 15
    if old:
        # The 15-digit form kept the sequence numbers 996-999 for people born in the century before.
        century = "18" if normal[12:] >= "996" else "19"
        body = normal[:6] + century + normal[6:]
        normal = body + resident_check_character(body)
    try:
        birth = date(int(normal[6:10]), int(normal[10:12]), int(normal[12:14]))
    except ValueError:
        return IdCheck(ok=False, code="id_birth", words="身份证号码里的出生日期不存在，请核对。")
    if birth < _EARLIEST_BIRTH or birth > (today or clock.today()):
        return IdCheck(ok=False, code="id_birth", words="身份证号码里的出生日期不可能，请核对。")
    if normal[17] != resident_check_character(normal[:17]):
        return IdCheck(ok=False, code="id_check", words="身份证号码的校验位不对，可能写错了某一位，请核对。")
    area = normal[:6]
    known = known_area(area) if known_area else _PROVINCE.match(area) is not None
    code, words = "", ""
    if not known:
        code, words = "id_area_unknown", "身份证号码前六位的地区不在现行区划表中，请再看一眼；如无误可继续。"
    elif old:
        code, words = "id_old_form", "这是15位的旧号码，已换算为18位，请核对。"
    gender = Gender.MALE if int(normal[16]) % 2 else Gender.FEMALE
    return IdCheck(ok=True, normal=normal, code=code, words=words, birth=birth, gender=gender, area=area)


def check_uscc(text: str) -> IdCheck:
    """Check a unified social credit code 统一社会信用代码 (GB 32100): 18 characters without I O Z S V."""
    normal = _SEPARATORS.sub("", tidy(text)[:80]).upper()
    if not normal:
        return IdCheck(ok=False, code="uscc_empty", words="请填写统一社会信用代码。")
    if len(normal) != 18:
        return IdCheck(ok=False, code="uscc_length", words=f"统一社会信用代码应为18位，现在是{len(normal)}位，请核对。")
    if any(character not in CODE_31 for character in normal):
        words = "统一社会信用代码只用数字和大写字母，并且不用字母I、O、Z、S、V，请核对。"
        return IdCheck(ok=False, code="uscc_characters", words=words)
    if not re.fullmatch(r"[0-9]{6}", normal[2:8]):
        return IdCheck(ok=False, code="uscc_area", words="统一社会信用代码的第3至8位应是数字，请核对。")
    total = sum(CODE_31.index(character) * weight for character, weight in zip(normal[:17], _USCC_WEIGHTS, strict=True))
    if normal[17] != CODE_31[-total % 31]:
        return IdCheck(ok=False, code="uscc_check", words="统一社会信用代码的校验位不对，可能写错了某一位，请核对。")
    return IdCheck(ok=True, normal=normal, area=normal[2:8])


def normal_mobile(text: str) -> str:
    """The mobile number as E.164 (+86...), or "" if it is none; takes +86, 0086, spaces, hyphens, full-width digits."""
    found = _MOBILE.fullmatch(text) or _MOBILE.fullmatch(_SEPARATORS.sub("", tidy(text)[:60]))
    return f"+86{found[1]}" if found else ""


def normal_landline(text: str) -> str:
    """The landline as 0931-8123456 or 0931-8123456-801, or "" if it is none; the area code is needed."""
    found = _LANDLINE.fullmatch(re.sub("[‐-―−]", "-", _SPACES.sub(" ", tidy(text)[:60])))
    if not found:
        return ""
    area, head, tail, extension = found.groups()
    return f"0{area}-{head}{tail}" + (f"-{extension}" if extension else "")


def normal_name(text: str) -> str:
    """A name 姓名 in one spelling: · for every middle dot, no blanks beside Han, one blank between words; never cut."""
    if _PLAIN_NAME.fullmatch(text):
        return text
    name = _SPACES.sub(" ", _MIDDLE_DOTS.sub("·", tidy(text)))
    return _DOT_AT_HAN.sub("·", _SPACE_AT_HAN.sub("", name))


def normal_email(text: str) -> str:
    """The address with a lower-case domain, or "" if it is none (RFC 5321 lengths: 64 before the @, 254 in all)."""
    address = tidy(text)
    if len(address) > 254 or not _EMAIL.fullmatch(address):
        return ""
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.lower()}"


def check_mobile(text: str) -> IdCheck:
    """`normal_mobile` with words; new number ranges open all the time, so no range is refused."""
    if normal := normal_mobile(text):
        return IdCheck(ok=True, normal=normal)
    if not tidy(text):
        return IdCheck(ok=False, code="mobile_empty", words="请填写手机号码。")
    return IdCheck(ok=False, code="mobile_invalid", words="手机号码应为11位数字，以13至19开头，请核对。")


def check_landline(text: str) -> IdCheck:
    """`normal_landline` with words."""
    if normal := normal_landline(text):
        return IdCheck(ok=True, normal=normal)
    if not tidy(text):
        return IdCheck(ok=False, code="landline_empty", words="请填写固定电话。")
    return IdCheck(ok=False, code="landline_invalid", words="固定电话应为区号加7或8位号码，例如0931-8000000，请核对。")


def check_email(text: str) -> IdCheck:
    """`normal_email` with words."""
    if normal := normal_email(text):
        return IdCheck(ok=True, normal=normal)
    if not tidy(text):
        return IdCheck(ok=False, code="email_empty", words="请填写电子邮箱。")
    return IdCheck(ok=False, code="email_invalid", words="电子邮箱的写法不对，应像 name@example.com 这样，请核对。")


def check_name(text: str) -> IdCheck:
    """`normal_name` with words. Anything but an empty name is taken: length and signs only warn."""
    normal = normal_name(text)
    if not normal:
        return IdCheck(ok=False, code="name_empty", words="请填写姓名。")
    code, words = "", ""
    if len(normal) < _NAME_LENGTH[0]:
        code, words = "name_short", "姓名只有一个字，请核对；如无误可继续。"
    elif len(normal) > _NAME_LENGTH[1]:
        code, words = "name_long", f"姓名超过{_NAME_LENGTH[1]}个字，请核对；如无误可继续。"
    elif any(unicodedata.category(character)[0] in "NS" and character != "〇" for character in normal):
        code, words = "name_signs", "姓名里有数字或符号，请核对；如无误可继续。"
    return IdCheck(ok=True, normal=normal, code=code, words=words)


def mask_id(text: str) -> str:
    """First 6 and last 2 characters: 620199**********12; a short number (passport) shows one at each end."""
    shown = _SEPARATORS.sub("", tidy(text))
    return _starred(shown, 6, 2) if len(shown) >= 15 else _starred(shown, 1, 1)


def mask_phone(text: str) -> str:
    """First 3 and last 4 digits without +86: 154****0001; fewer than 10 digits show the last 2 only."""
    digits = "".join(character for character in tidy(text) if character.isdecimal())
    if re.fullmatch(r"(?:00)?861[0-9]{10}", digits):
        digits = digits[-11:]
    return _starred(digits, 3, 4) if len(digits) >= 10 else _starred(digits, 0, 2)


def mask_name(text: str) -> str:
    """The first character and one star: 张＊. The number of stars does not tell the length."""
    name = normal_name(text)
    return f"{name[0]}＊" if name else ""


def mask_email(text: str) -> str:
    """The first character and the domain: z***@example.com; without an @ everything is starred."""
    local, at, domain = tidy(text).rpartition("@")
    if not at:
        return "***" if domain else ""
    return f"{local[:1]}***@{domain}"


def _starred(text: str, head: int, tail: int) -> str:
    """`text` with stars between its first `head` and last `tail` characters; all stars if little would be left."""
    if len(text) < head + tail + 2:
        return "*" * len(text)
    return text[:head] + "*" * (len(text) - head - tail) + text[-tail:]


_SEP = r"[ \t\u3000\-‐-―－·\u200b-\u200f\u2060\ufeff]{0,2}"
# Kept as they are: case numbers, UUIDs and digests, which logs need and which are long runs of digits by chance.
_RUN = re.compile(
    r"(?P<kept>(?<![0-9])[0-9]{6}[A-Z]20[0-9]{11,15}[0-9A-Z](?![0-9A-Za-z])"
    r"|(?<![0-9A-Za-z])[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?![0-9A-Za-z])"
    r"|(?<![0-9A-Za-z])(?=[0-9]{0,63}[a-f])(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})(?![0-9A-Za-z]))"
    rf"|\+?\d(?:{_SEP}\d){{6,}}(?P<x>{_SEP}[XxＸｘ×Хх])?"
)
# Chinese text has no blank before an address, so the ASCII tail is the address; only without one the letters before it.
_LOCAL_ENDS = (re.compile(r"[A-Za-z0-9_.!#$%&'*+/=?^`{|}~-]{1,64}\Z"), re.compile(r"\w{1,64}\Z"))
_DOMAIN_START = re.compile(r"[\w-]{1,63}(?:[.．][\w-]{1,63}){1,8}")


def scrub(text: str) -> str:
    """Free text for logs: what looks like an ID number, phone number or e-mail address is replaced by its mask.

    Rather too much than too little: every run of 11 digits or more (blanks and hyphens between them allowed) is masked.
    Time grows linearly with the length; the text may be hostile.
    """
    if "@" in text or "＠" in text:
        text = _scrub_emails(text)
    return _RUN.sub(_masked_run, text)


def _masked_run(found: re.Match[str]) -> str:
    whole, tail = found[0], found["x"] or ""
    if found["kept"]:
        return whole
    body = whole.removesuffix(tail)
    digits = "".join(character for character in body if character.isdecimal())
    if tail and len(digits) == 17:
        return mask_id(digits + "X")
    if 15 <= len(digits) <= 18:
        return mask_id(digits) + tail
    if len(digits) >= 11 or (len(digits) == 10 and unicodedata.digit(digits[0]) == 0):
        return mask_phone(digits) + tail
    return whole


def _scrub_emails(text: str) -> str:
    # Cut at every @ and look a bounded way to both sides: a pattern tried at each character would be quadratic.
    pieces = re.split("([@＠])", text)
    for at in range(1, len(pieces), 2):
        before = pieces[at - 1]
        local = next(filter(None, (end.search(before, max(0, len(before) - 64)) for end in _LOCAL_ENDS)), None)
        if local and local[0] != "***" and _DOMAIN_START.match(pieces[at + 1]):
            pieces[at - 1] = before[: local.start()] + local[0][0] + "***"
    return "".join(pieces)

"""The messenger (短信服务商): a provider of text messages described by a file of settings alone, read and checked."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from config.notices import VARIABLES

PLACEHOLDER = re.compile(r"\$\{([a-z0-9_.]+)\}")
# What a field may be filled with. secret: GATEWAY_SMS_SECRET; id: the same for every try of one text message.
MESSAGE = frozenset("to text sign template params time nonce id secret".split())
WHOLE = frozenset({"params_object", "values"})  # stand alone in a field, in JSON only
SIGNED = frozenset("pairs pairs_encoded body body_sha256 method path host".split())

CONTENTS = ("form", "json", "query")
NUMBERS = ("local", "86", "+86")
TIMES = ("unix", "unix_ms", "iso", "compact")
ALGORITHMS = ("md5", "sha1", "sha256", "hmac-md5", "hmac-sha1", "hmac-sha256")
OUTPUTS = ("hex", "HEX", "base64")
CHARSETS = ("utf-8", "gb18030", "gbk")
LONGEST = 10  # seconds for each step: all steps together stay below the lease of an order
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a request is signed. text: what is signed, with ${pairs}: every field as `pair` says, joined by `between`;
    key: of an HMAC; field: the field it goes into, empty when a header carries ${signature}."""

    algorithm: str
    text: str = "${pairs}"
    key: str = "${secret}"
    output: str = "hex"
    field: str = ""
    pair: str = "${name}=${value}"
    between: str = "&"
    sort: bool = True
    encode: bool = False
    skip_empty: bool = True
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How an answer is read. path: of the code in the JSON; pattern: instead of it, for an answer that is plain text,
    with groups `code` and perhaps `id`; again: codes that speak of the moment; opted_out: the person refused there."""

    success: frozenset[str]
    path: str = ""
    pattern: str = ""
    id: str = ""
    again: frozenset[str] = frozenset()
    opted_out: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class MessengerTemplate:
    """A text approved by the provider (报备模板). params: its own names -> ours, in its order."""

    id: str
    params: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Messenger:
    """One provider. fields: names to text with placeholders, in JSON also nested; repeatable: it knows a message
    again by ${id}, so that one whose answer was lost may be sent again; sign: whether we write 【…】 ourselves."""

    name: str
    url: str
    method: str
    content: str
    fields: Mapping[str, Any]
    answer: Answer
    headers: Mapping[str, str] = field(default_factory=dict)
    signature: Recipe | None = None
    templates: Mapping[str, MessengerTemplate] = field(default_factory=dict)
    number: str = "local"
    time: str = "unix"
    charset: str = "utf-8"
    timeout: float = 5.0
    sign: bool = True
    repeatable: bool = False

    @property
    def placeholders(self) -> frozenset[str]:
        """Every placeholder of its fields, headers and signature."""
        texts = [*_texts(self.fields), *self.headers.values(), self.url]
        if self.signature is not None:
            texts += [self.signature.text, self.signature.key if "hmac" in self.signature.algorithm else ""]
        return frozenset(name for text in texts for name in PLACEHOLDER.findall(text))


def load_messenger(path: Path) -> Messenger:
    """Read and check the file of GATEWAY_SMS_PROVIDER; ValueError names the file and what is wrong, in plain words."""
    try:
        table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise ValueError(f"{path.name}: 无法读取 (cannot be read): {problem}") from None
    try:
        return _messenger(table)
    except ValueError as problem:
        raise ValueError(f"{path.name}: {problem}") from None


def _messenger(table: dict[str, Any]) -> Messenger:
    _known(table, "", "name url method content number time charset timeout sign repeatable "
           "fields headers signature answer templates")  # fmt: skip
    content = _one_of(table, "content", CONTENTS)
    method = _one_of({"method": "POST", **table}, "method", ("POST", "GET"))
    if method == "GET" and content != "query":
        raise ValueError('method GET 只能配 content = "query" (GET sends its fields in the query)')
    recipe = _recipe(table["signature"]) if "signature" in table else None
    made = Messenger(
        name=_words(table, "name"),
        url=_url(_words(table, "url")),
        method=method,
        content=content,
        fields=_fields(table.get("fields"), content),
        headers=_strings(table.get("headers", {}), "headers"),
        signature=recipe,
        answer=_answer(table.get("answer")),
        templates=_templates(table.get("templates", {})),
        number=_one_of({"number": "local", **table}, "number", NUMBERS),
        time=_one_of({"time": "unix", **table}, "time", TIMES),
        charset=_one_of({"charset": "utf-8", **table}, "charset", CHARSETS),
        timeout=_seconds(table.get("timeout", 5)),
        sign=_truth(table, "sign", True),
        repeatable=_truth(table, "repeatable", False),
    )
    _check_placeholders(made)
    return made


def _check_placeholders(made: Messenger) -> None:
    in_fields = frozenset(name for text in _texts(made.fields) for name in PLACEHOLDER.findall(text))
    params = frozenset(f"params.{name}" for names in VARIABLES.values() for name in names)
    _placed("fields", in_fields, MESSAGE | WHOLE | params)
    _placed("url", frozenset(PLACEHOLDER.findall(made.url)), frozenset())
    for name, text in made.headers.items():
        _placed(f"headers.{name}", frozenset(PLACEHOLDER.findall(text)), MESSAGE | SIGNED | {"signature"})
    if "to" not in in_fields:
        raise ValueError("fields 里没有 ${to} (no field takes the number)")
    if not in_fields & {"text", "params", "params_object", "values"} and not any(n in params for n in in_fields):
        raise ValueError("fields 里没有 ${text} 或 ${params} (no field takes the words)")
    if made.repeatable and "id" not in in_fields:
        raise ValueError("repeatable 需要 fields 里有 ${id} (needs a field with the id of the message)")
    if in_fields & {"template", "params", "params_object", "values"}:
        for kind in VARIABLES:
            if kind not in made.templates:
                raise ValueError(f"缺少 [templates.{kind}] (the approved template is missing)")
    recipe = made.signature
    if recipe is None:
        return
    _placed("signature.text", frozenset(PLACEHOLDER.findall(recipe.text)), MESSAGE | SIGNED)
    _placed("signature.key", frozenset(PLACEHOLDER.findall(recipe.key)), frozenset({"secret"}))
    _placed("signature.pair", frozenset(PLACEHOLDER.findall(recipe.pair)), frozenset({"name", "value"}))
    if "${secret}" not in (recipe.key if recipe.algorithm.startswith("hmac") else recipe.text):
        raise ValueError("签名没有用到 ${secret} (the signature does not use the secret)")
    carried = any("${signature}" in text for text in made.headers.values())
    if bool(recipe.field) == carried:
        raise ValueError("签名须放在 signature.field 或某个请求头的 ${signature},二者取一 (either a field or a header)")
    if recipe.field and {"body", "body_sha256"} & set(PLACEHOLDER.findall(recipe.text)):
        raise ValueError("签名放在 field 里时不能对 ${body} 签名 (a field of the body cannot sign the body)")


def _recipe(table: object) -> Recipe:
    table = _table(table, "signature")
    _known(table, "signature", "algorithm text key output field pair between sort encode skip_empty exclude")
    named = {name: _words(table, name, "signature") for name in ("text", "key", "field", "pair") if name in table}
    return Recipe(
        algorithm=_one_of(table, "algorithm", ALGORITHMS, "signature"),
        output=_one_of({"output": "hex", **table}, "output", OUTPUTS, "signature"),
        between=str(table.get("between", "&")),
        sort=_truth(table, "sort", True),
        encode=_truth(table, "encode", False),
        skip_empty=_truth(table, "skip_empty", True),
        exclude=tuple(sorted(_codes(table, "exclude"))),
        **named,
    )


def _answer(table: object) -> Answer:
    table = _table(table, "answer")
    _known(table, "answer", "success path pattern id again opted_out")
    pattern, path = str(table.get("pattern", "")), str(table.get("path", ""))
    if bool(pattern) == bool(path):
        raise ValueError("answer 须有 path 或 pattern,二者取一 (either the path of the code or a pattern)")
    try:
        groups = re.compile(pattern).groupindex
    except re.error as problem:
        raise ValueError(f"answer.pattern: 不是正则表达式 (is no pattern): {problem}") from None
    if pattern and "code" not in groups:
        raise ValueError("answer.pattern 里没有 (?P<code>…) (has no group named code)")
    success = _codes(table, "success")
    if not success:
        raise ValueError("answer.success 不能为空 (says which codes are a success)")
    return Answer(
        success=success,
        path=path,
        pattern=pattern,
        id=str(table.get("id", "")),
        again=_codes(table, "again"),
        opted_out=_codes(table, "opted_out"),
    )


def _templates(table: object) -> dict[str, MessengerTemplate]:
    made = {}
    for kind, row in _table(table, "templates").items():
        where = f"templates.{kind}"
        if kind not in VARIABLES:
            raise ValueError(f"{where}: 没有这种短信 (must be one of {', '.join(sorted(VARIABLES))})")
        row = _table(row, where)
        _known(row, where, "id params")
        params = _strings(row.get("params", {}), f"{where}.params")
        for name, ours in params.items():
            if ours not in VARIABLES[kind]:
                raise ValueError(f"{where}.params.{name}: 没有变量 {ours!r} (there is no such variable)")
        made[kind] = MessengerTemplate(id=_words(row, "id", where), params=params)
    return made


def _fields(table: object, content: str) -> Mapping[str, Any]:
    fields = _table(table, "fields")
    if not fields:
        raise ValueError("fields 不能为空 (says what is sent)")
    for name, value in fields.items():
        if content != "json" and not isinstance(value, str | int):
            raise ValueError(f"fields.{name}: 应为文字 (must be text; only JSON may be nested)")
    for text in _texts(fields):
        if (WHOLE & set(PLACEHOLDER.findall(text))) and (content != "json" or not PLACEHOLDER.fullmatch(text)):
            raise ValueError(f"fields: {text!r} 只能单独作为 JSON 的值 (may only stand alone, in JSON)")
    return fields


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _placed(where: str, used: frozenset[str], known: frozenset[str]) -> None:
    if wrong := sorted(used - known):
        raise ValueError(f"{where}: 没有 ${{{wrong[0]}}} 这个占位符 (there is no such placeholder here)")


def _url(url: str) -> str:
    try:
        parts = urlsplit(url)
        good = bool(parts.hostname) and (parts.port or 1) > 0 and parts.username is None and not parts.fragment
    except ValueError:
        good = False
        parts = urlsplit("")
    # Numbers of petitioners never go over the open network in clear.
    if not good or not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)):
        raise ValueError("url: 应为 https://…,本机可用 http (must be https; http for this host only)")
    return url


def _known(table: Mapping[str, Any], where: str, names: str) -> None:
    if unknown := sorted(set(table) - set(names.split())):
        raise ValueError(f"{where}{'.' if where else ''}{unknown[0]}: 没有这一项 (there is no such entry)")


def _table(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"缺少 [{where}] (the table is missing)")
    return value


def _words(table: Mapping[str, Any], name: str, where: str = "") -> str:
    value = table.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{where}{'.' if where else ''}{name}: 应为文字,不能为空 (must be text)")
    return value


def _one_of(table: Mapping[str, Any], name: str, known: tuple[str, ...], where: str = "") -> str:
    value = table.get(name)
    if value not in known:
        raise ValueError(f"{where}{'.' if where else ''}{name}: 应为 {'、'.join(known)} 之一 (must be one of these)")
    return str(value)


def _strings(value: object, where: str) -> dict[str, str]:
    table = _table(value, where)
    if not all(isinstance(each, str) for each in table.values()):
        raise ValueError(f"{where}: 应为文字 (must be text)")
    return dict(table)


def _codes(table: Mapping[str, Any], name: str) -> frozenset[str]:
    value = table.get(name, [])
    if not isinstance(value, list) or not all(isinstance(each, str | int) for each in value):
        raise ValueError(f"{name}: 应为列表 (must be a list)")
    return frozenset(str(each) for each in value)


def _truth(table: Mapping[str, Any], name: str, default: bool) -> bool:
    value = table.get(name, default)
    if not isinstance(value, bool):
        raise ValueError(f"{name}: 应为 true 或 false (must be true or false)")
    return value


def _seconds(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= LONGEST:
        raise ValueError(f"timeout: 应为 {LONGEST} 以内的秒数 (must be seconds, at most {LONGEST})")
    return float(value)

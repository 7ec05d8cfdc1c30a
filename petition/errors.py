"""Errors (差错) as finished values: a stable code, whether to try again, and words for the person."""

from __future__ import annotations

from dataclasses import dataclass


class PetitionError(Exception):
    """The root of all errors that an edge maps to its own tongue (HTTP status, SMTP reply, TwiML).

    code: stable, lower case, never renamed. retryable: the same input may succeed later.
    words: plain Chinese for the person who sent the input; holds no identity data.
    """

    code = "error"
    retryable = False
    words = "系统没有办成这件事，请稍后再试或拨打信访局电话。"

    def __init__(self, words: str | None = None) -> None:
        super().__init__(words or self.words)
        if words is not None:
            self.words = words


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend (需要修改之处).

    field: dotted path such as ``petitioners.0.id_no``; code: stable; words: plain Chinese.
    """

    field: str
    code: str
    words: str


class Invalid(PetitionError):
    """The input was read but some fields must be mended; carries every problem, not just the first."""

    code = "invalid"
    words = "有需要修改的地方。"

    def __init__(self, problems: tuple[Problem, ...], words: str | None = None) -> None:
        super().__init__(words or f"有 {len(problems)} 处需要修改。")
        self.problems = problems


class Unreadable(PetitionError):
    """The bytes cannot be read in the channel's shape at all."""

    code = "unreadable"
    words = "收到的内容无法读取，请检查后重新提交。"


class Forged(PetitionError):
    """The sender's proof (signature, token) does not hold."""

    code = "forged"
    words = "身份校验没有通过。"


class TooLarge(PetitionError):
    """More bytes, files or fields than the door takes."""

    code = "too_large"
    words = "提交的内容超过了大小限制。"


class Conflict(PetitionError):
    """The request contradicts what is already recorded."""

    code = "conflict"
    words = "这项操作与已有记录不一致。"


class NotFound(PetitionError):
    """There is no such thing, or the caller may not know that there is."""

    code = "not_found"
    words = "没有找到，请核对编号和查询码。"


class Forbidden(PetitionError):
    """The caller is known but may not do this."""

    code = "forbidden"
    words = "您没有办理这项操作的权限。"


class TooMany(PetitionError):
    """The caller asked too often; retry_after is in seconds."""

    code, retryable = "too_many", True
    words = "操作过于频繁，请稍等片刻再试。您填写的内容没有丢失。"

    def __init__(self, retry_after: int = 30, words: str | None = None) -> None:
        super().__init__(words)
        self.retry_after = retry_after


class Unavailable(PetitionError):
    """The other side or our own memory does not answer now; retry_after is in seconds."""

    code, retryable = "unavailable", True
    words = "系统暂时繁忙，请稍等片刻再试。您填写的内容没有丢失。"

    def __init__(self, words: str | None = None, retry_after: int = 5) -> None:
        super().__init__(words)
        self.retry_after = retry_after


class LowDisk(Unavailable):
    """Too little disk to promise that what is acknowledged is kept."""

    code = "low_disk"

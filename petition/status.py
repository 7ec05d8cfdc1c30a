"""Status (办理状态): where a case stands, in words for the citizen and in five steps."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """办理状态. RECEIVED also holds what still waits for reading; being held for a person is no state of the law."""

    DRAFT = "DRAFT"  # 草稿
    RECEIVED = "RECEIVED"  # 已收到
    SCREENED = "SCREENED"  # 已审核
    RETURNED_FOR_SUPPLEMENT = "RETURNED_FOR_SUPPLEMENT"  # 待补充
    LINKED_DUPLICATE = "LINKED_DUPLICATE"  # 已并入初件
    REGISTERED = "REGISTERED"  # 已登记
    DIVERTED_POLITICAL_LEGAL = "DIVERTED_POLITICAL_LEGAL"  # 已转政法部门
    DIVERTED_DISCIPLINE = "DIVERTED_DISCIPLINE"  # 已转纪检监察机关
    FORWARDED = "FORWARDED"  # 已转送
    ASSIGNED = "ASSIGNED"  # 已交办
    OBJECTED = "OBJECTED"  # 异议审核中
    ANSWERED_ON_SPOT = "ANSWERED_ON_SPOT"  # 当场答复
    SUGGESTION_STUDIED = "SUGGESTION_STUDIED"  # 建议研究中
    REPLIED = "REPLIED"  # 建议已答复
    ACCEPTED = "ACCEPTED"  # 已受理
    NOT_ACCEPTED = "NOT_ACCEPTED"  # 不予受理
    DIVERTED_STATUTORY = "DIVERTED_STATUTORY"  # 已导入法定程序
    IN_PROGRESS = "IN_PROGRESS"  # 办理中
    EXTENDED = "EXTENDED"  # 已延期
    OPINION_ISSUED = "OPINION_ISSUED"  # 意见已出具
    DELIVERED = "DELIVERED"  # 已送达
    RATING_OPEN = "RATING_OPEN"  # 待评价
    CONCLUDED = "CONCLUDED"  # 已办结
    REVIEW = "REVIEW"  # 复查
    RE_REVIEW = "RE_REVIEW"  # 复核
    TERMINATED = "TERMINATED"  # 三级终结
    NO_LONGER_ACCEPTED = "NO_LONGER_ACCEPTED"  # 不再受理
    ARCHIVED = "ARCHIVED"  # 已归档
    WITHDRAWN = "WITHDRAWN"  # 已撤回


class Overlay(StrEnum):
    """A mark that lies over a status and does not replace it (叠加标记)."""

    URGENT = "URGENT"  # 重大紧急
    HEARING = "HEARING"  # 听证中
    SUPERVISED = "SUPERVISED"  # 督办中


CLOSED = frozenset(
    {
        *(Status.LINKED_DUPLICATE, Status.DIVERTED_POLITICAL_LEGAL, Status.DIVERTED_DISCIPLINE, Status.REPLIED),
        *(Status.NOT_ACCEPTED, Status.DIVERTED_STATUTORY, Status.CONCLUDED, Status.TERMINATED),
        *(Status.NO_LONGER_ACCEPTED, Status.ARCHIVED, Status.WITHDRAWN),
    }
)
FINAL = frozenset({Status.ARCHIVED})

PROGRESS = ("收到", "登记", "转送", "办理", "答复")

_BEFORE_TRANSFER = frozenset(
    {Status.DRAFT, Status.RECEIVED, Status.SCREENED, Status.RETURNED_FOR_SUPPLEMENT, Status.REGISTERED}
)

_PASSED_ON = "已转送有权处理的单位，等待受理"

# Status, step of PROGRESS, words. Forwarding and objection read the same: the petitioner is not told (art. 23).
_PUBLIC = (
    (Status.DRAFT, 0, "草稿，尚未提交"),
    (Status.RECEIVED, 1, "已收到，等待登记"),
    (Status.SCREENED, 1, "已审核，等待登记"),
    (Status.RETURNED_FOR_SUPPLEMENT, 1, "需要您补充材料"),
    (Status.LINKED_DUPLICATE, 2, "已登记，并入您此前反映的同一事项一并办理"),
    (Status.REGISTERED, 2, "已登记，等待转送"),
    (Status.DIVERTED_POLITICAL_LEGAL, 3, "涉法涉诉事项，已转政法部门依法处理"),
    (Status.DIVERTED_DISCIPLINE, 3, "已转有权机关"),
    (Status.FORWARDED, 3, _PASSED_ON),
    (Status.ASSIGNED, 3, _PASSED_ON),
    (Status.OBJECTED, 3, _PASSED_ON),
    (Status.ANSWERED_ON_SPOT, 5, "已当场答复"),
    (Status.SUGGESTION_STUDIED, 4, "您的建议正在研究"),
    (Status.REPLIED, 5, "您的建议已答复"),
    (Status.ACCEPTED, 4, "已受理"),
    (Status.NOT_ACCEPTED, 5, "不予受理，原因和应当找的单位见告知书"),
    (Status.DIVERTED_STATUTORY, 4, "已导入法定程序，由告知书写明的单位按该程序处理"),
    (Status.IN_PROGRESS, 4, "办理中"),
    (Status.EXTENDED, 4, "办理中，已延长办理期限"),
    (Status.OPINION_ISSUED, 5, "处理意见已出具，正在送达"),
    (Status.DELIVERED, 5, "处理意见已送达，您可以在期限内申请复查"),
    (Status.RATING_OPEN, 5, "请您评价办理情况"),
    (Status.CONCLUDED, 5, "已办结"),
    (Status.REVIEW, 5, "复查中"),
    (Status.RE_REVIEW, 5, "复核中"),
    (Status.TERMINATED, 5, "已终结"),
    (Status.NO_LONGER_ACCEPTED, 5, "复核已有结论，不再受理"),
    (Status.ARCHIVED, 5, "已归档"),
    (Status.WITHDRAWN, 5, "已撤回"),
)


def is_open(status: Status) -> bool:
    """Whether somebody still has to do something for the petitioner; a draft is no case yet."""
    return status is not Status.DRAFT and status not in CLOSED


def words_for_citizen(status: Status, *, accusation: bool = False) -> str:
    """The status in plain Chinese for public pages.

    accusation: for 检举控告 everything after registration reads 已转有权机关 and no more (Regulation art. 30).
    """
    if accusation and status not in _BEFORE_TRANSFER and status is not Status.WITHDRAWN:
        return "已转有权机关"
    return next(words for known, _, words in _PUBLIC if known is status)


def progress(status: Status) -> int:
    """How many of the five steps of `PROGRESS` are reached, 0 for a draft."""
    return next(step for known, step, _ in _PUBLIC if known is status)

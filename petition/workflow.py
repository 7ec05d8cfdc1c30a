"""Workflow (办理流程): the status table of petition work as data, and the questions one may ask of it."""

from __future__ import annotations

from dataclasses import dataclass

from petition.event import Actor, Event
from petition.status import CLOSED, FINAL, PROGRESS, Overlay, Status, is_open, progress, words_for_citizen

__all__ = [
    "CLOSED",
    "FINAL",
    "MOVES",
    "PROGRESS",
    "Actor",
    "Event",
    "Move",
    "Overlay",
    "Status",
    "events_from",
    "is_open",
    "may",
    "move_of",
    "progress",
    "words_for_citizen",
]


@dataclass(frozen=True, slots=True)
class Move:
    """One row of the table; several rows share the number of the domain's table where it names several outcomes.

    before: the states it starts from, empty for a case that does not exist yet; actor: who may cause it;
    after: the state it ends in, None if it stays where it is; source: marks of articles and practice, a blank between,
    U for unverified, REQ for our own conclusion; deadline: key in deadlines.toml of the limit the table names;
    document: kind of paper it makes; words: what the petitioner sees; needs: facts the record must have first;
    overlay: the mark it sets. Empty means none.
    """

    number: int
    before: tuple[Status, ...]
    event: Event
    actor: tuple[Actor, ...]
    after: Status | None
    source: str
    deadline: str = ""
    document: str = ""
    words: str = ""
    needs: tuple[str, ...] = ()
    overlay: Overlay | None = None


_AT_UNIT = (Status.FORWARDED, Status.ASSIGNED, Status.REGISTERED)  # REGISTERED: the unit got it directly
_OPEN = tuple(status for status in Status if is_open(status))
_CASES = tuple(status for status in Status if status is not Status.DRAFT)
_AFTER_ASSIGNMENT = (
    *(Status.ASSIGNED, Status.ACCEPTED, Status.IN_PROGRESS, Status.EXTENDED, Status.OPINION_ISSUED, Status.DELIVERED),
    *(Status.RATING_OPEN, Status.CONCLUDED, Status.NOT_ACCEPTED, Status.DIVERTED_STATUTORY),
)
_NOT_REGISTERED = tuple(status for status in _OPEN if status is not Status.REGISTERED)
_OTHERWISE_CLOSED = tuple(
    status for status in Status if status in CLOSED - {Status.CONCLUDED, Status.TERMINATED, Status.ARCHIVED}
)
_AWAY = "已转送有权处理的单位"


# The formatter is kept off the table: it would make it twice as long.
# fmt: off
MOVES: tuple[Move, ...] = (
    Move(
        1, (Status.DRAFT,), Event.SUBMIT, (Actor.PETITIONER,), Status.RECEIVED, "S0 S2 W6", document="DOC_RECEIPT",
        words="已提交，请记下编号和查询码",
    ),
    Move(
        2, (), Event.ARRIVE, (Actor.REGISTRAR, Actor.SYSTEM), Status.RECEIVED, "R-19 R-21", deadline="intake",
        document="DOC_RECEIPT", words="已收到",
    ),
    Move(
        3, (Status.RECEIVED,), Event.SCREEN, (Actor.REGISTRAR, Actor.SYSTEM), Status.SCREENED, "S2 W7 W8",
        deadline="screening",
    ),
    Move(
        3, (Status.RECEIVED,), Event.ASK_SUPPLEMENT, (Actor.REGISTRAR,), Status.RETURNED_FOR_SUPPLEMENT, "S2 W7 W8",
        deadline="screening", words="待补充，需要补充的内容如下", needs=("reason",),
    ),
    Move(
        4, (Status.RETURNED_FOR_SUPPLEMENT,), Event.SUPPLEMENT, (Actor.PETITIONER,), Status.RECEIVED, "U",
        deadline="supplement", words="已补充",
    ),
    Move(
        4, (Status.RETURNED_FOR_SUPPLEMENT,), Event.SUPPLEMENT_LAPSE, (Actor.SYSTEM,), Status.REGISTERED, "R-22",
        deadline="supplement", words="已登记",
    ),
    Move(
        5, (Status.SCREENED,), Event.LINK_DUPLICATE, (Actor.REGISTRAR,), Status.LINKED_DUPLICATE, "R-19 W13",
        document="DOC_NOT_ACCEPT_NOTICE", words="已登记，并入此前反映的同一事项", needs=("first_case_no",),
    ),
    Move(
        6, (Status.SCREENED,), Event.REGISTER, (Actor.REGISTRAR, Actor.SYSTEM), Status.REGISTERED, "R-22 R-23",
        words="已登记",
    ),
    Move(
        7, (Status.REGISTERED,), Event.MARK_URGENT, (Actor.REGISTRAR, Actor.BUREAU, Actor.UNIT), None, "R-22 R-25",
        document="DOC_URGENT_REPORT", overlay=Overlay.URGENT,
    ),
    # Danger does not wait for the registration, nor is it over with it.
    Move(
        7, _NOT_REGISTERED, Event.MARK_URGENT, (Actor.REGISTRAR, Actor.BUREAU, Actor.UNIT), None, "REQ R-25",
        document="DOC_URGENT_REPORT", overlay=Overlay.URGENT,
    ),
    Move(
        8, (Status.REGISTERED,), Event.DIVERT_POLITICAL_LEGAL, (Actor.BUREAU,), Status.DIVERTED_POLITICAL_LEGAL,
        "R-22 R-28", deadline="transfer", document="DOC_FORWARD_LETTER", words="涉法涉诉事项，已转政法部门",
        needs=("lead_unit",),
    ),
    Move(
        9, (Status.REGISTERED,), Event.DIVERT_DISCIPLINE, (Actor.BUREAU,), Status.DIVERTED_DISCIPLINE, "R-22 R-30",
        deadline="transfer", document="DOC_SEALED_TRANSFER", words="已转有权机关", needs=("lead_unit",),
    ),
    Move(
        10, (Status.REGISTERED,), Event.FORWARD, (Actor.BUREAU, Actor.SYSTEM), Status.FORWARDED,
        "R-22 R-23 S1 W4 W7", deadline="transfer", document="DOC_FORWARD_LETTER", words=_AWAY, needs=("lead_unit",),
    ),
    Move(
        11, (Status.REGISTERED,), Event.ASSIGN, (Actor.BUREAU,), Status.ASSIGNED, "R-22", deadline="transfer",
        document="DOC_ASSIGN_LETTER", words=_AWAY, needs=("lead_unit", "report_due"),
    ),
    Move(
        12, (Status.REGISTERED,), Event.ANSWER_ON_SPOT, (Actor.BUREAU, Actor.UNIT), Status.ANSWERED_ON_SPOT,
        "ZJ-20 WF-18 W11", deadline="answer_on_spot", document="DOC_REPLY", words="已当场答复",
    ),
    Move(
        13, (Status.FORWARDED, Status.ASSIGNED), Event.OBJECT, (Actor.UNIT,), Status.OBJECTED, "R-23",
        deadline="objection", document="DOC_OBJECTION", needs=("reason",),
    ),
    Move(
        14, (Status.OBJECTED,), Event.AGREE_OBJECTION, (Actor.BUREAU,), Status.REGISTERED, "R-23",
        deadline="objection_decision", document="DOC_OBJECTION_DECISION",
    ),
    Move(
        14, (Status.OBJECTED,), Event.REFUSE_OBJECTION, (Actor.BUREAU,), Status.FORWARDED, "R-23",
        deadline="objection_decision", document="DOC_OBJECTION_DECISION",
    ),
    Move(
        14, (Status.OBJECTED,), Event.REFUSE_ASSIGNED_OBJECTION, (Actor.BUREAU,), Status.ASSIGNED, "R-23",
        deadline="objection_decision", document="DOC_OBJECTION_DECISION",
    ),
    Move(
        15, (Status.OBJECTED,), Event.SETTLE_DISPUTE, (Actor.SUPERIOR,), Status.FORWARDED, "R-24",
        deadline="dispute_decision", document="DOC_DISPUTE_DECISION", needs=("lead_unit",),
    ),
    Move(
        16, _AT_UNIT, Event.ACCEPT, (Actor.UNIT,), Status.ACCEPTED, "R-23 W11 S2", deadline="acceptance",
        document="DOC_ACCEPT_NOTICE", words="已受理", needs=("legal_path",),
    ),
    Move(
        17, _AT_UNIT, Event.REJECT, (Actor.UNIT,), Status.NOT_ACCEPTED, "R-19 R-23", deadline="acceptance",
        document="DOC_NOT_ACCEPT_NOTICE", words="不予受理，原因和应当找的单位见告知书", needs=("reason",),
    ),
    Move(
        18, _AT_UNIT, Event.DIVERT_STATUTORY, (Actor.UNIT,), Status.DIVERTED_STATUTORY, "R-31",
        deadline="path_notice", document="DOC_PATH_NOTICE", words="已导入法定程序，见告知书", needs=("legal_path",),
    ),
    # Name or address unclear: nobody can be told.
    Move(
        19, _AT_UNIT, Event.ACCEPT_WITHOUT_NOTICE, (Actor.UNIT,), Status.ACCEPTED, "R-23", document="DOC_FILE_NOTE",
        needs=("legal_path",),
    ),
    Move(
        20, (Status.ACCEPTED,), Event.INVESTIGATE, (Actor.UNIT,), Status.IN_PROGRESS, "R-31 R-33 R-34",
        deadline="opinion", document="DOC_MINUTES", words="办理中",
    ),
    Move(
        21, (Status.IN_PROGRESS,), Event.ORDER_HEARING, (Actor.UNIT,), None, "R-31 R-36",
        document="DOC_HEARING_NOTICE", words="将举行听证，时间和地点见通知", overlay=Overlay.HEARING,
    ),
    Move(
        21, (Status.RE_REVIEW,), Event.ORDER_HEARING, (Actor.REVIEW_BODY,), None, "R-36",
        document="DOC_HEARING_NOTICE", words="将举行听证，时间和地点见通知", overlay=Overlay.HEARING,
    ),
    # Once: EXTENDED knows no EXTEND.
    Move(
        22, (Status.IN_PROGRESS,), Event.EXTEND, (Actor.UNIT_HEAD,), Status.EXTENDED, "R-34", deadline="extension",
        document="DOC_EXTENSION_NOTICE", words="办理期限已延长，新的日期和原因见告知书",
        needs=("reason", "extension_days"),
    ),
    Move(
        23, (Status.IN_PROGRESS, Status.EXTENDED), Event.SIGN_OPINION, (Actor.UNIT,), Status.OPINION_ISSUED,
        "R-32 R-34", deadline="opinion", document="DOC_OPINION", words="处理意见已出具", needs=("opinion_outcome",),
    ),
    Move(
        24, (Status.OPINION_ISSUED,), Event.DELIVER, (Actor.UNIT,), Status.DELIVERED, "R-35 W17",
        document="DOC_SERVICE_RETURN", words="处理意见已送达，可以在期限内申请复查", needs=("delivered_on",),
    ),
    Move(
        25, _AFTER_ASSIGNMENT, Event.REPORT_COMPLETION, (Actor.UNIT,), None, "R-22", deadline="assign_limit",
        document="DOC_COMPLETION_REPORT",
    ),
    Move(
        26, _OPEN, Event.SUPERVISE, (Actor.BUREAU,), None, "R-40 S2", deadline="supervision_reply",
        document="DOC_SUPERVISION_ORDER", overlay=Overlay.SUPERVISED,
    ),
    Move(
        27, (Status.DELIVERED, Status.ANSWERED_ON_SPOT), Event.OPEN_RATING, (Actor.SYSTEM,), Status.RATING_OPEN,
        "W2 S1", deadline="rating", words="请评价信访部门和责任单位",
    ),
    Move(
        28, (Status.RATING_OPEN,), Event.RATE, (Actor.PETITIONER,), Status.CONCLUDED, "W2", deadline="rating",
        words="感谢您的评价",
    ),
    Move(28, (Status.RATING_OPEN,), Event.RATING_LAPSE, (Actor.SYSTEM,), Status.CONCLUDED, "W2", deadline="rating"),
    Move(
        29, (Status.DELIVERED,), Event.ASK_REVIEW, (Actor.PETITIONER,), Status.REVIEW, "R-35", deadline="review",
        document="DOC_REVIEW_OPINION", words="复查中",
    ),
    # Whoever rates early keeps the thirty days; the date decides, not the state.
    Move(
        29, (Status.RATING_OPEN, Status.CONCLUDED), Event.ASK_REVIEW, (Actor.PETITIONER,), Status.REVIEW, "REQ R-35",
        deadline="review", document="DOC_REVIEW_OPINION", words="复查中",
    ),
    Move(
        30, (Status.REVIEW,), Event.ASK_RE_REVIEW, (Actor.PETITIONER,), Status.RE_REVIEW, "R-36",
        deadline="re_review", document="DOC_RE_REVIEW_OPINION", words="复核中", needs=("delivered_on",),
    ),
    Move(
        31, (Status.REVIEW, Status.RE_REVIEW), Event.ORDER_REDO, (Actor.REVIEW_BODY,), Status.IN_PROGRESS, "SD-45",
        words="原处理意见已撤销，责令重新办理",
    ),
    Move(
        31, (Status.REVIEW, Status.RE_REVIEW), Event.CHANGE_OPINION, (Actor.REVIEW_BODY,), None, "SD-45",
        words="原处理意见已变更，见意见书",
    ),
    Move(
        31, (Status.REVIEW, Status.RE_REVIEW), Event.MAINTAIN_OPINION, (Actor.REVIEW_BODY,), None, "SD-45",
        words="原处理意见予以维持，见意见书",
    ),
    Move(
        32, (Status.RE_REVIEW,), Event.DELIVER_FINAL, (Actor.REVIEW_BODY,), Status.TERMINATED, "R-36",
        document="DOC_SERVICE_RETURN", words="已终结", needs=("delivered_on",),
    ),
    Move(
        33, (Status.TERMINATED,), Event.SAME_FACTS_AGAIN, (Actor.REGISTRAR, Actor.BUREAU, Actor.UNIT),
        Status.NO_LONGER_ACCEPTED, "R-36", deadline="no_longer_notice", document="DOC_NO_LONGER_NOTICE",
        words="不再受理，见告知书",
    ),
    # The new filing of a terminated matter has its own record.
    Move(
        33, (Status.SCREENED, Status.REGISTERED), Event.SAME_FACTS_AGAIN,
        (Actor.REGISTRAR, Actor.BUREAU, Actor.UNIT), Status.NO_LONGER_ACCEPTED, "REQ R-36",
        deadline="no_longer_notice", document="DOC_NO_LONGER_NOTICE", words="不再受理，见告知书",
        needs=("first_case_no",),
    ),
    Move(
        34, (Status.DELIVERED,), Event.REMEDY_LAPSE, (Actor.SYSTEM,), Status.CONCLUDED, "R-35 SD-46",
        deadline="review_request", words="未申请复查", needs=("delivered_on",),
    ),
    Move(
        34, (Status.REVIEW,), Event.REMEDY_LAPSE, (Actor.SYSTEM,), Status.CONCLUDED, "REQ R-36",
        deadline="re_review_request", words="未申请复核", needs=("delivered_on",),
    ),
    # For matters outside the scope of rating.
    Move(
        34, (Status.ANSWERED_ON_SPOT,), Event.REMEDY_LAPSE, (Actor.SYSTEM,), Status.CONCLUDED, "REQ", words="已办结",
    ),
    Move(
        35, (Status.CONCLUDED, Status.TERMINATED), Event.ARCHIVE, (Actor.ARCHIVIST,), Status.ARCHIVED, "AR-13 W7",
        deadline="archive", document="DOC_FILE_LIST",
    ),
    Move(
        35, _OTHERWISE_CLOSED, Event.ARCHIVE, (Actor.ARCHIVIST,), Status.ARCHIVED, "REQ AR-13", deadline="archive",
        document="DOC_FILE_LIST",
    ),
    Move(
        36, _CASES, Event.CALL_BACK, (Actor.BUREAU,), None, "S1 W25", deadline="callback",
        document="DOC_CALLBACK_RECORD",
    ),
    Move(
        37, (Status.REGISTERED,), Event.STUDY_SUGGESTION, (Actor.UNIT, Actor.BUREAU), Status.SUGGESTION_STUDIED,
        "R-29", deadline="suggestion", words="建议正在研究",
    ),
    Move(
        37, (Status.FORWARDED, Status.ASSIGNED), Event.STUDY_SUGGESTION, (Actor.UNIT,), Status.SUGGESTION_STUDIED,
        "REQ R-29", deadline="suggestion", words="建议正在研究",
    ),
    Move(
        37, (Status.SUGGESTION_STUDIED,), Event.REPLY_SUGGESTION, (Actor.UNIT, Actor.BUREAU), Status.REPLIED, "R-29",
        deadline="suggestion", document="DOC_REPLY", words="建议已答复",
    ),
    Move(
        38, _OPEN, Event.WITHDRAW, (Actor.PETITIONER,), Status.WITHDRAWN, "U", document="DOC_WITHDRAWAL_RECORD",
        words="已撤回",
    ),
)
# fmt: on


def may(status: Status | None, event: Event) -> Status | None:
    """The state after `event` in `status` (None: no case yet), or None if the table does not allow it."""
    move = move_of(status, event)
    return None if move is None else move.after or status


def move_of(status: Status | None, event: Event) -> Move | None:
    """The row that allows `event` in `status`, or None."""
    for move in MOVES:
        if move.event is event and (status in move.before if status else not move.before):
            return move
    return None


def events_from(status: Status | None) -> tuple[Event, ...]:
    """Every event the table allows in `status`, in the order of the table."""
    return tuple(move.event for move in MOVES if (status in move.before if status else not move.before))

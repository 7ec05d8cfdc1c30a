"""Events (事件): what happens to a case, and who may cause it."""

from __future__ import annotations

from enum import StrEnum


class Actor(StrEnum):
    """Who may cause an event."""

    PETITIONER = "petitioner"  # 信访人或代理人
    SYSTEM = "system"  # the gateway itself
    REGISTRAR = "registrar"  # 登记员, 收发员, 坐席
    BUREAU = "bureau"  # 信访部门
    UNIT = "unit"  # 有权处理机关、单位
    UNIT_HEAD = "unit_head"  # 单位负责人
    SUPERIOR = "superior"  # 共同上级或联席会议
    REVIEW_BODY = "review_body"  # 复查、复核机关
    ARCHIVIST = "archivist"  # 档案员


class Event(StrEnum):
    """What happens to a case (事件). One event has one outcome; a decision with two outcomes is two events."""

    SUBMIT = "submit"
    ARRIVE = "arrive"
    SCREEN = "screen"
    ASK_SUPPLEMENT = "ask_supplement"
    SUPPLEMENT = "supplement"
    SUPPLEMENT_LAPSE = "supplement_lapse"
    LINK_DUPLICATE = "link_duplicate"
    REGISTER = "register"
    MARK_URGENT = "mark_urgent"
    DIVERT_POLITICAL_LEGAL = "divert_political_legal"
    DIVERT_DISCIPLINE = "divert_discipline"
    FORWARD = "forward"
    ASSIGN = "assign"
    ANSWER_ON_SPOT = "answer_on_spot"
    OBJECT = "object"
    AGREE_OBJECTION = "agree_objection"
    REFUSE_OBJECTION = "refuse_objection"  # back to the forwarding
    REFUSE_ASSIGNED_OBJECTION = "refuse_assigned_objection"  # back to the assignment
    SETTLE_DISPUTE = "settle_dispute"
    ACCEPT = "accept"
    ACCEPT_WITHOUT_NOTICE = "accept_without_notice"
    REJECT = "reject"
    DIVERT_STATUTORY = "divert_statutory"
    INVESTIGATE = "investigate"
    ORDER_HEARING = "order_hearing"
    EXTEND = "extend"
    SIGN_OPINION = "sign_opinion"
    DELIVER = "deliver"
    REPORT_COMPLETION = "report_completion"
    SUPERVISE = "supervise"
    OPEN_RATING = "open_rating"
    RATE = "rate"
    RATING_LAPSE = "rating_lapse"
    ASK_REVIEW = "ask_review"
    ASK_RE_REVIEW = "ask_re_review"
    ORDER_REDO = "order_redo"
    CHANGE_OPINION = "change_opinion"
    MAINTAIN_OPINION = "maintain_opinion"
    DELIVER_FINAL = "deliver_final"
    SAME_FACTS_AGAIN = "same_facts_again"
    REMEDY_LAPSE = "remedy_lapse"
    ARCHIVE = "archive"
    CALL_BACK = "call_back"
    STUDY_SUGGESTION = "study_suggestion"
    REPLY_SUGGESTION = "reply_suggestion"
    WITHDRAW = "withdraw"

"""The columns (工单列名): headings and words hotlines write into their tables of orders, and what they mean."""

from __future__ import annotations

from typing import Any

# Field path of the order -> headings seen in tables; the path itself is a heading as well.
COLUMNS = {
    "order_no": "工单编号 工单号 热线工单号 热线工单编号 受理编号",
    "line": "热线 热线号码 被叫号码",
    "theme": "主题 主题渠道 专题",
    "seat_id": "坐席 坐席工号 坐席编号 话务员 受理人",
    "caller_number": "来电号码 主叫号码",
    "started_at": "受理时间 来电时间 通话开始 通话开始时间 开始时间 登记时间",
    "ended_at": "通话结束 通话结束时间 结束时间",
    "recording_id": "录音编号 录音号 录音ID 录音流水号",
    "caller.name": "姓名 来电人 来电人姓名 诉求人 诉求人姓名 市民姓名 caller_name",
    "caller.gender": "性别 来电人性别 caller_gender",
    "caller.id_no": "身份证号 身份证号码 证件号码 caller_id_no",
    "caller.mobile": "手机 手机号 手机号码 caller_mobile",
    "caller.landline": "固定电话 座机 caller_landline",
    "caller.address": "住址 联系地址 地址 家庭住址 caller_address",
    "caller.region_code": "常住地区划 住址区划 caller_region_code",
    "contact": "联系电话 联系方式 电话 来电人电话",
    "place_region": "事发地区划 事发地区划代码 区划代码 所属区域 事发区域",
    "place_words": "事发地 事发地点 事发地址 诉求地址",
    "kind": "诉求类型 工单类型 类型 诉求类别",
    "event": "工单动作 动作",
    "state": "工单状态 热线状态",
    "title": "标题 诉求标题 工单标题",
    "content": "诉求内容 工单内容 内容 反映内容 诉求描述",
    "demands": "具体诉求 诉求事项 诉求请求",
    "urgency": "紧急程度 缓急程度",
    "reply_wanted": "是否回复 是否需要回复 要求回复",
    "confidential": "是否保密 要求保密 保密",
    "three_way.unit": "三方通话单位",
    "three_way.person": "三方通话单位人员 三方通话接听人",
    "three_way.agreed": "三方通话是否达成一致 三方通话是否同意",
    "three_way.note": "三方通话 三方通话记录",
    "result": "办理结果 处理结果 办理情况",
    "callback_score": "回访评分 满意度评分",
    "callback_wanted": "是否回访 是否需要回访 要求回访",
}
HEADINGS = {name.lower(): path for path, names in COLUMNS.items() for name in (path, *names.split())}

_YES_NO = dict.fromkeys("是 需要 要 保密 同意 一致 有 y yes true 1".split(), True) | dict.fromkeys(
    "否 不需要 不要 不保密 不用 不同意 不一致 无 n no false 0".split(), False
)
_GENDERS = {"男": "MALE", "女": "FEMALE", "先生": "MALE", "女士": "FEMALE", "male": "MALE", "female": "FEMALE"}
_FLAGS = ("reply_wanted", "confidential", "three_way.agreed", "callback_wanted")
# Field path -> what its cells may say and mean (None: said to be unknown), and the words for anything else.
CELL_WORDS: dict[str, tuple[dict[str, Any], str]] = {
    **dict.fromkeys(_FLAGS, (_YES_NO, "应填“是”或“否”。")),
    "caller.gender": (_GENDERS | dict.fromkeys(("未知", "不详"), None), "应填“男”或“女”，不知道就空着。"),
    "callback_score": ({f"{n}{unit}": n for n in range(1, 6) for unit in ("", "分")}, "应填1到5的整数。"),
    "event": (
        {word: word for word in "派单 补充 催办 重办 撤单 办结 回访".split()},
        "应填派单、补充、催办、重办、撤单、办结、回访中的一种。",
    ),
    "kind": (
        {f"{kind}{tail}": kind for kind in "咨询 求助 投诉 举报 建议 表扬 其他".split() for tail in ("", "类", "件")},
        "应填咨询、求助、投诉、举报、建议、表扬、其他中的一种。",
    ),
    "urgency": (
        {"一般": "一般", "普通": "一般", "正常": "一般", "紧急": "紧急", "加急": "紧急", "特急": "特急"},
        "应填一般、紧急、特急中的一种。",
    ),
}

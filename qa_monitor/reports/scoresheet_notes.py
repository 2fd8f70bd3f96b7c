"""How a score sheet's figures came about, in words."""

from __future__ import annotations

from collections import Counter

from qa_monitor.agents.casemix import FACTORS, LEAST_CALLS, OTHER
from qa_monitor.agents.coaching import LEAST_COST
from qa_monitor.agents.measures import MEASURES
from qa_monitor.reports import figures
from qa_monitor.reports.explain import REPORT_COUNTS
from qa_monitor.reports.scoresheet import ScoreSheet
from qa_monitor.reports.sheets import FAINT, LINE_POINTS, ROW_PADDING_POINTS, Sheet, text_width

WORDS_WIDTH = 110
Lines = list[tuple[str, str]]


def method(sheet: ScoreSheet) -> Lines:
    """(heading, sentence) pairs on every figure."""
    least = sheet.ledger.min_calls
    return [
        ("机器初评", "得分由规则和模型自动给出，是机器初评；人工确认、人工改判、申诉中的通话分别计数，见“复核与申诉”。"),
        ("原始平均分", "本人本期全部评分通话得分的简单平均；别人的通话不影响它。"),
        ("95% 区间", "通话数有限带来的不确定范围：平均值用学生 t 分布，占比用 Wilson 区间，相关系数用 Fisher 变换。只有 1 通时没有区间。"),
        ("调整后得分", f"按{'、'.join(FACTORS)}扣除通话结构的影响：在同一坐席内部比较不同类型的通话，估出各类型的难度，再折算成全中心的通话结构。"
                  f"少于 {LEAST_CALLS} 通的类型并入“{OTHER}”。"),
        ("收缩后得分", "样本越少，越向全体平均靠拢（经验贝叶斯，组间方差用 DerSimonian–Laird 估计），避免几通电话决定高低。"),
        ("名次区间", f"评分不少于 {least} 通的坐席，按调整后得分的 95% 区间能确定的最好到最差名次；区间重叠的不分先后。"),
        ("失分构成", "每通 100 分里失去的分数按评分表权重分到各项；各项相加等于 100 减原始平均分，一票否决单列清零的部分。"),
        ("比上期变在哪里", "各项每通失分与上个月相减，相加等于平均分的变化；正数为提高。"),
        ("疑似", "只凭读音或识别不清的命中，模型也没有认定的，人工确认前不扣分，也不计入不合格。"),
        ("覆盖率", "质检通数 ÷ 绩效记录中的接听量；没有接听量时空着。"),
        ("回访满意率", "绩效记录中的 满意 ÷（满意＋不满意）；预测满意度是模型对每通电话的预测，两者并列，可互相校验。"),
        ("绩效记录", "按工号和月份对应，从不按姓名猜；每日记录相加（率和平均类指标取加权平均）；同月既有月报又有日报时用月报。"),
        ("班组", "按通话当天名册上的班组计；期内调动的坐席，通话分别计入两个班组。"),
        ("与业绩的关系", "每月各坐席质检平均分与回访满意率、投诉、一次解决率的相关系数；区间不含 0 才说有关。同时看很多项时，偶然会有一两项碰巧“有关”。"),
        ("规则与满意度", "满意度差：违规通话与合规通话的预测满意度（1–5）之差；回访不满 r：各坐席违规率与回访不满意率的相关系数。"),
        ("辅导建议", f"每通失分不少于 {LEAST_COST:g} 分且出现两次以上的前几项；上期建议的效果用违规率之差的 Newcombe 区间判断。"),
        ("取整", "得分、每百通、秒数保留 1 位小数，系数和相关系数 2 位，占比 0.1%，四舍五入；Excel、CSV、JSON 使用同一套数字。"),
        ("个人信息", "证据原话中的电话、证件号、户号、住址等已遮盖；超过保存期限的原话已删除，只留得分。"),
        *[(measure.name, measure.about) for measure in MEASURES],
    ]  # fmt: skip


def case_mix(sheet: ScoreSheet) -> Lines:
    """What each kind of call is worth against the average call."""
    mix = sheet.ledger.casemix
    if not mix.adjusted:
        return [("未调整", "本期通话没有可比较的类型差别（或每类都太少），调整后得分等于原始平均分。")]
    return [
        (f"{factor}：{level}", f"{figures.signed_points_text(effect)} 分（{mix.calls.get((factor, level), 0)} 通）")
        for (factor, level), effect in sorted(mix.effects.items(), key=lambda item: (item[0][0], -item[1]))
    ]


def write_notes(sheet: Sheet, scores: ScoreSheet, counts: Counter[str]) -> None:
    """The last sheet: method, effects of the case mix, versions, and what was cut or guarded."""
    sheet.raw.set_column(0, 0, 24)
    sheet.raw.set_column(1, 1, WORDS_WIDTH)
    sheet.raw.fit_to_pages(1, 0)
    tidied = [(f"{counts[code]} 处", words) for code, words in REPORT_COUNTS.items() if counts[code]]
    policy = scores.policy.policy if scores.policy else None
    blocks: list[tuple[str, Lines]] = [
        ("怎样看这份表", method(scores)),
        ("通话结构的影响（对平均一通）", case_mix(scores)),
        ("依据的版本", list(scores.versions)),
        ("绩效办法", [(policy.name, policy.description or "—")] if policy else [("未使用", "没有等级和系数")]),
        ("说明", [(f"{note.count} 处", note.message) for note in scores.notes]),
        ("写入本表时的处理", tidied),
    ]
    row = 0
    for title, lines in blocks:
        if not lines:
            continue
        sheet.text(row, 0, title, bold=True, font_size=12)
        for index, (name, words) in enumerate(lines, start=row + 1):
            sheet.text(index, 0, name, font_color=FAINT, valign="top")
            sheet.text(index, 1, words, text_wrap=True)
            lines_needed = -(-text_width(words) // (WORDS_WIDTH - 4))
            sheet.raw.set_row(index, LINE_POINTS * max(1, lines_needed) + ROW_PADDING_POINTS / 2)
        row += len(lines) + 2

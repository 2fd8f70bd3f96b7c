"""How the figures came about, in words: shown in the workbook's last sheet, at the HTML report's end and beside CSV."""

from __future__ import annotations

from collections import Counter

from qa_monitor.reports import figures
from qa_monitor.reports.overview import Overview, counts_sentence, length_sentence
from qa_monitor.reports.sheets import FAINT, Sheet
from qa_monitor.store.views import BatchView

PRINTING = ("打印", "按 A4 横向排版，每页重复表头；坐席、通话、扣分明细打印主要各列，其余列在屏幕上向右查看。")
REPORT_COUNTS = {
    "quoted_cells": "以 = + - @ 等开头的文字，单元格加了文本前缀，防止被当作公式",
    "control_characters": "不可显示的控制字符，已去除",
    "cut_cells": "超过 Excel 单元格上限 32,767 字符的文字，已截断并注明",
    "markup_guarded": "形似 Excel 内部标记的文字，末尾加了一个空格",
}


def method_lines(batch: BatchView, overview: Overview) -> list[tuple[str, str]]:
    """(heading, sentence) pairs on how to read the report."""
    bands = "，".join(f"{lower} 分起为{name}" for lower, _, name in figures.BANDS[:-1])
    lines = [
        ("机器初评", "得分由规则和模型自动给出，是机器初评。每一处扣分都附有原话、时间和理由，可由人工复核、坐席可以申诉。"),
        ("疑似", "只凭读音命中或识别不清的命中，模型也没有认定的，标为“疑似”，人工确认前不扣分。"),
        ("无法判断", "录音不清、角色不明时规则不下结论，不扣分也不算合格。"),
        ("未评分", "无人声、过短或内容不足以评价的通话不给分，也不计入任何平均数。"),
        ("颜色", f"得分颜色：{bands}，60 分以下为{figures.BANDS[-1][2]}。仅为阅读方便，不是考核等级。"),
        ("平均与区间", "平均分只含已评分通话；95% 区间表示通话数有限带来的不确定，区间重叠的坐席不宜比较高低。"),
        ("样本不足", f"评分通话少于 {batch.min_calls} 通的坐席注明“样本不足”，不参与排名。"),
        ("取整", "得分、礼貌、满意度、秒数保留 1 位小数，占比保留到 0.1%，四舍五入；Excel、网页、CSV、JSON 使用同一套数字。"),
        ("个人信息", "电话、证件号、户号、住址等默认已遮盖；遮盖出错时该句整句不显示。"),
    ]  # fmt: skip
    if overview.scorer:
        lines.insert(4, ("礼貌、解决、满意度", f"由“{overview.scorer}”评定，礼貌与满意度为 1–5，越高越好。"))
    return lines


def version_lines(batch: BatchView) -> list[tuple[str, str]]:
    """(what, version) pairs; empty ones left out."""
    versions = batch.versions
    lines = [
        ("程序版本", versions.program),
        ("规则版本", versions.rulebook),
        ("评分表", versions.scorecard),
        ("模型评分", versions.scorer),
        ("语音识别", versions.asr),
    ]
    return [(name, value) for name, value in lines if value]


def write_explanation(
    sheet: Sheet, batch: BatchView, overview: Overview, counts: Counter[str], sheets_used: list[str]
) -> None:
    """The workbook's last sheet: method, versions, and what was masked, cut or guessed."""
    sheet.raw.set_column(0, 0, 22)
    sheet.raw.set_column(1, 1, 100)
    sheet.raw.fit_to_pages(1, 0)
    blocks: list[tuple[str, list[tuple[str, str]]]] = [
        ("怎样看这份表", [*method_lines(batch, overview), PRINTING]),
        ("依据的版本", version_lines(batch)),
        ("本批数量", [("通话", counts_sentence(batch) + length_sentence(batch))]),
    ]
    if batch.unmatched_note:
        blocks[-1][1].append(("未匹配到坐席", batch.unmatched_note))
    if batch.notes:
        blocks.append(("遮盖、舍弃与推断", [(f"{note.count} 处", note.message) for note in batch.notes]))
    tidied = [(f"{counts[code]} 处", words) for code, words in REPORT_COUNTS.items() if counts[code]]
    if tidied:
        blocks.append(("写入本表时的处理", tidied))
    if len(sheets_used) > 2:
        blocks.append(("分表", [("超过单表行数上限", "接续写在：" + "、".join(sheets_used))]))
    row = 0
    for title, lines in blocks:
        sheet.text(row, 0, title, bold=True, font_size=12)
        for index, (name, words) in enumerate(lines, start=row + 1):
            sheet.text(index, 0, name, font_color=FAINT)
            sheet.text(index, 1, words, text_wrap=True)
        row += len(lines) + 2

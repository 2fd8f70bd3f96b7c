"""The samples' roster (XLSX, with a title row as offices have it) and a month of performance records (CSV)."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import xlsxwriter

ROSTER = [
    ("0066", "周敏", "客服一班", "综合业务", "高级坐席", "2019-07-01", "2026-01-01", ""),
    ("0071", "林晓燕", "客服一班", "综合业务", "高级坐席", "2018-03-12", "2026-01-01", ""),
    ("0085", "赵强", "客服二班", "催费外呼", "坐席", "2025-09-15", "2025-09-15", ""),
    ("0093", "何静", "客服二班", "综合业务", "坐席", "2022-05-20", "2026-06-01", ""),
    ("0093", "何静", "客服三班", "故障报修", "坐席", "2022-05-20", "2022-05-20", "2026-05-31"),
    ("0102", "孙磊", "客服三班", "综合业务", "坐席", "2023-11-01", "2026-01-01", ""),
    ("0110", "马丽", "客服三班", "故障报修", "坐席", "2020-02-10", "2020-02-10", "2026-09-30"),
]
RECORDS = [
    ("0066", 1820, 268, "98.6%", 22, 402, 5, "91.2%", 0, 3, 96, "99.1%"),
    ("0071", 1765, 281, "98.1%", 21, 388, 6, "90.4%", 0, 2, 94, "98.7%"),
    ("0085", 2103, 187, "97.0%", 22, 301, 41, "68.5%", 6, 0, 71, "88.0%"),
    ("0093", 1650, 255, "97.8%", 20, 335, 15, "82.0%", 1, 0, 85, "95.3%"),
    ("0102", 1710, 240, "97.5%", 21, 342, 18, "80.6%", 1, 1, 83, "94.0%"),
]  # fmt: skip


def main(samples: Path) -> None:
    with xlsxwriter.Workbook(samples / "坐席名册.xlsx", {"strings_to_numbers": False}) as book:
        sheet = book.add_worksheet("名册")
        sheet.merge_range(0, 0, 0, 7, "95598 客服中心坐席名册（样例，人名虚构）")
        for column, name in enumerate(("工号", "姓名", "班组", "技能组", "岗位", "入职日期", "生效日期", "离职日期")):
            sheet.write_string(1, column, name)
        for row, line in enumerate(ROSTER, start=2):
            for column, value in enumerate(line):
                sheet.write_string(row, column, value)
    with (samples / "绩效_2026-11.csv").open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("工号", "接听量", "平均处理时长(秒)", "接通率", "出勤天数", "回访满意", "回访不满意", "一次解决率", "投诉",
                         "表扬", "知识考试", "工单及时率"))  # fmt: skip
        writer.writerows(RECORDS)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

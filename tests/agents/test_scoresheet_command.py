"""`scoresheet` and `policy` as a user types them, from dialogues to files."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from qa_monitor.cli import cli
from qa_monitor.errors import QaMonitorError
from qa_monitor.settings import resource_dir

REPOSITORY = Path(__file__).resolve().parent.parent.parent
GOOD = [
    ("agent", "您好，国家电网，零零七一号为您服务，请问有什么可以帮您？"),
    ("customer", "我家停电了，电话是幺三八零零零零幺二三四"),
    ("agent", "给您添麻烦了，我马上帮您登记，抢修师傅四十五分钟之内到，您看可以吗？"),
    ("customer", "可以，谢谢"),
    ("agent", "请问您还有其他需要帮助的吗？"),
    ("customer", "没有了"),
    ("agent", "感谢您的来电，再见"),
]
BAD = [
    ("agent", "喂，说"),
    ("customer", "我要查电费，我电话一三八零零零零一二三四"),
    ("agent", "急什么，户号报一下，一三八零零零零一二三四是吧，急什么"),
    ("customer", "你什么态度，我要投诉"),
    ("agent", "有本事你去投诉，我挂了"),
]


def typed(home: Path, *arguments: object) -> Result:
    return CliRunner().invoke(
        cli, ["--home", str(home), *map(str, arguments)], catch_exceptions=False, standalone_mode=False
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the samples' roster and records, and thirty audited dialogues."""
    folder = tmp_path_factory.mktemp("home")
    rng = random.Random(5)
    dialogues = folder / "对话.jsonl"
    lines = []
    for number in range(30):
        agent_id = ("0066", "0071", "0085")[number % 3]
        turns = BAD if rng.random() < {"0066": 0.3, "0071": 0.1, "0085": 0.8}[agent_id] else GOOD
        month = "10" if number < 6 else "11"
        lines.append(
            {
                "id": f"T{number}", "agent_id": agent_id, "business": "故障报修",
                "started_at": f"2026-{month}-{1 + number % 27:02d}T09:00:00+08:00",
                "turns": [{"role": role, "text": text} for role, text in turns],
            }
        )  # fmt: skip
    dialogues.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    typed(folder, "agents", "import", REPOSITORY / "samples" / "坐席名册.xlsx")
    typed(folder, "performance", "import", REPOSITORY / "samples" / "绩效_2026-11.csv")
    typed(folder, "audit-text", dialogues, "--no-report", "--workers", "1")
    return folder


def test_score_sheets_of_a_month(home: Path, tmp_path: Path) -> None:
    done = typed(
        home,
        "scoresheet",
        "--period",
        "2026-11",
        "--format",
        "xlsx",
        "--format",
        "csv",
        "--format",
        "json",
        "--out",
        tmp_path,
    )
    assert done.return_value == 0, done.output
    assert "2026-11：5 名坐席，24 通" in done.output
    assert {path.name for path in tmp_path.iterdir()} == {
        "成绩单_2026-11.xlsx",
        "成绩单_2026-11.json",
        "成绩单_2026-11",
    }
    with (tmp_path / "成绩单_2026-11" / "扣分明细.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert rows
    assert all(row["证据原话"] or row["理由"] for row in rows)
    assert not any("一三八零零零零" in row["证据原话"] + row["理由"] for row in rows)
    told = json.loads((tmp_path / "成绩单_2026-11.json").read_text(encoding="utf-8"))
    ranking = {row["agent_id"]: row for row in told["lists"]["排名"]["rows"]}
    assert ranking["0071"]["points"] > ranking["0085"]["points"]
    assert ranking["0071"]["surveyed"] == 0.985
    assert {row["basis"] for row in ranking.values()} <= {"未计入", ""}
    with (tmp_path / "成绩单_2026-11" / "等级核算.csv").open(encoding="utf-8-sig", newline="") as stream:
        steps = list(csv.DictReader(stream))
    assert {row["工号"] for row in steps} == {"0066", "0071", "0085"}
    assert all("机器初评" in row["怎么来的"] for row in steps if row["步骤"].startswith("质检得分"))


def test_a_format_that_cannot_be_written_does_not_stop_the_others(home: Path, tmp_path: Path) -> None:
    (tmp_path / "成绩单_2026-11.xlsx").mkdir()
    done = typed(home, "scoresheet", "--period", "2026-11", "--format", "xlsx", "--format", "csv", "--out", tmp_path)
    assert done.return_value == 1
    assert "报告未能写入" in done.output
    assert (tmp_path / "成绩单_2026-11" / "排名.csv").exists()


def test_one_agent_and_one_team(home: Path, tmp_path: Path) -> None:
    assert typed(home, "scoresheet", "--period", "2026-11", "--agent", "0071", "--out", tmp_path).return_value == 0
    assert typed(home, "scoresheet", "--period", "202611", "--team", "客服一班", "--out", tmp_path).return_value == 0
    assert {path.name for path in tmp_path.iterdir()} == {"成绩单_2026-11_0071.xlsx", "成绩单_2026-11_客服一班.xlsx"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--period", "十一月"), "不是月份"),
        (("--period", "2026-11-03"), "不是月份"),
        (("--period", "2026-11", "--agent", "404"), "名册里没有 404"),
        (("--period", "2026-11", "--team", "没有的班"), "名册里没有 班组 没有的班"),
        (("--period", "2026-11", "--policy", "没有.yaml"), "读不了"),
    ],
)
def test_what_cannot_be_done_is_said(home: Path, arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises(QaMonitorError, match=said):
        typed(home, "scoresheet", *arguments)


def test_a_month_without_calls(home: Path, tmp_path: Path) -> None:
    done = typed(home, "scoresheet", "--period", "2026-03", "--out", tmp_path)
    assert "2026-03 没有质检通话" in done.output
    assert (tmp_path / "成绩单_2026-03.xlsx").exists()


def test_policy_check_and_try(home: Path, tmp_path: Path) -> None:
    assert "default.yaml：正确" in typed(home, "policy", "check").output
    text = (resource_dir("rules") / "policy" / "default.yaml").read_text(encoding="utf-8")
    broken = tmp_path / "坏.yaml"
    broken.write_text(text.replace("from: 90", "form: 90"), encoding="utf-8")
    checked = typed(home, "policy", "check", broken)
    assert checked.return_value == 2
    assert "坏.yaml:" in checked.output
    assert "是不是想写 from" in checked.output
    new = tmp_path / "新.yaml"
    new.write_text(text.replace("unconfirmed: exclude", "unconfirmed: include"), encoding="utf-8")
    tried = typed(home, "policy", "try", new, "--period", "2026-11").output
    assert "0085 赵强：不定级（系数 1.00） → D（" in tried
    assert "人等级或系数改变" in tried
    assert "等级含未经人工确认的机器初评的有 3 人" in tried

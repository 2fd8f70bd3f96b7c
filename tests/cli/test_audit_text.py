"""`audit-text` and the commands that look at what it stored, in real processes."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import BAD, GOOD, REPOSITORY, Run, dialogue, write_dialogues


def results(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def stage_rows(home: Path) -> dict[str, int]:
    with sqlite3.connect(home / "store.db") as store:
        return dict(store.execute("SELECT stage, count(*) FROM results GROUP BY stage"))


def test_results_say_all_that_is_promised(run: Run, tmp_path: Path) -> None:
    file = write_dialogues(
        tmp_path / "in.jsonl", dialogue("T2", *BAD, agent_id="0085"), dialogue("T1", *GOOD, business="故障报修")
    )
    done = run("audit-text", file, "--out", tmp_path / "out.jsonl")
    assert done.returncode == 0, done.stderr
    bad, good = results(tmp_path / "out.jsonl")
    assert (bad["id"], good["id"]) == ("T2", "T1")
    assert good["score"] > 80 > bad["score"]
    assert bad["veto"] == ["safety.advice"]
    assert "一票否决" in bad["arithmetic"]
    finding = next(finding for finding in bad["findings"] if finding["rule_id"] == "attitude.forbidden_expression")
    assert finding["verdict"] == "fail"
    assert set(finding) >= {"confidence", "turns", "quote", "why"}
    assert finding["quote"] in BAD[finding["turns"][0]]
    assert good["politeness"]["call"] > bad["politeness"]["call"]
    assert {turn["i"] for turn in good["politeness"]["turns"]} == {0, 2, 4, 6}
    assert sum(good["resolution"]["probabilities"].values()) == pytest.approx(1, abs=0.01)
    assert 1 <= bad["satisfaction"]["score"] < good["satisfaction"]["score"] <= 5
    assert good["scorer"].startswith("微调模型")
    told = json.dumps(good, ensure_ascii=False)
    assert "幺三八" not in told
    assert "13800001234" not in told
    assert "零零零零幺二三四" not in json.dumps(good, ensure_ascii=False)
    assert (tmp_path / "home" / "reports" / "质检成绩表.xlsx").exists()
    assert (tmp_path / "home" / "reports" / "质检报告.html").exists()


def test_second_run_does_nothing_and_writes_the_same(run: Run, tmp_path: Path) -> None:
    file = write_dialogues(tmp_path / "in.jsonl", dialogue("T1", *GOOD), dialogue("T2", *BAD))
    assert run("audit-text", file, "--out", tmp_path / "1.jsonl", "--no-report").returncode == 0
    again = run("audit-text", file, "--out", tmp_path / "2.jsonl", "--no-report")
    assert "本次新处理 0 通" in again.stdout
    assert (tmp_path / "1.jsonl").read_bytes() == (tmp_path / "2.jsonl").read_bytes()


def test_same_call_in_another_store_gives_the_same_bytes(run: Run, tmp_path: Path) -> None:
    file = write_dialogues(tmp_path / "in.jsonl", dialogue("T1", *GOOD), dialogue("T2", *BAD))
    for name in ("a", "b"):
        run(
            "audit-text", file, "--out", tmp_path / f"{name}.jsonl", "--no-report", QA_MONITOR_HOME=str(tmp_path / name)
        )
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()


def test_changed_rules_recompute_findings_and_scores_only(run: Run, tmp_path: Path, home: Path) -> None:
    file = write_dialogues(tmp_path / "in.jsonl", dialogue("T1", *GOOD))
    assert run("init", "--with-rules").returncode == 0
    assert run("audit-text", file, "--no-report").returncode == 0
    before = stage_rows(home)
    pack = home / "rules" / "common" / "9_own.yaml"
    pack.write_text(
        "rules:\n  - id: own.rule\n    name: 说到登记\n    category: 服务规范\n    check: {phrase: 登记}\n",
        encoding="utf-8",
    )
    assert run("audit-text", file, "--out", tmp_path / "out.jsonl", "--no-report").returncode == 0
    after = stage_rows(home)
    assert {stage: after[stage] - before[stage] for stage in after} == {
        "dialogue": 0,
        "model": 0,
        "findings": 1,
        "score": 1,
    }
    (row,) = results(tmp_path / "out.jsonl")
    assert [finding["verdict"] for finding in row["findings"] if finding["rule_id"] == "own.rule"] == ["pass"]
    with sqlite3.connect(home / "store.db") as store:
        assert store.execute("SELECT count(DISTINCT rulebook_version) FROM calls").fetchone() == (1,)


def test_bad_lines_are_named_and_the_others_done(run: Run, tmp_path: Path) -> None:
    good = json.dumps(dialogue("T1", *GOOD), ensure_ascii=False).encode()
    lines = [
        good,
        b"{not json",
        b"[]",
        b'{"turns": []}',
        b'{"id": "x", "turns": [{"role": "boss", "text": "a"}]}',
        b'{"id": "y", "turns": [{"role": "agent"}]}',
        b'{"id": "z", "turns": [{"role": "agent", "text": "a", "start": 5, "end": 2}]}',
        '{"id": "g", "turns": "您好"}'.encode("gbk"),
        b"",
        b'{"id": "empty", "turns": []}',
    ]
    (tmp_path / "in.jsonl").write_bytes(b"\n".join(lines))
    done = run("audit-text", tmp_path / "in.jsonl", "--out", tmp_path / "out.jsonl", "--no-report")
    assert done.returncode == 1
    assert "未能处理 7 个" in done.stdout
    for number in (2, 3, 4, 5, 6, 7, 8):
        assert f"in.jsonl:{number}：" in done.stdout
    first, last = results(tmp_path / "out.jsonl")
    assert first["id"] == "T1"
    assert last["score"] is None
    assert last["findings"] == []


def test_interrupted_once_it_stops_soon_and_the_next_run_finishes(
    environment: dict[str, str], run: Run, tmp_path: Path
) -> None:
    file = write_dialogues(tmp_path / "in.jsonl", *(dialogue(f"T{n}", *GOOD, *BAD, *GOOD) for n in range(150)))
    command = [sys.executable, "-m", "qa_monitor", "audit-text", str(file), "--no-report"]
    started = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=REPOSITORY
    )
    store = tmp_path / "home" / "store.db"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if (
            store.exists()
            and sqlite3.connect(store).execute("SELECT 1 FROM sqlite_master WHERE name='jobs'").fetchone()
        ):
            done = sqlite3.connect(store).execute("SELECT count(*) FROM jobs WHERE state='done'").fetchone()[0]
            if done >= 5:
                break
        time.sleep(0.1)
    started.send_signal(signal.SIGINT)
    said, _ = started.communicate(timeout=60)
    assert started.returncode == 130, said
    assert "重新运行同一命令即可继续" in said
    assert sqlite3.connect(store).execute("SELECT count(*) FROM jobs WHERE state='running'").fetchone() == (0,)
    assert run("audit-text", file, "--no-report").returncode == 0
    assert sqlite3.connect(store).execute("SELECT state, count(*) FROM jobs GROUP BY state").fetchall() == [
        ("done", 150)
    ]


def test_two_runs_share_one_store(environment: dict[str, str], tmp_path: Path, home: Path) -> None:
    file = write_dialogues(tmp_path / "in.jsonl", *(dialogue(f"T{n}", *GOOD) for n in range(60)))
    command = [sys.executable, "-m", "qa_monitor", "audit-text", str(file), "--no-report", "--workers", "1"]
    pair = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=REPOSITORY)
        for _ in range(2)
    ]
    ended = [process.communicate(timeout=120) + (process.returncode,) for process in pair]
    assert [code for _, _, code in ended] == [0, 0], ended
    assert stage_rows(home) == {"dialogue": 60, "findings": 60, "model": 60, "score": 60}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("audit", "/nowhere"), "文件夹不存在"),
        (("audit-text", "/nowhere.jsonl"), "文件不存在"),
        (("status",), "还没有数据"),
        (("show", "x"), "还没有数据"),
        (("audti", "x"), "没有这个命令"),
        (("audit", "--wokers", "1", "x"), "没有选项 --wokers"),
        (("audit",), "缺少参数"),
        (("agents", "import", "/nowhere.csv"), "无法打开"),
        (("rules", "explain", "x", "no.rule"), "没有规则 no.rule"),
    ],
)
def test_refusals_are_chinese_and_say_what_to_do(run: Run, arguments: tuple[str, ...], said: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert said in done.stderr


def test_wrong_configuration_stops_with_file_and_field(run: Run, home: Path) -> None:
    home.mkdir()
    (home / "qa_monitor.toml").write_text("[audio]\nmax_hour = 3\n")
    done = run("status")
    assert done.returncode == 2
    assert "audio.max_hour" in done.stderr
    (home / "qa_monitor.toml").write_text("[audio\n")
    assert "不是有效的 TOML" in run("status").stderr


def test_broken_rule_stops_before_work_with_file_and_line(run: Run, tmp_path: Path, home: Path) -> None:
    run("init", "--with-rules")
    (home / "rules" / "common" / "9_own.yaml").write_text("rules:\n  - id: a.b\n    nmae: 错\n", encoding="utf-8")
    file = write_dialogues(tmp_path / "in.jsonl", dialogue("T1", *GOOD))
    done = run("audit-text", file)
    assert done.returncode == 2
    assert "9_own.yaml:3" in done.stderr
    assert run("rules", "check").returncode == 2


def test_init_keeps_what_is_there_and_its_configuration_loads(run: Run, home: Path) -> None:
    assert run("init").returncode == 0
    text = (home / "qa_monitor.toml").read_text(encoding="utf-8")
    assert "# 报告中是否遮盖个人信息" in text
    (home / "qa_monitor.toml").write_text(text.replace("retention_days = 180", "retention_days = 30"), encoding="utf-8")
    assert "未改动" in run("init").stdout
    assert "retention_days = 30" in (home / "qa_monitor.toml").read_text(encoding="utf-8")
    assert run("status").returncode == 0


def test_looking_at_a_call(run: Run, tmp_path: Path) -> None:
    file = write_dialogues(tmp_path / "in.jsonl", dialogue("T1", *GOOD), dialogue("T2", *BAD))
    run("audit-text", file, "--no-report")
    shown = run("show", "T2").stdout
    assert "有本事你去投诉" in shown
    assert "一票否决" in shown
    assert "[手机号]" in run("show", "T1").stdout
    assert json.loads(run("show", "T2", "--json").stdout)["id"] == "T2"
    assert "已完成 2" in run("status").stdout
    assert "不合格" in run("rules", "explain", "T2", "safety.advice").stdout
    assert "2 通" in run("rules", "try", "safety.advice").stdout
    assert "没有这通电话" in run("show", "T9").stderr
    exported = run("export", "--out", tmp_path / "export")
    assert exported.returncode == 0
    assert any((tmp_path / "export").glob("*.csv"))


def test_purge_takes_the_words_and_keeps_the_figures(run: Run, tmp_path: Path, home: Path) -> None:
    run("audit-text", write_dialogues(tmp_path / "in.jsonl", dialogue("T1", *GOOD)), "--no-report")
    with sqlite3.connect(home / "store.db") as store:
        store.execute("UPDATE recordings SET first_seen_at = '2020-01-01T00:00:00.000+00:00'")
    store.close()
    assert "将删除 1 通" in run("purge", "--dry-run").stdout
    assert stage_rows(home)
    assert "已删除 1 通" in run("purge").stdout
    assert stage_rows(home) == {}
    with sqlite3.connect(home / "store.db") as store:
        assert store.execute("SELECT call_id, points > 0 FROM calls").fetchone() == ("T1", 1)
        assert store.execute("SELECT action FROM audit_trail").fetchall() == [("purge",)]
        assert b"\xe6\x82\xa8\xe5\xa5\xbd" not in b"".join(
            bytes(row[0] or b"") for row in store.execute("SELECT source FROM recordings")
        )
    store.close()
    assert run("report").returncode == 0


def test_plain_surroundings_give_readable_output(run: Run, environment: dict[str, str], tmp_path: Path) -> None:
    file = write_dialogues(tmp_path / "in.jsonl", dialogue("T1", *GOOD))
    done = run("audit-text", file, "--no-report", LANG="C", LC_ALL="C", TERM="dumb")
    assert done.returncode == 0
    assert "本次新处理 1 通" in done.stdout
    gbk = subprocess.run(
        [sys.executable, "-m", "qa_monitor", "show", "T1"],
        env={**environment, "PYTHONIOENCODING": "gbk"},
        capture_output=True,
        timeout=60,
    )
    assert gbk.returncode == 0
    assert "感谢您的来电" in gbk.stdout.decode("gbk", "replace")
    if shutil.which("bash"):
        piped = f"{sys.executable} -m qa_monitor show T1 | head -1; exit ${{PIPESTATUS[0]}}"
        closed = subprocess.run(["bash", "-c", piped], env=environment, capture_output=True, text=True, timeout=60)
        assert "Error" not in closed.stderr
        assert closed.returncode in (0, 1, -signal.SIGPIPE, 128 + signal.SIGPIPE)


def test_report_that_cannot_be_written_does_not_stop_the_other(run: Run, tmp_path: Path, home: Path) -> None:
    file = write_dialogues(tmp_path / "in.jsonl", dialogue("T1", *GOOD))
    run("audit-text", file)
    target = home / "reports" / "质检成绩表.xlsx"
    target.unlink()
    target.mkdir()  # what cannot be replaced, whoever runs the test
    done = run("report")
    assert done.returncode == 0
    assert "HTML 报告：" in done.stdout
    assert "质检成绩表.xlsx" in done.stdout


def test_unknown_agents_are_listed_and_not_matched_by_name(run: Run, tmp_path: Path) -> None:
    (tmp_path / "名册.csv").write_text("工号,姓名,班组\n007,甲,一班\n", encoding="utf-8")
    assert "新增 1 人" in run("agents", "import", tmp_path / "名册.csv").stdout
    assert "未变 1" in run("agents", "import", tmp_path / "名册.csv").stdout
    file = write_dialogues(
        tmp_path / "in.jsonl", dialogue("T1", *GOOD, agent_id="7"), dialogue("T2", *GOOD, agent_id="007")
    )
    table = run("audit-text", file).stdout
    assert "007 甲" in table
    assert "7 甲" not in table.replace("007 甲", "")
    assert "007" in run("agents", "list").stdout

"""What rules cost: a call, a turn, a phrase, a megabyte, a hostile pattern.

    python bench/bench_rules.py

The shipped rules read the golden dialogues; everything else is generated from a fixed seed. Times are process time on
one core, the median of several runs; of the shipped rules the mean over half of the dialogues.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from qa_monitor.dialogue.build import from_text
from qa_monitor.records import CallFacts, Dialogue, Turn
from qa_monitor.rules.rulebook import Rulebook, load_rulebook

ROOT = Path(__file__).resolve().parent.parent
RULES = ROOT / "rules"
SHIPPED = ["common", "power_95598"]
GOLDEN = ROOT / "tests" / "golden" / "dialogues"
_STARTS = [
    "请问",
    "麻烦您",
    "您这边",
    "我帮您",
    "非常感谢",
    "很抱歉",
    "这边",
    "那您",
    "我们会",
    "您可以",
    "关于",
    "因为",
    "如果",
    "目前",
    "已经",
]
_MIDDLES = [
    "户号",
    "电费",
    "停电",
    "报修",
    "缴费",
    "账单",
    "表箱",
    "工单",
    "户名",
    "地址",
    "电话",
    "欠费",
    "复电",
    "抢修",
    "余额",
    "过户",
    "增容",
    "发票",
    "套餐",
    "网上国网",
    "营业厅",
    "投诉",
]
_ENDS = [
    "核实一下",
    "查询一下",
    "登记好了",
    "处理完成",
    "稍等片刻",
    "给您回复",
    "联系您",
    "说明一下",
    "记录下来",
    "提交上去",
    "安排人员",
    "恢复供电",
]
_FILL = ["嗯", "呃", "那个", "好的", "对", "是的", "就是", "然后", "吧", "呢"]


def sentence(rng: random.Random) -> str:
    parts = [rng.choice(_STARTS), rng.choice(_MIDDLES), rng.choice(_ENDS)]
    if rng.random() < 0.3:
        parts.insert(rng.randrange(3), rng.choice(_FILL))
    return "".join(parts)


def dialogue(turns: int, seed: int = 1) -> Dialogue:
    rng = random.Random(seed)
    return Dialogue(
        tuple(
            Turn(i, "agent" if i % 2 == 0 else "customer", "，".join(sentence(rng) for _ in range(rng.randint(1, 4))))
            for i in range(turns)
        )
    )


def phrases(count: int, seed: int = 2) -> list[str]:
    """Different wordings of 2 to 12 characters, most of them not in any dialogue."""
    rng = random.Random(seed)
    characters = "".join(dict.fromkeys("".join(_STARTS + _MIDDLES + _ENDS)))
    common = [chr(code) for code in range(0x4E00, 0x4E00 + 3000)]
    found: dict[str, None] = {}
    while len(found) < count:
        pool = characters if rng.random() < 0.2 else common
        text = "".join(rng.choice(pool) for _ in range(rng.choice((2, 3, 4, 4, 5, 6, 8, 12))))
        if rng.random() < 0.2 and len(text) >= 4:
            text = f"{text[:2]}…{text[2:]}"
        found[text] = None
    return list(found)


def rule_text(number: int, wordings: list[str], rng: random.Random) -> str:
    """One rule of the kinds that real packs are made of."""
    said = ", ".join(f"'{wording}'" for wording in wordings)
    head = f"  - {{id: bench.r{number}, name: 规则{number}, category: 服务规范, "
    kind = number % 5
    if kind == 0:
        return head + f"check: {{phrase: [{said}], where: opening}}}}"
    if kind == 1:
        return head + f"violation: {{phrase: [{said}], except: ['{wordings[0]}的'], unless: {{phrase: 不用了}}}}}}"
    if kind == 2:
        near = "near: {hit: {phrase: [停电, 投诉], role: customer}, side: after, turns: 6}"
        return head + f"applies: {{phrase: [停电, 投诉], role: customer}}, check: {{phrase: [{said}], {near}}}}}"
    if kind == 3:
        inside = f"{{phrase: [{said}]}}, {{pattern: '\\d{{3,}}号|工号'}}, {{not: {{phrase: 再见, where: closing}}}}"
        return head + f"violation: {{all: [{inside}]}}}}"
    pair = f"{{phrase: [{said}]}}, {{phrase: ['{rng.choice(_STARTS)}…{rng.choice(_ENDS)}']}}"
    return head + f"check: {{before: [{pair}], turns: 4, which: every}}}}"


def rulebook(rules: int, count: int, folder: Path) -> Rulebook:
    """`rules` rules over `count` wordings."""
    rng = random.Random(3)
    every = phrases(count)
    each = max(1, count // rules)
    lines = ["rules:"]
    lines += [rule_text(n, every[n * each : (n + 1) * each] or every[:1], rng) for n in range(rules)]
    pack = folder / f"bench_{rules}_{count}"
    pack.mkdir(exist_ok=True)
    (pack / "rules.yaml").write_text("\n".join(lines), encoding="utf-8")
    return load_rulebook(folder, [pack.name])


def median_s(work: Callable[[], object], runs: int) -> float:
    work()
    times = []
    for _ in range(runs):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times)


def check_s(book: Rulebook, call: Dialogue, runs: int = 15) -> float:
    return median_s(lambda: book.check(call, CallFacts()), runs)


def bench_call(folder: Path) -> None:
    book = rulebook(100, 1000, folder)
    print(f"100 条规则、1000 种说法、40 轮对话：{1e3 * check_s(book, dialogue(40)):.1f} ms（目标 < 20 ms）")
    per_turn = {}
    for turns in (40, 400, 4000):
        seconds = check_s(book, dialogue(turns), 5)
        per_turn[turns] = 1e6 * seconds / turns
        print(f"  {turns} 轮：{1e3 * seconds:.1f} ms，每轮 {per_turn[turns]:.0f} µs")


def golden_calls() -> list[Dialogue]:
    """The golden dialogues, topics mixed, always in the same order."""
    lines = [line for file in sorted(GOLDEN.glob("*.jsonl")) for line in file.read_text(encoding="utf-8").splitlines()]
    calls = [from_text(json.loads(line)["turns"]) for line in lines if line.strip()]
    random.Random(5).shuffle(calls)
    return calls


def bench_shipped() -> None:
    """The rules that come with the product, on calls that they have not seen since they were loaded."""
    start = time.process_time()
    book = load_rulebook(RULES, SHIPPED)
    calls = golden_calls()
    book.check(calls[0], CallFacts())  # indexes are built with the first call
    loaded = time.process_time() - start
    half = len(calls) // 2
    for call in calls[1:half]:
        book.check(call, CallFacts())
    start = time.process_time()
    for call in calls[half:]:
        book.check(call, CallFacts())
    each = (time.process_time() - start) / (len(calls) - half)
    turns = statistics.mean(len(call.turns) for call in calls[half:])
    print(f"自带规则 {len(book.rules)} 条、{turns:.0f} 轮的示例对话：每通 {1e3 * each:.1f} ms，加载 {loaded:.1f} 秒")


def bench_phrases(folder: Path) -> None:
    call = dialogue(40)
    base = 0.0
    for count in (100, 1000, 10_000):
        start = time.process_time()
        book = rulebook(100, count, folder)
        loaded = time.process_time() - start
        seconds = check_s(book, call)
        base = base or seconds
        ratio = f"{seconds / base:.2f} 倍（目标 ≤ 2）"
        print(f"100 条规则、{count} 种说法：{1e3 * seconds:.1f} ms，{ratio}，加载 {loaded:.1f} 秒")


def bench_size(folder: Path) -> None:
    book = rulebook(100, 1000, folder)
    for megabytes in (1, 10):
        rng = random.Random(4)
        turns: list[Turn] = []
        size = 0
        while size < megabytes * 1_000_000:
            text = "，".join(sentence(rng) for _ in range(4))
            size += len(text.encode())
            turns.append(Turn(len(turns), "agent" if len(turns) % 2 == 0 else "customer", text))
        seconds = check_s(book, Dialogue(tuple(turns)), 1)
        print(f"{megabytes} MB 转写（{len(turns)} 轮）：{seconds:.1f} 秒，每 MB {seconds / megabytes:.2f} 秒")
    one = Dialogue((Turn(0, "agent", "请稍等" * 1_111_111),))
    print(f"10 MB 一轮到底：{check_s(book, one, 1):.1f} 秒")


def bench_hostile(folder: Path) -> None:
    pack = folder / "hostile"
    pack.mkdir(exist_ok=True)
    patterns = ["(a+)+$", "(.*)*x", "(a|a)*b", "(x+x+)+y", "([a-z]+)*!"]
    rules = [
        f"  - {{id: h.r{i}, name: 规则{i}, category: 服务规范, violation: {{pattern: '{p}z'}}}}"
        for i, p in enumerate(patterns)
    ]
    (pack / "rules.yaml").write_text("\n".join(["rules:", *rules]), encoding="utf-8")
    book = load_rulebook(folder, ["hostile"])
    for size in (1_000, 10_000, 100_000):
        call = Dialogue((Turn(0, "agent", "a" * size + "!"),))
        print(f"恶意正则 {len(patterns)} 条、{size} 个 a：{1e3 * check_s(book, call, 3):.2f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="不测 10 MB 转写")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bench_call(folder)
        bench_shipped()
        bench_phrases(folder)
        bench_hostile(folder)
        if not arguments.small:
            bench_size(folder)


if __name__ == "__main__":
    main()

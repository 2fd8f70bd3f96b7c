"""What `audit` and `audit-text` do: find the inputs, learn their facts, hand them to a batch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from qa_monitor.batch import Batch, BatchState, Tell, default_workers
from qa_monitor.errors import BadDialogue, QaMonitorError, SetupError, StillGrowing
from qa_monitor.pipeline import Kind
from qa_monitor.records import CallFacts, Note, Recording
from qa_monitor.settings import Settings
from qa_monitor.store import results
from qa_monitor.store.store import Store, to_json_text

MAX_LINE_CHARS = 20_000_000
TEXT_ROLES = frozenset({"agent", "customer", "ivr", "other", "unknown"})
FACT_FIELDS = ("agent_id", "started_at", "business", "direction", "customer_hash")


@dataclass(frozen=True, slots=True)
class AuditOutcome:
    """How a run ended: its counts and notes, and the contents it covered, in input order for text."""

    state: BatchState
    sha256s: tuple[str, ...]


def audit_recordings(
    store: Store, settings: Settings, roots: Sequence[Path], *, workers: int, limit: int | None, tell: Tell
) -> AuditOutcome:
    """Audit every recording below `roots`. Raises SetupError before the first file when the set-up is wrong."""
    from qa_monitor.facts import FactTable
    from qa_monitor.recordings import Found, identify, walk

    for root in roots:
        if not root.exists():
            raise SetupError("文件夹不存在", where=str(root), hint="请检查路径；路径中有空格时请加引号")
    with Batch(store, settings, "audio", workers or default_workers("audio"), tell) as batch, batch.interruptible():
        secret = store.customer_secret()
        tables = [FactTable.load(root if root.is_dir() else root.parent, settings.recordings, secret) for root in roots]
        covered: list[str] = []

        def take(found: Found) -> None:
            with store.read() as connection:
                known = results.known_hash(connection, found.path, found.size_bytes, found.mtime_ns)
            recording = found.as_recording(known) if known else identify(found, settings.recordings.settle_s)
            covered.append(recording.sha256)
            batch.add(recording, _first_known(tables, found.path))
            batch.tick()

        walker = walk(roots, settings.recordings)
        growing: list[Found] = []
        for found in walker:
            if batch.stopping or (limit is not None and batch.state.seen >= limit):
                break
            try:
                take(found)
            except StillGrowing:
                growing.append(found)
            except QaMonitorError as error:
                batch.add_unread(found.path, found.name, error)
        for found in growing:  # a second look, now that everything else has been seen
            try:
                take(found.again())
            except QaMonitorError as error:
                batch.add_unread(found.path, found.name, error)
        batch.state.notes.extend(walker.report.notes())
        for table in tables:
            batch.state.notes.extend(table.notes())
        return AuditOutcome(batch.wait(), tuple(dict.fromkeys(covered)))


def _first_known(tables: Sequence[Any], path: bytes) -> CallFacts:
    for table in tables:
        if table.covers(path):
            facts: CallFacts = table.facts_for(path)
            return facts
    return CallFacts()


def audit_dialogues(store: Store, settings: Settings, file: Path, *, workers: int, tell: Tell) -> AuditOutcome:
    """Audit dialogues that are text already: one JSON object a line. A bad line is reported and passed over."""
    kind: Kind = "text"
    if not file.is_file():
        raise SetupError("文件不存在", where=str(file), hint="请给出 JSONL 文件，每行一个对话")
    with Batch(store, settings, kind, workers or default_workers(kind), tell) as batch, batch.interruptible():
        covered: list[str] = []
        for number, item in read_dialogues(file):
            if batch.stopping:
                break
            place = f"{file}:{number}"
            if isinstance(item, QaMonitorError):
                batch.add_unread(place.encode("utf-8", "surrogateescape"), f"{file.name}:{number}", item)
                continue
            recording, facts, source = item
            covered.append(recording.sha256)
            batch.add(
                replace(recording, name=f"{file.name}:{number}", path=place.encode("utf-8", "surrogateescape")),
                facts,
                source,
            )
        if not batch.state.seen:
            batch.state.notes.append(Note("empty_input", f"{file.name}：没有对话"))
        return AuditOutcome(batch.wait(), tuple(covered))


def read_dialogues(file: Path) -> Iterator[tuple[int, tuple[Recording, CallFacts, bytes] | BadDialogue]]:
    """(line number, dialogue or what is wrong with it) for every line that is not blank."""
    with file.open("rb") as stream:
        for number, line in enumerate(iter(lambda: stream.readline(MAX_LINE_CHARS), b""), start=1):
            if not line.strip():
                continue
            where = f"{file.name}:{number}"
            try:
                yield number, parse_dialogue(line.removeprefix(b"\xef\xbb\xbf"), where)
            except BadDialogue as error:
                yield number, error


def parse_dialogue(line: bytes, where: str) -> tuple[Recording, CallFacts, bytes]:
    """One JSON object as (identity, facts, its turns as JSON). Raises BadDialogue saying which field is wrong."""
    hint = '每行应为 {"id": …, "turns": [{"role": "agent"或"customer", "text": …}]}'
    try:
        value = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BadDialogue("不是 UTF-8 编码", where=where, hint="请另存为 UTF-8 后重试") from error
    except ValueError as error:
        raise BadDialogue(f"不是有效的 JSON（{error}）", where=where, hint=hint) from error
    except RecursionError as error:
        raise BadDialogue("JSON 嵌套过深", where=where, hint=hint) from error
    if not isinstance(value, dict):
        raise BadDialogue("不是 JSON 对象", where=where, hint=hint)
    call_id = value.get("id")
    if not isinstance(call_id, (str, int)) or isinstance(call_id, bool) or not str(call_id).strip():
        raise BadDialogue("缺少 id", where=where, hint=hint)
    turns = [_parse_turn(turn, index, where) for index, turn in enumerate(_list_of(value.get("turns"), where, hint))]
    source = to_json_text({"id": str(call_id), "turns": turns}).encode("utf-8", "surrogatepass")
    facts_given = {name: _text_or_none(value.get(name), name, where) for name in FACT_FIELDS}
    if facts_given["direction"] not in (None, "inbound", "outbound"):
        raise BadDialogue(f"direction 应为 inbound 或 outbound，收到 {facts_given['direction']!r}", where=where)
    others = {
        key: str(item)
        for key, item in value.items()
        if key not in ("id", "turns", *FACT_FIELDS)
        and isinstance(item, (str, int, float))
        and not isinstance(item, bool)
    }
    facts = CallFacts(call_id=str(call_id), **facts_given, extra=others, sources={"*": where.split(":")[0]})  # type: ignore[arg-type]
    sha256 = hashlib.sha256(source + dumped(facts_given)).hexdigest()
    return Recording(sha256, b"", where, len(line), 0), facts, source


def dumped(value: Any) -> bytes:
    return to_json_text(value).encode("utf-8", "surrogatepass")


def _list_of(turns: Any, where: str, hint: str) -> list[Any]:
    if not isinstance(turns, list):
        raise BadDialogue("缺少 turns 列表", where=where, hint=hint)
    return turns


def _parse_turn(turn: Any, index: int, where: str) -> dict[str, Any]:
    hint = '每一轮应为 {"role": "agent" 或 "customer", "text": …}，时间 start、end 为秒，可省略'
    if not isinstance(turn, dict):
        raise BadDialogue(f"第 {index + 1} 轮不是对象", where=where, hint=hint)
    role, text = turn.get("role"), turn.get("text")
    if role not in TEXT_ROLES:
        raise BadDialogue(f"第 {index + 1} 轮的 role 为 {role!r}", where=where, hint=hint)
    if not isinstance(text, str):
        raise BadDialogue(f"第 {index + 1} 轮没有 text", where=where, hint=hint)
    times: dict[str, float] = {}
    for name in ("start", "end"):
        value = turn.get(name)
        if value is None:
            continue
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value < 1e7:
            raise BadDialogue(f"第 {index + 1} 轮的 {name} 不是秒数（{value!r}）", where=where, hint=hint)
        times[name] = float(value)
    if len(times) == 2 and times["end"] < times["start"]:
        raise BadDialogue(f"第 {index + 1} 轮的 end 早于 start", where=where, hint=hint)
    return {"role": role, "text": text.encode("utf-8", "replace").decode("utf-8"), **times}


def _text_or_none(value: Any, name: str, where: str) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise BadDialogue(f"{name} 应为文字，收到 {value!r}", where=where)
    return str(value)

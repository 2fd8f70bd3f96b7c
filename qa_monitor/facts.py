"""What is known of a call from outside its sound: a table beside the recordings, or the file's name. Never a guess."""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from qa_monitor.errors import RecordsFileError, SettingsError
from qa_monitor.recordings import display_name
from qa_monitor.records import CallFacts, Note
from qa_monitor.settings import RecordingSettings
from qa_monitor.tables import Table, plain_id, read_table

ALIASES: dict[str, tuple[str, ...]] = {
    "file": ("录音文件", "文件名", "录音文件名", "录音", "录音名称", "录音路径", "file", "filename", "recording"),
    "call_id": ("通话编号", "通话id", "呼叫流水号", "流水号", "录音编号", "会话编号", "call_id", "callid"),
    "agent_id": ("工号", "坐席工号", "座席工号", "员工编号", "员工号", "坐席编号", "agent_id", "agentid", "agent"),
    "started_at": ("开始时间", "通话时间", "通话开始时间", "呼叫时间", "时间", "start_time", "started_at"),
    "direction": ("呼叫方向", "方向", "呼叫类型", "direction"),
    "business": ("业务类型", "业务", "业务分类", "受理类型", "business"),
    "customer": ("主叫号码", "客户号码", "来电号码", "客户电话", "电话号码", "主叫", "caller", "customer"),
    "agent_channel": ("坐席声道", "座席声道", "agent_channel"),
}
_FIELD_OF = {alias: name for name, aliases in ALIASES.items() for alias in aliases}
DIRECTIONS = {
    "呼入": "inbound",
    "入": "inbound",
    "in": "inbound",
    "inbound": "inbound",
    "来电": "inbound",
    "呼出": "outbound",
    "外呼": "outbound",
    "出": "outbound",
    "out": "outbound",
    "outbound": "outbound",
}
CHANNELS = {"0": 0, "左": 0, "l": 0, "left": 0, "1": 1, "右": 1, "r": 1, "right": 1}
_TIMES = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y%m%d%H%M%S",
    "%Y%m%d_%H%M%S",
    "%Y%m%d-%H%M%S",
    "%Y年%m月%d日 %H:%M:%S",
    "%Y年%m月%d日 %H:%M",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d",
    "%Y/%m/%d",
)


class FactTable:
    """The facts of the recordings below one folder."""

    def __init__(self, root: Path, settings: RecordingSettings, secret: bytes) -> None:
        self._root = os.fsencode(root.resolve())
        self._settings = settings
        self._secret = secret
        self._zone = _zone(settings.timezone)
        self._pattern = _compiled(settings.file_name_pattern)
        self._rows: dict[str, CallFacts] = {}
        self._doubtful: set[str] = set()
        self._used: set[str] = set()
        self._unnamed = 0
        self._example = ""
        self._notes: list[Note] = []

    @classmethod
    def load(cls, root: Path, settings: RecordingSettings, secret: bytes) -> FactTable:
        """Read every table in `root` that has a column naming recordings. Raises SettingsError on a bad pattern."""
        table = cls(root, settings, secret)
        for path in sorted(root.glob(settings.sidecar)):
            if path.is_file():
                table._read(path)
        return table

    def covers(self, path: bytes) -> bool:
        """Whether `path` lies below this table's folder."""
        return os.path.abspath(path).startswith(self._root.rstrip(b"/") + b"/") or os.path.abspath(path) == self._root

    def facts_for(self, path: bytes) -> CallFacts:
        """What is known of the recording at `path`; the table wins over the name, and says so in `sources`."""
        name = display_name(os.path.basename(path))
        from_name = self._from_name(name)
        key = self._key_of(path, name)
        if key is None or key in self._doubtful:
            if key is None and from_name.agent_id is None:
                self._unnamed += 1
                self._example = self._example or name
            return from_name
        self._used.add(key)
        facts = self._rows[key]
        filled: dict[str, Any] = {
            part: getattr(from_name, part)
            for part in ("call_id", "agent_id", "started_at", "direction", "business", "customer_hash")
            if getattr(facts, part) is None and getattr(from_name, part) is not None
        }
        return replace(facts, **filled, sources={**from_name.sources, **facts.sources})

    def notes(self) -> list[Note]:
        """What did not match, each with file and row."""
        notes = list(self._notes)
        for key in sorted(set(self._rows) - self._used - self._doubtful):
            source = self._rows[key].sources.get("file", "")
            notes.append(Note("row_without_file", f"{source}：没有找到录音文件 {key}"))
        if self._unnamed:
            notes.append(
                Note(
                    "file_without_facts",
                    f"{self._unnamed} 个录音没有随录信息，文件名里也没有工号（如 {self._example}），列入“未匹配”",
                    self._unnamed,
                )
            )
        return notes

    # --- the table ----------------------------------------------------------------------------------------------------

    def _read(self, path: Path) -> None:
        try:
            table = read_table(path, frozenset(_FIELD_OF))
        except RecordsFileError as error:
            self._notes.append(Note("sidecar_unreadable", str(error)))
            return
        fields = {column: _FIELD_OF[column.lower()] for column in table.columns if column.lower() in _FIELD_OF}
        if "file" not in fields.values():
            return  # some other table that lies here
        self._notes.extend(table.notes)
        self._notes.extend(Note("row_rejected", f"{path.name} 第 {number} 行：{why}") for number, why in table.rejected)
        for row in table.rows:
            self._add_row(table, fields, row.number, row.cells)

    def _add_row(self, table: Table, fields: dict[str, str], number: int, cells: dict[str, str]) -> None:
        where = f"{table.path.name} 第 {number} 行"
        values = {field: cells[column] for column, field in fields.items() if cells.get(column)}
        name = values.pop("file", "").replace("\\", "/")
        if not name:
            self._notes.append(Note("row_rejected", f"{where}：没有录音文件名"))
            return
        extra = {column: value for column, value in cells.items() if column not in fields and value}
        facts = self._facts(values, where, extra)
        old = self._rows.get(name)
        if old is not None and replace(old, sources={}) != replace(facts, sources={}):
            self._doubtful.add(name)
            self._notes.append(Note("row_conflict", f"{where}：{name} 与 {old.sources['file']} 内容不同，两行都未采用"))
            return
        self._rows[name] = facts

    def _facts(self, values: dict[str, str], where: str, extra: dict[str, str]) -> CallFacts:
        direction = values.get("direction", "")
        channel = values.get("agent_channel", "")
        if direction and direction.lower() not in DIRECTIONS:
            self._notes.append(Note("value_unknown", f"{where}：呼叫方向“{direction}”不认识，未采用"))
        if channel and channel.lower() not in CHANNELS:
            self._notes.append(
                Note("value_unknown", f"{where}：坐席声道“{channel}”不认识，未采用（可写 左、右、0、1）")
            )
        started = self._time(values.get("started_at", ""), where)
        customer = values.get("customer", "")
        found: dict[str, Any] = {
            "call_id": values.get("call_id"),
            "agent_id": plain_id(values["agent_id"]) if values.get("agent_id") else None,
            "started_at": started,
            "direction": DIRECTIONS.get(direction.lower()),
            "business": values.get("business"),
            "customer_hash": self._hash(customer) if customer else None,
            "agent_channel": CHANNELS.get(channel.lower()),
        }
        sources = {"file": where} | {name: where for name, value in found.items() if value is not None}
        return CallFacts(**found, extra=extra, sources=sources)

    def _key_of(self, path: bytes, name: str) -> str | None:
        relative = display_name(os.path.relpath(os.path.abspath(path), self._root))
        for key in (relative, name, os.path.splitext(name)[0]):
            if key in self._rows:
                return key
        return None

    # --- the name -----------------------------------------------------------------------------------------------------

    def _from_name(self, name: str) -> CallFacts:
        match = self._pattern.search(os.path.splitext(name)[0])
        if match is None:
            return CallFacts()
        groups = {key: value for key, value in match.groupdict().items() if value}
        customer = groups.pop("customer", None)
        found: dict[str, Any] = {
            "call_id": groups.get("call_id"),
            "agent_id": groups.get("agent_id"),
            "started_at": self._time(groups.get("started_at", ""), f"文件名 {name}"),
            "direction": DIRECTIONS.get(groups.get("direction", "").lower()),
            "business": groups.get("business"),
            "customer_hash": self._hash(customer) if customer else None,
        }
        return CallFacts(**found, sources={key: "filename" for key, value in found.items() if value is not None})

    def _time(self, text: str, where: str) -> str | None:
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            parsed = _parse_time(text)
            if parsed is None:
                self._notes.append(Note("time_unreadable", f"{where}：时间“{text}”无法识别，未采用"))
                return None
            moment = parsed
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self._zone)
        return moment.isoformat()

    def _hash(self, number: str) -> str:
        """A keyed hash: the same caller is recognised, the number cannot be read back."""
        digits = "".join(character for character in number if character.isdigit()) or number
        return hmac.new(self._secret, digits.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:24]


def _parse_time(text: str) -> datetime | None:
    for form in _TIMES:
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    return None


@lru_cache(maxsize=8)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise SettingsError(f"不认识的时区 {name}", where="recordings.timezone", hint="例如 Asia/Shanghai") from error


@lru_cache(maxsize=8)
def _compiled(pattern: str) -> Any:
    import re2

    try:
        return re2.compile(pattern)
    except re2.error as error:
        raise SettingsError(
            f"文件名正则有误（{error}）", where="recordings.file_name_pattern", hint="请用 RE2 语法（没有前后断言）"
        ) from error

"""Rule files as trees of text with line numbers: YAML without its traps.

Every scalar stays the text that was typed (007, no, 12:30). Aliases, anchors, tags, duplicate keys, tabs, several
documents, other encodings and over-deep or over-long files are refused with file, line and what to type instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import yaml

from qa_monitor.errors import RuleFileError

MAX_FILE_BYTES = 8_000_000
MAX_DEPTH = 40
# The C parser gives the same events several times faster; the pure one is the fallback where libyaml is absent.
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


@dataclass(frozen=True, slots=True)
class Node:
    """A piece of a rule file: text, list or mapping, with the place it was typed (1-based line)."""

    value: str | list[Node] | dict[str, Node]
    file: str
    line: int

    @property
    def where(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def is_text(self) -> bool:
        return isinstance(self.value, str)

    def text(self, what: str) -> str:
        """The text, or RuleFileError saying that `what` must be text."""
        if isinstance(self.value, str):
            return self.value.strip()
        return self.refuse(f"{what} 应是一段文字，这里写成了{_kind(self)}")

    def items(self, what: str) -> list[Node]:
        if isinstance(self.value, list):
            return self.value
        return self.refuse(f"{what} 应是列表（每行以 - 开头），这里写成了{_kind(self)}")

    def mapping(self, what: str) -> dict[str, Node]:
        if isinstance(self.value, dict):
            return self.value
        return self.refuse(f"{what} 应写成“键: 值”，这里写成了{_kind(self)}")

    def refuse(self, what: str, hint: str = "") -> NoReturn:
        raise RuleFileError(what, where=self.where, hint=hint)


def _kind(node: Node) -> str:
    if isinstance(node.value, str):
        return "文字" if node.value.strip() else "空值"
    return "列表" if isinstance(node.value, list) else "“键: 值”"


def plain(node: Node) -> object:
    """The tree without places, for hashing: what was written, not how it was laid out."""
    if isinstance(node.value, str):
        return node.value.strip()
    if isinstance(node.value, list):
        return [plain(item) for item in node.value]
    return {key: plain(item) for key, item in node.value.items()}


def read_file(path: Path, shown: str) -> Node:
    """The mapping in `path`, called `shown` in messages. Raises RuleFileError (file:line) for anything unusable."""
    return read_text(_decode(path, shown), shown)


def read_text(text: str, shown: str) -> Node:
    _refuse_tabs(text, shown)
    try:
        node = _build(text, shown)
    except yaml.YAMLError as error:
        raise _syntax_error(error, text, shown) from error
    if node is None or (isinstance(node.value, str) and not node.value.strip()):
        raise RuleFileError("文件是空的", where=f"{shown}:1", hint="写入内容，或删去这个文件")
    if not isinstance(node.value, dict):
        node.refuse("最外层应是“键: 值”", "见 rules/README.md 第 1 节")
    return node


def _decode(path: Path, shown: str) -> str:
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            what = f"文件有 {size / 1e6:.1f} MB，超过 {MAX_FILE_BYTES / 1e6:.0f} MB 的上限"
            raise RuleFileError(what, where=f"{shown}:1", hint="拆成几个文件")
        data = path.read_bytes()
    except OSError as error:
        raise RuleFileError(f"读不了：{error.strerror}", where=shown, hint="检查路径和权限") from error
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise RuleFileError("文件是 UTF-16 编码", where=f"{shown}:1", hint="用记事本“另存为”，编码选 UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise RuleFileError(
            "不是 UTF-8 编码" + ("（看起来是 GBK）" if _is_gbk(data) else ""),
            where=f"{shown}:{line}",
            hint=f"用记事本“另存为”并选 UTF-8，或运行 iconv -f GB18030 -t UTF-8 {path.name} -o 新文件.yaml",
        ) from error


def _is_gbk(data: bytes) -> bool:
    try:
        data.decode("gb18030")
    except UnicodeDecodeError:
        return False
    return True


def _refuse_tabs(text: str, shown: str) -> None:
    at = text.find("\t")
    if at >= 0:
        line = text.count("\n", 0, at) + 1
        raise RuleFileError("有制表符（Tab）", where=f"{shown}:{line}", hint="缩进和对齐都改用空格")


def _syntax_error(error: yaml.YAMLError, text: str, shown: str) -> RuleFileError:
    mark = getattr(error, "problem_mark", None)
    line = mark.line + 1 if mark is not None else 1
    rows = text.splitlines()
    row = rows[line - 1].strip()[:40] if line <= len(rows) else ""
    problem = getattr(error, "problem", None) or str(error)
    return RuleFileError(
        f"YAML 语法错误：{problem}" + (f"，这一行是：{row}" if row else ""),
        where=f"{shown}:{line}",
        hint="检查缩进、冒号后是否有空格；以 [ ] { } * & < > % @ # ! | ' \" 开头或含“: ”的说法请加英文单引号",
    )


class _Open:
    """A list or mapping being read; `key` is the mapping key waiting for its value."""

    __slots__ = ("key", "node")

    def __init__(self, node: Node) -> None:
        self.node = node
        self.key: Node | None = None


def _build(text: str, shown: str) -> Node | None:
    stack: list[_Open] = []
    root: Node | None = None
    documents = 0
    for event in yaml.parse(text, Loader=_LOADER):
        line = event.start_mark.line + 1 if event.start_mark is not None else 1
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise RuleFileError("一个文件里有多个文档（---）", where=f"{shown}:{line}", hint="删去多余的 ---")
        elif isinstance(event, yaml.AliasEvent):
            raise RuleFileError(
                f"用了别名 *{event.anchor}",
                where=f"{shown}:{line}",
                hint="别名不支持：共用的说法放进 words，共用的条件放进 conditions；以 * 开头的说法请加英文单引号",
            )
        elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            done = stack.pop()
            root = _place(stack, done.node)
        elif isinstance(event, (yaml.ScalarEvent, yaml.SequenceStartEvent, yaml.MappingStartEvent)):
            _refuse_decoration(event, shown, line)
            node = _open(event, shown, line)
            if isinstance(node.value, str):
                root = _place(stack, node)
            else:
                stack.append(_Open(node))
                if len(stack) > MAX_DEPTH:
                    node.refuse(f"嵌套超过 {MAX_DEPTH} 层", "把里层的条件移到 conditions，再用 ref 引用")
    return root


def _refuse_decoration(event: yaml.NodeEvent, shown: str, line: int) -> None:
    where = f"{shown}:{line}"
    if event.anchor is not None:
        hint = "锚点不支持：共用的条件放进 conditions；以 & 开头的说法请加英文单引号"
        raise RuleFileError(f"用了锚点 &{event.anchor}", where=where, hint=hint)
    tag = getattr(event, "tag", None)
    if tag is not None:
        raise RuleFileError(f"用了标签 {tag}", where=where, hint="删去以 ! 开头的标签；说法以 ! 开头请加英文单引号")


def _open(event: yaml.NodeEvent, shown: str, line: int) -> Node:
    if isinstance(event, yaml.ScalarEvent):
        return Node(str(event.value), shown, line)
    if isinstance(event, yaml.SequenceStartEvent):
        return Node([], shown, line)
    return Node({}, shown, line)


def _place(stack: list[_Open], node: Node) -> Node:
    """Put a finished node where it belongs; returns it (the last one returned is the root)."""
    if not stack:
        return node
    top = stack[-1]
    if isinstance(top.node.value, list):
        top.node.value.append(node)
        return node
    assert isinstance(top.node.value, dict)
    if top.key is None:
        top.key = node
        if not node.is_text:
            node.refuse("键应是一个词", "以 [ 或 { 开头的说法请加英文单引号")
        key = node.text("键")
        if key in top.node.value:
            first = top.node.value[key].line
            node.refuse(f"键 {key} 重复", f"第 {first} 行已写过，合并成一处或删去一处")
        return node
    top.node.value[top.key.text("键")] = Node(node.value, node.file, top.key.line)
    top.key = None
    return node

"""Courses for what went wrong, from `rules/training.yaml`."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from qa_monitor.rules.source import Node, read_file

_KEYS = ("course", "rules", "dimensions", "content", "hours")


@dataclass(frozen=True, slots=True)
class Course:
    """A course, what it is for, what it covers and how many hours it takes (as written)."""

    name: str
    rules: tuple[str, ...]
    dimensions: tuple[str, ...]
    content: str
    hours: str


def read_courses(path: Path) -> tuple[Course, ...]:
    """The courses in `path`, in order; none when there is no such file. Raises RuleFileError (file:line)."""
    if not path.exists():
        return ()
    root = read_file(path, path.name)
    mapping = root.mapping("培训课程")
    _refuse_unknown(mapping, ("courses",), "培训课程")
    if "courses" not in mapping:
        root.refuse("缺少 courses", "写法见文件开头的说明")
    return tuple(_course(node) for node in mapping["courses"].items("courses"))


def _refuse_unknown(mapping: dict[str, Node], known: tuple[str, ...], what: str) -> None:
    for key, node in mapping.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
            node.refuse(f"{what}不认识 {key}", f"是不是想写 {near[0]}？" if near else "可用的有：" + "、".join(known))


def _course(node: Node) -> Course:
    mapping = node.mapping("课程")
    _refuse_unknown(mapping, _KEYS, "课程")
    if "course" not in mapping or not ({"rules", "dimensions"} & set(mapping)):
        node.refuse("课程要写 course，以及 rules 或 dimensions", "写法见文件开头的说明")

    def texts(key: str) -> tuple[str, ...]:
        return tuple(item.text(key) for item in mapping[key].items(key)) if key in mapping else ()

    def text(key: str) -> str:
        return mapping[key].text(key) if key in mapping else ""

    return Course(text("course"), texts("rules"), texts("dimensions"), text("content"), text("hours"))


def course_for(courses: tuple[Course, ...], item: str, dimension: str) -> Course | None:
    """The first course for a rule or model item, else the first for its dimension."""
    for course in courses:
        if any(item == rule or (rule.endswith("*") and item.startswith(rule[:-1])) for rule in course.rules):
            return course
    return next((course for course in courses if dimension and dimension in course.dimensions), None)

"""Which column of an office's table is which: aliases in small YAML files that a supervisor can extend."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from qa_monitor.errors import RuleFileError

_DAY_ZERO = date(1899, 12, 30)  # Excel's
_MONTHS = {
    name: number
    for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], start=1
    )
}


def load_aliases(path: Path) -> dict[str, tuple[str, ...]]:
    """Field → the names its column goes by, from YAML of lists. Raises RuleFileError naming the file."""
    import yaml

    try:
        value: Any = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RuleFileError(f"无法读取（{error}）", where=str(path), hint="请恢复文件，格式见文件内注释") from error
    if not isinstance(value, dict) or not all(isinstance(names, list) for names in value.values()):
        raise RuleFileError("应为“字段: [列名, 列名]”的列表", where=str(path), hint="格式见文件内注释")
    return {field: (field, *names) for field, names in value.items()}


def match_columns(columns: tuple[str, ...], aliases: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """Field → the table's column, ignoring case, spaces and units in brackets."""
    plain = {_plain(column): column for column in reversed(columns)}
    return {
        field: plain[_plain(name)]
        for field, names in aliases.items()
        for name in reversed(names)
        if _plain(name) in plain
    }


def _plain(column: str) -> str:
    return re.sub(r"[\s_]|[(（].*?[)）]", "", column).lower()


def iso_date(text: str) -> str | None:
    """A date in any of the styles offices write, as ISO; None when it is none of them."""
    value = text.strip().split("T")[0].split(" ")[0]
    if match := re.fullmatch(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", value):
        return _checked(*(int(part) for part in match.groups()))
    if match := re.fullmatch(r"(\d{4})(\d{2})(\d{2})", value):
        return _checked(*(int(part) for part in match.groups()))
    if match := re.fullmatch(r"(\d{1,2})[-/ ]([A-Za-z]{3})[-/ ](\d{2,4})", value):
        year = int(match.group(3))
        return _checked(
            year + 2000 if year < 100 else year, _MONTHS.get(match.group(2).lower(), 0), int(match.group(1))
        )
    if re.fullmatch(r"\d{5}(\.\d+)?", value):
        return (_DAY_ZERO + timedelta(days=int(float(value)))).isoformat()
    return None


def iso_period(text: str) -> str | None:
    """A month (`2026-11`) or a day (`2026-11-03`); None when it is neither."""
    value = text.strip()
    if match := re.fullmatch(r"(\d{4})[-/.年]?(\d{1,2})月?", value):
        year, month = (int(part) for part in match.groups())
        return f"{year:04d}-{month:02d}" if 1 <= month <= 12 else None
    return iso_date(value)


def _checked(year: int, month: int, day: int) -> str | None:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None

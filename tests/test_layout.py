"""The data's path is the layout: a block imports only what lies before it."""

from __future__ import annotations

import ast
import subprocess
import sys
import time
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "qa_monitor"
GROUND = ("records", "settings", "errors", "shared", "__init__")
PATH = (
    "model_sources",
    "models",
    "tables",
    "recordings",
    "facts",
    "audio",
    "transcript",
    "dialogue",
    "privacy",
    "classifier",
    "rules",
    "training",
    "scoring",
    "agents",
    "store",
    "pipeline",
    "worker",
    "batch",
    "audit",
    "reports",
    "cli",
    "__main__",
)
HEAVY = ("torch", "transformers", "faster_whisper", "ctranslate2", "onnxruntime", "librosa", "numpy", "av", "jieba",
         "sqlalchemy", "pydantic", "rich")  # fmt: skip


def block_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_blocks(file: Path) -> set[str]:
    """Blocks of this package that the file imports, wherever the import stands (type-only ones too)."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("qa_monitor"):
            parts = node.module.split(".")
            found |= {parts[1]} if len(parts) > 1 else {name.name for name in node.names}
        elif isinstance(node, ast.Import):
            found |= {name.name.split(".")[1] for name in node.names if name.name.startswith("qa_monitor.")}
    return found


@pytest.mark.parametrize("file", sorted(PACKAGE.rglob("*.py")), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_imports_follow_the_path(file: Path) -> None:
    block = block_of(file)
    if block in GROUND:
        assert imported_blocks(file) <= set(GROUND)
        return
    earlier = set(PATH[: PATH.index(block) + 1]) | set(GROUND)
    assert imported_blocks(file) <= earlier, f"{block} comes before {imported_blocks(file) - earlier}"


def test_reports_read_the_store_and_never_the_pipeline() -> None:
    for file in (PACKAGE / "reports").rglob("*.py"):
        assert not imported_blocks(file) & {"pipeline", "worker", "batch", "audit"}, file


def test_help_is_instant_and_loads_no_model_library() -> None:
    program = (
        "import sys\nfrom qa_monitor.cli import cli\n"
        "try: cli.main(['--help'], standalone_mode=False)\nexcept SystemExit: pass\n"
        f"print('LOADED', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    started = time.monotonic()
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert "LOADED []" in shown.stdout
    assert "audit-text" in shown.stdout
    assert time.monotonic() - started < 5  # a guard against a slip, not a measurement


def test_importing_the_package_loads_no_model_library() -> None:
    program = f"import sys, qa_monitor\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert shown.stdout.strip() == "[]"


def test_no_print_outside_the_command_line() -> None:
    for file in PACKAGE.rglob("*.py"):
        if block_of(file) in ("cli", "__main__"):
            continue
        calls = [node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
        assert not any(isinstance(call.func, ast.Name) and call.func.id == "print" for call in calls), file

"""A workbook as PDF through LibreOffice, where it is installed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

from qa_monitor.errors import ReportNotWritten
from qa_monitor.reports.writing import put_in_place, refused, staging

PROGRAMS = ("soffice", "libreoffice")
TIMEOUT_S = 1800


def office_program() -> str | None:
    """LibreOffice's program, None when it is not installed."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


def write_pdf(workbook: Path, path: Path, timeout_s: float = TIMEOUT_S) -> None:
    """Print `workbook` to `path`. Raises ReportNotWritten when LibreOffice is missing, fails or takes too long."""
    program = office_program()
    if program is None:
        raise ReportNotWritten(
            "没有安装 LibreOffice，不能生成 PDF", where=str(path), hint="安装 LibreOffice 后重试，或在 Excel 里打印"
        )
    with staging(path) as folder:
        profile = (folder / "profile").resolve().as_uri()  # its own, so that an open LibreOffice does not matter
        command = [program, f"-env:UserInstallation={profile}", "--headless", "--norestore", "--convert-to", "pdf",
                   "--outdir", str(folder), str(workbook)]  # fmt: skip
        with refused(path):
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
            )
        try:
            said, _ = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired as error:
            os.killpg(process.pid, signal.SIGKILL)  # the launcher's child is the one that works
            process.wait()
            raise ReportNotWritten(
                f"LibreOffice 在 {timeout_s:g} 秒内没有完成", where=str(path), hint="按班组分批生成（--team）"
            ) from error
        made = folder / f"{workbook.stem}.pdf"
        if process.returncode or not made.exists():
            words = said.decode("utf-8", "replace").strip().splitlines()
            raise ReportNotWritten(
                f"LibreOffice 没有生成 PDF（{words[-1] if words else process.returncode}）",
                where=str(path),
                hint="打开 Excel 文件另存为 PDF",
            )
        put_in_place(made, path)

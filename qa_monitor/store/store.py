"""Opening the store: engine, migrations, and the guards that stop work before it can do harm."""

from __future__ import annotations

import contextlib
import json
import secrets
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa
from sqlalchemy import event, exc

from qa_monitor.errors import DiskFull, QaMonitorError, StoreBusy, StoreError
from qa_monitor.store import schema
from qa_monitor.store.migrations import LATEST, MIGRATIONS

WAL_RETRY_S = 0.05
BUSY_TIMEOUT_S = 30.0
# SQLite's write-ahead log needs shared memory between processes, which these do not give.
NETWORK_FILE_SYSTEMS = frozenset(
    {
        "nfs",
        "nfs4",
        "cifs",
        "smb",
        "smb2",
        "smb3",
        "smbfs",
        "afs",
        "ceph",
        "9p",
        "ncpfs",
        "fuse.sshfs",
        "fuse.glusterfs",
        "lustre",
        "webdav",
        "fuse.davfs2",
    }
)


def utc_now() -> str:
    """Now, ISO 8601, UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Store:
    """A store of results. `read()` and `write()` give connections inside one transaction each."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    @classmethod
    def open(cls, url: str, *, create: bool = True) -> Store:
        """Open and, when it is older, back up and migrate the store at `url`.

        Raises StoreError when it is missing (and `create` is false), on a network drive, read-only, corrupt, or
        written by a newer version of this program.
        """
        parsed = sa.make_url(url)
        file: Path | None = None
        if parsed.get_backend_name() == "sqlite":
            file = Path(parsed.database or "")
            _check_sqlite_place(file, create=create)
        store = cls(_make_engine(parsed))
        try:
            store._migrate(file)
        except QaMonitorError:
            store.close()
            raise
        return store

    def close(self) -> None:
        self.engine.dispose()

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A read transaction: one consistent picture, never blocked by writers."""
        with translated_errors(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A write transaction, committed whole or not at all. Raises StoreBusy or DiskFull, nothing half-written."""
        with translated_errors(), self.engine.connect() as connection:
            writing = connection.execution_options(qa_write=True)
            with writing.begin():
                yield writing

    def customer_secret(self) -> bytes:
        """The key of this store's hashes of callers' numbers; made once, never leaves the store."""
        with self.write() as connection:
            value = connection.scalar(sa.select(schema.meta.c.value).where(schema.meta.c.key == "customer_secret"))
            if value is None:
                value = secrets.token_hex(32)
                connection.execute(schema.meta.insert().values(key="customer_secret", value=value))
        return bytes.fromhex(value)

    def _migrate(self, file: Path | None) -> None:
        version = self._version()
        if version == LATEST:
            return
        if version > LATEST:
            raise StoreError(
                f"由更新的版本建立（数据版本 {version}，本程序只认识到 {LATEST}）",
                where=str(file or self.engine.url.render_as_string()),
                hint="请升级 qa_monitor；为保护数据，不会改动它",
            )
        if version and file is not None:
            _backup(file, version)
        for migration in MIGRATIONS[version:]:
            with self.write() as connection:
                if migration.version == 1:
                    schema.schema_migrations.create(connection, checkfirst=True)
                # Another process may have got here first; the lock is ours now, so look again.
                done = connection.scalar(sa.select(sa.func.max(schema.schema_migrations.c.version)))
                if (done or 0) >= migration.version:
                    continue
                migration.apply(connection)
                connection.execute(
                    schema.schema_migrations.insert().values(
                        version=migration.version, name=migration.name, applied_at=utc_now()
                    )
                )

    def _version(self) -> int:
        with self.read() as connection:
            if not sa.inspect(connection).has_table("schema_migrations"):
                if sa.inspect(connection).get_table_names():
                    raise StoreError(
                        "不是 qa_monitor 的数据库（没有版本表）",
                        where=self.engine.url.render_as_string(),
                        hint="请用 --home 指定另一个工作目录，或移走该文件",
                    )
                return 0
            return connection.scalar(sa.select(sa.func.max(schema.schema_migrations.c.version))) or 0


def _make_engine(url: sa.URL) -> sa.Engine:
    if url.get_backend_name() != "sqlite":
        return sa.create_engine(url, pool_pre_ping=True)
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S})

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions are begun below, by us
        _write_ahead(connection)
        for pragma in ("synchronous=NORMAL", "foreign_keys=ON", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # Taking the write lock at once avoids deadlocks between readers that turn into writers.
        writing = connection.get_execution_options().get("qa_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Into WAL mode. SQLite does not wait for that lock, as it does for others: two processes that open a new store at
    once would meet here."""
    until = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
        time.sleep(WAL_RETRY_S)


@contextlib.contextmanager
def translated_errors() -> Iterator[None]:
    """Database errors as ours: StoreBusy and DiskFull are retried, StoreError stops the work."""
    try:
        yield
    except exc.DBAPIError as error:
        raise _translate(error) from error


def _translate(error: exc.DBAPIError) -> QaMonitorError:
    text = str(error.orig).lower()
    code = getattr(error.orig, "sqlite_errorcode", None)
    primary = code & 0xFF if isinstance(code, int) else None
    if primary == sqlite3.SQLITE_FULL or "disk is full" in text:
        return DiskFull(
            "数据库无法写入，磁盘已满；未写入半条记录", hint="请清理磁盘后重新运行同一命令，已完成的不会重做"
        )
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) or "deadlock" in text or error.connection_invalidated:
        return StoreBusy("数据库正被其他进程占用", hint="稍后会自动重试")
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return StoreError(
            "数据库文件已损坏或不是数据库", hint="请从备份恢复；为保护数据，不会自动修复。可先运行 qa-monitor doctor"
        )
    if primary in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR):
        return StoreError(
            f"数据库无法打开或写入（{error.orig}）", hint="请检查目录权限和磁盘，或用 --home 换一个工作目录"
        )
    return StoreError(f"数据库出错（{error.orig}）", hint="请运行 qa-monitor doctor 查看")


def _check_sqlite_place(file: Path, *, create: bool) -> None:
    if not file.exists() and not create:
        raise StoreError("还没有数据", where=str(file), hint="请先运行 qa-monitor audit 录音文件夹")
    if create:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"无法建立工作目录（{error.strerror}）",
                where=str(file.parent),
                hint="请检查权限，或用 --home 换一个目录",
            ) from error
    kind = file_system_of(file.parent)
    if kind in NETWORK_FILE_SYSTEMS:
        raise StoreError(
            f"位于网络驱动器（{kind}），SQLite 在其上会损坏数据",
            where=str(file.parent),
            hint="请用 --home 指定本机磁盘上的目录，或在配置 store.url 中使用 PostgreSQL",
        )


def file_system_of(path: Path) -> str:
    """The file-system type that holds `path`, lower case; empty when it cannot be told."""
    target = path.resolve()
    best = ("", "")
    for part in psutil.disk_partitions(all=True):
        mount = part.mountpoint
        if (target == Path(mount) or Path(mount) in target.parents) and len(mount) >= len(best[0]):
            best = (mount, part.fstype)
    return best[1].lower()


def _backup(file: Path, version: int) -> None:
    """A consistent copy beside the store, through SQLite's own backup."""
    target = file.with_name(f"{file.stem}.v{version}.{datetime.now(UTC):%Y%m%dT%H%M%SZ}.bak")
    with contextlib.closing(sqlite3.connect(file)) as source, contextlib.closing(sqlite3.connect(target)) as copy:
        source.backup(copy)


def to_json_text(value: Any) -> str:
    """Canonical JSON: sorted keys, no spaces, real characters. The same value always gives the same text."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

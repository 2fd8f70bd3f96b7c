"""The store refuses what would harm it, and says why and what to do."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from qa_monitor.errors import StoreError
from qa_monitor.records import Agent
from qa_monitor.settings import load_settings
from qa_monitor.store import people, schema, store, trail
from qa_monitor.store.migrations import LATEST
from qa_monitor.store.store import Store


def url(home: Path) -> str:
    return load_settings(home).store_url


def test_new_store_has_the_tables_the_code_expects(tmp_path: Path) -> None:
    opened = Store.open(url(tmp_path))
    inspector = sa.inspect(opened.engine)
    for table in schema.metadata.tables.values():
        assert {column["name"] for column in inspector.get_columns(table.name)} == set(table.columns.keys()), table.name
        made = {index["name"] for index in inspector.get_indexes(table.name)}
        assert {index.name for index in table.indexes} <= made, table.name
    opened.close()


def test_newer_store_is_refused_and_left_alone(tmp_path: Path) -> None:
    opened = Store.open(url(tmp_path))
    with opened.write() as connection:
        connection.execute(schema.schema_migrations.insert().values(version=LATEST + 1, name="later", applied_at="x"))
    opened.close()
    before = (tmp_path / "store.db").read_bytes()
    with pytest.raises(StoreError, match="更新的版本"):
        Store.open(url(tmp_path))
    assert (tmp_path / "store.db").read_bytes() == before


def test_corrupt_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_bytes(b"this is not a database" * 500)
    with pytest.raises(StoreError, match="损坏或不是数据库"):
        Store.open(url(tmp_path))


def test_somebody_elses_database_is_refused(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "store.db")
    other.execute("CREATE TABLE theirs (x)")
    other.close()
    with pytest.raises(StoreError, match="不是 qa_monitor 的数据库"):
        Store.open(url(tmp_path))


def test_missing_store_is_not_made_by_a_command_that_only_reads(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="还没有数据"):
        Store.open(url(tmp_path), create=False)
    assert not (tmp_path / "store.db").exists()


def test_network_drive_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "file_system_of", lambda _path: "nfs4")
    with pytest.raises(StoreError, match="网络驱动器"):
        Store.open(url(tmp_path))


def test_read_only_store_says_so(tmp_path: Path) -> None:
    opened = Store.open(url(tmp_path))
    with opened.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")
    with pytest.raises(StoreError, match="无法打开或写入"), opened.write() as connection:
        connection.execute(schema.meta.insert().values(key="a", value="b"))
    opened.close()


def test_older_store_is_backed_up_before_it_is_migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Store.open(url(tmp_path)).close()
    added = store.MIGRATIONS + (
        type(store.MIGRATIONS[0])(LATEST + 1, "next", lambda c: c.execute(sa.text("CREATE TABLE later (x TEXT)"))),
    )
    monkeypatch.setattr(store, "MIGRATIONS", added)
    monkeypatch.setattr(store, "LATEST", LATEST + 1)
    opened = Store.open(url(tmp_path))
    assert sa.inspect(opened.engine).has_table("later")
    opened.close()
    (backup,) = tmp_path.glob(f"store.v{LATEST}.*.bak")
    copy = sqlite3.connect(backup)
    assert copy.execute("SELECT max(version) FROM schema_migrations").fetchone() == (LATEST,)
    copy.close()


def test_failed_migration_leaves_the_store_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Store.open(url(tmp_path)).close()

    def breaks(connection: sa.Connection) -> None:
        connection.execute(sa.text("CREATE TABLE half (x TEXT)"))
        connection.execute(sa.text("INSERT INTO nowhere VALUES (1)"))

    monkeypatch.setattr(store, "MIGRATIONS", (*store.MIGRATIONS, type(store.MIGRATIONS[0])(LATEST + 1, "bad", breaks)))
    monkeypatch.setattr(store, "LATEST", LATEST + 1)
    with pytest.raises(StoreError):
        Store.open(url(tmp_path))
    monkeypatch.undo()
    opened = Store.open(url(tmp_path))
    assert not sa.inspect(opened.engine).has_table("half")
    opened.close()


def test_customer_secret_is_made_once(tmp_path: Path) -> None:
    opened = Store.open(url(tmp_path))
    assert opened.customer_secret() == opened.customer_secret()
    assert len(opened.customer_secret()) == 32
    opened.close()


def test_roster_import_is_idempotent_and_shows_what_changed(tmp_path: Path) -> None:
    opened = Store.open(url(tmp_path))
    agents = [Agent("007", "张三", team="一班"), Agent("7", "李四", team="二班")]
    assert people.save_roster(opened, agents) == people.Change(2, 0, 0)
    assert people.save_roster(opened, agents) == people.Change(0, 0, 2)
    assert people.save_roster(opened, [Agent("007", "张三", team="三班")]) == people.Change(0, 1, 0)
    assert [(agent.agent_id, agent.team) for agent in people.roster_of(opened)] == [("007", "三班"), ("7", "二班")]
    opened.close()


def test_edited_audit_trail_is_noticed(tmp_path: Path) -> None:
    opened = Store.open(url(tmp_path))
    for number in range(3):
        with opened.write() as connection:
            trail.write(connection, "test", {"number": number})
    assert trail.broken_at(opened) is None
    with opened.write() as connection:
        connection.execute(
            schema.audit_trail.update().where(schema.audit_trail.c.id == 2).values(detail='{"number":9}')
        )
    assert trail.broken_at(opened) == 2
    with opened.write() as connection:
        connection.execute(schema.audit_trail.delete().where(schema.audit_trail.c.id == 2))
    assert trail.broken_at(opened) == 3
    opened.close()

"""Opening: sound, damaged, newer, somebody else's, not writable."""

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from forecaster.errors import StoreError
from forecaster.store import DamagedStore, PlanStore, TrainingRecord, pack, set_aside
from forecaster.store.schema import SCHEMA_VERSION

AT = datetime(2026, 5, 4, 18, 30, 5, tzinfo=UTC)


def fill(path, make_outlook, outlooks=20):
    with PlanStore(path) as store:
        for number in range(outlooks):
            store.save_outlook(pack(make_outlook(f"tv/{number}")), TrainingRecord())


def test_a_new_store_is_made_with_its_folders(tmp_path):
    path = tmp_path / "a" / "b" / "preroll.sqlite"
    with PlanStore(path) as store:
        assert list(store.outlooks()) == []
    assert path.exists()


def test_readers_do_not_wait_for_writers(path):
    with PlanStore(path), closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_file_that_is_no_database_is_damaged(path):
    path.write_bytes(b"This is not a database, whatever its name says. " * 100)
    with pytest.raises(DamagedStore, match="not a database"):
        PlanStore(path)


def test_a_damaged_database_is_found_when_it_is_opened(path, make_outlook):
    fill(path, make_outlook)
    content = bytearray(path.read_bytes())
    for at in range(4096, len(content), 4096):  # every page but the first one
        content[at : at + 200] = os.urandom(200)
    path.write_bytes(content)
    with pytest.raises(DamagedStore, match=r"damaged|malformed"):
        PlanStore(path)


def test_a_truncated_database_is_damaged(path, make_outlook):
    fill(path, make_outlook)
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(DamagedStore):
        PlanStore(path)


def test_an_empty_file_is_taken_as_new(path):
    path.touch()
    with PlanStore(path) as store:
        assert store.records() == {}


def test_a_damaged_store_is_moved_aside_with_its_companions(path):
    path.write_bytes(b"rubbish " * 1000)
    path.with_name("preroll.sqlite-wal").write_bytes(b"more rubbish")
    aside = set_aside(path, AT)
    assert aside.name == "preroll.sqlite.damaged-20260504T183005Z"
    assert aside.read_bytes().startswith(b"rubbish")
    assert aside.with_name(f"{aside.name}-wal").exists()
    with PlanStore(path) as store:
        assert list(store.outlooks()) == []


def test_a_store_of_a_newer_version_is_refused_and_left_alone(path, make_outlook):
    fill(path, make_outlook, 1)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"UPDATE preroll_about SET schema_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(StoreError, match="written by a newer Preroll") as caught:
        PlanStore(path)
    assert not isinstance(caught.value, DamagedStore)
    assert f"this one knows {SCHEMA_VERSION}" in str(caught.value)


def test_a_database_of_another_program_is_not_touched(path):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE customers (name TEXT)")
    with pytest.raises(StoreError, match=r"belongs to another program.*'customers'"):
        PlanStore(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("customers",)]


def test_a_directory_is_no_store(tmp_path):
    told = r"this is a directory; write for example store: {path: \./preroll\.sqlite}"
    with pytest.raises(StoreError, match=told):
        PlanStore(tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"folder .*file/below cannot be made"):
        PlanStore(tmp_path / "file" / "below" / "preroll.sqlite")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StoreError, match="no permission to write there"):
            PlanStore(tmp_path / "preroll.sqlite")
    finally:
        tmp_path.chmod(0o700)


def test_a_device_that_takes_no_files_is_an_error_in_words():
    with pytest.raises(StoreError, match=r"store /proc/preroll\.sqlite"):
        PlanStore(Path("/proc/preroll.sqlite"))


def test_a_lock_that_is_not_released_is_an_error_not_a_hang(path):
    with (
        PlanStore(path) as store,
        closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        with (
            store._engine.connect() as connection
        ):  # the pool keeps this connection, and its patience
            connection.exec_driver_sql("PRAGMA busy_timeout = 50")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked"):
            store.save_records({"tv/api": TrainingRecord()})

"""The embedded database: opening it, its version, its errors, and what to do with a damaged one."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, Table, create_engine, event, insert, inspect, select
from sqlalchemy.dialects.sqlite import insert as insert_or_replace
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from forecaster.errors import StoreError
from forecaster.store.schema import METADATA, SCHEMA_VERSION, about

__all__ = [
    "DamagedStore",
    "guarded",
    "open_database",
    "put_rows",
    "set_aside",
    "shelf_engine",
    "writing",
]

_BUSY_MILLISECONDS = 5_000
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_PATH_EXAMPLE = "write for example store: {path: ./preroll.sqlite}"


class DamagedStore(StoreError):
    """The database file is damaged, or is no database at all."""


def open_database(path: Path) -> Engine:
    """The database at ``path``, made where there is none.

    It is a SQLite file in WAL mode: readers never wait, a writer is killed without harm. Raises
    DamagedStore for a file that is no sound database, and StoreError where it cannot be written,
    belongs to another program, or was written by a newer Preroll.
    """
    if path.is_dir():
        raise StoreError(f"store {path}: this is a directory; {_PATH_EXAMPLE}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or error
        raise StoreError(
            f"store {path}: the folder {path.parent} cannot be made ({reason}); {_PATH_EXAMPLE}"
        ) from error
    if not os.access(path.parent, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise StoreError(f"store {path}: no permission to write there; {_PATH_EXAMPLE}")
    engine = create_engine(URL.create("sqlite", database=str(path)))
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    try:
        with guarded(path, "opened"):
            _prepare(engine, path)
    except BaseException:
        engine.dispose()
        raise
    return engine


def shelf_engine(path: Path) -> Engine:
    """An engine that opens the file for each transaction, and makes none where there is none.

    What others do to the file (moved aside, replaced) is seen at once, and any thread may use it.
    What it commits is on the disk, whatever happens to the machine.
    """

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True)

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)
    event.listen(engine, "connect", _configure_durably)
    event.listen(engine, "begin", _begin)
    return engine


def writing(engine: Engine) -> Engine:
    """The engine for transactions that write: each waits for its turn at its beginning."""
    return engine.execution_options(preroll_writes=True)


@contextmanager
def guarded(path: Path, doing: str) -> Iterator[None]:
    """Turn the database's errors into StoreError, or DamagedStore where the file is at fault."""
    try:
        yield
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        code = getattr(cause, "sqlite_errorcode", None)
        # Extended codes carry the plain one in their low byte.
        kind = DamagedStore if code is not None and code & 0xFF in _DAMAGED else StoreError
        raise kind(f"store {path} cannot be {doing}: {cause}") from error


def put_rows(connection: Connection, table: Table, rows: Sequence[dict[str, object]]) -> None:
    """Insert rows; one with the same key is replaced."""
    if not rows:
        return
    statement = insert_or_replace(table)
    keys = [column.name for column in table.primary_key]
    others = {
        column.name: statement.excluded[column.name]
        for column in table.columns
        if column.name not in keys
    }
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=others), rows)


def set_aside(path: Path, now: datetime) -> Path:
    """Rename a damaged database and the files beside it, so that a new one can take its place.

    Returns the new name. Raises StoreError where it cannot be renamed.
    """
    aside = path.with_name(f"{path.name}.damaged-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}")
    try:
        for suffix in ("", "-wal", "-shm"):
            old = path.with_name(path.name + suffix)
            if old.exists():
                old.rename(aside.with_name(aside.name + suffix))
    except OSError as error:
        reason = error.strerror or error
        raise StoreError(f"store {path} is damaged and cannot be moved aside: {reason}") from error
    return aside


def _configure(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where we say so: see _begin
    cursor = connection.cursor()
    # First of all, for the next statement may meet a lock already.
    cursor.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    # Safe against a kill at any moment; a power cut may take the last plans, never the file.
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()


def _configure_durably(connection: Any, record: Any) -> None:
    _configure(connection, record)
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def _begin(connection: Any) -> None:
    # In WAL mode a transaction that reads first and writes later cannot wait for its turn, it
    # fails: so one that will write says so at once.
    writes = connection.get_execution_options().get("preroll_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _prepare(engine: Engine, path: Path) -> None:
    with writing(engine).begin() as connection:
        problem = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
        if problem != "ok":
            raise DamagedStore(f"store {path} is damaged: {problem}")
        tables = inspect(connection).get_table_names()
        if not tables:
            METADATA.create_all(connection)
            connection.execute(insert(about).values(schema_version=SCHEMA_VERSION))
            return
        if about.name not in tables:
            raise StoreError(
                f"store {path}: this database belongs to another program (it has a table "
                f"{tables[0]!r}); {_PATH_EXAMPLE}"
            )
        version = connection.execute(select(about.c.schema_version)).scalar_one()
        if version > SCHEMA_VERSION:
            raise StoreError(
                f"store {path} was written by a newer Preroll (schema {version}, this one knows "
                f"{SCHEMA_VERSION}): run that version, or set store.path to another file"
            )
        METADATA.create_all(connection)  # tables that came after this file was made

"""Files that are either the old one or the new one, whole."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from forecaster.errors import OutputError

__all__ = ["STDOUT", "check_outputs", "replacing", "write_json", "write_rows", "write_text"]

STDOUT = Path("-")


def check_outputs(outputs: Iterable[Path | None], traffic: Path | None) -> None:
    """Make sure, before the work, that its results can be written; None and one ``-`` are fine.

    Raises OutputError where a folder is missing or closed to us, where two results share a path or
    stdout, or where one would overwrite the traffic file.
    """
    given = [path for path in outputs if path is not None]
    if given.count(STDOUT) > 1:
        raise OutputError("-: two results cannot share stdout; name a file for one of them")
    seen: set[Path] = set()
    for path in given:
        if path == STDOUT:
            continue
        folder = path.resolve().parent
        if not folder.is_dir():
            raise OutputError(f"{path}: the folder {folder} does not exist")
        if path.is_dir():
            raise OutputError(f"{path}: this is a folder; name a file in it")
        if not os.access(path if path.exists() else folder, os.W_OK) or not os.access(
            folder, os.W_OK
        ):
            raise OutputError(f"{path}: no permission to write there")
        if traffic is not None and path.resolve() == traffic.resolve():
            raise OutputError(f"{path}: this is the traffic file; it would be overwritten")
        if path.resolve() in seen:
            raise OutputError(f"{path}: two results cannot share one file")
        seen.add(path.resolve())


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Put JSON at ``path``, or on stdout for ``-``; ValueError where it holds a NaN."""
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_text(path, text)


def write_rows(path: Path, rows: Iterable[Sequence[object]]) -> None:
    """Put rows at ``path`` as CSV, or on stdout for ``-``, as :func:`write_text` does."""
    if path == STDOUT:
        csv.writer(sys.stdout, lineterminator="\n").writerows(rows)
        return
    with _replacing_text(path) as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def write_text(path: Path, text: str) -> None:
    """Put ``text`` at ``path`` in one move, or on stdout for ``-``: nobody ever sees half a file.

    Raises OutputError where it cannot be written; what was there before stays.
    """
    if path == STDOUT:
        sys.stdout.write(text)
        return
    with _replacing_text(path) as file:
        file.write(text)


@contextmanager
def _replacing_text(path: Path) -> Iterator[TextIO]:
    with replacing(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        try:
            yield text
        finally:
            text.detach()  # flushes, and leaves the file open


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write bytes to, which takes the place of ``path`` when the block ends well.

    After an error, Ctrl-C among them, what was there before stays. Raises OutputError.
    """
    target = path.resolve()
    try:
        if target.exists() and not target.is_file():  # a pipe or a device cannot be replaced
            with target.open("wb") as file:
                yield file
            return
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fchmod(file.fileno(), mode)
                os.fsync(file.fileno())
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

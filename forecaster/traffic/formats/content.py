"""The content of a file, whatever it calls itself: what it is, and its text."""

from __future__ import annotations

import errno
import gzip
import re
import zlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from forecaster.errors import TrafficFileError

__all__ = ["EXAMPLE", "Content", "Kind", "read_content"]

EXAMPLE = "timestamp,value\n2024-03-01T20:05:00Z,1250\n2024-03-01T20:06:00Z,1312"

_GZIP = b"\x1f\x8b"
_PARQUET = b"PAR1"
_BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_PACKED = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook; unpack it, or save the sheet as CSV",
    b"BZh": "compressed by bzip2; unpack it, or use gzip",
    b"\xfd7zXZ": "compressed by xz; unpack it, or use gzip",
    b"\x28\xb5\x2f\xfd": "compressed by zstd; unpack it, or use gzip",
    b"SQLite format 3": "an SQLite database; export the table as CSV",
}
_TITLE = re.compile(r"<title[^>]*>\s*(.*?)\s*</title>", re.IGNORECASE | re.DOTALL)


class Kind(StrEnum):
    """What a file is."""

    DELIMITED = "delimited text"
    JSON = "JSON"
    PARQUET = "Parquet"


@dataclass(frozen=True)
class Content:
    """A file's content: ``data`` for Parquet, ``text`` with ``\\n`` line ends for all others."""

    path: Path
    kind: Kind
    text: str = ""
    data: bytes = b""


def read_content(path: Path) -> Content:
    """The content of ``path``, unzipped and decoded.

    Raises TrafficFileError where it cannot be read, or is nothing that could hold traffic.
    """
    data = _unzipped(path, _bytes_of(path))
    if not data.strip():
        raise TrafficFileError(path, "the file is empty", example=EXAMPLE)
    if data.startswith(_PARQUET):
        return Content(path, Kind.PARQUET, data=data)
    for magic, what in _PACKED.items():
        if data.startswith(magic):
            raise TrafficFileError(path, f"this is {what}", line=1, example=EXAMPLE)
    text = _decoded(path, data).replace("\r\n", "\n").replace("\r", "\n")
    start = text.lstrip()
    if not start:
        raise TrafficFileError(path, "the file is empty", example=EXAMPLE)
    if start.startswith("<"):
        raise TrafficFileError(path, _markup(start), line=1, example=EXAMPLE)
    return Content(path, Kind.JSON if start[0] in "{[" else Kind.DELIMITED, text=text)


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise TrafficFileError(path, "there is no such file") from error
    except IsADirectoryError as error:
        raise TrafficFileError(path, "this is a directory; name a file in it") from error
    except PermissionError as error:
        raise TrafficFileError(path, "no permission to read this file") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        code = errno.errorcode.get(getattr(error, "errno", None) or 0, "")
        reason = getattr(error, "strerror", None) or str(error)
        raise TrafficFileError(path, f"cannot be read: {reason} {code}".strip()) from error


def _unzipped(path: Path, data: bytes) -> bytes:
    if not data.startswith(_GZIP):
        return data
    try:
        return gzip.decompress(data)
    except EOFError as error:
        raise TrafficFileError(
            path,
            "the gzip data ends too early: the file was cut off; copy it again",
            example=EXAMPLE,
        ) from error
    except (OSError, zlib.error) as error:
        raise TrafficFileError(
            path, f"the gzip data is damaged ({error}); copy it again", example=EXAMPLE
        ) from error


def _decoded(path: Path, data: bytes) -> str:
    encoding = "utf-8"
    for mark, named in _BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            encoding = named
    head = data[:65_536]
    control = sum(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head)
    if encoding != "utf-16" and (b"\0" in data or control > len(head) // 50):
        raise TrafficFileError(
            path,
            f"this is binary data (it starts with {data[:8]!r}), not text",
            line=1,
            example=EXAMPLE,
        )
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise TrafficFileError(
            path,
            f"byte 0x{data[error.start]:02x} is not {encoding.upper()} text; save it as UTF-8, "
            "for example with: iconv -f latin1 -t utf-8",
            line=line,
            example=EXAMPLE,
        ) from error


def _markup(start: str) -> str:
    if re.match(r"<\?xml(?!.*<html)", start[:1000], re.IGNORECASE | re.DOTALL):
        return "this is XML, not a table of traffic"
    title = _TITLE.search(start[:100_000])
    named = f" titled {title.group(1)[:80]!r}" if title else ""
    return (
        f"this is an HTML page{named}, not data: often the log-in or error page of the server that "
        "was asked. Download again with credentials"
    )

"""A calendar's bytes: unpacked, bounded, and as text."""

from __future__ import annotations

import zlib

from forecaster.errors import EventFileError

__all__ = ["plain_bytes", "plain_text"]

_GZIP = b"\x1f\x8b"


def plain_bytes(data: bytes, source: str, most_bytes: int) -> bytes:
    """``data``, unpacked where it is gzip.

    EventFileError where there are more than ``most_bytes``, which is found out before they are
    unpacked, or where the packing is damaged.
    """
    if data.startswith(_GZIP):
        data = _unpacked(data, source, most_bytes)
    if len(data) > most_bytes:
        raise EventFileError(
            source, f"a calendar of more than {most_bytes / 2**20:,.4g} MiB is not read"
        )
    return data


def _unpacked(data: bytes, source: str, most_bytes: int) -> bytes:
    whole = b""
    while data.startswith(_GZIP) and len(whole) <= most_bytes:  # gzip files may be concatenated
        unpacker = zlib.decompressobj(wbits=31)
        try:
            whole += unpacker.decompress(data, most_bytes + 1 - len(whole))
        except zlib.error as error:
            raise EventFileError(source, f"damaged gzip: {error}") from error
        if len(whole) <= most_bytes and not unpacker.eof:
            raise EventFileError(source, "damaged gzip: it ends too early")
        data = unpacker.unused_data
    return whole


def plain_text(data: bytes, source: str, most_bytes: int) -> str:
    """The text, which must be UTF-8; a byte order mark is left out.

    EventFileError, with the line of the first bad byte, for any other.
    """
    plain = plain_bytes(data, source, most_bytes)
    try:
        text = plain.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = plain.count(b"\n", 0, error.start) + 1
        raise EventFileError(
            source,
            f"not UTF-8 text: byte 0x{plain[error.start]:02x}; save it as UTF-8",
            place=f"line {line}",
        ) from error
    if "\x00" in text:
        line = text.count("\n", 0, text.index("\x00")) + 1
        raise EventFileError(source, "not text: it holds a NUL byte", place=f"line {line}")
    return text

"""A calendar in any of its formats."""

from __future__ import annotations

from pathlib import Path

from forecaster.errors import EventFileError
from forecaster.programme.content import plain_bytes, plain_text
from forecaster.programme.formats.csv_file import read_csv
from forecaster.programme.formats.ical_file import read_icalendar
from forecaster.programme.formats.xmltv_file import read_xmltv
from forecaster.programme.formats.yaml_file import read_yaml
from forecaster.programme.mapping import MappingRules
from forecaster.programme.mapping_file import read_mapping
from forecaster.programme.options import CalendarFormat, ReadCalendar, ReadOptions
from forecaster.programme.prescaling import read_prescaling

__all__ = ["file_bytes", "guessed_format", "read_calendar", "read_mapping_file"]

_OF_SUFFIX = {
    ".yaml": CalendarFormat.YAML,
    ".yml": CalendarFormat.YAML,
    ".json": CalendarFormat.YAML,
    ".csv": CalendarFormat.CSV,
    ".tsv": CalendarFormat.CSV,
    ".ics": CalendarFormat.ICALENDAR,
    ".ical": CalendarFormat.ICALENDAR,
    ".ifb": CalendarFormat.ICALENDAR,
    ".xmltv": CalendarFormat.XMLTV,
    ".xml": CalendarFormat.XMLTV,
}
_BOM = b"\xef\xbb\xbf"
_MAPPING_BYTES = 4 * 2**20
_DEFAULT = ReadOptions()


def read_calendar(
    calendar: Path | bytes,
    format: CalendarFormat | None = None,  # noqa: A002  the word for it
    options: ReadOptions = _DEFAULT,
    *,
    source: str | None = None,
) -> ReadCalendar:
    """The calendar in a file, or in bytes; gzip is unpacked.

    The format is guessed from the name, then from the content. ``source`` names the calendar in
    messages, and its ending tells the format; it is the path where one is read.

    EventFileError for a file that cannot be read, for what is not in the format, and for bad
    entries where the options refuse those.
    """
    if isinstance(calendar, Path):
        source = source or str(calendar)
        data = file_bytes(calendar, options.most_bytes)
    else:
        source = source or "the calendar"
        data = calendar
    data = plain_bytes(data, source, options.most_bytes)
    found = format or guessed_format(source, data)
    if found is CalendarFormat.XMLTV:
        return read_xmltv(data, source, options)
    text = plain_text(data, source, options.most_bytes)
    read = {
        CalendarFormat.CSV: read_csv,
        CalendarFormat.ICALENDAR: read_icalendar,
        CalendarFormat.PRESCALING: read_prescaling,
    }.get(found, read_yaml)
    return read(text, source, options)


def guessed_format(source: str, data: bytes) -> CalendarFormat:
    """The format that the ending of ``source`` or else the content looks like.

    EventFileError for a web page, which is what a wrong address or a log-in answers with.
    """
    head = data[:4096].removeprefix(_BOM).lstrip()
    low = head[:512].lower()
    if low.startswith((b"<!doctype html", b"<html")):
        raise EventFileError(
            source,
            "this is a web page, not a calendar; is the address right, and is a token needed?",
        )
    name = source.lower().split("?", 1)[0].split("#", 1)[0].removesuffix(".gz")
    by_name = _OF_SUFFIX.get(Path(name).suffix)
    if by_name is CalendarFormat.YAML and _is_manifest(data):
        return CalendarFormat.PRESCALING
    if by_name is not None:
        return by_name
    if low.startswith(b"begin:vcalendar"):
        return CalendarFormat.ICALENDAR
    if low.startswith(b"<"):
        return CalendarFormat.XMLTV
    if _is_manifest(data):
        return CalendarFormat.PRESCALING
    columns = {
        cell.strip(b' "\r') for cell in low.split(b"\n", 1)[0].replace(b";", b",").split(b",")
    }
    if b"start" in columns and len(columns) > 1 and not low.startswith((b"{", b"[", b"-")):
        return CalendarFormat.CSV
    return CalendarFormat.YAML


def _is_manifest(data: bytes) -> bool:
    return b"PrescalingEvent" in data or b"annotations.scaling.exporter." in data


def file_bytes(path: Path, most_bytes: int) -> bytes:
    """The file's bytes; EventFileError where it is missing, no file, closed to us, or too large."""
    try:
        if path.is_dir():
            raise EventFileError(path, "this is a directory; name the file in it")
        with path.open("rb") as file:
            data = file.read(most_bytes + 1)
    except FileNotFoundError as error:
        raise EventFileError(path, "there is no such file") from error
    except OSError as error:
        raise EventFileError(path, f"it cannot be read: {error.strerror or error}") from error
    if len(data) > most_bytes:
        raise EventFileError(
            path, f"a calendar of more than {most_bytes / 2**20:,.4g} MiB is not read"
        )
    return data


def read_mapping_file(path: Path) -> MappingRules:
    """The mapping rules in a YAML file; EventFileError as for a calendar."""
    data = file_bytes(path, _MAPPING_BYTES)
    return read_mapping(plain_text(data, str(path), _MAPPING_BYTES), str(path))

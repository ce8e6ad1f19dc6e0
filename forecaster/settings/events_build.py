"""The ``events`` section as a frozen value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from pydantic import BaseModel

from forecaster.errors import EventFileError
from forecaster.events import Event
from forecaster.programme.identity import stable_id
from forecaster.programme.mapping import NO_MAPPING, MappingRules
from forecaster.programme.options import OnBadEntry, ReadOptions
from forecaster.programme.problems import problems_of
from forecaster.programme.reading import read_mapping_file
from forecaster.programme.source import CalendarSource
from forecaster.settings.document import Keys
from forecaster.settings.events_shape import EventSourceShape, EventsShape
from forecaster.settings.pieces import Pieces
from forecaster.settings.values import EventSettings

__all__ = ["build_events"]

# What other sources of events are called.
_TAKEN = frozenset({"rest", "settings"})
_FILE_EVERY = timedelta(seconds=10)
_URL_EVERY = timedelta(minutes=15)
# A day or two more than is planned by, so that a day may begin before a calendar is looked at.
_BEYOND_HISTORY = timedelta(days=4)
_AHEAD = timedelta(days=63)
_MOST_BYTES = 64 * 2**20
_TOKEN_KEYS = {"token_file": "bearer_token_file", "location": "file"}

M = TypeVar("M", bound=BaseModel)
V = TypeVar("V")


def build_events(pieces: Pieces) -> EventSettings | None:
    """What is known ahead, or None where the section cannot be read; problems are noted."""
    shape, whole = pieces.piece(EventsShape, "events"), pieces.whole
    if shape is None or whole is None:
        return None
    zone = shape.timezone or whole.timezone
    windows = _each(pieces, "daily", shape.daily, lambda one: one.to_window(zone))
    days = _each(pieces, "holidays", shape.holidays, lambda one: one.to_holidays(zone))
    return EventSettings(
        overlap=shape.overlap,
        events=_events(pieces, shape, zone),
        recurring=(*windows, *days),
        sources=tuple(_sources(pieces, shape, zone, whole.history)),
    )


def _events(pieces: Pieces, shape: EventsShape, zone: str) -> tuple[Event, ...]:
    """The events of the file, each with an id."""
    found: dict[str, Event] = {}

    for index, document in enumerate(shape.events):
        keys: Keys = ("events", "events", index)
        try:
            event = document.to_event(zone)
        except ValueError as error:
            _note(pieces, keys, error, type(document))
            continue
        event_id = event.event_id or stable_id(event.start, event.kind, event.name)
        if event_id in found:
            pieces.note((*keys, "id"), f"{event_id!r} is an event above already; give another id")
        found[event_id] = replace(event, event_id=event_id)
    return tuple(found.values())


def _each(pieces: Pieces, key: str, documents: list[M], made: Callable[[M], V]) -> list[V]:
    values = []
    for index, document in enumerate(documents):
        try:
            values.append(made(document))
        except ValueError as error:
            _note(pieces, ("events", key, index), error, type(document))
    return values


def _note(pieces: Pieces, keys: Keys, error: ValueError, model: type[BaseModel]) -> None:
    for problem in problems_of(error, model):
        below = tuple(problem.field.split(".")) if problem.field else ()
        pieces.note((*keys, *below), problem.message, problem.example)


def _sources(
    pieces: Pieces, shape: EventsShape, zone: str, history: timedelta
) -> list[CalendarSource]:
    found: dict[str, CalendarSource] = {}
    for index, one in enumerate(shape.sources):
        keys: Keys = ("events", "sources", index)
        if one.name in _TAKEN:
            pieces.note((*keys, "name"), f"{one.name} is what other events are listed by")
        elif one.name in found:
            pieces.note((*keys, "name"), f"{one.name} stands twice", f"{one.name}-2")
        source = _source(pieces, keys, one, shape.on_bad_entry, zone, history)
        if source is not None:
            found[one.name] = source
    return list(found.values())


def _source(
    pieces: Pieces,
    keys: Keys,
    shape: EventSourceShape,
    on_bad_entry: OnBadEntry,
    zone: str,
    history: timedelta,
) -> CalendarSource | None:
    if (shape.file is None) == (shape.url is None):
        told = "one of file and url is needed" if shape.file is None else "keep one of file and url"
        pieces.note(keys, told)
        return None
    token, token_file = pieces.secret(
        (*keys, "bearer_token"), shape.bearer_token, shape.bearer_token_file
    )
    ca_file = pieces.readable((*keys, "ca_file"), shape.ca_file)
    options = ReadOptions(
        timezone=shape.timezone or zone,
        mapping=_mapping(pieces, keys, shape),
        on_bad_entry=on_bad_entry,
        default_kind=shape.default_kind,
        most_bytes=shape.max_size or _MOST_BYTES,
    )
    location = pieces.path(shape.file) if shape.file is not None else ""
    if shape.url is not None:
        location = shape.url.get_secret_value()
    try:
        return CalendarSource(
            name=shape.name,
            location=location,
            format=shape.format,
            options=options,
            every=shape.every or (_URL_EVERY if shape.file is None else _FILE_EVERY),
            timeout=shape.timeout,
            bearer_token=None if token_file is not None else token,
            token_file=token_file,
            ca_file=None if ca_file is None else pieces.path(ca_file),
            past=history + _BEYOND_HISTORY,
            ahead=_AHEAD,
        )
    except ValueError as error:
        field, _, message = str(error).partition(": ")
        pieces.note((*keys, _TOKEN_KEYS.get(field, field)), message)
        return None


def _mapping(pieces: Pieces, keys: Keys, shape: EventSourceShape) -> MappingRules:
    if shape.mapping is not None and shape.mapping_file is not None:
        pieces.note((*keys, "mapping_file"), "both mapping and mapping_file are set; keep one")
    elif shape.mapping_file is not None:
        try:
            rules = read_mapping_file(pieces.path(shape.mapping_file))
            return MappingRules(rules.rules, shape.unmatched or rules.unmatched)
        except EventFileError as error:
            pieces.note((*keys, "mapping_file"), str(error))
    elif shape.mapping is not None or shape.unmatched is not None:
        return MappingRules(tuple(shape.mapping or ()), shape.unmatched)
    return NO_MAPPING

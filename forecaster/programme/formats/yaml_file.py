"""A calendar in YAML or JSON: events, daily windows, public holidays.

    timezone: Europe/Paris            # of times without an offset, and of the windows' clocks
    overlap: add                      # of different audiences: add, multiply or largest
    defaults: {importance: high}      # for what an entry does not say itself
    events:
      - {start: 2026-06-11T21:00, end: 2026-06-11T23:00, kind: football, name: Mexico v Italy}
    daily:
      - {kind: prime-time, start: "20:00", end: "23:30", days: [fri, sat]}
    holidays:
      - {country: FR}

A list alone is a list of events.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from forecaster.events import Overlap
from forecaster.events.recurring import Recurring
from forecaster.programme.document import PatternDocument
from forecaster.programme.entries import Entries
from forecaster.programme.fields import Text
from forecaster.programme.options import ReadCalendar, ReadOptions
from forecaster.programme.parts import Document
from forecaster.programme.problems import EntryProblem, problems_of
from forecaster.programme.rules import DailyDocument, HolidaysDocument
from forecaster.programme.times import TimeZone
from forecaster.programme.yaml_data import Keys, YamlData, read_yaml_documents

__all__ = ["YAML_EXAMPLE", "read_yaml"]

YAML_EXAMPLE = """\
events:
  - start: 2026-06-11T19:00:00Z
    end: 2026-06-11T20:55:00Z
    kind: football
    importance: high"""

_BOTH_DECLARE = {"uplift", "shape"}


class _Defaults(PatternDocument):
    kind: Text | None = Field(default=None, examples=["football"])  # type: ignore[assignment]


class _Calendar(Document):
    """The top of the file; its entries are read one by one."""

    timezone: TimeZone | None = Field(default=None, examples=["Europe/Paris"])
    overlap: Overlap = Field(default=Overlap.ADD, examples=["add"])
    defaults: dict[str, Any] = Field(default={}, examples=[{"importance": "high"}])
    events: list[Any] = Field(
        default=[], examples=[[{"start": "2026-06-11T19:00:00Z", "kind": "football"}]]
    )
    daily: list[Any] = Field(
        default=[], examples=[[{"kind": "prime-time", "start": "20:00", "end": "23:30"}]]
    )
    holidays: list[Any] = Field(default=[], examples=[[{"country": "FR"}]])


def read_yaml(text: str, source: str, options: ReadOptions) -> ReadCalendar:
    """The calendar in a YAML or JSON text.

    EventFileError where the text is no YAML or no calendar, or where an entry is bad and the
    options refuse that.
    """
    documents = read_yaml_documents(text, source)
    entries = Entries(source, options)
    if not documents:
        raise entries.unusable("the calendar is empty", example=YAML_EXAMPLE)
    if len(documents) > 1:
        raise entries.unusable(
            "a second YAML document begins here; keep all events in one",
            place=f"line {documents[1].line}",
        )
    return _Reading(documents[0], entries).calendar()


class _Reading:
    def __init__(self, yaml: YamlData, entries: Entries) -> None:
        self._yaml = yaml
        self._entries = entries
        self._defaults: dict[str, Any] = {}
        self._timezone: str | None = None

    def calendar(self) -> ReadCalendar:
        for keys, first, line in self._yaml.repeated:
            self._entries.problem(
                f"line {line}",
                f"the key stands twice, first in line {first}; keep one of them",
                field=str(keys[-1]),
            )
        top = self._top()
        self._timezone = top.timezone or self._entries.options.timezone
        self._defaults = self._valid_defaults(top.defaults)
        for i, data in enumerate(top.events):
            keys = ("events", i) if isinstance(self._yaml.data, dict) else (i,)
            self._event(data, keys)
        for i, data in enumerate(top.daily):
            self._rule(data, ("daily", i), DailyDocument)
        for i, data in enumerate(top.holidays):
            self._rule(data, ("holidays", i), HolidaysDocument)
        return self._entries.finish(top.overlap)

    def _top(self) -> _Calendar:
        data = self._yaml.data
        if isinstance(data, list):
            return _Calendar(events=data)
        if not isinstance(data, dict):
            raise self._entries.unusable(
                "a calendar is a mapping with events, daily or holidays", example=YAML_EXAMPLE
            )
        data = {key: value for key, value in data.items() if value is not None}
        try:
            return _Calendar.model_validate(data)
        except ValidationError as error:
            bad = {str(one["loc"][0]) for one in error.errors(include_url=False)}
            self._entries.note(
                tuple(map(self._relocated(()), problems_of(error, _Calendar, "line 1")))
            )
            kept = {key: value for key, value in data.items() if key not in bad}
            if not kept.keys() & {"events", "daily", "holidays"}:
                found = problems_of(error, _Calendar, "")
                raise self._entries.unusable(
                    str(found[0]), place=f"line {self._yaml.line}", example=YAML_EXAMPLE
                ) from error
            return _Calendar.model_validate(kept)

    def _valid_defaults(self, data: dict[str, Any]) -> dict[str, Any]:
        try:
            _Defaults.model_validate(data)
        except ValidationError as error:
            self._note(error, _Defaults, ("defaults",))
            return {}
        return data

    def _event(self, data: Any, keys: Keys) -> None:
        self._entries.add(
            self._with_defaults(data),
            f"line {self._yaml.line_of(keys)}",
            timezone=self._timezone,
            relocate=self._relocated(keys),
        )

    def _rule(self, data: Any, keys: Keys, model: type[DailyDocument | HolidaysDocument]) -> None:
        data = self._with_defaults(data, "kind" if model is HolidaysDocument else "")
        try:
            document = model.model_validate(data)
            rule: Recurring
            if isinstance(document, DailyDocument):
                rule = document.to_window(self._timezone)
            else:
                rule = document.to_holidays(self._timezone)
        except ValueError as error:
            self._note(error, model, keys)
            return
        self._entries.add_rule(rule)

    def _with_defaults(self, data: Any, but: str = "") -> Any:
        if not isinstance(data, dict):
            return data
        own = {key: value for key, value in data.items() if value is not None}
        hidden = _BOTH_DECLARE if own.keys() & _BOTH_DECLARE else set()
        return {k: v for k, v in self._defaults.items() if k not in hidden and k != but} | own

    def _note(self, error: ValueError, model: type[BaseModel], keys: Keys) -> None:
        found = problems_of(error, model, f"line {self._yaml.line_of(keys)}")
        self._entries.note(tuple(map(self._relocated(keys), found)))

    def _relocated(self, keys: Keys) -> Callable[[EntryProblem], EntryProblem]:
        def relocate(problem: EntryProblem) -> EntryProblem:
            return replace(problem, place=f"line {self._yaml.line_of_field(keys, problem.field)}")

        return relocate

"""What readers share: entries in, events and problems out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from forecaster.errors import EventFileError
from forecaster.events import Calendar, Event, Overlap
from forecaster.events.recurring import Recurring
from forecaster.programme.document import EventDocument
from forecaster.programme.identity import stable_id
from forecaster.programme.options import OnBadEntry, ReadCalendar, ReadOptions
from forecaster.programme.problems import EntryProblem, problems_of

__all__ = ["EVENT_EXAMPLE", "Entries"]

EVENT_EXAMPLE = (
    "{start: 2026-06-11T19:00:00Z, end: 2026-06-11T20:55:00Z, kind: football, importance: 4}"
)
_MOST_SHOWN = 20


class Entries:
    """Gathers the events of one calendar while it is read.

    ``source`` names the calendar in messages. Bad entries become problems; :meth:`finish` raises
    for them where the options say so.
    """

    def __init__(self, source: str, options: ReadOptions) -> None:
        self.source = source
        self.options = options
        self.dropped = 0
        self._events: list[Event] = []
        self._recurring: list[Recurring] = []
        self._problems: list[EntryProblem] = []
        self._place_of_id: dict[str, str] = {}

    def add(
        self,
        data: Any,
        place: str,
        *,
        timezone: str | None = None,
        event_id: str = "",
        distinct: str = "",
        relocate: Callable[[EntryProblem], EntryProblem] = lambda problem: problem,
    ) -> None:
        """Read one event from what its document would say.

        ``event_id`` is the format's own id, ``distinct`` goes into the hash where there is none;
        ``relocate`` may know the place of a problem better.
        """
        try:
            document = EventDocument.model_validate(data)
            event = document.to_event(timezone or self.options.timezone)
        except ValueError as error:
            self._problems += map(relocate, problems_of(error, EventDocument, place))
            return
        self.add_event(event, place, event_id=event_id, distinct=distinct)

    def add_event(
        self, event: Event, place: str, *, event_id: str = "", distinct: str = ""
    ) -> None:
        """Take an event, with an id of its own or a hash; two with one own id are a problem."""
        if len(self._events) >= self.options.most_entries:
            raise self.unusable(
                f"more than {self.options.most_entries:,} events come of it", place=place
            )
        own = event_id or event.event_id
        if own and own in self._place_of_id:
            first = self._place_of_id[own]
            self.problem(place, f"the id {own!r} stands twice, first at {first}", field="id")
            return
        if not own:
            more = (distinct,) if distinct else ()
            own = plain = stable_id(event.start, event.kind, event.name, *more)
            count = 1
            while own in self._place_of_id:  # the same hour, kind and name: told apart by order
                count += 1
                own = f"{plain}-{count}"
        self._place_of_id[own] = place
        self._events.append(event if event.event_id == own else replace(event, event_id=own))

    def add_rule(self, rule: Recurring) -> None:
        """Take a rule that makes events."""
        self._recurring.append(rule)

    def problem(
        self,
        place: str,
        message: str,
        *,
        field: str = "",
        value: str | None = None,
        example: str | None = None,
    ) -> None:
        """Note something wrong at a place."""
        self._problems.append(EntryProblem(place, message, field, value, example))

    def refusals(
        self, error: ValueError, model: type[BaseModel], place: str
    ) -> tuple[EntryProblem, ...]:
        """Note what a document's model refused, and return it."""
        found = problems_of(error, model, place)
        self._problems += found
        return found

    def note(self, problems: tuple[EntryProblem, ...]) -> None:
        """Take problems that are worded already."""
        self._problems += problems

    def unusable(
        self, message: str, *, place: str = "", example: str | None = None
    ) -> EventFileError:
        """The error for a calendar that cannot be read at all."""
        return EventFileError(self.source, message, place=place, example=example)

    def finish(self, overlap: Overlap = Overlap.ADD) -> ReadCalendar:
        """The calendar; EventFileError with all problems where one is enough to refuse it."""
        if self._problems and self.options.on_bad_entry is OnBadEntry.REFUSE:
            raise refusal(self.source, self._problems)
        calendar = Calendar(tuple(self._events), tuple(self._recurring), overlap)
        return ReadCalendar(calendar, tuple(self._problems), self.dropped)


def refusal(source: str, problems: list[EntryProblem]) -> EventFileError:
    """One error for all problems of a calendar; the first twenty are told."""
    count = len(problems)
    lines = [f"{count} problem{'' if count == 1 else 's'}"]
    lines += [f"  - {one}" for one in problems[:_MOST_SHOWN]]
    if count > _MOST_SHOWN:
        lines.append(f"  … and {count - _MOST_SHOWN} more")
    return EventFileError(source, "\n".join(lines), place=problems[0].place, example=EVENT_EXAMPLE)


def merged(data: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """An entry with what its rule gives; empty values of the entry are left out."""
    return {**{key: value for key, value in data.items() if value not in (None, "")}, **given}

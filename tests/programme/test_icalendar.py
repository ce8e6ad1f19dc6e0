from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from forecaster.errors import EventFileError
from forecaster.programme.formats.ical_file import read_icalendar
from forecaster.programme.mapping import MappingRule, MappingRules
from forecaster.programme.options import OnBadEntry, ReadCalendar, ReadOptions

YEAR = {"since": datetime(2026, 1, 1, tzinfo=UTC), "until": datetime(2027, 1, 1, tzinfo=UTC)}
OWN_ZONE = """BEGIN:VTIMEZONE
TZID:Our Studio
BEGIN:STANDARD
DTSTART:19701025T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19700329T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
END:VTIMEZONE
"""


def calendar(*entries: str, head: str = "") -> str:
    """Entries as ``UID:a|DTSTART:…``."""
    blocks = [f"BEGIN:VEVENT\n{one.replace('|', chr(10))}\nEND:VEVENT\n" for one in entries]
    text = f"BEGIN:VCALENDAR\nVERSION:2.0\n{head}{''.join(blocks)}END:VCALENDAR\n"
    return text.replace("\n", "\r\n")


def read(text: str, **options: object) -> ReadCalendar:
    return read_icalendar(text, "matches.ics", ReadOptions(**options))  # type: ignore[arg-type]


def starts(found: ReadCalendar) -> list[str]:
    assert found.problems == ()
    return [f"{one.start:%m-%d %H:%M}" for one in found.calendar.events]


def test_an_entry_is_an_event_with_its_uid_category_and_priority() -> None:
    text = calendar(
        "UID:m1@example.com|DTSTART:20260611T190000Z|DTEND:20260611T205500Z|PRIORITY:1"
        "|SUMMARY:Mexico\\, at last\\nv Italy|CATEGORIES:football,sport"
    )
    (event,) = read(text).calendar.events
    assert (event.kind, event.importance) == ("football", 5)
    assert (event.name, event.event_id) == ("Mexico, at last v Italy", "m1@example.com")
    assert event.duration == timedelta(minutes=115)


@pytest.mark.parametrize(
    ("priority", "importance"),
    [(0, 3), (1, 5), (2, 5), (3, 4), (4, 4), (5, 3), (6, 2), (7, 2), (8, 1), (9, 1), (10, 3)],
)
def test_priority_is_importance_the_other_way_round(priority: int, importance: float) -> None:
    text = calendar(f"UID:a|DTSTART:20260611T190000Z|PRIORITY:{priority}")
    assert read(text).calendar.events[0].importance == importance


def test_our_own_properties_declare_what_the_standard_has_no_word_for() -> None:
    text = calendar(
        "UID:a|DTSTART:20260611T190000Z|CATEGORIES:sport|X-PREROLL-KIND:football"
        "|X-PREROLL-UPLIFT:×1.7|X-PREROLL-FLOOR-REPLICAS:40|X-PREROLL-FLOOR-TRAFFIC:1.5e3"
        "|X-PREROLL-NAMESPACES:video,drm|X-PREROLL-START-UNCERTAINTY:5m|X-PREROLL-HOLD:TRUE"
        "|X-PREROLL-CEILING:4h|X-PREROLL-AUDIENCE:fans|X-PREROLL-IMPORTANCE:high"
        "|X-PREROLL-WORKLOADS:player-*"
    )
    (event,) = read(text).calendar.events
    assert (event.kind, event.uplift, event.floor_replicas) == ("football", 1.7, 40)
    assert (event.floor_rps, event.hold, event.audience) == (1500, True, "fans")
    assert event.selector.namespaces == ("video", "drm")
    assert event.selector.workloads == ("player-*",)
    assert event.start_uncertainty == timedelta(minutes=5)
    assert (event.ceiling, event.importance) == (timedelta(hours=4), 4)


@pytest.mark.parametrize(
    ("lines", "start", "end"),
    [
        ("DTSTART:20260611T190000Z", "06-11 19:00", None),
        ("DTSTART:20260611T190000Z|DTEND:20260611T190000Z", "06-11 19:00", None),
        ("DTSTART:20260611T190000Z|DURATION:PT1H55M", "06-11 19:00", "06-11 20:55"),
        ("DTSTART;TZID=Europe/Paris:20260611T210000|DURATION:PT2H", "06-11 19:00", "06-11 21:00"),
        ("DTSTART;VALUE=DATE:20260611", "06-10 22:00", "06-11 22:00"),
        ("DTSTART;VALUE=DATE:20260611|DTEND;VALUE=DATE:20260613", "06-10 22:00", "06-12 22:00"),
        ("DTSTART;VALUE=DATE:20260329", "03-28 23:00", "03-29 22:00"),
        ("DTSTART;VALUE=DATE:20260611|DURATION:P2D", "06-10 22:00", "06-12 22:00"),
        ("DTSTART;VALUE=DATE:20260611|DURATION:PT3H", "06-10 22:00", "06-11 01:00"),
        ("DTSTART:20260611T210000", "06-11 19:00", None),
        ("DTSTART;TZID=W. Europe Standard Time:20260611T210000", "06-11 19:00", None),
        ("DTSTART;TZID=/vendor.example.com/Europe/Paris:20260611T210000", "06-11 19:00", None),
        (
            "DTSTART;TZID=Europe/Paris:20260328T230000|DTEND;TZID=Europe/Paris:20260329T040000",
            "03-28 22:00",
            "03-29 02:00",
        ),
        (
            "DTSTART;TZID=America/New_York:20261031T230000"
            "|DTEND;TZID=America/New_York:20261101T030000",
            "11-01 03:00",
            "11-01 08:00",
        ),
    ],
)
def test_times_are_understood_as_they_are_written(lines: str, start: str, end: str | None) -> None:
    found = read(calendar(f"UID:a|{lines}"), timezone="Europe/Paris")
    assert found.problems == ()
    (event,) = found.calendar.events
    assert f"{event.start:%m-%d %H:%M}" == start
    assert (f"{event.end:%m-%d %H:%M}" if event.end else None) == end


def test_a_zone_that_the_calendar_describes_is_used_and_forgotten_afterwards() -> None:
    entry = "UID:a|DTSTART;TZID=Our Studio:20261001T100000|RRULE:FREQ=MONTHLY;COUNT=3"
    assert starts(read(calendar(entry, head=OWN_ZONE))) == [
        "10-01 08:00",
        "11-01 09:00",
        "12-01 09:00",
    ]
    (problem,) = read(calendar(entry)).problems
    assert "'Our Studio'" in problem.message


def test_a_calendar_cannot_redefine_a_zone_that_is_known() -> None:
    head = OWN_ZONE.replace("Our Studio", "Europe/London")
    entry = "UID:a|DTSTART;TZID=Europe/London:20260611T200000"
    assert starts(read(calendar(entry, head=head))) == ["06-11 19:00"]


def test_the_calendars_zone_is_for_times_without_one() -> None:
    head = "X-WR-TIMEZONE:America/New_York\n"
    text = calendar("UID:a|DTSTART:20260601T100000", "UID:b|DTSTART:20260601T100000Z", head=head)
    assert starts(read(text, timezone="Europe/Paris")) == ["06-01 14:00", "06-01 10:00"]


def test_a_series_keeps_its_hour_and_knows_its_exceptions() -> None:
    text = calendar(
        "UID:s|DTSTART;TZID=Europe/Paris:20260314T210000|DTEND;TZID=Europe/Paris:20260314T230000"
        "|RRULE:FREQ=WEEKLY;UNTIL=20260425T190000Z|EXDATE;TZID=Europe/Paris:20260411T210000"
        "|RDATE;TZID=Europe/Paris:20260430T210000|SUMMARY:The Show|CATEGORIES:live-show|PRIORITY:1",
        "UID:s|RECURRENCE-ID;TZID=Europe/Paris:20260321T210000"
        "|DTSTART;TZID=Europe/Paris:20260322T200000|DURATION:PT3H|SUMMARY:The Long Show",
        "UID:s|RECURRENCE-ID;TZID=Europe/Paris:20260404T210000"
        "|DTSTART;TZID=Europe/Paris:20260404T210000|STATUS:CANCELLED",
    )
    found = read(text, **YEAR)
    told = sorted(
        (f"{one.start:%m-%d %H:%M}", one.duration / timedelta(hours=1), one.name, one.cancelled)
        for one in found.calendar.events
    )
    assert found.problems == ()
    assert told == [
        ("03-14 20:00", 2, "The Show", False),
        ("03-22 19:00", 3, "The Long Show", False),
        ("03-28 20:00", 2, "The Show", False),
        ("04-04 19:00", 6, "The Show", True),
        ("04-18 19:00", 2, "The Show", False),
        ("04-25 19:00", 2, "The Show", False),
        ("04-30 19:00", 2, "The Show", False),
    ]
    assert {(one.kind, one.importance) for one in found.calendar.events} == {("live-show", 5)}


def test_a_moved_or_cancelled_occurrence_stays_the_same_event() -> None:
    series = "UID:s|DTSTART:20260301T200000Z|RRULE:FREQ=DAILY;COUNT=3"
    change = "UID:s|RECURRENCE-ID:20260302T200000Z|DTSTART:20260302T{}0000Z{}"
    ids = []
    for changes in ([], [change.format("21", "")], [change.format("20", "|STATUS:CANCELLED")]):
        found = read(calendar(series, *changes), **YEAR)
        ids.append(sorted(one.event_id for one in found.calendar.events))
    assert ids[0] == ["s@20260301T2000Z", "s@20260302T2000Z", "s@20260303T2000Z"]
    assert ids[0] == ids[1] == ids[2]


def test_a_moved_single_entry_stays_the_same_event_and_its_latest_version_counts() -> None:
    text = calendar(
        "UID:a|SEQUENCE:2|DTSTART:20260611T200000Z",
        "UID:a|SEQUENCE:1|DTSTART:20260611T190000Z",
    )
    (event,) = read(text).calendar.events
    assert (event.start.hour, event.event_id) == (20, "a")


def test_a_cancelled_calendar_cancels_all() -> None:
    found = read(calendar("UID:a|DTSTART:20260611T190000Z", head="METHOD:CANCEL\n"))
    assert [one.cancelled for one in found.calendar.events] == [True]


def test_a_series_is_followed_within_its_bounds_only() -> None:
    entry = "UID:s|DTSTART:20100101T230000Z|DURATION:PT2H|RRULE:FREQ=DAILY"
    since = datetime(2026, 1, 2, tzinfo=UTC)
    found = read(calendar(entry), since=since, until=since + timedelta(days=2))
    assert starts(found) == ["01-01 23:00", "01-02 23:00", "01-03 23:00"]
    found = read(calendar(entry))
    assert len(found.calendar.events) == 3653


def test_all_days_of_a_series_are_days_of_the_zone() -> None:
    entry = "UID:s|DTSTART;VALUE=DATE:20260328|RRULE:FREQ=DAILY;COUNT=3"
    found = read(calendar(entry), timezone="Europe/Paris", **YEAR)
    assert starts(found) == ["03-27 23:00", "03-28 23:00", "03-29 22:00"]
    assert [one.duration / timedelta(hours=1) for one in found.calendar.events] == [24, 23, 24]


def test_later_occurrences_may_change_together() -> None:
    text = calendar(
        "UID:s|DTSTART:20260301T200000Z|DURATION:PT1H|RRULE:FREQ=DAILY;COUNT=4",
        "UID:s|RECURRENCE-ID;RANGE=THISANDFUTURE:20260303T200000Z|DTSTART:20260303T213000Z"
        "|DURATION:PT2H",
    )
    found = read(text, **YEAR)
    assert starts(found) == ["03-01 20:00", "03-02 20:00", "03-03 21:30", "03-04 21:30"]


def test_bad_entries_are_told_by_line_and_uid_and_cost_no_other() -> None:
    bad = {
        "DTSTART:tomorrow": "DTSTART",
        "SUMMARY:no start": "DTSTART is required",
        "DTSTART;TZID=Mars/Base:20260611T190000": "'Mars/Base'",
        "DTSTART:20260611T190000": "has no time zone",
        "DTSTART;TZID=Europe:20260611T190000": "a TZID in it is no time zone",
        f"DTSTART;TZID={'x' * 5000}:20260611T190000": "TZID",
        "DTSTART:20260611T190000Z|DTEND:20260610T190000Z": "not after the start",
        "DTSTART:20260611T190000Z|DURATION:soon": "DURATION",
        "DTSTART:00010101T000000Z": "outside the years",
        "DTSTART:20260611T190000Z|RRULE:FREQ=SOMETIMES": "RRULE",
        "DTSTART:20260611T190000Z|X-PREROLL-UPLIFT:70%": "70 % more is 1.7",
        "DTSTART:20260611T190000Z|X-PREROLL-FLOOR-REPLICAS:many": "floor.replicas",
    }
    entries = [f"UID:bad{i}|{lines}" for i, lines in enumerate(bad)]
    text = calendar(*entries, "UID:good|DTSTART:20260611T190000Z")
    found = read(text)
    assert [one.event_id for one in found.calendar.events] == ["good"]
    lines = text.splitlines()
    for i, told in enumerate(bad.values()):
        place = f"line {lines.index(f'UID:bad{i}')}, UID bad{i}"
        (problem,) = [one for one in found.problems if one.place == place]
        assert told in str(problem)
    with pytest.raises(EventFileError, match="12 problems"):
        read(text, on_bad_entry=OnBadEntry.REFUSE)


def test_lines_that_say_nothing_to_us_may_be_broken() -> None:
    text = calendar(
        "UID:a|DTSTART:20260611T190000Z|a broken line|GEO:x|BEGIN:VALARM|TRIGGER:x|END:VALARM"
        "|SUMMARY:Long\n  name"
    )
    (event,) = read(text).calendar.events
    assert event.name == "Long name"


def test_other_components_are_let_be() -> None:
    head = "BEGIN:VTODO\nDTSTART:20260101T000000Z\nEND:VTODO\n"
    assert not read(calendar(head=head)).calendar


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("FREQ=SECONDLY", "no rhythm of events"),
        ("FREQ=MINUTELY;COUNT=1000000", "no rhythm"),
        ("FREQ=DAILY;BYHOUR=0,6,12,18;BYMINUTE=0,5,10,15,20,25,30,35,40,45,50,55,59", "48 times"),
        ("FREQ=HOURLY;BYMINUTE=0,20,40", "48 times"),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "no day fits it"),
        ("FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30", "no day fits it"),
        ("FREQ=YEARLY;BYWEEKNO=60", "no day fits it"),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=TU", "no day fits it"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL is 0"),
        ("FREQ=DAILY;INTERVAL=99999999", "INTERVAL"),
        ("FREQ=DAILY;INTERVAL=999999999999", "RRULE"),
        ("FREQ=YEARLY;BYYEARDAY=" + ",".join(["1"] * 500), "more than 400 values"),
    ],
)
def test_rules_that_would_keep_us_busy_are_not_followed(rule: str, told: str) -> None:
    text = calendar(
        f"UID:a|DTSTART:20200601T100000Z|RRULE:{rule}", "UID:b|DTSTART:20260601T100000Z"
    )
    began = time.process_time()
    found = read(text, **YEAR)
    assert time.process_time() - began < 2
    assert [one.event_id for one in found.calendar.events] == ["b"]
    (problem,) = found.problems
    assert told in str(problem)
    assert problem.field == "RRULE"


@pytest.mark.parametrize(
    ("rule", "count"),
    [
        ("FREQ=DAILY;COUNT=1000000000", 365),
        ("FREQ=MONTHLY;BYDAY=1SA", 12),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", 12),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE", 52),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", 0),
        ("FREQ=YEARLY;BYDAY=20MO", 1),
        ("FREQ=DAILY;UNTIL=20260110", 9),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=MO", 52),
    ],
)
def test_honest_rules_are_followed(rule: str, count: int) -> None:
    text = calendar(f"UID:a|DTSTART:20200601T100000Z|RRULE:{rule}")
    assert len(starts(read(text, **YEAR))) == count


def test_many_endless_rules_together_are_bounded() -> None:
    entries = [f"UID:{i}|DTSTART:19000101T100000Z|RRULE:FREQ=DAILY" for i in range(40)]
    began = time.process_time()
    found = read(calendar(*entries), **YEAR)
    assert time.process_time() - began < 20
    assert found.problems
    assert "too much" in found.problems[0].message


def test_a_zone_with_a_rule_no_zone_has_is_not_used() -> None:
    head = OWN_ZONE.replace("FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "FREQ=SECONDLY")
    found = read(calendar("UID:a|DTSTART;TZID=Our Studio:20260601T100000", head=head))
    assert "VTIMEZONE is not used" in found.problems[0].message
    assert len(found.problems) == 2


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ("", "", "empty"),
        ("<tv></tv>", "line 1", "stands where BEGIN:VCALENDAR should"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\n", "line 1", "ends too early"),
        ("BEGIN:VCALENDAR\nEND:VEVENT\n", "line 2", "closes VCALENDAR"),
        ("BEGIN:VCALENDAR\n" + "BEGIN:VEVENT\n" * 5000, "line 21", "too deep"),
        (calendar("UID:a|DESCRIPTION:" + "x" * 2**20), "line 3", "more than 1024 KiB"),
    ],
)
def test_what_is_no_calendar_is_refused(text: str, place: str, told: str) -> None:
    with pytest.raises(EventFileError, match=told) as caught:
        read(text)
    assert caught.value.place == place


def test_several_calendars_in_one_file_are_read() -> None:
    text = calendar("UID:a|DTSTART:20260611T190000Z") + calendar("UID:b|DTSTART:20260611T190000Z")
    assert len(read(text).calendar.events) == 2


def test_a_mapping_sees_summary_categories_and_the_calendars_name() -> None:
    rules = MappingRules(
        (
            MappingRule(title=("* rehearsal",), drop=True),
            MappingRule(channel=("Arena*",), category=("concert",), kind="show", uplift=2),
        )
    )
    text = calendar(
        "UID:a|DTSTART:20260611T190000Z|SUMMARY:Sound rehearsal",
        "UID:b|DTSTART:20260611T190000Z|CATEGORIES:x,Concert",
        "UID:c|DTSTART:20260611T190000Z|CATEGORIES:Concert|X-PREROLL-UPLIFT:3",
        head="X-WR-CALNAME:Arena North\n",
    )
    found = read(text, mapping=rules)
    assert [(one.kind, one.uplift) for one in found.calendar.events] == [("show", 2), ("show", 3)]
    assert found.dropped == 1


def test_an_entry_without_uid_is_known_by_its_start_and_name() -> None:
    text = calendar("DTSTART:20260611T190000Z|SUMMARY:A", "DTSTART:20260611T190000Z|SUMMARY:B")
    ids = [[one.event_id for one in read(text).calendar.events] for _ in range(2)]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 2

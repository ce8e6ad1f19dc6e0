from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecaster.errors import EventFileError
from forecaster.programme.formats.xmltv_file import read_xmltv, xmltv_time
from forecaster.programme.mapping import MappingRule, MappingRules, Unmatched
from forecaster.programme.options import OnBadEntry, ReadCalendar, ReadOptions

FOOTBALL = MappingRules((MappingRule(title=("football*",), kind="football"),))
EVERYTHING = MappingRules(unmatched=Unmatched.KEEP)

GUIDE = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE tv SYSTEM "xmltv.dtd">
<tv generator-info-name="a grabber">
  <channel id="one.example.com">
    <display-name>One</display-name>
    <display-name lang="fr">La Une</display-name>
  </channel>
  <programme start="20260611203000 +0200" stop="20260611210000 +0200" channel="one.example.com">
    <title>News</title><category>News</category>
  </programme>
  <programme start="20260611210000 +0200" channel="one.example.com">
    <title lang="fr">Football: Coupe</title><title lang="en">Football: Cup</title>
    <sub-title>Mexico v Italy</sub-title><category>Sports</category>
  </programme>
  <programme start="20260611231500 +0200" channel="one.example.com">
    <title>Film &amp; Co</title>
  </programme>
  <programme start="20260612090000 +0200" stop="20260612110000 +0200" channel="one.example.com">
    <title>Football: Cup</title><previously-shown start="20260611210000"/>
  </programme>
</tv>
"""


def read(text: str | bytes, **options: object) -> ReadCalendar:
    data = text.encode() if isinstance(text, str) else text
    return read_xmltv(data, "guide.xml", ReadOptions(**options))  # type: ignore[arg-type]


def programmes(*entries: str) -> str:
    return "<tv>" + "".join(f"<programme {one}</programme>" for one in entries) + "</tv>"


def test_what_a_rule_fits_is_an_event_and_all_else_is_dropped() -> None:
    found = read(GUIDE, mapping=FOOTBALL)
    match, repeat = found.calendar.events
    assert (match.kind, match.name) == ("football", "Football: Coupe: Mexico v Italy")
    assert match.start == datetime(2026, 6, 11, 19, tzinfo=UTC)
    assert match.end == datetime(2026, 6, 11, 21, 15, tzinfo=UTC)  # when the next one begins
    assert repeat.name == "Football: Cup"
    assert (found.dropped, found.problems) == (2, ())


def test_without_a_mapping_a_guide_brings_no_events() -> None:
    found = read(GUIDE)
    assert (found.calendar.events, found.dropped) == ((), 4)


def test_all_of_a_guide_may_be_kept() -> None:
    found = read(GUIDE, mapping=EVERYTHING)
    assert [one.kind for one in found.calendar.events] == ["News", "Sports", "event", "event"]
    assert found.calendar.events[2].name == "Film & Co"


@pytest.mark.parametrize(
    ("rule", "count"),
    [
        ({"title": ["Football: Cup"]}, 2),
        ({"title": ["football: cup"], "repeat": False}, 1),
        ({"title": ["football*"], "repeat": True}, 1),
        ({"title": ["*mexico v italy"]}, 1),
        ({"title": ["/co?up/"]}, 2),
        ({"category": ["sport*", "news"]}, 2),
        ({"channel": ["La Une"], "category": ["sports"]}, 1),
        ({"channel": ["one.*"]}, 4),
        ({"channel": ["two.*"]}, 0),
        ({"title": ["ootball"]}, 0),
        ({}, 4),
    ],
)
def test_rules_match_by_title_category_channel_and_repeat(
    rule: dict[str, object], count: int
) -> None:
    rules = MappingRules((MappingRule.model_validate({**rule, "kind": "x"}),))
    assert len(read(GUIDE, mapping=rules).calendar.events) == count


def test_the_first_rule_that_fits_counts() -> None:
    rules = MappingRules(
        (
            MappingRule(repeat=True, drop=True),
            MappingRule(
                title=("football*",),
                kind="football",
                importance=5,
                start_uncertainty=timedelta(minutes=5),
                hold=True,
            ),
            MappingRule(channel=("*",), kind="other"),
        )
    )
    found = read(GUIDE, mapping=rules)
    assert [one.kind for one in found.calendar.events] == ["other", "football", "other"]
    match = found.calendar.events[1]
    assert (match.importance, match.hold) == (5, True)
    assert match.start_uncertainty == timedelta(minutes=5)


def test_the_last_programme_of_a_channel_is_open_ended() -> None:
    text = programmes(
        'start="20260611190000" channel="a"><title>x</title>',
        'start="20260611193000" channel="b"><title>y</title>',
        'start="20260811190000" channel="a"><title>too far away to say anything</title>',
    )
    assert [one.end for one in read(text, mapping=EVERYTHING).calendar.events] == [None] * 3


def test_times_carry_an_offset_or_are_of_the_zone_or_utc() -> None:
    entry = 'start="202606112100" channel="a"><title>x</title>'
    for zone, hour in ((None, 21), ("Europe/Paris", 19)):
        (event,) = read(programmes(entry), mapping=EVERYTHING, timezone=zone).calendar.events
        assert event.start.hour == hour


@given(
    st.datetimes(datetime(1970, 1, 1), datetime(2199, 1, 1)),
    st.integers(-14 * 60, 14 * 60),
)
def test_a_time_with_an_offset_is_read_back(naive: datetime, minutes: int) -> None:
    sign, rest = "-" if minutes < 0 else "+", abs(minutes)
    text = f"{naive:%Y%m%d%H%M%S} {sign}{rest // 60:02}{rest % 60:02}"
    expected = naive.replace(tzinfo=UTC, microsecond=0) - timedelta(minutes=minutes)
    assert xmltv_time(text, None) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "20261311000000",
        "20260611250000",
        "20260611190000 CEST",
        "2026061119 +9900",
        "00010101",
        "20260611190000 +0200 x",
        "9" * 5000,
    ],
)
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time"):
        xmltv_time(text, None)


def test_each_bad_programme_is_told_with_its_number_and_title() -> None:
    text = programmes(
        'start="soon" channel="a"><title>Bad start</title>',
        'channel="a"><title>No start</title>',
        'start="20260611190000" stop="x" channel="a"><title>Bad stop</title>',
        'start="20260611190000" stop="20260611180000" channel="a"><title>Backwards</title>',
        'start="20260611190000" stop="20260611200000" channel="a"><title>Good</title>',
    )
    found = read(text, mapping=EVERYTHING)
    assert [one.name for one in found.calendar.events] == ["Good"]
    told = [str(one) for one in found.problems]
    for i, part in enumerate(("start: 'soon'", "start: it is required", "stop: 'x'", "end: ")):
        assert told[i].startswith(f"programme {i + 1} “")
        assert part in told[i]
    with pytest.raises(EventFileError, match="4 problems"):
        read(text, mapping=EVERYTHING, on_bad_entry=OnBadEntry.REFUSE)


def test_the_same_showing_is_the_same_event_when_the_guide_is_read_again() -> None:
    first, again = (
        [one.event_id for one in read(text, mapping=EVERYTHING).calendar.events]
        for text in (GUIDE, GUIDE.replace("Film &amp; Co", "Other"))
    )
    assert len(set(first)) == 4
    assert [a == b for a, b in zip(first, again, strict=True)] == [True, True, False, True]


def test_other_encodings_are_read_as_they_declare_themselves() -> None:
    text = programmes('start="20260611190000"><title>Café</title>')
    for encoding in ("ISO-8859-1", "UTF-16"):
        data = f'<?xml version="1.0" encoding="{encoding}"?>{text}'.encode(encoding)
        (event,) = read(data, mapping=EVERYTHING).calendar.events
        assert event.name == "Café"


BILLION = (
    "<!DOCTYPE tv [<!ENTITY a0 'lol'>"
    + "".join(f"<!ENTITY a{i + 1} '{f'&a{i};' * 10}'>" for i in range(10))
    + "]><tv><programme>&a10;</programme></tv>"
)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(BILLION, id="a billion laughs"),
        pytest.param(
            "<!DOCTYPE tv [<!ENTITY x '" + "x" * 10_000 + "'>]><tv>" + "&x;" * 10_000 + "</tv>",
            id="quadratic",
        ),
        pytest.param(
            '<!DOCTYPE tv [<!ENTITY x SYSTEM "file:///etc/passwd">]><tv>&x;</tv>', id="a file"
        ),
        pytest.param(
            '<!DOCTYPE tv [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x">%x;]><tv></tv>', id="a URL"
        ),
    ],
)
def test_declared_entities_are_refused(text: str) -> None:
    began = time.process_time()
    with pytest.raises(EventFileError, match="declares entities of its own"):
        read(text)
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "not XML"),
        ("<tv><programme>", "not XML"),
        ("<tv>\n<a></b></tv>", "not XML"),
        ("<rss></rss>", "its root is <rss>"),
        ("<tv>" + "<a>" * 100_000, "nested more than 30 deep"),
        ("<tv><programme>" + "<a/>" * 100_000 + "</programme></tv>", "parts"),
        ('<?xml version="1.0" encoding="nonsense"?><tv/>', "not XML"),
        (b"<tv>\xff</tv>", "not XML"),
    ],
)
def test_what_is_no_guide_is_refused(text: str | bytes, told: str) -> None:
    with pytest.raises(EventFileError, match=told):
        read(text)


def test_a_guide_of_a_week_is_read_in_seconds() -> None:
    entries = "".join(
        f'<programme start="202606{1 + i % 28:02}{i % 24:02}0000 +0200" channel="c{i % 100}">'
        f"<title>Programme {i}</title><category>Series</category></programme>"
        for i in range(50_000)
    )
    began = time.process_time()
    found = read(f"<tv>{entries}</tv>", mapping=FOOTBALL)
    assert found.dropped == 50_000
    assert time.process_time() - began < 15

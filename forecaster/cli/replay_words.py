"""What a replayed night comes to, in sentences."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np

from forecaster.backtest import Measures, PolicyReplay
from forecaster.backtest.declared_floors import floor_events
from forecaster.backtest.night import NightReplay
from forecaster.backtest.phrases import joined, percent, setting_words
from forecaster.cli.chart import compact_number
from forecaster.durations import format_duration
from forecaster.models.peak import Taught
from forecaster.planning import replicas_for
from forecaster.planning.event_floor import Declared, event_floor, served_floors

__all__ = ["how_long", "notes", "verdict", "window_words"]

_CALLED = {"hpa": "the HPA", "preroll": "Preroll", "oracle": "perfect foresight"}
_TAUGHT = {
    Taught.OWN: "its own past",
    Taught.FLEET: "the whole fleet's past",
    Taught.STARTER: "the traces that Preroll ships with",
}
_NOTICEABLE_UNSERVED = 1e-5
_NOTICEABLE_HOURS = 0.005


def window_words(replay: NightReplay) -> str:
    """The workload and the window, by the audience's clock: what a page is called."""
    night = replay.night
    zone = ZoneInfo(night.timezone)
    start, end = night.start.astimezone(zone), night.end.astimezone(zone)
    last = f"{end:%H:%M}" if end.date() == start.date() else f"{end:%a} {end.day} {end:%b %H:%M}"
    return (
        f"{night.series.series_id}, {start:%a} {start.day} {start:%b %Y %H:%M} to {last} "
        f"({night.timezone})"
    )


def verdict(replay: NightReplay) -> str:
    """Preroll beside the HPA in a sentence; of any others, what each came to."""
    preroll, hpa = replay.policy("preroll"), replay.policy("hpa")
    if preroll is None or hpa is None:
        shown = [one for one in replay.policies if one.name != "oracle"] or [replay.oracle]
        return f"{_capital('; '.join(_came_to(one) for one in shown))}."
    return (
        f"{_capital(_came_to(preroll))}; {_came_to(hpa)}. {_judged(preroll.measures, hpa.measures)}"
    )


def notes(replay: NightReplay) -> list[str]:
    """Under which settings, who spoke and from what, and the decision for the most replicas."""
    night = replay.night
    settings = night.settings
    lines = [
        f"One replica serves {compact_number(settings.capacity_rps)} rps and is ready "
        f"{format_duration(settings.lead_time)} after it is asked for. "
        + "; ".join(
            f"{one.name}: {setting_words(one.setting)}" for one in replay.policies if one.setting
        )
    ]
    gaps = int((~replay.span.observed).sum())
    if gaps:
        lines.append(
            f"{format_duration(gaps * night.series.step)} of the window have no traffic on record; "
            "they count nowhere"
        )
    if replay.policy("preroll") is not None:
        declared = _declared(replay)
        most = _most(replay, " by forecast" if declared else "")
        lines += [_who_spoke(replay), _trained(replay), *replay.reasons, most, *declared]
    return lines


def how_long(seconds: float) -> str:
    """A time short, to the second."""
    return format_duration(timedelta(seconds=round(seconds)))


def _came_to(one: PolicyReplay) -> str:
    measures = one.measures
    called = _CALLED.get(one.name, one.name)
    if measures.underprovisioned_seconds:
        short = (
            f"was short for {how_long(measures.underprovisioned_seconds)} "
            f"({percent(measures.unserved_ratio)} of traffic unserved)"
        )
    else:
        short = "was never short"
    return f"{called} {short} with {measures.replica_hours:,.4g} replica-hours"


def _judged(ours: Measures, theirs: Measures) -> str:
    less_lost = theirs.unserved_ratio - ours.unserved_ratio
    lost = 0 if abs(less_lost) < _NOTICEABLE_UNSERVED else (1 if less_lost > 0 else -1)
    change = ours.replica_hours / theirs.replica_hours - 1 if theirs.replica_hours else 0.0
    hours = 0 if abs(change) < _NOTICEABLE_HOURS else (1 if change < 0 else -1)
    ran = {
        1: f"{percent(-change)} fewer replica-hours",
        0: "the same replica-hours",
        -1: f"{percent(change)} more replica-hours",
    }[hours]
    left = {1: "less unserved", 0: "the same unserved", -1: "more unserved"}[lost]
    if lost == hours == 0:
        return "There is no difference."
    if lost + hours > 0 and lost * hours >= 0:
        return f"Preroll was better: {left}, with {ran}."
    if lost + hours < 0 and lost * hours >= 0:
        return f"Preroll was worse: {left}, with {ran}."
    return f"Preroll has {left}, and {ran}: which is better depends on what each costs."


def _who_spoke(replay: NightReplay) -> str:
    steps, live = len(replay.live), int(replay.live.sum())
    if live == steps:
        return f"The lead peak spoke in all {steps} steps, from live traffic"
    return (
        f"The lead peak spoke in {live} of {steps} steps, from live traffic; in the others the "
        "outlook did, as live traffic was missing"
    )


def _trained(replay: NightReplay) -> str:
    zone = ZoneInfo(replay.night.timezone)
    when = joined([f"{one.astimezone(zone):%a %H:%M}" for one in replay.trained])
    past = replay.trained[0] - replay.night.series.start
    taught = joined([_TAUGHT[one] for one in replay.taught]) or "no model"
    days = f"{past / timedelta(days=1):.0f} days" if past >= timedelta(days=2) else "a day"
    return f"Trained {when} on what had ended by then, the last {days}; the lead peak by {taught}"


def _most(replay: NightReplay, of_which: str) -> str:
    """The arithmetic of the step in which what was forecast was highest."""
    night = replay.night
    top = int(np.argmax(replay.lead_peak_rps))
    rate, known = float(replay.lead_peak_rps[top]), float(replay.span.known_rps[top])
    rule = night.settings.rule(night.quantile, night.hold_down)
    floor = int(replicas_for(np.array([rate]), rule)[0])
    at = (night.start + top * night.series.step).astimezone(ZoneInfo(night.timezone))
    who = "lead peak" if replay.live[top] else "outlook"
    before = "" if np.isnan(known) else f"; traffic was {compact_number(known)} rps"
    return (
        f"Preroll's highest floor{of_which}, at {at:%H:%M}: {who} {night.quantile!r} quantile "
        f"{compact_number(rate)} rps within the next {format_duration(night.settings.lead_time)} ÷ "
        f"{compact_number(night.settings.capacity_rps)} rps = {floor}{before}"
    )


def _declared(replay: NightReplay) -> list[str]:
    """The highest floor that events declared in the window, in the planner's words; if any did."""
    night, span, step = replay.night, replay.span, replay.night.series.step
    rule = night.settings.rule(night.quantile, night.hold_down)
    events = floor_events(night.calendar, span, rule.lead_time)
    floors = served_floors(events, rule, night.start, step, span.known_rps)
    if not floors.any():
        return []
    top = int(np.argmax(floors))
    since = night.start + top * step
    known = span.known_rps[: top + 1]
    seen = np.flatnonzero(~np.isnan(known))
    traffic = (float(known[seen[-1]]), night.start + int(seen[-1]) * step) if len(seen) else ()
    floor = event_floor(Declared(events, step, *traffic), rule, since, since + step)
    at = since.astimezone(ZoneInfo(night.timezone))
    return (
        []
        if floor is None
        else [f"Events declare floors; the highest, at {at:%H:%M}: {floor.reason}"]
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

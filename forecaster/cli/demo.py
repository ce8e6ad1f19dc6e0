"""``preroll demo``: the bundled trace as if it were live, twenty minutes before a kick-off."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecaster.threads import limit_threads

if TYPE_CHECKING:
    from forecaster.planning.snapshot import Snapshot
    from forecaster.programme.source import CalendarSource
    from forecaster.traffic.sample import SampleMatch

__all__ = ["demo"]

_WORKLOAD = ("streaming", "player-api")
_MATCH = "South Africa v Denmark"
_BEFORE = timedelta(minutes=20)
_DAY = timedelta(days=1)
_CAPACITY_RPS = 50.0
_HISTORY = timedelta(days=42)
_KNOWN_AHEAD = timedelta(days=60)
_PATIENCE_SECONDS = 60.0
_FIRST_WORD_SECONDS = 10.0  # the lead peak speaks a moment after its model was trained


def demo(
    port: Annotated[
        int, typer.Option(help="Where to listen on 127.0.0.1.", min=0, max=65535)
    ] = 8080,
) -> None:
    """Serve targets from the bundled trace, moved so that a match starts in 20 minutes.

    The trace is the web site of a football tournament, by the minute; its later minutes arrive as
    live traffic, and its matches are known as events. Nothing is kept. Ctrl-C or SIGTERM stops it
    within 5 seconds.

    Example: preroll demo --port 8080
    """
    limit_threads()
    from forecaster.cli.http_service import listen, run_service, stop_on_signals, url_of
    from forecaster.planning import ScalingRule
    from forecaster.settings import (
        EventSettings,
        Fleet,
        LogSettings,
        ServerSettings,
        WorkloadSettings,
    )
    from forecaster.traffic.sample import sample_matches
    from forecaster.traffic.shifted import ShiftedSample, shift_to
    from forecaster.worker import FixedSource, Service, configure_logging, open_store, utc_now

    matches = sample_matches()
    match = next(one for one in matches if one.name == _MATCH)
    now = utc_now()
    source = ShiftedSample(shift_to(match.start - _BEFORE, now), "/".join(_WORKLOAD))
    rule = ScalingRule(_CAPACITY_RPS, min_replicas=2)
    fleet = Fleet((WorkloadSettings(*_WORKLOAD, rule),), history=_HISTORY)
    log = LogSettings(level="warning", format="text")
    with stop_on_signals(), tempfile.TemporaryDirectory(prefix="preroll-demo-") as folder:
        configure_logging(log, "demo")
        listener = listen(ServerSettings(port=port), "preroll demo --port")
        store = open_store(Path(folder) / "preroll.sqlite", now)
        events = EventSettings(sources=(_calendar(Path(folder), matches, source.offset),))
        service = Service(fleet, FixedSource(source), store, events=events, log=log)
        kick_off = match.start + source.offset
        announcer = threading.Thread(
            target=_announce, args=(service.snapshot, url_of(listener), kick_off), daemon=True
        )
        announcer.start()
        run_service(service, listener)


def _calendar(folder: Path, matches: tuple[SampleMatch, ...], offset: timedelta) -> CalendarSource:
    """The matches moved along with the traffic, as a file that the service looks at."""
    from forecaster.cli.output import write_rows
    from forecaster.programme.source import CalendarSource

    path = folder / "matches.csv"
    rows = [
        (
            (one.start + offset).isoformat(),
            (one.end + offset).isoformat(),
            one.name,
            one.category,
            one.importance,
        )
        for one in matches
    ]
    write_rows(path, [("start", "end", "name", "category", "importance"), *rows])
    return CalendarSource("matches", path, past=_HISTORY, ahead=_KNOWN_AHEAD)


def _announce(snapshot: Callable[[], Snapshot], url: str, kick_off: datetime) -> None:
    """Show that training is under way, then what there is to look at."""
    import time

    from forecaster.cli.terminal import out, print_notice, progress

    waiting = time.monotonic()
    print_notice(f"learning six weeks of {_WORKLOAD[0]}/{_WORKLOAD[1]}, by the minute …")
    with progress("training", None) as tick:
        while not (snapshot().workloads and snapshot().ready):
            if time.monotonic() - waiting > _PATIENCE_SECONDS:
                print_notice(f"still training after {_PATIENCE_SECONDS:.0f} s; it goes on")
                waiting = time.monotonic()
            time.sleep(0.1)
            tick()
        trained = time.monotonic()
        while time.monotonic() - trained < _FIRST_WORD_SECONDS and not _speaks(snapshot()):
            time.sleep(0.1)
            tick()
    console = out()
    console.print(_text(url, kick_off), markup=False, soft_wrap=True)
    console.file.flush()


def _speaks(snapshot: Snapshot) -> bool:
    """Whether a lead peak was told, or nothing is to be waited for."""
    return any(one.live.told is not None for one in snapshot.workloads.values())


def _text(url: str, kick_off: datetime) -> str:
    workload = "/".join(_WORKLOAD)
    today = f"from={kick_off - _BEFORE:%Y-%m-%dT%H:%MZ}&to={kick_off + _DAY:%Y-%m-%dT%H:%MZ}"
    return f"""\
Preroll demo: the web site of a football tournament, moved in time so that
{_MATCH} kicks off at {kick_off:%H:%M} UTC, in {_BEFORE.seconds // 60} minutes.
One replica serves {_CAPACITY_RPS:.0f} requests per second.

  target      {url}/v1/targets/{workload}
  workloads   {url}/v1/workloads
  forecast    {url}/v1/workloads/{workload}/forecast
  events      {url}/v1/events?{today}
  metrics     {url}/metrics
  API         {url}/docs

Ask as KEDA does:

  curl -s {url}/v1/targets/{workload}

"source" says who speaks: lead_peak, from live traffic, every minute anew; outlook, from the
past alone, where live traffic stops.

The matches are known as events, moved like the traffic; these come within a day:

  curl -s "{url}/v1/events?{today}"

They lift the forecast, which has them as "events" too, to be marked as bands.

The ScaledObject trigger that would use it:

  triggers:
    - type: metrics-api
      name: preroll
      metricType: AverageValue
      metadata:
        url: "{url}/v1/targets/{workload}"
        valueLocation: "replicas"
        targetValue: "1"
        format: json

Ctrl-C stops it."""

"""The two beats beside serving: train(now) hourly to daily, refresh(now) every step.

    service.py        the whole: start, snapshot, stop
    conductor.py      the rounds of the one thread in the serving process
    board.py, source_watch.py, live_watch.py   what is known of the fleet, as a snapshot
    training_desk.py, schedule.py   when to train whom, and what a failure means
    served.py         the hold-down across retrains and restarts
    programme.py      what is known ahead: event_desk.py (changes), event_book.py (finding),
                      event_changes.py, sourced_events.py, event_window.py (resolved, for the
                      store); event_sources.py, watched_calendar.py (calendars elsewhere)
    known_ahead.py, calendar_watch.py   the calendar as plans take it, and as the refresher has it
    loading.py        stored plans, served before anything is trained
    source.py, file_source.py   the seam to the traffic source
    training.py, peak_training.py   the first beat, over a source, a store and a clock
    refreshing.py, live_traffic.py, live_peaks.py   the second
    trainer.py, refresher.py    the processes they run in: process.py, and helper.py minds them
    orders.py, messages.py      what is said between the processes
    roster.py         whom is planned for: settings, what ScaledObjects declare, what was measured
    cluster_side.py   the cluster: cluster_reader.py (a process) with cluster_reading.py (what is
                      news) and declaration_notes.py (what was fine before a restart),
                      cluster_desk.py (beside targets and plans), cluster_view.py (to serve)
    gauge_side.py     capacities: gauger.py (a process) with capacity_source.py (its questions)
    late_events.py, headroom.py   what came too late; how many hold places
    mailbox.py        what the serving process says to a helper
    logs.py           structured logs

The serving process imports this package; what only a trainer needs (models) is imported in
``trainer.py`` and ``training.py``, which it never loads.
"""

from __future__ import annotations

from forecaster.worker.loading import open_store
from forecaster.worker.logs import configure_logging
from forecaster.worker.service import Service, utc_now
from forecaster.worker.source import ConfiguredSource, Fetch, FixedSource, SourceFactory

__all__ = [
    "ConfiguredSource",
    "Fetch",
    "FixedSource",
    "Service",
    "SourceFactory",
    "configure_logging",
    "open_store",
    "utc_now",
]

"""The tables of the embedded store, and their version."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Column,
    DateTime,
    Dialect,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    TypeDecorator,
)

__all__ = [
    "METADATA",
    "SCHEMA_VERSION",
    "about",
    "event_calendar",
    "event_keys",
    "event_overrides",
    "event_sources",
    "events",
    "lead_peaks",
    "live_offsets",
    "notes",
    "outlooks",
    "peak_models",
    "served",
    "trainings",
    "uplifts",
]

SCHEMA_VERSION = 1
"""Raised with every change of a table that an older Preroll would misread.

A table more is no such change: it is made when the file is opened, and an older Preroll, to which
somebody goes back, leaves it alone.
"""

METADATA = MetaData()


class _Instant(TypeDecorator[datetime]):
    """An aware instant, kept as UTC."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.replace(tzinfo=UTC)


# What the file is; one row.
about = Table("preroll_about", METADATA, Column("schema_version", Integer, nullable=False))

# The latest outlook of each workload, without events; ``rates`` is what ``packing.py`` makes of it.
outlooks = Table(
    "outlooks",
    METADATA,
    Column("workload", String, primary_key=True),
    Column("cutoff", _Instant, nullable=False),
    Column("start", _Instant, nullable=False),
    Column("step_seconds", Float, nullable=False),
    Column("steps", Integer, nullable=False),
    Column("quantiles", String, nullable=False),
    Column("model", String, nullable=False),
    Column("reasons", String, nullable=False),
    Column("rates", LargeBinary, nullable=False),
)

# What past events taught of each workload, to lift the outlook of the same cutoff. An outlook that
# has no such row is of an older Preroll, which stored it lifted.
uplifts = Table(
    "uplifts",
    METADATA,
    Column("workload", String, primary_key=True),
    Column("cutoff", _Instant, nullable=False),
    Column("model", LargeBinary, nullable=False),
)

# The lead-peak model of each workload, its own or a borrowed one; ``version`` changes with it, and
# is all that the refresher reads of a model that it has already.
peak_models = Table(
    "peak_models",
    METADATA,
    Column("workload", String, primary_key=True),
    Column("version", String, nullable=False),
    Column("cutoff", _Instant, nullable=False),
    Column("taught", String, nullable=False),
    Column("why_taught", String, nullable=False),
    Column("model", LargeBinary, nullable=False),
)

# The last lead peak of each workload: a restart within a step or two goes on from it.
lead_peaks = Table(
    "lead_peaks",
    METADATA,
    Column("workload", String, primary_key=True),
    Column("at", _Instant, nullable=False),
    Column("step_seconds", Float, nullable=False),
    Column("lead_steps", Integer, nullable=False),
    Column("now_rps", Float, nullable=False),
    Column("quantile", Float, nullable=False),
    Column("peak_rps", Float, nullable=False),
    Column("taught", String, nullable=False),
    Column("why_taught", String, nullable=False),
)

# What online calibration has learnt live of each workload, beside its last lead peak: a table of
# its own, so that older stores open. ``levels`` and ``offsets`` are JSON, of one lead window.
live_offsets = Table(
    "live_offsets",
    METADATA,
    Column("workload", String, primary_key=True),
    Column("step_seconds", Float, nullable=False),
    Column("lead_steps", Integer, nullable=False),
    Column("levels", String, nullable=False),
    Column("offsets", String, nullable=False),
)

# How training went, of each workload.
trainings = Table(
    "trainings",
    METADATA,
    Column("workload", String, primary_key=True),
    Column("trained_at", _Instant),
    Column("seconds", Float),
    Column("runs", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("last_error", String),
    Column("tried_at", _Instant),
    Column("failed_in_a_row", Integer, nullable=False),
    Column("training_key", String),
)

# Replicas that were needed until ``at``, for the hold-down; only as far back as that reaches.
served = Table(
    "served",
    METADATA,
    Column("workload", String, primary_key=True),
    Column("at", _Instant, primary_key=True),
    Column("replicas", Integer, nullable=False),
)

# Events that were made by REST. ``document`` is JSON (``EventDocument``); ``creation`` is a digest
# of what it was made from, by which the same request is known when it comes again.
events = Table(
    "events",
    METADATA,
    Column("event_id", String, primary_key=True),
    Column("document", String, nullable=False),
    Column("creation", String, nullable=False),
    Column("ends", _Instant, nullable=False),
)

# Idempotency keys of late, and which event each has made.
event_keys = Table(
    "event_keys",
    METADATA,
    Column("key", String, primary_key=True),
    Column("creation", String, nullable=False),
    Column("event_id", String, nullable=False),
    Column("at", _Instant, nullable=False),
)

# What is laid over events of calendars that are not ours to write: a JSON merge patch each.
event_overrides = Table(
    "event_overrides",
    METADATA,
    Column("event_id", String, primary_key=True),
    Column("patch", String, nullable=False),
    Column("at", _Instant, nullable=False),
)

# The last good content of each calendar, and how it stood with it, for a restart without a network;
# ``state`` is what ``SourceState`` makes of that.
event_sources = Table(
    "event_sources",
    METADATA,
    Column("source", String, primary_key=True),
    Column("state", LargeBinary, nullable=False),
)

# The calendar as the trainer and the refresher read it, one row: every event of a window, rules
# made into events, overrides laid on. ``events`` is JSON, deflated.
event_calendar = Table(
    "event_calendar",
    METADATA,
    Column("place", Integer, primary_key=True),
    Column("version", String, nullable=False),
    Column("overlap", String, nullable=False),
    Column("events", LargeBinary, nullable=False),
)

# Small documents by name, deflated text: what a cluster told, for a restart without it.
notes = Table(
    "notes",
    METADATA,
    Column("name", String, primary_key=True),
    Column("document", LargeBinary, nullable=False),
)

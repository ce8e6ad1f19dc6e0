"""What survives a restart, in one embedded SQLite file.

schema.py     the tables and their version
database.py   opening: settings, version, a damaged file moved aside
packing.py    an outlook as few bytes
uplifts.py    what lifts an outlook by events
peaks.py      lead-peak models, and a reader of them alone
events.py     events made by REST, overrides, the contents of calendars
calendar.py   the calendar that comes of them, for the trainer and the refresher
notes.py      small documents by name: what a cluster told
store.py      saving and loading, each write one transaction
"""

from __future__ import annotations

from forecaster.store.calendar import NO_VERSION, CalendarShelf, encoded_event, version_of
from forecaster.store.database import DamagedStore, set_aside
from forecaster.store.events import Creation, EventShelf, KeptEvents, Patch
from forecaster.store.notes import NoteShelf
from forecaster.store.packing import PackedOutlook, pack
from forecaster.store.peaks import Learnt, PeakShelf, StoredPeak
from forecaster.store.store import PlanStore, TrainingRecord
from forecaster.store.uplifts import StoredUplift

__all__ = [
    "NO_VERSION",
    "CalendarShelf",
    "Creation",
    "DamagedStore",
    "EventShelf",
    "KeptEvents",
    "Learnt",
    "NoteShelf",
    "PackedOutlook",
    "Patch",
    "PeakShelf",
    "PlanStore",
    "StoredPeak",
    "StoredUplift",
    "TrainingRecord",
    "encoded_event",
    "pack",
    "set_aside",
    "version_of",
]

"""What survives a restart, in one embedded SQLite file.

schema.py     the tables and their version
database.py   opening: settings, version, a damaged file moved aside
packing.py    an outlook as few bytes
peaks.py      lead-peak models, and a reader of them alone
store.py      saving and loading, each write one transaction
"""

from __future__ import annotations

from forecaster.store.database import DamagedStore, set_aside
from forecaster.store.packing import PackedOutlook, pack
from forecaster.store.peaks import Learnt, PeakShelf, StoredPeak
from forecaster.store.store import PlanStore, TrainingRecord

__all__ = [
    "DamagedStore",
    "Learnt",
    "PackedOutlook",
    "PeakShelf",
    "PlanStore",
    "StoredPeak",
    "TrainingRecord",
    "pack",
    "set_aside",
]

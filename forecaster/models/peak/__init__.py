"""The lead peak: quantiles of the highest traffic within the lead window, from live traffic.

window.py     which intervals, and what came true
features.py   what is looked at
forest.py, boosting.py   trees: read as arrays, grown with LightGBM
training.py   past traffic to a model
model.py      the model itself
online.py     calibration that repairs itself
live.py       one workload from step to step
"""

from forecaster.models.peak.live import STALE_STEPS, LeadPeak, LivePeak
from forecaster.models.peak.model import LeadPeakModel, Taught, Telling
from forecaster.models.peak.training import DEFAULT_LEVELS, PeakConfig, train_lead_peak
from forecaster.models.peak.window import lead_peaks

__all__ = [
    "DEFAULT_LEVELS",
    "STALE_STEPS",
    "LeadPeak",
    "LeadPeakModel",
    "LivePeak",
    "PeakConfig",
    "Taught",
    "Telling",
    "lead_peaks",
    "train_lead_peak",
]

"""Traffic to quantiles of traffic."""

from forecaster.models.outlook import DEFAULT_QUANTILES, Outlook
from forecaster.models.selection import (
    CandidateScore,
    OutlookConfig,
    TrainedOutlook,
    train_outlook,
)

__all__ = [
    "DEFAULT_QUANTILES",
    "CandidateScore",
    "Outlook",
    "OutlookConfig",
    "TrainedOutlook",
    "train_outlook",
]

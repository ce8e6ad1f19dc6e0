"""An outlook with events: the event-free one, lifted by what each event is expected to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np

from forecaster.events.calendar import Calendar
from forecaster.events.effects import effects_between
from forecaster.events.uplift import UpliftModel
from forecaster.models.outlook import Outlook

__all__ = ["outlook_with_events"]


def outlook_with_events(
    outlook: Outlook, uplift: UpliftModel, calendar: Calendar, now: datetime | None = None
) -> Outlook:
    """The quantiles of ``outlook``, which knows of no event, lifted by the calendar's.

    The distance of a quantile from the middle is the root of the sum of squares of the outlook's
    own and of the event's, both as logarithms. ``now`` is when the examples were known, by default
    the outlook's cutoff. The same outlook comes back where nothing is on.
    """
    known = outlook.cutoff if now is None else now
    effects = effects_between(uplift, calendar, known, outlook.start, outlook.step, len(outlook))
    if not effects.curves:
        return outlook
    middle = effects.log_factors()
    epsilon = 1.0 / outlook.step.total_seconds()
    logs = np.log(outlook.rate_rps + epsilon)
    half = np.log(outlook.at(0.5) + epsilon)
    lifted = np.empty_like(logs)
    for row, quantile in enumerate(outlook.quantiles):
        own = logs[row] - half
        event = effects.log_factors(quantile) - middle
        wide = np.sign(quantile - 0.5) * np.sqrt(own**2 + event**2)
        lifted[row] = half + middle + (own if quantile == 0.5 else np.where(event == 0, own, wide))
    rates = np.maximum(np.exp(lifted) - epsilon, 0.0)
    touched = effects.log_factors(0.9) != 0
    touched |= middle != 0
    rates = np.where(touched[None, :], np.sort(rates, axis=0), outlook.rate_rps)
    kinds = sorted({one.event.label() for one in effects.curves})
    told = f"events: {', '.join(kinds[:4])}" + (" and more" if len(kinds) > 4 else "")
    return replace(outlook, rate_rps=rates, reasons=(*outlook.reasons, told))

"""The refresher: a process that asks for the latest traffic, step after step, and foretells."""

from __future__ import annotations

import logging
import time

from forecaster.errors import StoreError
from forecaster.store import PeakShelf
from forecaster.worker.messages import Foretold, Refreshed, RefreshFailed
from forecaster.worker.orders import RefreshOrder
from forecaster.worker.process import Tell
from forecaster.worker.refreshing import Watch, foretell_changed, refresh
from forecaster.worker.schedule import next_refresh
from forecaster.worker.source import PrometheusFetch

__all__ = ["run_refreshing"]

# A new model speaks this soon, not at the next step only. A look costs a millisecond or two.
_LOOK_SECONDS = 2.0

_log = logging.getLogger(__name__)


def run_refreshing(tell: Tell, order: RefreshOrder) -> None:
    """Refresh at once and then after each step, for ever; at once, too, for another fleet."""
    fetch = order.source()
    if isinstance(fetch, PrometheusFetch):
        fetch.first_failure = lambda failure: tell(RefreshFailed(order.clock(), str(failure)))
    shelf = PeakShelf(order.store_path)
    watch = Watch.of(order.fleet, shelf)
    failures = 0
    while True:
        change = order.changes.latest()
        if change is not None:
            watch.take_fleet(change.fleet)
            fetch = change.source()
        now = order.clock()
        result = refresh(now, watch, fetch)
        if isinstance(result, RefreshFailed):
            failures += 1
            _log.warning("no traffic", extra={"error": result.error, "failures": failures})
        elif failures:
            _log.info("traffic again", extra={"failures": failures})
            failures = 0
        tell(result)
        if isinstance(result, Refreshed):
            _keep(shelf, watch, result.foretold)
        following = next_refresh(now, order.fleet.step, failures)
        looked_at = time.monotonic()
        while now <= order.clock() < following:  # a clock that is set back must not stop it
            if order.changes.waiting:
                break
            time.sleep(order.tick_seconds)
            if time.monotonic() - looked_at >= _LOOK_SECONDS:
                foretold = foretell_changed(watch, order.clock())
                if foretold is not None:
                    tell(foretold)
                    _keep(shelf, watch, foretold)
                looked_at = time.monotonic()


def _keep(shelf: PeakShelf, watch: Watch, foretold: Foretold) -> None:
    """For a restart, to go on from. Without it the outlook speaks until the first refresh."""
    told = foretold.lead_peaks
    try:
        shelf.keep(told, watch.peaks.learnt(told))
    except StoreError as error:
        _log.warning("lead peaks not stored", extra={"error": str(error)})

"""``preroll serve``: targets for KEDA, from stored plans at once, trained in the background."""

from __future__ import annotations

import os

from forecaster.cli.config_option import USUAL_CONFIG, ConfigOption
from forecaster.threads import limit_threads

__all__ = ["serve"]


def serve(config: ConfigOption = USUAL_CONFIG) -> None:
    """Serve targets to KEDA, and train in the background.

    It starts with the plans that are stored. SIGTERM and Ctrl-C stop it within 5 seconds.

    Example: preroll serve --config preroll.yaml
    """
    # One core trains and one serves; a pool of threads per library would use up a CPU limit, and
    # the kernel would then stop the serving process as well.
    limit_threads()
    # Imported after that, for the libraries read it when they are loaded; and not at the top, for
    # the helper processes import this module's package and need nothing of it.
    from forecaster.cli.http_service import (
        listen,
        run_service,
        stop_on_signals,
        warn_of_open_endpoint,
    )
    from forecaster.settings import load_settings
    from forecaster.worker import (
        ConfiguredSource,
        Service,
        configure_logging,
        open_store,
        utc_now,
    )

    settings = load_settings(config, os.environ)
    with stop_on_signals():
        listener = listen(settings.server, str(config))
        configure_logging(settings.log, "serve")
        if settings.server.open_to_others:
            warn_of_open_endpoint(settings.server)
        store = open_store(settings.store_path, utc_now())
        workloads = tuple(one.workload for one in settings.fleet.workloads)
        source = ConfiguredSource(settings.source, workloads)
        service = Service(
            settings.fleet,
            source,
            store,
            events=settings.events,
            kubernetes=settings.kubernetes,
            capacity=settings.capacity,
            log=settings.log,
        )
        run_service(
            service,
            listener,
            tokens=settings.server.tokens,
            events_tokens=settings.server.events_tokens,
            node_lead_time=settings.kubernetes.node_lead_time,
            old_metrics=settings.server.prescaling_metrics,
        )

"""What the old set-up does not say, as options of ``preroll migrate`` have it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import typer

from forecaster.cli.version_options import read_keda, read_kubernetes

if TYPE_CHECKING:
    from forecaster.migration.moves import MoveOptions

__all__ = ["move_options"]


def move_options(
    prometheus: str | None,
    timezone: str,
    lead_time: timedelta,
    kubernetes: str | None,
    keda: str | None,
) -> MoveOptions:
    """The options as values; BadParameter, with an example, for what is none."""
    from forecaster.keda import DEFAULT_OPTIONS, ScaledObjectOptions
    from forecaster.migration.moves import MoveOptions
    from forecaster.migration.settings_file import PLACEHOLDER_URL

    objects = ScaledObjectOptions(
        kubernetes=read_kubernetes(kubernetes) or DEFAULT_OPTIONS.kubernetes,
        keda=read_keda(keda) or DEFAULT_OPTIONS.keda,
    )
    url = _url(prometheus) if prometheus is not None else PLACEHOLDER_URL
    return MoveOptions(url, timezone, lead_time, objects)


def _url(text: str) -> str:
    from urllib.parse import urlsplit

    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or "#" in text:
        raise typer.BadParameter(
            f"{text!r} is not an address; write for example http://prometheus.monitoring.svc:9090",
            param_hint="--prometheus",
        )
    return text.rstrip("/")

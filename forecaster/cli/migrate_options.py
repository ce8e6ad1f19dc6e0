"""What the old set-up does not say, as options of ``preroll migrate`` have it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from forecaster.migration.moves import MoveOptions
    from forecaster.settings.versions import Version

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
        kubernetes=_version(kubernetes, DEFAULT_OPTIONS.kubernetes, "--kubernetes"),
        keda=_version(keda, DEFAULT_OPTIONS.keda, "--keda"),
    )
    url = _url(prometheus) if prometheus is not None else PLACEHOLDER_URL
    return MoveOptions(url, timezone, lead_time, objects)


def _version(text: str | None, default: Version, option: str) -> Version:
    from forecaster.settings.versions import (
        OLDEST_KEDA,
        OLDEST_KUBERNETES,
        read_version,
        show_version,
    )

    if text is None:
        return default
    try:
        return read_version(text, OLDEST_KEDA if option == "--keda" else OLDEST_KUBERNETES)
    except ValueError as error:
        example = f"{error}; write for example {show_version(default)}"
        raise typer.BadParameter(example, param_hint=option) from error


def _url(text: str) -> str:
    from urllib.parse import urlsplit

    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or "#" in text:
        raise typer.BadParameter(
            f"{text!r} is not an address; write for example http://prometheus.monitoring.svc:9090",
            param_hint="--prometheus",
        )
    return text.rstrip("/")

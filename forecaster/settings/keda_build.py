"""The ``keda`` section as a frozen value."""

from __future__ import annotations

from forecaster.settings.keda_shape import KedaShape
from forecaster.settings.keda_values import KedaSettings
from forecaster.settings.pieces import Pieces
from forecaster.settings.values import ServerSettings
from forecaster.settings.versions import OLDEST_KEDA, OLDEST_KUBERNETES, read_version

__all__ = ["build_keda"]


def build_keda(pieces: Pieces, server: ServerSettings | None) -> KedaSettings | None:
    """How KEDA's objects are written, or None where the section cannot be read."""
    shape = pieces.piece(KedaShape, "keda")
    if shape is None or server is None:
        return None
    return KedaSettings(
        url=shape.url,
        authenticate=bool(server.tokens) if shape.authenticate is None else shape.authenticate,
        authentication=shape.authentication,
        secret=shape.secret,
        cpu_utilisation=shape.cpu_utilisation,
        polling_interval=shape.polling_interval,
        failure_threshold=shape.failure_threshold,
        scale_down_window=shape.scale_down_window,
        formula=shape.formula,
        version=read_version(shape.version, OLDEST_KEDA),
        kubernetes_version=read_version(shape.kubernetes_version, OLDEST_KUBERNETES),
    )

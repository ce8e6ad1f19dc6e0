"""The ``capacity`` section as a frozen value."""

from __future__ import annotations

import dataclasses

from forecaster.settings.capacity_shape import CapacityShape
from forecaster.settings.capacity_values import CapacitySettings
from forecaster.settings.pieces import Pieces
from forecaster.settings.values import FileSettings, PrometheusSettings

__all__ = ["build_capacity"]


def build_capacity(
    pieces: Pieces, source: PrometheusSettings | FileSettings | None
) -> CapacitySettings | None:
    """What capacity is measured from; None where the section cannot be read, problems are noted."""
    shape = pieces.piece(CapacityShape, "capacity")
    if shape is None:
        return None
    queries = {"replicas_query": shape.replicas_query, "saturation_query": shape.saturation_query}
    given = [name for name, query in queries.items() if query is not None]
    if len(given) == 1:
        (absent,) = queries.keys() - set(given)
        if absent not in pieces.keys_at("capacity"):  # else it was refused, and that is noted
            pieces.note(
                ("capacity", absent),
                f"it is needed as well where {given[0]} is set: capacity is measured from both",
            )
        return None
    if given and isinstance(source, FileSettings):
        told = (
            "it asks source.prometheus, and the source is a file; see preroll capacity --replicas"
        )
        pieces.note(("capacity", given[0]), told)
        return None
    if shape.replicas_query is None or shape.saturation_query is None:
        return CapacitySettings(shape.target_utilisation)
    if not isinstance(source, PrometheusSettings):
        return None  # its own problems are noted
    return CapacitySettings(
        shape.target_utilisation,
        dataclasses.replace(source.query, promql=shape.replicas_query),
        dataclasses.replace(source.query, promql=shape.saturation_query),
    )

"""A query whose results need not be called as workloads are: each still gets a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from forecaster.traffic.formats.labels import series_ids
from forecaster.traffic.prometheus import FleetQuery

__all__ = ["AnyQuery"]


@dataclass(frozen=True)
class AnyQuery(FleetQuery):
    """Names results as the settings do where they can be, and else as a saved answer is read.

    With both labels ``namespace/name``, with the workload's alone ``name``; other labels are taken
    as the readers of files take them; without any the name is ``unnamed``. ``strict`` insists on
    the workload's label.
    """

    unnamed: str = "traffic"
    strict: bool = False

    def series_id(self, labels: Mapping[str, str]) -> str:
        """The name of a result; SourceAnswerError where it lacks the label that was asked for."""
        missing = self.missing_label(labels)
        if missing is None or (self.strict and missing == self.name_label):
            return super().series_id(labels)
        if missing == self.namespace_label:
            return labels[self.name_label]
        return series_ids([labels])[0] if labels else self.unnamed

"""What past events taught of a workload, beside its outlook, as few bytes."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import datetime

from forecaster.errors import StoreError
from forecaster.events.uplift import UpliftModel

__all__ = ["StoredUplift"]


@dataclass(frozen=True)
class StoredUplift:
    """A workload's uplift model, deflated; ``cutoff`` is that of the outlook it lifts."""

    workload: str
    cutoff: datetime
    model: bytes

    @classmethod
    def of(cls, workload: str, cutoff: datetime, model: UpliftModel) -> StoredUplift:
        """The model of a workload, beside the outlook of this cutoff."""
        return cls(workload, cutoff, zlib.compress(model.to_bytes(), 1))

    def unpack(self) -> UpliftModel:
        """The model. Raises StoreError where the bytes do not hold one."""
        try:
            return UpliftModel.from_bytes(zlib.decompress(self.model))
        except (zlib.error, ValueError) as error:
            raise StoreError(
                f"{self.workload}: the stored uplift of events cannot be read: {error}"
            ) from error

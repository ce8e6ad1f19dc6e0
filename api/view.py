"""What all answers have in common: frozen, finite, sendable."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

__all__ = ["Measured", "Replicas", "Text", "View"]


def _sendable(text: object) -> object:
    # A file name in a reason may hold bytes that are no UTF-8: a "?" is better than no answer.
    return text.encode("utf-8", "replace").decode() if isinstance(text, str) else text


def _finite_or_none(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


Text = Annotated[str, BeforeValidator(_sendable)]
Measured = Annotated[float | None, BeforeValidator(_finite_or_none)]
Replicas = Annotated[int, Field(ge=0, strict=True)]


class View(BaseModel):
    """A part of an answer. A number that JSON cannot carry is an error here, not at the reader."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False, extra="forbid")

"""What the documents of events are made of: the selector and the floor."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from forecaster.events import EVERY_WORKLOAD, Selector
from forecaster.programme.fields import ONE_OR_MORE_SCHEMA, Label, Pattern
from forecaster.programme.refusal import refused, shown_value

__all__ = ["Document", "FloorDocument", "SelectorDocument", "one_or_more"]

_MOST_SELECTED = 1000


class Document(BaseModel):
    """What all parts of a calendar share: unknown keys are refused, nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def as_written(self) -> dict[str, Any]:
        """JSON-ready, as a person would write it: what is at its default is left out."""
        return self.model_dump(mode="json", exclude_defaults=True)


def one_or_more(value: Any) -> Any:
    """A list that may be written as its single text."""
    return [value] if isinstance(value, str) else value


_Patterns = Annotated[
    tuple[Pattern, ...],
    BeforeValidator(one_or_more),
    Field(max_length=_MOST_SELECTED),
    WithJsonSchema(ONE_OR_MORE_SCHEMA),
]


class SelectorDocument(Document):
    """Which workloads an event concerns; what is left out selects everything."""

    namespaces: _Patterns = Field(
        default=(), description="Namespaces; * is any text.", examples=[["streaming"]]
    )
    workloads: _Patterns = Field(
        default=(),
        description="Workloads, by name or namespace/name; * is any text.",
        examples=[["streaming/player-*"]],
    )
    labels: dict[Label, Annotated[str, Field(max_length=300)]] = Field(
        default={},
        max_length=100,
        description="Labels that a workload must have, all of them.",
        examples=[{"tier": "edge"}],
    )

    def to_selector(self) -> Selector:
        """The domain's value."""
        if not (self.namespaces or self.workloads or self.labels):
            return EVERY_WORKLOAD
        return Selector(self.namespaces, self.workloads, tuple(self.labels.items()))

    @classmethod
    def from_selector(cls, selector: Selector) -> SelectorDocument | None:
        """As it would be written; None where everything is selected."""
        if selector.everything:
            return None
        return cls(
            namespaces=selector.namespaces,
            workloads=selector.workloads,
            labels=dict(selector.labels),
        )


def _whole(value: Any) -> Any:
    if isinstance(value, bool | str):
        raise refused(f"{shown_value(value)} is not a number; write it without quotes")
    return value


class FloorDocument(Document):
    """What holds from the lead time before the start to the end, whatever is forecast."""

    replicas: Annotated[int, BeforeValidator(_whole), Field(ge=0, le=1_000_000)] | None = Field(
        default=None, description="At least so many replicas.", examples=[40]
    )
    traffic: Annotated[float, BeforeValidator(_whole), Field(ge=0, allow_inf_nan=False)] | None = (
        Field(
            default=None,
            description="Replicas for at least so much traffic, per second.",
            examples=[12000],
        )
    )

    @model_validator(mode="after")
    def _has_one(self) -> FloorDocument:
        if self.replicas is None and self.traffic is None:
            raise refused("it is empty; give replicas or traffic")
        return self

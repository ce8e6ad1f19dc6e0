"""Rules that turn programme titles, categories and channels into kinds of events."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import translate
from functools import cached_property
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from forecaster.programme.document import PatternDocument
from forecaster.programme.fields import ONE_OR_MORE_SCHEMA, Switch, Text
from forecaster.programme.parts import one_or_more
from forecaster.programme.refusal import refused

__all__ = ["NO_MAPPING", "Listing", "MappingRule", "MappingRules", "Unmatched"]

_LONGEST_REGEX = 300
_MATCHERS = ("title", "category", "channel", "repeat")
_NOT_GIVEN = frozenset({*_MATCHERS, "drop"})


class Unmatched(StrEnum):
    """What becomes of an entry that no rule fits."""

    KEEP = "keep"
    DROP = "drop"


@dataclass(frozen=True)
class Listing:
    """What the rules see of an entry; each of several titles, categories, channel names may fit."""

    titles: Sequence[str]
    categories: Sequence[str] = ()
    channels: Sequence[str] = ()
    repeat: bool = False


def _matcher(value: Any) -> Any:
    if not isinstance(value, str) or not value.strip():
        raise refused(f"{value!r} is neither a text with * nor a /regular expression/")
    if len(value) > _LONGEST_REGEX:
        raise refused(f"it is longer than {_LONGEST_REGEX} characters")
    try:
        _compiled(value)
    except re.error as error:
        raise refused(f"{value!r} is no regular expression: {error}") from None
    return value


def _compiled(written: str) -> re.Pattern[str]:
    """``/…/`` is searched for, all else is the whole text with ``*`` and ``?`` as usual."""
    if len(written) > 2 and written.startswith("/") and written.endswith("/"):
        return re.compile(written[1:-1], re.IGNORECASE)
    return re.compile(translate(written.strip()), re.IGNORECASE)


_Matcher = Annotated[str, BeforeValidator(_matcher)]
_Matchers = Annotated[
    tuple[_Matcher, ...],
    BeforeValidator(one_or_more),
    Field(max_length=1000),
    WithJsonSchema(ONE_OR_MORE_SCHEMA),
]


class MappingRule(PatternDocument):
    """One rule: what an entry must look like, and what it is then.

    ``title``, ``category`` and ``channel`` are texts with ``*``, or ``/regular expressions/``,
    whatever their case; one of several must fit. All of a rule's conditions must. The other keys,
    those of an event, are given to the entry; ``drop: true`` leaves it out.
    """

    title: _Matchers = Field(default=(), description="Titles.", examples=["Football: *"])
    category: _Matchers = Field(default=(), description="Categories.", examples=[["Sport*"]])
    channel: _Matchers = Field(
        default=(), description="Channels, by id or name.", examples=["one.example.com"]
    )
    repeat: Switch | None = Field(
        default=None, description="Whether it was shown before.", examples=[False]
    )
    drop: Switch = Field(default=False, description="Leave the entry out.", examples=[True])
    kind: Text | None = Field(  # type: ignore[assignment]  # an entry may bring its own
        default=None, description="What it is; uplift is learned by kind.", examples=["football"]
    )

    @model_validator(mode="after")
    def _does_something(self) -> MappingRule:
        if self.drop and self.given:
            raise refused("a rule that drops gives nothing; leave out " + ", ".join(self.given))
        return self

    @cached_property
    def given(self) -> dict[str, Any]:
        """What the rule says of an entry that fits, as an event's document has it."""
        return {key: getattr(self, key) for key in self.model_fields_set if key not in _NOT_GIVEN}

    @cached_property
    def _patterns(self) -> tuple[tuple[str, tuple[re.Pattern[str], ...]], ...]:
        fields = (("titles", self.title), ("categories", self.category), ("channels", self.channel))
        return tuple((name, tuple(map(_compiled, texts))) for name, texts in fields if texts)

    def fits(self, listing: Listing) -> bool:
        """Whether the entry is one of those that the rule is for."""
        if self.repeat is not None and self.repeat != listing.repeat:
            return False
        return all(
            any(one.search(text) for one in patterns for text in getattr(listing, name))
            for name, patterns in self._patterns
        )


@dataclass(frozen=True)
class MappingRules:
    """Rules in order, of which the first that fits counts.

    ``unmatched`` None: what no rule fits is dropped from a programme guide, which covers all day,
    and kept from other calendars.
    """

    rules: tuple[MappingRule, ...] = ()
    unmatched: Unmatched | None = None

    def given_to(
        self, listing: Listing, by_default: Unmatched = Unmatched.KEEP
    ) -> dict[str, Any] | None:
        """What the first rule that fits gives; None where the entry is dropped."""
        for rule in self.rules:
            if rule.fits(listing):
                return None if rule.drop else rule.given
        return None if (self.unmatched or by_default) is Unmatched.DROP else {}


NO_MAPPING = MappingRules()

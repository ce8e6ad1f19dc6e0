"""An instant as people say it: by the clock on their wall, where no offset is written."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import typer

__all__ = ["read_local_instant"]


def read_local_instant(text: str, zone: ZoneInfo, option: str = "--at") -> datetime:
    """The instant, UTC; without an offset the clock is that of ``zone``.

    Raises BadParameter for other text, and for what the clock in ``zone`` shows twice or never.
    """
    try:
        instant = datetime.fromisoformat(text.strip())
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
        first, second = (instant.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        shown, other = (one.astimezone(zone) for one in (first, second))
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(
            f"{text!r} is not an instant; write for example '2026-06-14 20:00', which is read in "
            f"{zone.key}, or 2026-06-14T18:00:00Z",
            param_hint=option,
        ) from error
    if first == second:
        return first
    if shown.replace(tzinfo=None, fold=0) != instant.replace(fold=0):
        why = f"does not exist in {zone.key}: clocks go forward over it"
        examples = f"'{other:%Y-%m-%d %H:%M}' or '{shown:%Y-%m-%d %H:%M}'"
    else:
        why = f"happens twice in {zone.key}: clocks go back over it"
        examples = f"{shown.isoformat()} or {other.isoformat()}"
    raise typer.BadParameter(f"{text!r} {why}; write {examples}", param_hint=option)

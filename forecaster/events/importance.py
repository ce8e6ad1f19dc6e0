"""How much an event matters: a number, or a word for one."""

from __future__ import annotations

import math

__all__ = ["IMPORTANCE_WORDS", "MOST_IMPORTANCE", "NORMAL_IMPORTANCE", "importance_of"]

NORMAL_IMPORTANCE = 3.0
MOST_IMPORTANCE = 100.0
IMPORTANCE_WORDS = {
    "lowest": 1.0,
    "low": 2.0,
    "normal": NORMAL_IMPORTANCE,
    "medium": NORMAL_IMPORTANCE,
    "high": 4.0,
    "highest": 5.0,
}


def importance_of(value: float | str) -> float:
    """A number from 0 to 100, or one of :data:`IMPORTANCE_WORDS`; ValueError for all else.

    >>> importance_of("high"), importance_of("2"), importance_of(4)
    (4.0, 2.0, 4.0)
    """
    text = str(value).strip().lower()
    number = IMPORTANCE_WORDS.get(text)
    if number is None:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
    if not 0 <= number <= MOST_IMPORTANCE:
        words = ", ".join(IMPORTANCE_WORDS)
        raise ValueError(
            f"importance is a number from 0 to {MOST_IMPORTANCE:g}, or one of {words}; "
            f"not {value!r}"
        )
    return number

"""Kubernetes quantities: 120, 500m, 1.5k, 256Mi."""

from __future__ import annotations

import re

__all__ = ["plain_number", "quantity"]

_QUANTITY = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+))([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+)?")
_FACTORS = {
    "n": 1e-9,
    "u": 1e-6,
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "P": 1e15,
    "E": 1e18,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
    "Pi": 2.0**50,
    "Ei": 2.0**60,
}


def quantity(value: object) -> float | None:
    """The number that a quantity stands for; None for what is none.

    >>> [quantity(one) for one in ("120", "500m", 3, "1.5k", "2Ki", "1e3", "many", True)]
    [120.0, 0.5, 3.0, 1500.0, 2048.0, 1000.0, None, None]
    """
    if isinstance(value, bool):
        return None
    match = _QUANTITY.fullmatch(str(value).strip())
    if match is None:
        return None
    number, suffix = float(match[1]), match[2] or ""
    if suffix[:1] in ("e", "E") and len(suffix) > 1 and suffix != "Ei":
        return number * 10.0 ** int(suffix[1:])
    return number * _FACTORS.get(suffix, 1.0)


def plain_number(value: float) -> str:
    """A number as a person writes it, ten digits at the most.

    >>> plain_number(120.0), plain_number(0.3), plain_number(1 / 3)
    ('120', '0.3', '0.3333333333')
    """
    text = f"{value:.10f}".rstrip("0").rstrip(".") if abs(value) < 1e15 else f"{value:.10g}"
    return text if float(text) or not value else f"{value:.10g}"

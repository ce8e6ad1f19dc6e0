"""Kubernetes quantities as numbers: 500m is 0.5, 2Gi is 2147483648, 1e3 is 1000.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["quantity"]

_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)")
_FACTORS = {
    "n": 1e-9,
    "u": 1e-6,
    "m": 1e-3,
    "k": 1e3,
    **{letter: 1000.0**power for power, letter in enumerate("MGTPE", 2)},
    **{f"{letter}i": 1024.0**power for power, letter in enumerate("KMGTPE", 1)},
}


@lru_cache(maxsize=4096)
def quantity(text: str | int | float) -> float:
    """The number that ``text`` stands for; ValueError where it is none."""
    found = _QUANTITY.fullmatch(str(text))
    if found is None:
        raise ValueError(f"{text!r} is not a quantity; for example: 500m or 2Gi")
    number, exponent, suffix = found.groups()
    if exponent is not None:
        return float(f"{number}e{exponent}")
    # Thousandths are divided, so that 100m is 0.1 and not its neighbour.
    if suffix == "m":
        return float(number) / 1000
    return float(number) * _FACTORS.get(suffix or "", 1.0)

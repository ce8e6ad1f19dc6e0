"""Versions of Kubernetes and KEDA, as far as they decide what may be written for them."""

from __future__ import annotations

import re

__all__ = ["OLDEST_KEDA", "OLDEST_KUBERNETES", "Version", "read_version", "show_version"]

Version = tuple[int, int]

OLDEST_KUBERNETES: Version = (1, 23)  # the first with autoscaling/v2
OLDEST_KEDA: Version = (2, 16)


def read_version(text: str, oldest: Version) -> Version:
    """``1.34`` or ``v2.18.1`` as numbers; ValueError for anything else, and for older ones.

    >>> read_version("v2.18.1", OLDEST_KEDA)
    (2, 18)
    """
    found = re.fullmatch(r"v?(\d{1,3})\.(\d{1,3})([.+-][\w.+-]*)?", text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a version")
    version = int(found[1]), int(found[2])
    if version < oldest:
        raise ValueError(f"{text} is too old, {show_version(oldest)} is the oldest")
    return version


def show_version(version: Version) -> str:
    """``(1, 34)`` as ``1.34``."""
    return f"{version[0]}.{version[1]}"

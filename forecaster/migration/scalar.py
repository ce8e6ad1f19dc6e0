"""A text as a value of YAML: plain where every parser reads it as that text, else in quotes."""

from __future__ import annotations

import json
import re

__all__ = ["plain_scalar"]

# Letters first, so no number and no date; a colon only before a character that is not a space.
_PLAIN = re.compile(r"[A-Za-z](?:[A-Za-z0-9_./@+-]|:(?=[A-Za-z0-9_./@-]))*")
_WORDS = frozenset(["null", "true", "false", "yes", "no", "on", "off", "y", "n"])


def plain_scalar(text: str) -> str:
    """The text, in quotes where it needs them.

    >>> [plain_scalar(one) for one in ("player-api", "http://a.b:9090", "20:00", "on", "a: b")]
    ['player-api', 'http://a.b:9090', '"20:00"', '"on"', '"a: b"']
    """
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return json.dumps(text, ensure_ascii=False)

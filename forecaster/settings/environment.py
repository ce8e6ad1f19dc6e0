"""``PREROLL_*`` environment variables laid over the file.

``PREROLL_SERVER__PORT=9090`` sets ``server.port``; two underscores go one level down, a number is a
position in a list (``PREROLL_WORKLOADS__0__CAPACITY``). An empty variable counts as not set, but
for tokens: there it is a problem.
"""

from __future__ import annotations

import copy
import dataclasses
import re
from collections.abc import Collection, Mapping
from typing import Any

from forecaster.errors import SettingsProblem
from forecaster.settings.document import Document, Keys, place_of

__all__ = ["CONFIG_VARIABLE", "NEVER_BLANK", "PREFIX", "overlay", "variable_for"]

PREFIX = "PREROLL_"
CONFIG_VARIABLE = "PREROLL_CONFIG"  # the command line's own: where the file is

# Where a blank value is a slip that must not open the endpoint to everybody.
NEVER_BLANK: frozenset[Keys] = frozenset(
    ("server", key) for key in ("tokens", "tokens_file", "events_tokens", "events_tokens_file")
)

# Kubernetes gives every pod the addresses of the services beside it. One that is named "preroll" or
# "preroll-…" comes as PREROLL_SERVICE_HOST, PREROLL_PORT_8080_TCP_ADDR and so on: not ours.
_SERVICE_LINK = re.compile(
    r"PREROLL_(?:[A-Z0-9_]+_)?"
    r"(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)"
)


def overlay(document: Document, environ: Mapping[str, str], known: Collection[str]) -> Document:
    """The document with the variables' values in it, as text; ``known`` are the top-level keys.

    A variable that cannot be placed becomes a problem. Others are judged with the rest of the
    settings, and a problem with such a value names its variable.
    """
    data = copy.deepcopy(document.data)
    variables = dict(document.variables)
    problems = list(document.problems)
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name == CONFIG_VARIABLE:
            continue
        keys = _keys(name)
        if not environ[name] and keys not in NEVER_BLANK:
            continue
        if len(keys) == 1 and keys[0] not in known and _SERVICE_LINK.fullmatch(name):
            continue
        stop = _place(data, keys, environ[name])
        if stop is None:
            variables[keys] = name
        else:
            problems.append(SettingsProblem(name, stop, variable_for(("server", "port")) + "=8080"))
    return dataclasses.replace(document, data=data, variables=variables, problems=tuple(problems))


def variable_for(keys: Keys) -> str:
    """The variable that sets the value at ``keys``.

    >>> variable_for(("server", "port"))
    'PREROLL_SERVER__PORT'
    """
    return PREFIX + "__".join(str(key).upper() for key in keys)


def _keys(name: str) -> Keys:
    parts = name.removeprefix(PREFIX).lower().split("__")
    return tuple(int(part) if part.isdecimal() else part for part in parts)


def _place(data: dict[str, Any], keys: Keys, value: str) -> str | None:
    """Set the value; the reason why that is not possible, or None."""
    inner: Any = data
    for depth, key in enumerate(keys):
        last = depth == len(keys) - 1
        if key == "":
            return "the name has an empty part; two underscores separate the levels"
        if isinstance(inner, list):
            if not (isinstance(key, int) and key < len(inner)):
                where = place_of(keys[:depth])
                return f"{where} has {len(inner)} entries, counted from 0; there is no {key}"
        elif isinstance(inner, dict):
            key = _spelled(inner, str(key))
            if not last and inner.get(key) is None:
                inner[key] = {}
        else:
            return f"{place_of(keys[:depth])} is a single value, there is nothing below it"
        if last:
            inner[key] = value
        else:
            inner = inner[key]
    return None


def _spelled(mapping: Mapping[str, Any], key: str) -> str:
    """The key as the file spells it (headers may have capitals), or as it is."""
    return next((one for one in mapping if one.lower() == key), key)

"""KEDA's metrics-api scaler and the HPA behind it, as far as our endpoint can feel them.

Written from what was observed on KEDA 2.20 and Kubernetes 1.36: which answers become a number,
which become an error, and which silently become something dangerous. Not modelled: scale-up
policies and the stabilisation window.
"""

from __future__ import annotations

import http.client
import math
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_SELECTOR = re.compile(r"(\w+)(?:\{(.*)\})?")
_MATCHER = re.compile(r'(\w+)(?:=~|!=|!~|=)"((?:[^"\\]|\\.)*)"')


class ScalerError(Exception):
    """The scaler has no value: the HPA holds."""


@dataclass(frozen=True)
class Trigger:
    """The metadata of a trigger; a secret is sent only in the way that ``auth_mode`` names."""

    url: str
    value_location: str = "replicas"
    format: str = "json"
    auth_mode: str | None = None
    secret: str = ""


class Scaler:
    """One trigger's scaler: one kept connection, a time-out of 3 s."""

    def __init__(self, trigger: Trigger, timeout_seconds: float = 3.0) -> None:
        self.trigger = trigger
        self.timeout_seconds = timeout_seconds
        self.connections = 0
        self.requests = 0
        self._connection: http.client.HTTPConnection | None = None

    def value(self) -> float:
        """The metric; a check that fails is asked once more, on a new connection."""
        try:
            return self._ask()
        except ScalerError:
            self.close()
        try:
            return self._ask()
        except ScalerError:
            self.close()
            raise

    def close(self) -> None:
        """Let the kept connection go."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(self) -> float:
        status, body = self._get(self.trigger.url)
        if status != 200:
            raise ScalerError(f"status {status}")
        text = body.decode("utf-8", "replace")
        if self.trigger.format == "prometheus":
            return _in_thousandths(prometheus_value(text, self.trigger.value_location))
        return _in_thousandths(json_value(text, self.trigger.value_location))

    def _get(self, url: str, redirects: int = 10) -> tuple[int, bytes]:
        parts = urlsplit(url)
        if self._connection is None:
            self._connection = http.client.HTTPConnection(
                parts.netloc, timeout=self.timeout_seconds
            )
            self.connections += 1
        query = f"?{parts.query}" if parts.query else ""
        try:
            self._connection.request("GET", parts.path + query, headers=self._headers())
            self.requests += 1
            answer = self._connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise ScalerError(f"{type(error).__name__}: {error}") from error
        location = answer.headers.get("Location")
        if answer.status in (301, 302, 303, 307, 308) and location and redirects:
            self.close()
            return self._get(location, redirects - 1)
        return answer.status, body

    def _headers(self) -> dict[str, str | bytes]:
        headers: dict[str, str | bytes] = {
            "User-Agent": "Go-http-client/1.1",
            "Accept-Encoding": "gzip",
        }
        if self.trigger.auth_mode == "bearer":
            headers["Authorization"] = b"Bearer " + self.trigger.secret.encode()
        if self.trigger.auth_mode == "apiKey":
            headers["X-API-KEY"] = self.trigger.secret.encode()
        return headers


def hpa_replicas(
    scaler: Scaler, current: int, minimum: int = 1, maximum: int = 50, tolerance: float = 0.1
) -> int:
    """What the HPA wants with ``AverageValue`` 1: hold on an error, else the ceiling in limits."""
    try:
        value = scaler.value()
    except ScalerError:
        return current
    if value < 0:
        return maximum
    if current and 1 - tolerance <= value / current <= 1 + tolerance:
        return current
    return min(max(math.ceil(value), minimum), maximum)


def json_value(text: str, location: str) -> float:
    """The number at a dotted path, found the way GJSON does: no look at what comes behind it."""
    token = _find(text, location.split("."))
    if token is None:
        raise ScalerError(f"no {location}")
    if token.startswith('"'):
        return _quantity(token[1:-1])
    if token[0] in "+-0123456789iIN" or token.startswith("nan"):
        try:
            return float(token)
        except ValueError as error:
            raise ScalerError(f"{token!r}") from error
    raise ScalerError(f"{location} is {token!r}, not a number")


def prometheus_value(text: str, selector: str) -> float:
    """The first sample that fits; every kind of matcher acts as ``=``."""
    parts = _SELECTOR.fullmatch(selector)
    if parts is None:
        raise ScalerError(f"selector {selector!r}")
    wanted = dict(_MATCHER.findall(parts[2] or ""))
    for line in text.splitlines():
        sample = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)(?: \d+)?", line)
        if sample is None or line.startswith("#") or sample[1] != parts[1]:
            continue
        labels = dict(_MATCHER.findall(sample[2] or ""))
        if all(labels.get(name) == value for name, value in wanted.items()):
            return float(sample[3])
    raise ScalerError(f"no sample for {selector}")


def _in_thousandths(value: float) -> float:
    # int64(value × 1000): what does not fit there was seen to come out as 0.
    if not math.isfinite(value) or abs(value) * 1000 >= 2**63:
        return 0.0
    return round(value * 1000) / 1000


def _quantity(text: str) -> float:
    parts = _QUANTITY.fullmatch(text)
    if parts is None:
        raise ScalerError(f"{text!r} is no quantity")
    number, exponent, suffix = parts.groups()
    if exponent:
        return float(number + exponent)
    if suffix in _BINARY:
        return float(number) * 2.0 ** _BINARY[suffix]
    return float(number) * 10.0 ** _DECIMAL.get(suffix or "", 0)


def _find(text: str, keys: list[str]) -> str | None:
    at = text.find("{") + 1
    if at == 0:
        return None
    while (key := _string_at(text, text.find('"', at))) is not None:
        at = _skip_space(text, text.find('"', at) + len(key))
        if at >= len(text) or text[at] != ":":
            return None
        at = _skip_space(text, at + 1)
        value = _value_at(text, at)
        if value is None:
            return None
        if key[1:-1] == keys[0]:
            return value if len(keys) == 1 else _find(value, keys[1:])
        at += len(value)
    return None


def _string_at(text: str, at: int) -> str | None:
    match = re.compile(r'"(?:[^"\\]|\\.)*"').match(text, at) if at >= 0 else None
    return match[0] if match else None


def _skip_space(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _value_at(text: str, at: int) -> str | None:
    if at >= len(text):
        return None
    if text[at] == '"':
        return _string_at(text, at)
    if text[at] in "{[":
        depth, end = 0, at
        while end < len(text):
            if text[end] == '"':
                inner = _string_at(text, end)
                end += len(inner) if inner else len(text)
                continue
            depth += (text[end] in "{[") - (text[end] in "}]")
            end += 1
            if depth == 0:
                break
        return text[at:end]
    match = re.compile(r"[^\s,}\]]+").match(text, at)
    return match[0] if match else None

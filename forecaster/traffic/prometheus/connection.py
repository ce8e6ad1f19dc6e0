"""Where the server is, how to get in, and the one query that serves the fleet. No IO."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from forecaster.errors import SourceAnswerError

__all__ = ["FleetQuery", "PrometheusConnection", "format_labels"]

_URL_EXAMPLE = "http://prometheus:9090 or https://vmselect:8481/select/0/prometheus"
_LABEL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET_LENGTH = 8  # a shorter header or parameter, such as tenant "1", is no secret to scrub


@dataclass(frozen=True, repr=False)
class PrometheusConnection:
    """A server that answers ``/api/v1/query_range``, and the credentials for it.

    ``url`` may have a path prefix (``/select/0/prometheus``), a query string that every request
    shall carry, and ``user:password@``. ``headers`` go with every request, for example
    ``("X-Scope-OrgID", "streaming")``. ``ca_file``, ``cert_file`` and ``key_file`` are PEM files;
    with ``ca_file`` only that CA is trusted. ``timeout_seconds`` is for one whole answer.
    ``max_points_per_query`` bounds the evaluations of one request (Prometheus refuses more than
    11,000, VictoriaMetrics more than 30,000); ``max_attempts`` counts the first try too.
    ``allow_partial`` takes answers that the server itself calls incomplete, with a notice: the
    traffic in them may be too low.

    Its repr, and every message made from it, holds no secret. Raises ValueError where a field
    cannot be used; the text says which, and shows no secret either.
    """

    url: str
    bearer_token: str | None = None
    username: str | None = None
    password: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    verify_tls: bool = True
    timeout_seconds: float = 30.0
    max_points_per_query: int = 10_000
    max_attempts: int = 4
    allow_partial: bool = False

    def __post_init__(self) -> None:
        self._check_url()
        if self.bearer_token is not None:
            if not self.bearer_token.strip():
                raise ValueError("bearer_token is empty; leave it out where no token is needed")
            _refuse_control_characters("bearer_token", self.bearer_token.strip())
            if self.basic_auth is not None:
                raise ValueError("bearer_token and username exclude each other: choose one")
        if self.password is not None and self.basic_auth is None:
            raise ValueError("password is set and username is not")
        for name, value in self.headers:
            _refuse_control_characters("a header name", name)
            _refuse_control_characters(f"the header {name}", value)
        if self.key_file is not None and self.cert_file is None:
            raise ValueError(f"key_file {self.key_file!r} needs a cert_file")
        if not (math.isfinite(self.timeout_seconds) and self.timeout_seconds > 0):
            raise ValueError(f"timeout_seconds {self.timeout_seconds} is not positive; write 30")
        for field, example in (("max_points_per_query", 10_000), ("max_attempts", 4)):
            if getattr(self, field) < 1:
                raise ValueError(f"{field} {getattr(self, field)} is below 1; write {example}")

    def _check_url(self) -> None:
        try:
            url = httpx.URL(self.url)
        except httpx.InvalidURL:
            reason = "cannot be parsed"
            if "@" in self.url:
                reason += " (percent-encode special characters of the password)"
        else:
            if url.scheme in {"http", "https"} and url.host:
                return
            reason = "needs http:// or https:// and a host"
        # No cause is kept: the parser's own words may quote a part of the password.
        raise ValueError(f"url {self.shown!r} {reason}; write for example {_URL_EXAMPLE}")

    @property
    def shown(self) -> str:
        """The url as messages show it: without credentials and query string."""
        bare = self.url.split("?", 1)[0].split("#", 1)[0]
        return re.sub(r"^([A-Za-z][A-Za-z0-9+.-]*://)?.*@", r"\1", bare).rstrip("/")

    @property
    def endpoint(self) -> httpx.URL:
        """The address of range queries, credentials removed, query string kept."""
        url = httpx.URL(self.url).copy_with(username=None, password=None, fragment=None)
        return url.copy_with(path=url.path.rstrip("/") + "/api/v1/query_range")

    @property
    def basic_auth(self) -> tuple[str, str] | None:
        """User name and password, from the fields or else from the url."""
        if self.username is not None:
            return self.username, self.password or ""
        url = httpx.URL(self.url)
        return (url.username, url.password) if url.username or url.password else None

    def scrub(self, text: str) -> str:
        """``text`` with every secret of this connection blotted out: servers echo what they got."""
        secrets = [self.bearer_token and self.bearer_token.strip(), self.password]
        sent = [*self.headers, *httpx.URL(self.url).params.multi_items()]
        secrets += [value for _, value in sent if len(value) >= _SECRET_LENGTH]
        if self.basic_auth is not None:
            secrets.append(self.basic_auth[1])
        for secret in secrets:
            if secret:
                text = text.replace(secret, "***")
        return text

    def __repr__(self) -> str:
        parts = [f"url={self.shown!r}"]
        parts += ["bearer_token=***"] if self.bearer_token is not None else []
        parts += ["basic_auth=***"] if self.basic_auth is not None else []
        parts += [f"headers={[name for name, _ in self.headers]}"] if self.headers else []
        for name in ("ca_file", "cert_file", "key_file"):
            value = getattr(self, name)
            parts += [f"{name}={value!r}"] if value is not None else []
        parts += [
            f"{name}={getattr(self, name)!r}"
            for name in ("verify_tls", "timeout_seconds", "max_points_per_query", "max_attempts")
        ]
        parts += ["allow_partial=True"] if self.allow_partial else []
        return f"PrometheusConnection({', '.join(parts)})"


@dataclass(frozen=True)
class FleetQuery:
    """One PromQL expression that gives every workload its series, and how its labels name them.

    For example ``sum by (namespace, deployment) (rate(http_requests_total[1m]))``: requests per
    second. The window is best as long as the step, and at least four scrapes.

    A gauge is better asked by ``last_over_time(gauge[1m])`` than by its bare name: Prometheus
    repeats the last sample of a bare name for five minutes, so an outage looks like traffic.

    A series id is ``namespace/name``; ``default_namespace`` serves results without that label.
    """

    promql: str
    namespace_label: str = "namespace"
    name_label: str = "deployment"
    default_namespace: str | None = None

    def __post_init__(self) -> None:
        if not self.promql.strip():
            raise ValueError(
                "promql is empty; write for example "
                "sum by (namespace, deployment) (rate(http_requests_total[1m]))"
            )
        for field in ("namespace_label", "name_label"):
            if not _LABEL_NAME.fullmatch(getattr(self, field)):
                raise ValueError(
                    f"{field} {getattr(self, field)!r} is not a label name; write for example app"
                )

    def series_id(self, labels: Mapping[str, str]) -> str:
        """The workload that a result with these labels belongs to.

        Raises SourceAnswerError where they do not name one.
        """
        missing = self.missing_label(labels)
        if missing is not None:
            raise SourceAnswerError(self._nameless(labels, missing))
        namespace = labels.get(self.namespace_label) or self.default_namespace
        return f"{namespace}/{labels[self.name_label]}"

    def missing_label(self, labels: Mapping[str, str]) -> str | None:
        """The label without which these name no workload; None where they name one."""
        if not labels.get(self.name_label):
            return self.name_label
        if not (labels.get(self.namespace_label) or self.default_namespace):
            return self.namespace_label
        return None

    def _nameless(self, labels: Mapping[str, str], missing: str) -> str:
        what = "no label at all" if not labels else f"only the labels {format_labels(labels)}"
        default = ", or set default_namespace where all of them live in one"
        return (
            f"a result of the query has no label {missing!r}; it has {what}. Keep the label, as in "
            f"sum by ({self.namespace_label}, {self.name_label}) (…), leave out what lacks it by "
            f'{{{missing}!=""}}, or name another label in the settings'
        ) + (default if missing == self.namespace_label else "")


def format_labels(labels: Mapping[str, str]) -> str:
    """Labels the way PromQL writes them, sorted: ``{deployment="api", namespace="tv"}``."""
    return "{" + ", ".join(f'{name}="{labels[name]}"' for name in sorted(labels)) + "}"


def _refuse_control_characters(what: str, text: str) -> None:
    if not text.isascii() or not text.isprintable():
        raise ValueError(f"{what} holds a line break or another character that HTTP cannot carry")

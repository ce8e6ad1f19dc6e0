"""One range query over HTTP: sent, retried while that makes sense, or a typed error."""

from __future__ import annotations

import random
import re
import ssl
import time
from collections.abc import Callable

import httpx

from forecaster.errors import SourceAnswerError, SourceError, SourceRefused, SourceUnavailable
from forecaster.traffic.prometheus.connection import PrometheusConnection
from forecaster.traffic.prometheus.refusal import Reply, refusal, shorten
from forecaster.traffic.prometheus.retry import back_off_seconds, retry_after_seconds

__all__ = ["RangeQueryClient"]

_LARGEST_ANSWER_BYTES = 256 * 2**20
_LONGEST_WAIT_SECONDS = 300.0
_LONGEST_CONNECT_SECONDS = 5.0  # an address that nobody has is known as such long before an answer
# Truth before speed. VictoriaMetrics: no cached answers (its cluster keeps them although late
# samples have arrived), and an error instead of a partial answer. Thanos: the same by its own name,
# since its query frontend may drop the warning that an answer is partial. Other servers ignore what
# they do not know, except Google's API, which refuses it by name: it is asked again without.
_STRICT = {"nocache": "1", "partial_response": "false", "deny_partial_response": "1"}
_LENIENT = {"nocache": "1"}
# The other side's alert in OpenSSL's words, such as SSLV3_ALERT_BAD_CERTIFICATE.
_CLIENT_CERTIFICATE_ALERT = re.compile(r"_ALERT_\w*(CERTIFICATE|UNKNOWN_CA)")


class RangeQueryClient:
    """Asks ``/api/v1/query_range``: by POST, so that a query may be long, by GET where POST is 405.

    Opens no connection and reads no certificate before the first query.
    """

    def __init__(
        self,
        connection: PrometheusConnection,
        *,
        retrying: Callable[[SourceUnavailable], None] | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._connection = connection
        self._retrying = retrying
        self._transport = transport
        self._sleep = sleep
        self._jitter = jitter
        self._method = "POST"
        self._extras = _LENIENT if connection.allow_partial else _STRICT
        self._client: httpx.Client | None = None

    def close(self) -> None:
        """Close the connections; a later query opens new ones."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def query_range(self, promql: str, first_ms: int, last_ms: int, step_ms: int) -> Reply:
        """The reply with status 200 to the query evaluated at first, first + step … last.

        Raises SourceUnavailable after the last attempt, and at once what ``refusal`` calls final;
        ``retrying`` is told of the failures before.
        """
        form = {
            "query": promql,
            "start": _seconds(first_ms),
            "end": _seconds(last_ms),
            "step": _seconds(step_ms),
        }
        attempt = 1
        while True:
            failure: SourceError
            wait: float | None = None
            cause: Exception | None = None
            try:
                reply = self._send({**form, **self._extras})
            except (httpx.RequestError, TimeoutError) as error:
                failure, cause = self._unreachable(error), error
            else:
                if reply.status == 200:
                    return reply
                if self._adapts(reply):
                    continue
                failure = refusal(reply, self._connection, promql)
                wait = retry_after_seconds(
                    reply.headers.get("retry-after"), reply.headers.get("date")
                )
            if not isinstance(failure, SourceUnavailable):
                raise failure from cause
            if attempt == self._connection.max_attempts or (wait or 0.0) > _LONGEST_WAIT_SECONDS:
                asked = "" if wait is None else f"; it asks to come back in {wait:.0f} s"
                tries = "1 attempt" if attempt == 1 else f"{attempt} attempts"
                raise SourceUnavailable(f"{failure} (after {tries}){asked}") from cause
            if self._retrying is not None:
                self._retrying(failure)
            self._sleep(back_off_seconds(attempt, self._jitter()) if wait is None else wait)
            attempt += 1

    def _adapts(self, reply: Reply) -> bool:
        if reply.status == 405 and self._method == "POST":
            self._method = "GET"
            return True
        unknown = reply.status == 400 and "unknown" in reply.text.lower()
        if unknown and any(name in reply.text for name in self._extras):
            self._extras = {}
            return True
        return False

    def _send(self, form: dict[str, str]) -> Reply:
        client = self._opened()
        deadline = time.monotonic() + self._connection.timeout_seconds
        if self._method == "POST":
            request = client.build_request("POST", self._connection.endpoint, data=form)
        else:
            url = self._connection.endpoint.copy_merge_params(form)
            request = client.build_request("GET", url)
        response = client.send(request, stream=True)
        try:
            body = bytearray()
            for piece in response.iter_bytes():
                body += piece
                if len(body) > _LARGEST_ANSWER_BYTES:
                    raise SourceAnswerError(
                        f"{self._connection.shown} answers one request with more than "
                        f"{_LARGEST_ANSWER_BYTES >> 20} MiB: does the query lack an aggregation "
                        "such as sum by (namespace, deployment)?"
                    )
                if time.monotonic() > deadline:
                    raise TimeoutError("the answer trickles in too slowly")
        finally:
            response.close()
        return Reply(response.status_code, response.headers, body)

    def _opened(self) -> httpx.Client:
        if self._client is None:
            connection = self._connection
            headers = {"user-agent": "preroll"}
            if connection.bearer_token is not None:
                headers["authorization"] = f"Bearer {connection.bearer_token.strip()}"
            self._client = httpx.Client(
                transport=self._transport,
                verify=True if self._transport is not None else _tls(connection),
                auth=connection.basic_auth,
                headers=[*headers.items(), *connection.headers],
                timeout=httpx.Timeout(connection.timeout_seconds, connect=self._connect_seconds),
                follow_redirects=False,
            )
        return self._client

    @property
    def _connect_seconds(self) -> float:
        return min(self._connection.timeout_seconds, _LONGEST_CONNECT_SECONDS)

    def _unreachable(self, error: httpx.RequestError | TimeoutError) -> SourceError:
        where = self._connection.shown
        said = shorten(self._connection.scrub(str(error)) or type(error).__name__)
        if isinstance(error, httpx.ConnectTimeout):
            return SourceUnavailable(
                f"cannot reach {where}: no connection within {self._connect_seconds:g} s"
            )
        if isinstance(error, httpx.TimeoutException | TimeoutError):
            return SourceUnavailable(
                f"{where} did not answer within {self._connection.timeout_seconds:g} s. Where the "
                "query is heavy: a longer timeout_seconds, a smaller max_points_per_query, or a "
                "recording rule"
            )
        if isinstance(error, httpx.DecodingError):
            return SourceAnswerError(f"{where} sent an answer that cannot be decompressed: {said}")
        certificate = _certificate_failure(error)
        if certificate is not None:
            return SourceRefused(
                f"the certificate of {where} is not trusted: {certificate}. Set ca_file to the PEM "
                "file of the CA that signed it, and use the host name that it was made for"
            )
        if _CLIENT_CERTIFICATE_ALERT.search(said):
            return SourceRefused(
                f"{where} refuses the client certificate, or the lack of one: set cert_file and "
                f"key_file to a pair that it trusts ({said})"
            )
        hint = "; does the port speak http:// and not https://?" if "WRONG_VERSION" in said else ""
        return SourceUnavailable(f"cannot reach {where}: {said}{hint}")


def _seconds(milliseconds: int) -> str:
    """Unix time, or a step, in seconds as the API takes it: ``60``, ``0.25``.

    >>> _seconds(893_971_860_000), _seconds(1_500), _seconds(250)
    ('893971860', '1.5', '0.25')
    """
    whole, rest = divmod(milliseconds, 1000)
    return f"{whole}.{rest:03d}".rstrip("0").rstrip(".") if rest else str(whole)


def _tls(connection: PrometheusConnection) -> ssl.SSLContext:
    try:
        if connection.ca_file is not None:
            context = ssl.create_default_context(cafile=connection.ca_file)
        else:
            context = httpx.create_ssl_context()
            context.load_default_certs()  # a company's own CA is installed on the system
        if connection.cert_file is not None:
            context.load_cert_chain(connection.cert_file, connection.key_file)
    except OSError as error:  # ssl.SSLError is one
        files = [connection.ca_file, connection.cert_file, connection.key_file]
        names = ", ".join(name for name in files if name is not None)
        raise SourceRefused(
            f"the TLS files for {connection.shown} cannot be used ({names}): {error}; "
            "PEM files are needed, such as ca_file: /etc/preroll/ca.pem"
        ) from error
    if not connection.verify_tls:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _certificate_failure(error: BaseException) -> str | None:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return seen.verify_message
        seen = seen.__cause__ or seen.__context__
    return None

"""The API server's HTTP: lists by the page, watches by the line, one object, a new object.

    client = connect()                          # in a cluster, or by the usual kubeconfig
    client = connect(Path("~/.kube/config"), "staging")
    for page in client.pages(PODS, "streaming"):
        page.items                              # dicts as they came; page.version at the end
    for line in client.watch(PODS, None, version):
        line["type"], line["object"]

Bodies stay plain dicts, and only for as long as they are read: the official client's models take
five times as long and 50 kB a pod. From it come the configuration, the credentials and the
connections. The only importer of ``kubernetes``.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

import urllib3
import yaml
from kubernetes.client import Configuration
from kubernetes.client.rest import RESTClientObject
from kubernetes.config import ConfigException, load_incluster_config, load_kube_config

from forecaster.cluster.answers import (
    body_of,
    object_of,
    refusal,
    without_answer,
)
from forecaster.cluster.resources import Resource
from forecaster.cluster.streams import Page, Timeouts, Watched
from forecaster.errors import ClusterAnswerError, ClusterRefused

__all__ = ["ClusterClient", "Page", "Timeouts", "Watched", "connect"]

PAGE_SIZE = 500
_CONNECTIONS = 64  # those that are kept open: one for each watch, and one that is free
# The stubs know a part of the official client only.
_new_configuration: Callable[[], Any] = Configuration
_new_rest: Any = RESTClientObject
_UNUSABLE = (
    ConfigException,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    yaml.YAMLError,
)


class ClusterClient:
    """One API server; may be used by many threads. ``connect`` makes one.

    ``load`` writes address and credentials into a configuration; it is called again when a token
    is refused, so that a rotated one is found at once.
    """

    def __init__(self, load: Callable[[Configuration], None], timeouts: Timeouts) -> None:
        self._load = load
        self._timeouts = timeouts
        self._renewing = threading.Lock()
        self._configuration = _new_configuration()
        self._configuration.connection_pool_maxsize = _CONNECTIONS
        load(self._configuration)
        self._host = str(self._configuration.host).rstrip("/")
        self._pool: urllib3.PoolManager = _new_rest(self._configuration).pool_manager

    @property
    def host(self) -> str:
        """The server's address."""
        return self._host

    def get(self, path: str) -> dict[str, Any]:
        """One object, or what else is at ``path``; ClusterRefused with status 404 where nothing."""
        answer, asked = self._ask("GET", path, {})
        return object_of(body_of(answer, asked, self._timeouts.whole_answer), asked)

    def pages(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        size: int = PAGE_SIZE,
        selecting: Mapping[str, str] = MappingProxyType({}),
    ) -> Iterator[Page]:
        """All objects of a kind, page by page, as they were at one moment.

        ``selecting`` is a labelSelector or a fieldSelector, as the API server reads them.
        ClusterExpired where reading took so long that the server has forgotten that moment.
        """
        token = ""
        while True:
            query = {**selecting, "limit": str(size), **({"continue": token} if token else {})}
            answer, asked = self._ask("GET", resource.path(namespace), query)
            body = object_of(body_of(answer, asked, self._timeouts.whole_answer), asked)
            items, about = body.get("items"), body.get("metadata")
            if items is None and str(body.get("kind", "")).endswith("List"):
                items = []  # how Go writes an empty list now and then
            if not isinstance(items, list) or not isinstance(about, dict):
                raise ClusterAnswerError(f"{asked}: the answer is no list of objects")
            token = str(about.get("continue") or "")
            yield Page(items, str(about.get("resourceVersion") or ""), bool(token))
            if not token:
                return

    def watch(self, resource: Resource, namespace: str | None, version: str) -> Watched:
        """What changes after ``version``; ClusterExpired where that is too long ago."""
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(self._timeouts.watch),
        }
        path = resource.path(namespace)
        answer, asked = self._ask("GET", path, query, silence=self._timeouts.silence)
        return Watched(answer, asked)

    def create(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Make an object; ClusterRefused with status 409 where there is one of its name."""
        answer, asked = self._ask("POST", path, {}, body=json.dumps(body).encode())
        return object_of(body_of(answer, asked, self._timeouts.whole_answer), asked)

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._pool.clear()

    def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        *,
        body: bytes | None = None,
        silence: float | None = None,
    ) -> tuple[urllib3.BaseHTTPResponse, str]:
        asked = f"{'watch' if 'watch' in query else method} {path}"
        used = self._authorization()
        answer = self._send(method, path, query, body, silence, used, asked)
        if answer.status == 401:
            answer.close()
            answer = self._send(method, path, query, body, silence, self._renewed(used), asked)
        if answer.status >= 300:
            told = body_of(answer, asked, self._timeouts.answer)
            raise refusal(answer.status, answer.headers, told, asked)
        return answer, asked

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: bytes | None,
        silence: float | None,
        authorization: str | None,
        asked: str,
    ) -> urllib3.BaseHTTPResponse:
        headers = {"accept": "application/json", "user-agent": "preroll"}
        if authorization is not None:
            headers["authorization"] = authorization
        if body is not None:
            headers["content-type"] = "application/json"
        seconds = (self._timeouts.connect, silence or self._timeouts.answer)
        url = self._host + path + (f"?{urlencode(query)}" if query else "")
        # A connection that the server closed while nobody used it fails once; a fresh one does not.
        for last in (method != "GET", True):
            try:
                return self._pool.urlopen(
                    method,
                    url,
                    redirect=False,
                    headers=headers,
                    body=body,
                    timeout=urllib3.Timeout(connect=seconds[0], read=seconds[1]),
                    retries=False,
                    preload_content=False,
                )
            except urllib3.exceptions.ProtocolError as error:
                if last:
                    raise without_answer(asked, error) from error
            except (urllib3.exceptions.HTTPError, OSError) as error:
                raise without_answer(asked, error) from error
        raise AssertionError("the last attempt returns or raises")

    def _authorization(self) -> str | None:
        with self._renewing:
            known = self._configuration.auth_settings().get("BearerToken")
        return None if known is None else str(known["value"])

    def _renewed(self, refused: str | None) -> str | None:
        """The credentials, read again unless another thread just has."""
        if self._authorization() == refused:
            with self._renewing:
                self._load(self._configuration)
        return self._authorization()


def connect(
    kubeconfig: Path | None = None,
    context: str | None = None,
    *,
    timeouts: Timeouts = Timeouts(),
) -> ClusterClient:
    """The API server of ``kubeconfig``, else of the cluster around, else of the usual kubeconfig.

    Nothing is asked of it yet. ClusterRefused where no address and credentials can be found.
    """
    if kubeconfig is None and context is None:
        try:
            return ClusterClient(_loading(load_incluster_config, "the service account"), timeouts)
        except ClusterRefused as error:
            outside: ClusterRefused | None = error
    else:
        outside = None
    named = None if kubeconfig is None else str(kubeconfig.expanduser())

    def load(configuration: Configuration) -> None:
        load_kube_config(named, context, configuration, persist_config=False)

    try:
        return ClusterClient(_loading(load, f"kubeconfig {named or '(the usual one)'}"), timeouts)
    except ClusterRefused as error:
        if outside is None:
            raise
        raise ClusterRefused(
            f"no cluster is around ({outside}), and no kubeconfig can be used ({error}); "
            "for example: kubernetes: {kubeconfig: /etc/preroll/kubeconfig, context: production}"
        ) from error


def _loading(load: Callable[[Configuration], None], what: str) -> Callable[[Configuration], None]:
    def loading(configuration: Configuration) -> None:
        try:
            load(configuration)
        except _UNUSABLE as error:
            raise ClusterRefused(f"{what}: {error}") from error

    return loading

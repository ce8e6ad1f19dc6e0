"""The ``source`` section as a frozen value."""

from __future__ import annotations

from forecaster.settings.document import Keys
from forecaster.settings.pieces import Pieces
from forecaster.settings.source_shape import FileShape, PrometheusShape
from forecaster.settings.values import FileSettings, PrometheusSettings
from forecaster.traffic.prometheus import FleetQuery, PrometheusConnection

__all__ = ["build_source"]

_KINDS = ("prometheus", "file")
_PROMETHEUS: Keys = ("source", "prometheus")
_TLS: Keys = (*_PROMETHEUS, "tls")
# Where a field of the domain's values stands in the file, for complaints that begin with its name.
_PLACES: dict[str, Keys] = {
    "url": (*_PROMETHEUS, "url"),
    "bearer_token": (*_PROMETHEUS, "bearer_token"),
    "password": (*_PROMETHEUS, "password"),
    "key_file": (*_TLS, "key_file"),
    "promql": (*_PROMETHEUS, "query"),
    "namespace_label": (*_PROMETHEUS, "labels", "namespace"),
    "name_label": (*_PROMETHEUS, "labels", "name"),
}


def build_source(pieces: Pieces) -> PrometheusSettings | FileSettings | None:
    """The one source that is set, or None where there is not one; problems are noted."""
    kinds = [kind for kind in pieces.keys_at("source") if kind in _KINDS]
    if len(kinds) > 1:
        by = [name for kind in kinds for name in pieces.variables_below("source", kind)]
        told = f" (here by {', '.join(by)})" if by else ""
        pieces.note(("source",), f"both prometheus and file are set{told}; keep one of them")
        return None
    if kinds == ["file"]:
        return _file(pieces)
    if kinds == ["prometheus"]:
        return _prometheus(pieces)
    if "source" in pieces.keys_at():
        pieces.note(("source",), "one of prometheus and file is needed")
    return None


def _file(pieces: Pieces) -> FileSettings | None:
    shape = pieces.piece(FileShape, "source", "file")
    if shape is None:
        return None
    path = pieces.path(shape.path)
    if path.is_dir():
        pieces.note(("source", "file", "path"), f"{path} is a directory")
    return FileSettings(path, shape.unit, shape.timezone)


def _prometheus(pieces: Pieces) -> PrometheusSettings | None:
    shape = pieces.piece(PrometheusShape, *_PROMETHEUS)
    if shape is None:
        return None
    token, token_file = pieces.secret(
        (*_PROMETHEUS, "bearer_token"), shape.bearer_token, shape.bearer_token_file
    )
    password, password_file = pieces.secret(
        (*_PROMETHEUS, "password"), shape.password, shape.password_file
    )
    connection = query = None
    try:
        query = FleetQuery(
            promql=shape.query,
            namespace_label=shape.labels.namespace,
            name_label=shape.labels.name,
            default_namespace=shape.default_namespace,
        )
    except ValueError as error:
        _note(pieces, error)
    try:
        connection = PrometheusConnection(
            url=shape.url.get_secret_value(),
            bearer_token=token,
            username=shape.username,
            password=password,
            headers=tuple((name, one.get_secret_value()) for name, one in shape.headers.items()),
            ca_file=pieces.readable((*_TLS, "ca_file"), shape.tls.ca_file),
            cert_file=pieces.readable((*_TLS, "cert_file"), shape.tls.cert_file),
            key_file=pieces.readable((*_TLS, "key_file"), shape.tls.key_file),
            verify_tls=shape.tls.verify,
            timeout_seconds=shape.timeout.total_seconds(),
            max_points_per_query=shape.max_points_per_query,
            allow_partial=shape.allow_partial,
        )
    except ValueError as error:
        _note(pieces, error)
    if connection is None or query is None:
        return None
    return PrometheusSettings(connection, query, token_file, password_file)


def _note(pieces: Pieces, error: ValueError) -> None:
    field = str(error).split(" ", 1)[0]
    pieces.note(_PLACES.get(field, _PROMETHEUS), str(error))

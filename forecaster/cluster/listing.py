"""All objects of a kind, read once: page by page, each turned into its small value at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from forecaster.cluster.changes import Broken
from forecaster.cluster.client import ClusterClient
from forecaster.cluster.parsing import BrokenObject, seen_of
from forecaster.cluster.resources import Resource
from forecaster.cluster.seen import Seen

__all__ = ["SeenList", "broken_of", "list_seen"]


@dataclass(frozen=True)
class SeenList:
    """The objects as they were at ``version``; ``broken`` are those that cannot be used."""

    values: tuple[Seen, ...]
    broken: tuple[Broken, ...]
    version: str


def list_seen(
    client: ClusterClient,
    resource: Resource,
    namespace: str | None = None,
    *,
    stopped: Callable[[], bool] = lambda: False,
) -> SeenList:
    """Read them; where ``stopped`` becomes true, what has been read by then."""
    values: list[Seen] = []
    broken: list[Broken] = []
    version = ""
    for page in client.pages(resource, namespace):
        for item in page.items:
            try:
                value = seen_of(resource, item)
            except BrokenObject as error:
                broken.append(broken_of(error))
                continue
            if value is not None:
                values.append(value)
        version = page.version
        if stopped():
            break
    return SeenList(tuple(values), tuple(broken), version)


def broken_of(error: BrokenObject) -> Broken:
    """The same as a message."""
    return Broken(error.kind, error.namespace, error.name, str(error))

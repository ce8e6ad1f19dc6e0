"""After a failure: how long to wait, and what to say of it."""

from __future__ import annotations

import random
from dataclasses import dataclass

from forecaster.cluster.resources import SCALED_OBJECTS, Resource
from forecaster.cluster.rights import rule_text
from forecaster.errors import ClusterError, ClusterExpired, ClusterRefused, ClusterUnavailable

__all__ = ["Pace", "problem_of"]

_LONGEST_ASKED = 120.0


@dataclass(frozen=True)
class Pace:
    """How long is waited after failures, in seconds.

    From ``first`` on it doubles, up to ``longest``, less up to a half by chance, so that not all
    watches come back in the same moment. ``refused`` is what only somebody else can change: rights,
    a kind that is not installed. A stream that was open for ``settled_seconds`` did work.
    """

    first: float = 1.0
    longest: float = 30.0
    refused: float = 60.0
    settled_seconds: float = 5.0

    def wait_seconds(self, failures: int, error: ClusterError | None) -> float:
        """How long to wait after the n-th failure in a row, the first being 1."""
        if isinstance(error, ClusterRefused) and error.status != 401:
            return self.refused
        chance = random.uniform(0.5, 1.0)  # noqa: S311  no secret
        wait = min(self.longest, self.first * 2.0 ** min(failures - 1, 30)) * chance
        asked = error.retry_after_seconds if isinstance(error, ClusterUnavailable) else None
        return wait if asked is None else max(wait, min(asked, _LONGEST_ASKED))


def problem_of(error: ClusterError, resource: Resource, namespace: str | None) -> str:
    """What stands in the way of reading a kind, and what would repair it."""
    where = "all namespaces" if namespace is None else f"namespace {namespace}"
    place = f"{resource.full_name} in {where}" if resource.namespaced else resource.full_name
    if error.status == 401:
        return f"{place}: the token is refused, also when it is read again ({error})"
    if error.status == 403:
        verb = "watch" if str(error).startswith("watch") else "list"
        role = "ClusterRole" if namespace is None else f"Role of namespace {namespace}"
        return f"not allowed to {verb} {place}; add to the {role}: {rule_text(resource)} ({error})"
    if error.status == 404 and resource is SCALED_OBJECTS:
        return (
            "KEDA is not installed: the API server knows no "
            f"{resource.full_name}/{resource.version} ({error})"
        )
    if error.status == 404:
        return f"the API server knows no {resource.plural} in {resource.api_version} ({error})"
    if isinstance(error, ClusterExpired):
        return f"{place}: the server forgets faster than we can read ({error})"
    return f"{place}: {error}"

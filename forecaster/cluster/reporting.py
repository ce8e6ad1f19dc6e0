"""What is wrong with an object, as a Kubernetes Event on it; once for each change.

    reporter = EventReporter(client, instance="preroll-0")
    for problem in declared.problems():
        reporter.report(Notice.of_annotation(problem), now)

Events are a courtesy: where they cannot be written, all else goes on.
"""

from __future__ import annotations

import hashlib
import logging
from collections import OrderedDict, deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from forecaster.cluster.client import ClusterClient
from forecaster.cluster.declared import AnnotationProblem
from forecaster.cluster.resources import SCALED_OBJECTS, Resource
from forecaster.cluster.seen import ScaledObjectSeen
from forecaster.errors import ClusterError, ClusterRefused

__all__ = ["INVALID_ANNOTATION", "EventLedger", "EventReporter", "Notice"]

INVALID_ANNOTATION = "PrerollInvalidAnnotation"
_CONTROLLER = "preroll.io/preroll"
_LONGEST_NOTE_BYTES = 1000  # the API server refuses 1024 and more
_REMEMBERED = 20_000

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Notice:
    """What to say on an object; ``reason`` is one word in CamelCase."""

    resource: Resource
    namespace: str
    name: str
    uid: str
    reason: str
    note: str
    kind: Literal["Normal", "Warning"] = "Warning"
    action: str = "Reading"

    @staticmethod
    def on_scaled_object(source: ScaledObjectSeen, reason: str, note: str) -> Notice:
        """A warning on KEDA's object."""
        return Notice(SCALED_OBJECTS, source.namespace, source.name, source.uid, reason, note)

    @staticmethod
    def of_annotation(problem: AnnotationProblem) -> Notice:
        """A warning about an annotation, on the object that has it."""
        return Notice.on_scaled_object(problem.source, INVALID_ANNOTATION, problem.text)


class EventLedger:
    """Which notices are due: not the same within ``quiet``, and at most ``most`` in a minute."""

    def __init__(self, *, quiet: timedelta = timedelta(hours=1), most: int = 60) -> None:
        self._quiet, self._most = quiet, most
        self._said: OrderedDict[Notice, datetime] = OrderedDict()
        self._lately: deque[datetime] = deque()

    def is_due(self, notice: Notice, now: datetime) -> bool:
        """Whether it is to be said now."""
        said = self._said.get(notice)
        if said is not None and now - said < self._quiet:
            return False
        while self._lately and now - self._lately[0] >= timedelta(minutes=1):
            self._lately.popleft()
        return len(self._lately) < self._most

    def note(self, notice: Notice, now: datetime) -> None:
        """It was said."""
        self._said[notice] = now
        self._said.move_to_end(notice)
        self._lately.append(now)
        while len(self._said) > _REMEMBERED:
            self._said.popitem(last=False)


class EventReporter:
    """Writes notices as Events; one thread's.

    ``trouble`` is why the last one could not be written, or None. Where writing is refused (403),
    it is tried again after ``refused_wait``.
    """

    def __init__(
        self,
        client: ClusterClient,
        *,
        instance: str,
        ledger: EventLedger | None = None,
        refused_wait: timedelta = timedelta(minutes=5),
    ) -> None:
        self._client, self._instance = client, instance
        self._ledger = EventLedger() if ledger is None else ledger
        self._refused_wait = refused_wait
        self._not_before: datetime | None = None
        self.trouble: str | None = None

    def report(self, notice: Notice, now: datetime) -> bool:
        """Say it unless it was just said; whether it stands on the object now by this call."""
        if self._not_before is not None and now < self._not_before:
            return False
        if not self._ledger.is_due(notice, now):
            return False
        body = _event(notice, now, self._instance)
        path = f"/apis/events.k8s.io/v1/namespaces/{notice.namespace}/events"
        try:
            self._client.create(path, body)
        except ClusterError as error:
            if error.status != 409:  # the very same one is there already
                self._failed(error, now)
                return False
        self._ledger.note(notice, now)
        self.trouble = None
        return True

    def _failed(self, error: ClusterError, now: datetime) -> None:
        if self.trouble is None:
            _log.warning("event not written", extra={"error": str(error)})
        rule = '{apiGroups: ["events.k8s.io"], resources: [events], verbs: [create]}'
        lacking = error.status == 403
        self.trouble = f"{error}" + (f"; add to the role: {rule}" if lacking else "")
        wait = self._refused_wait if isinstance(error, ClusterRefused) else timedelta(seconds=30)
        self._not_before = now + wait


def _event(notice: Notice, now: datetime, instance: str) -> dict[str, Any]:
    """The object; its name is the same for the same notice at the same instant."""
    at = now.isoformat(timespec="microseconds").replace("+00:00", "Z")
    words = f"{notice.uid} {notice.reason} {notice.note} {at}"
    digest = hashlib.sha256(words.encode()).hexdigest()[:16]
    name = notice.name[:200].rstrip("-.")
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"namespace": notice.namespace, "name": f"{name}.{digest}"},
        "eventTime": at,
        "type": notice.kind,
        "reason": notice.reason,
        "action": notice.action,
        "note": _cut(notice.note),
        "reportingController": _CONTROLLER,
        "reportingInstance": instance,
        "regarding": {
            "apiVersion": notice.resource.api_version,
            "kind": notice.resource.kind,
            "namespace": notice.namespace,
            "name": notice.name,
            "uid": notice.uid,
        },
    }


def _cut(note: str) -> str:
    whole = note.encode()
    if len(whole) <= _LONGEST_NOTE_BYTES:
        return note
    return whole[:_LONGEST_NOTE_BYTES].decode(errors="ignore") + "…"

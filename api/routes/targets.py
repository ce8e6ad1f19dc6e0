"""The route KEDA reads: ``GET /v1/targets/{namespace}/{name}``, from memory."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from weakref import WeakKeyDictionary, WeakSet

from starlette.types import Send

from api.answers import Answer, error_answer, json_answer
from api.views import target_view
from forecaster.errors import NoUsablePlan
from forecaster.planning.snapshot import Snapshot, WorkloadState

__all__ = ["TargetRoute"]

_LOG = logging.getLogger(__name__)
_SHOWN_NAME = 200


@dataclass(frozen=True, slots=True)
class _Rendered:
    answer: Answer
    notices: tuple[str, ...]
    since: datetime
    until: datetime

    def holds(self, now: datetime, notices: tuple[str, ...]) -> bool:
        return self.since <= now < self.until and self.notices == notices


class TargetRoute:
    """200 with ``replicas`` and the reasons; 503 with a reason; 404.

    A target changes when a step ends, when live traffic grows too old, or when the workload's state
    is replaced, so its bytes are kept until then: one entry a state, gone with the state.
    """

    def __init__(self, snapshot: Callable[[], Snapshot], clock: Callable[[], datetime]) -> None:
        self._snapshot = snapshot
        self._clock = clock
        self._rendered: WeakKeyDictionary[WorkloadState, _Rendered] = WeakKeyDictionary()
        self._failed: WeakSet[WorkloadState] = WeakSet()
        self.answers: Counter[int] = Counter()
        """How many answers were given, by status."""

    async def respond(self, method: str, workload: str, send: Send) -> None:
        """Answer one request for ``namespace/name``, whatever happens."""
        if method in ("GET", "HEAD"):
            answer = self.answer(workload)
        else:
            answer = error_answer(
                405,
                "method_not_allowed",
                f"{method} changes nothing here; send GET",
                (b"allow", b"GET, HEAD"),
            )
        self.answers[answer.status] += 1
        await answer.send(send)

    def answer(self, workload: str) -> Answer:
        """The answer for ``namespace/name`` now; never an exception."""
        try:
            snapshot = self._snapshot()
            state = snapshot.workloads.get(workload)
            if state is None:
                return _unknown(workload)
            now = self._clock()
        except Exception:
            _LOG.exception("no target for %.200r: the snapshot cannot be read", workload)
            return _failure()
        rendered = self._rendered.get(state)
        if rendered is not None and rendered.holds(now, snapshot.notices):
            return rendered.answer
        return self._render(state, now, snapshot.notices)

    def _render(self, state: WorkloadState, now: datetime, notices: tuple[str, ...]) -> Answer:
        try:
            view = target_view(state, now, notices)
            answer = json_answer(200, view.model_dump_json())
            if view.valid_until is not None:
                self._rendered[state] = _Rendered(answer, notices, now, view.valid_until)
        except NoUsablePlan as error:
            return error_answer(503, "no_usable_plan", str(error))
        except Exception:
            # 503: the HPA holds, and other triggers may still scale up. Logged once a state: KEDA
            # asks several times a minute, for every workload.
            if state not in self._failed:
                self._failed.add(state)
                _LOG.exception("no target for %s", state.workload)
            return _failure()
        return answer


def _unknown(workload: str) -> Answer:
    shown = workload if len(workload) <= _SHOWN_NAME else f"{workload[:_SHOWN_NAME]}…"
    return error_answer(
        404,
        "unknown_workload",
        f"no workload {shown!r} is configured; write /v1/targets/{{namespace}}/{{name}}, "
        "for example /v1/targets/streaming/player-api",
    )


def _failure() -> Answer:
    return error_answer(
        503, "internal_error", "the target could not be computed; the service's log says why"
    )

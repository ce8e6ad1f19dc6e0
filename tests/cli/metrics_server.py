"""A stand-in for a metrics server that evaluates functions of time, for the command line."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.traffic.stand_in import Answer, Asked

__all__ = ["Series", "evaluating", "refusing"]

Series = tuple[dict[str, str], Callable[[int], float | None]]
"""Labels, and the value at a Unix second; None where there is no sample."""


def evaluating(*series: Series) -> Callable[[Asked], Answer]:
    """What ``StandIn.answer`` may be: every query is answered with ``series``."""

    def answer(asked: Asked) -> Answer:
        first, last, step = (int(asked.form[name]) for name in ("start", "end", "step"))
        result = []
        for labels, value in series:
            at = [(t, value(t)) for t in range(first, last + 1, step)]
            values = [[t, repr(one)] for t, one in at if one is not None]
            if values:
                result.append({"metric": labels, "values": values})
        data = {"resultType": "matrix", "result": result}
        return 200, {}, json.dumps({"status": "success", "data": data})

    return answer


def refusing(status: int, text: str) -> Callable[[Asked], Answer]:
    """Every query is refused with ``text``."""
    return lambda _: (status, {}, json.dumps({"status": "error", "error": text}))

"""Every error of the framework's routes as the same JSON: ``{"error": …, "reason": …}``."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from api.answers import error_answer, json_answer
from api.bodies import BodyError
from api.forecast import ForecastQueryError
from api.schemas import ProblemView, QueryErrorView
from forecaster.errors import (
    EventConflict,
    EventRefused,
    NoUsablePlan,
    StoreError,
    UnknownEvent,
    UnknownWorkload,
)

__all__ = ["add_error_handlers"]

_WORDS = {404: "not_found", 405: "method_not_allowed"}


def add_error_handlers(app: FastAPI) -> None:
    """4xx, 503 and the unexpected (500; the server logs its trace, nobody is sent it)."""

    @app.exception_handler(UnknownWorkload)
    async def unknown(_request: Request, error: UnknownWorkload) -> Response:
        return error_answer(404, "unknown_workload", str(error)).response()

    @app.exception_handler(NoUsablePlan)
    async def no_plan(_request: Request, error: NoUsablePlan) -> Response:
        return error_answer(503, "no_usable_plan", str(error)).response()

    @app.exception_handler(UnknownEvent)
    async def no_event(_request: Request, error: UnknownEvent) -> Response:
        return error_answer(404, "unknown_event", str(error)).response()

    @app.exception_handler(EventConflict)
    async def conflict(_request: Request, error: EventConflict) -> Response:
        if error.changed:
            return error_answer(412, "precondition_failed", str(error)).response()
        return error_answer(409, "conflict", str(error)).response()

    @app.exception_handler(EventRefused)
    async def no_such_event(_request: Request, error: EventRefused) -> Response:
        problems = [
            ProblemView(
                field=one.field or "body",
                message=one.message,
                example="see /docs" if one.example is None else one.example,
            )
            for one in error.problems
        ]
        return _problems("invalid_event", str(error), problems)

    @app.exception_handler(StoreError)
    async def not_stored(_request: Request, error: StoreError) -> Response:
        return error_answer(503, "store_error", f"nothing has changed: {error}").response()

    @app.exception_handler(BodyError)
    async def no_body(_request: Request, error: BodyError) -> Response:
        return error.answer.response()

    @app.exception_handler(ForecastQueryError)
    async def invalid(_request: Request, error: ForecastQueryError) -> Response:
        return _problems("invalid_query", str(error), list(error.problems))

    @app.exception_handler(RequestValidationError)
    async def not_valid(_request: Request, error: RequestValidationError) -> Response:
        problems = [
            ProblemView(field=str(one["loc"][-1]), message=one["msg"], example="see /docs")
            for one in error.errors()
        ]
        reason = "; ".join(f"{one.field}: {one.message}" for one in problems)
        return _problems("invalid_query", reason, problems)

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        word = _WORDS.get(error.status_code, "refused")
        extra = [(k.lower().encode(), v.encode()) for k, v in (error.headers or {}).items()]
        reason = f"{request.method} {request.url.path[:200]}: {error.detail}; /docs lists the paths"
        return error_answer(error.status_code, word, reason, *extra).response()

    @app.exception_handler(Exception)
    async def unexpected(_request: Request, _error: Exception) -> Response:
        reason = "something unexpected happened; the service's log says what"
        # The server closes the connection after the trace; a client should not be surprised by it.
        return error_answer(500, "internal_error", reason, (b"connection", b"close")).response()


def _problems(word: str, reason: str, problems: list[ProblemView]) -> Response:
    told = [
        ProblemView(field=_plain(one.field), message=_plain(one.message), example=one.example)
        for one in problems
    ]
    view = QueryErrorView(error=word, reason=_plain(reason), problems=told)
    return json_answer(422, view.model_dump_json()).response()


def _plain(text: str) -> str:
    r"""Text that JSON can carry: half a surrogate pair, as a key may be, is shown as \ud800."""
    return text.encode("utf-8", "backslashreplace").decode()

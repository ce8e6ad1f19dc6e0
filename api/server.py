"""How uvicorn is to run the application: the limits and time-outs that KEDA's polling asks for."""

from __future__ import annotations

import uvicorn
from fastapi import FastAPI

from api.protocol import BoundedHttpProtocol

__all__ = ["KEEP_ALIVE_SECONDS", "MAX_CONNECTIONS", "uvicorn_config"]

# KEDA keeps one connection a trigger and asks every 15 or 30 s; closing earlier than that would
# cost a handshake a poll. Its own client lets an idle connection go after 90 s.
KEEP_ALIVE_SECONDS = 75
# 10,000 triggers on one connection each, twice that while a failing check is asked again.
MAX_CONNECTIONS = 25_000


def uvicorn_config(
    app: FastAPI,
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    max_connections: int = MAX_CONNECTIONS,
) -> uvicorn.Config:
    """Settings for one process that serves ``app``; logging is left as the caller set it up.

    Beyond ``max_connections`` the answer is 503, on which the HPA holds. uvloop sets TCP_NODELAY on
    every connection; our protocol sends an answer's head and body in one segment.
    """
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http=BoundedHttpProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=max_connections,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=2,
    )

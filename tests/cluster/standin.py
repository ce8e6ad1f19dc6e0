"""A stand-in API server: real HTTP on 127.0.0.1, in a thread, with faults on demand.

    with StandIn() as server:
        server.put(pod(...))
        server.fail(Fault("pods", "watch", status=410))
        server.break_watches("pods", Break.HALF_A_LINE)

It speaks the part of the protocol that is used: lists with limit and continue, watches with
bookmarks and a history that can be forgotten, single objects read and written, bearer tokens, and
what kubectl and helm ask first: which kinds there are.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable
from copy import deepcopy
from typing import TypeVar
from urllib.parse import parse_qsl, urlsplit

from tests.cluster.standin_discovery import discovery
from tests.cluster.standin_faults import Asked, Break, Fault
from tests.cluster.standin_http import group_of, place, read_body, send, status, verb_of
from tests.cluster.standin_store import Object, Store
from tests.cluster.standin_watch import Streams
from tests.cluster.standin_writes import Change, Writes

__all__ = ["Asked", "Break", "Fault", "StandIn"]

T = TypeVar("T")


class StandIn:
    def __init__(
        self,
        *,
        tokens: set[str] | None = None,
        tls: ssl.SSLContext | None = None,
        bookmark_seconds: float = 60.0,
        gone_as_line: bool = True,
        allows: Callable[[Asked], bool] = lambda asked: True,
    ) -> None:
        self.store = Store()
        self.tokens = tokens
        self._allows = allows
        self.asked: list[Asked] = []
        self.port = 0
        self._tls = tls
        self._faults: list[Fault] = []
        self._streams = Streams(self.store, bookmark_seconds, gone_as_line)
        self.writes = Writes(self.store, self._streams.publish)
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> StandIn:
        self._thread.start()
        self.up()
        return self

    def __exit__(self, *_: object) -> None:
        self.down()
        asyncio.run_coroutine_threadsafe(self._cancel_all(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def up(self) -> None:
        """Listen; on the same port as before."""

        async def start() -> None:
            until = self._loop.time() + 5
            while True:
                try:
                    self._server = await asyncio.start_server(
                        self._serve, "127.0.0.1", self.port, ssl=self._tls, backlog=128
                    )
                    break
                except OSError:  # meanwhile a connection of somebody else may have the port
                    if self._loop.time() > until:
                        raise
                    await asyncio.sleep(0.05)
            self.port = self._server.sockets[0].getsockname()[1]

        asyncio.run_coroutine_threadsafe(start(), self._loop).result(10)

    def down(self) -> None:
        """Refuse connections, and cut all that are open."""

        async def stop() -> None:
            if self._server is not None:
                # A server that closes while it accepts loses that socket without closing it
                # (Python 3.11): so accept no more, let the last one through, and only then close.
                for listening in self._server.sockets:
                    self._loop.remove_reader(listening.fileno())
                for _ in range(4):
                    await asyncio.sleep(0)
                self._server.close()
                self._server = None
            for writer in list(self._writers):
                writer.transport.abort()
            await asyncio.sleep(0)

        asyncio.run_coroutine_threadsafe(stop(), self._loop).result(10)

    def put(self, item: Object) -> None:
        self._call(lambda: self._streams.publish(self.store.put(item), item["kind"]))

    def put_all(self, items: list[Object]) -> None:
        self._call(
            lambda: [self._streams.publish(self.store.put(one), one["kind"]) for one in items]
        )

    def delete(self, kind: str, namespace: str, name: str) -> None:
        self._call(lambda: self._streams.publish(self.store.delete(kind, namespace, name), kind))

    def forget(self) -> None:
        self._call(self.store.forget)

    def fail(self, fault: Fault) -> Fault:
        self._call(lambda: self._faults.append(fault))
        return fault

    def heal(self) -> None:
        self._call(self._faults.clear)

    def break_watches(self, plural: str, how: Break) -> int:
        """Break the open watches of a kind; how many there were."""

        return self._call(lambda: self._streams.break_all(plural, how))

    def requests(self, plural: str, verb: str) -> list[Asked]:
        return [one for one in self.asked if (one.plural, one.verb) == (plural, verb)]

    def created(self, plural: str = "events") -> list[Object]:
        return [one.body for one in self.requests(plural, "create")]

    def _call(self, function: Callable[[], T]) -> T:
        async def call() -> T:
            return function()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(60)

    async def _cancel_all(self) -> None:
        await asyncio.sleep(0.01)  # a connection that was just accepted is served, and so closed
        others = asyncio.all_tasks(self._loop) - {asyncio.current_task(self._loop)}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0.01)  # for transports to be closed

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while await self._answer_one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, ssl.SSLError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readline()
        if not head.strip():
            return False
        method, target, _ = head.decode().split()
        headers: dict[str, str] = {}
        while line := (await reader.readline()).strip():
            key, _, value = line.decode().partition(":")
            headers[key.lower()] = value.strip()
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        path = urlsplit(target).path
        plural, namespace, name = place(path)
        query = dict(parse_qsl(urlsplit(target).query))
        verb = verb_of(method, name, query)
        kind = headers.get("content-type", "")
        told = read_body(body, kind)
        authorization = headers.get("authorization", "")
        group = group_of(path)
        asked = Asked(method, verb, plural, namespace, query, authorization, told, group, name)
        self.asked.append(asked)
        if self.tokens is not None and authorization.lower() not in {
            f"bearer {token}".lower() for token in self.tokens
        }:
            await send(writer, 401, status(401, "Unauthorized"))
            return True
        if not self._allows(asked):
            told = f'{plural}.{group} is forbidden: cannot {verb} it in "{namespace or ""}"'
            await send(writer, 403, status(403, told, reason="Forbidden"))
            return True
        for fault in self._faults:
            if fault.hits(plural, verb):
                if fault.slow_seconds:
                    await asyncio.sleep(fault.slow_seconds)
                if fault.drop:
                    writer.transport.abort()
                    return False
                if fault.status is not None:
                    told_back = fault.body or status(fault.status, fault.message)
                    await send(writer, fault.status, told_back, fault.headers)
                    return True
                if fault.half_a_body:
                    await send(writer, 200, b'{"kind":"PodList","items":[', cut=True)
                    writer.transport.abort()
                    return False
                if fault.body is not None:
                    await send(writer, 200, fault.body)
                    return True
        if (said := discovery(path, self.store.shelves)) is not None:
            await send(writer, *said)
        elif plural not in self.store.shelves:
            await send(writer, 404, b"404 page not found\n")
        elif verb == "watch":
            return await self._streams.serve(writer, plural, namespace, query)
        elif verb == "list":
            await self._list(writer, plural, namespace, query)
        else:
            at = namespace or "", name or told["metadata"]["name"]
            dry, manager = bool(query.get("dryRun")), query.get("fieldManager", "")
            change = Change(verb, plural, *at, deepcopy(told), kind, dry, manager)
            await send(writer, *self.writes.answer(change))
        return True

    async def _list(
        self,
        writer: asyncio.StreamWriter,
        plural: str,
        namespace: str | None,
        query: dict[str, str],
    ) -> None:
        limit, token = int(query.get("limit", "0")), query.get("continue", "")
        selecting = query.get("labelSelector", ""), query.get("fieldSelector", "")
        page = self.store.page(plural, namespace, limit, token, selecting)
        if page is None:
            gone = "The provided continue parameter is too old to display a consistent list result."
            await send(writer, 410, status(410, gone, reason="Expired"))
        else:
            await send(writer, 200, page)

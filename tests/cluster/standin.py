"""A stand-in API server: real HTTP on 127.0.0.1, in a thread, with faults on demand.

    with StandIn() as server:
        server.put(pod(...))
        server.fail(Fault("pods", "watch", status=410))
        server.break_watches("pods", Break.HALF_A_LINE)

It speaks the part of the protocol that is used: lists with limit and continue, watches with
bookmarks and a history that can be forgotten, one object, new Events, merge patches, bearer tokens.
"""

from __future__ import annotations

import asyncio
import enum
import json
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from tests.cluster.standin_store import Happened, Object, Store

T = TypeVar("T")


class Break(enum.Enum):
    """How an open watch breaks."""

    END = "the server ends it"
    CUT = "cut between two lines"
    HALF_A_LINE = "cut within a line"
    GARBAGE = "a line that is no JSON"
    GONE = "an ERROR line with 410"
    ERROR = "an ERROR line with 500"
    SILENCE = "open, but nothing comes any more"


@dataclass
class Fault:
    """What the next requests of a kind get instead of an answer.

    ``verb`` is list, watch, get, create, or empty for all; ``plural`` empty for all kinds.
    """

    plural: str = ""
    verb: str = ""
    status: int | None = None
    message: str = "made up"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    slow_seconds: float = 0.0
    drop: bool = False
    half_a_body: bool = False
    times: int | None = 1
    after: int = 0

    def hits(self, plural: str, verb: str) -> bool:
        if self.plural not in ("", plural) or self.verb not in ("", verb) or self.times == 0:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass(frozen=True)
class Asked:
    """A request that came."""

    method: str
    verb: str
    plural: str
    namespace: str | None
    query: Mapping[str, str]
    authorization: str
    body: Any = None


@dataclass(eq=False)
class _Stream:
    plural: str
    namespace: str | None
    writer: asyncio.StreamWriter
    queue: asyncio.Queue[Happened | Break]


class StandIn:
    def __init__(
        self,
        *,
        tokens: set[str] | None = None,
        tls: ssl.SSLContext | None = None,
        bookmark_seconds: float = 60.0,
        gone_as_line: bool = True,
    ) -> None:
        self.store = Store()
        self.tokens = tokens
        self.asked: list[Asked] = []
        self.port = 0
        self._tls, self._bookmark_seconds, self._gone_as_line = tls, bookmark_seconds, gone_as_line
        self._faults: list[Fault] = []
        self._streams: set[_Stream] = set()
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
            self._server = await asyncio.start_server(
                self._serve, "127.0.0.1", self.port, ssl=self._tls, backlog=128
            )
            self.port = self._server.sockets[0].getsockname()[1]

        asyncio.run_coroutine_threadsafe(start(), self._loop).result(10)

    def down(self) -> None:
        """Refuse connections, and cut all that are open."""

        async def stop() -> None:
            if self._server is not None:
                self._server.close()
                self._server = None
            for writer in list(self._writers):
                writer.transport.abort()
            await asyncio.sleep(0)

        asyncio.run_coroutine_threadsafe(stop(), self._loop).result(10)

    def put(self, item: Object) -> None:
        self._call(lambda: self._publish(self.store.put(item), item["kind"]))

    def put_all(self, items: list[Object]) -> None:
        self._call(lambda: [self._publish(self.store.put(one), one["kind"]) for one in items])

    def delete(self, kind: str, namespace: str, name: str) -> None:
        self._call(lambda: self._publish(self.store.delete(kind, namespace, name), kind))

    def forget(self) -> None:
        self._call(self.store.forget)

    def fail(self, fault: Fault) -> Fault:
        self._call(lambda: self._faults.append(fault))
        return fault

    def heal(self) -> None:
        self._call(self._faults.clear)

    def break_watches(self, plural: str, how: Break) -> int:
        """Break the open watches of a kind; how many there were."""

        def apply() -> int:
            hit = [one for one in self._streams if one.plural == plural]
            for one in hit:
                one.queue.put_nowait(how)
            return len(hit)

        return self._call(apply)

    def requests(self, plural: str, verb: str) -> list[Asked]:
        return [one for one in self.asked if (one.plural, one.verb) == (plural, verb)]

    def created(self, plural: str = "events") -> list[Object]:
        return [one.body for one in self.requests(plural, "create")]

    def _call(self, function: Callable[[], T]) -> T:
        async def call() -> T:
            return function()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(60)

    async def _cancel_all(self) -> None:
        others = asyncio.all_tasks(self._loop) - {asyncio.current_task(self._loop)}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _publish(self, happened: Happened, kind: str) -> None:
        plural = self.store.plural_of(kind)
        for stream in self._streams:
            if stream.plural == plural and stream.namespace in (None, happened.kept.namespace):
                stream.queue.put_nowait(happened)

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
        plural, namespace, name = _place(urlsplit(target).path)
        query = dict(parse_qsl(urlsplit(target).query))
        verb = _verb(method, name, query)
        told = json.loads(body) if body else None
        authorization = headers.get("authorization", "")
        self.asked.append(Asked(method, verb, plural, namespace, query, authorization, told))
        if self.tokens is not None and authorization.lower() not in {
            f"bearer {token}".lower() for token in self.tokens
        }:
            await _send(writer, 401, _status(401, "Unauthorized"))
            return True
        for fault in self._faults:
            if fault.hits(plural, verb):
                if fault.slow_seconds:
                    await asyncio.sleep(fault.slow_seconds)
                if fault.drop:
                    writer.transport.abort()
                    return False
                if fault.status is not None:
                    told_back = fault.body or _status(fault.status, fault.message)
                    await _send(writer, fault.status, told_back, fault.headers)
                    return True
                if fault.half_a_body:
                    await _send(writer, 200, b'{"kind":"PodList","items":[', cut=True)
                    writer.transport.abort()
                    return False
                if fault.body is not None:
                    await _send(writer, 200, fault.body)
                    return True
        if plural not in self.store.shelves:
            await _send(writer, 404, b"404 page not found\n")
        elif verb == "watch":
            return await self._watch(writer, plural, namespace, query)
        elif verb == "list":
            await self._list(writer, plural, namespace, query)
        else:
            await self._one(writer, verb, plural, namespace, name, told)
        return True

    async def _list(
        self,
        writer: asyncio.StreamWriter,
        plural: str,
        namespace: str | None,
        query: dict[str, str],
    ) -> None:
        limit, token = int(query.get("limit", "0")), query.get("continue", "")
        page = self.store.page(plural, namespace, limit, token)
        if page is None:
            gone = "The provided continue parameter is too old to display a consistent list result."
            await _send(writer, 410, _status(410, gone, reason="Expired"))
        else:
            await _send(writer, 200, page)

    async def _one(
        self,
        writer: asyncio.StreamWriter,
        verb: str,
        plural: str,
        namespace: str | None,
        name: str | None,
        told: Any,
    ) -> None:
        shelf = self.store.shelves[plural]
        if verb == "create":
            if (namespace or "", told["metadata"]["name"]) in shelf.objects:
                await _send(writer, 409, _status(409, "it exists", reason="AlreadyExists"))
                return
            self._publish(self.store.put(told), told["kind"])
            await _send(writer, 201, json.dumps(told).encode())
            return
        kept = shelf.objects.get((namespace or "", name or ""))
        if kept is None:
            await _send(
                writer, 404, _status(404, f'{plural} "{name}" not found', reason="NotFound")
            )
            return
        if verb == "patch":
            item = _merged(json.loads(kept.text), told)
            self._publish(self.store.put(item), item["kind"])
            kept = shelf.objects[(namespace or "", name or "")]
        await _send(writer, 200, kept.text)

    async def _watch(
        self,
        writer: asyncio.StreamWriter,
        plural: str,
        namespace: str | None,
        query: dict[str, str],
    ) -> bool:
        version = int(query["resourceVersion"])
        missed = self.store.since(plural, version)
        gone = _status(410, f"too old resource version: {version}", reason="Expired")
        if missed is None and not self._gone_as_line:
            await _send(writer, 410, gone)
            return True
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        if missed is None:
            _chunk(writer, b'{"type":"ERROR","object":' + gone + b"}\n")
            writer.write(b"0\r\n\r\n")
            await writer.drain()
            return True
        stream = _Stream(plural, namespace, writer, asyncio.Queue())
        for one in missed:
            if namespace in (None, one.kept.namespace):
                stream.queue.put_nowait(one)
        self._streams.add(stream)
        try:
            await writer.drain()
            return await self._follow(stream, float(query.get("timeoutSeconds", "1800")))
        finally:
            self._streams.discard(stream)

    async def _follow(self, stream: _Stream, seconds: float) -> bool:
        until, writer = self._loop.time() + seconds, stream.writer
        while True:
            wait = min(self._bookmark_seconds, until - self._loop.time())
            try:
                one = await asyncio.wait_for(stream.queue.get(), max(0.0, wait))
            except TimeoutError:
                _chunk(writer, self._bookmark(stream.plural))
                if self._loop.time() < until:
                    await writer.drain()
                    continue
                one = Break.END
            if isinstance(one, Happened):
                _chunk(writer, b'{"type":"%s","object":%s}\n' % (one.how.encode(), one.kept.text))
                await writer.drain()
            elif one is Break.END:
                writer.write(b"0\r\n\r\n")
                await writer.drain()
                return True
            elif one is Break.SILENCE:
                await asyncio.sleep(3600)
            else:
                return await self._break(stream, one)

    async def _break(self, stream: _Stream, how: Break) -> bool:
        writer = stream.writer
        if how is Break.HALF_A_LINE:
            _chunk(writer, b'{"type":"MODIFIED","object":{"metadata":{"name":"ha')
        elif how is Break.GARBAGE:
            _chunk(writer, b"<html>502 Bad Gateway</html>\n")
        elif how in (Break.GONE, Break.ERROR):
            status = 410 if how is Break.GONE else 500
            told = _status(status, "too old resource version", reason="Expired")
            _chunk(writer, b'{"type":"ERROR","object":' + told + b"}\n")
            writer.write(b"0\r\n\r\n")
        await writer.drain()
        if how in (Break.CUT, Break.HALF_A_LINE):
            writer.transport.abort()
        return how in (Break.GONE, Break.ERROR)

    def _bookmark(self, plural: str) -> bytes:
        shelf = self.store.shelves[plural]
        about = {"resourceVersion": str(self.store.version), "creationTimestamp": None}
        item = {"kind": shelf.kind, "apiVersion": shelf.api_version, "metadata": about}
        return json.dumps({"type": "BOOKMARK", "object": item}).encode() + b"\n"


def _place(path: str) -> tuple[str, str | None, str | None]:
    """Kind, namespace and name of /api/v1/… or /apis/group/version/…"""
    parts = path.strip("/").split("/")
    rest = parts[2:] if parts[0] == "api" else parts[3:]
    namespace = None
    if len(rest) > 2 and rest[0] == "namespaces":
        namespace, rest = rest[1], rest[2:]
    return (rest[0] if rest else ""), namespace, (rest[1] if len(rest) > 1 else None)


def _verb(method: str, name: str | None, query: Mapping[str, str]) -> str:
    if method in ("POST", "PATCH"):
        return "create" if method == "POST" else "patch"
    if name is not None:
        return "get"
    return "watch" if query.get("watch") == "true" else "list"


def _status(code: int, message: str, *, reason: str = "") -> bytes:
    return json.dumps(
        {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": reason,
            "code": code,
        }
    ).encode()


def _merged(into: Object, patch: Object) -> Object:
    for key, value in patch.items():
        if value is None:
            into.pop(key, None)
        elif isinstance(value, dict):
            into[key] = _merged(into.get(key) or {}, value)
        else:
            into[key] = value
    return into


def _chunk(writer: asyncio.StreamWriter, line: bytes) -> None:
    writer.write(b"%x\r\n%s\r\n" % (len(line), line))


async def _send(
    writer: asyncio.StreamWriter,
    status: int,
    body: bytes,
    headers: Mapping[str, str] = {},
    *,
    cut: bool = False,
) -> None:
    length = len(body) + (1000 if cut else 0)
    told = {"Content-Type": "application/json", "Content-Length": str(length), **headers}
    lines = "".join(f"{key}: {value}\r\n" for key, value in told.items())
    writer.write(f"HTTP/1.1 {status} Said\r\n{lines}\r\n".encode() + body)
    await writer.drain()

"""A server on loopback that answers as the services do, and fails as they do: resets, stalls, web pages, half files."""

import base64
import hashlib
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from slipmap.fetch.credentials import Realm
from slipmap.fetch.web import Web

PAGE = b"<!DOCTYPE html><html><body>Please log in</body></html>"


@dataclass
class Asked:
    """One request as the server saw it."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes


@dataclass
class Answer:
    """What the server says.

    Parameters
    ----------
    cut : bytes after which the connection is reset; hang : seconds of silence there.
    drip : (first, step, pause): bytes at once, then so many at a time, after so many seconds each.
    chunked : leave out the length and send the body, which `chunks` has made, as it is.
    """

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    hang: float = 0.0
    drip: tuple[int, int, float] | None = None
    chunked: bool = False


class Service:
    """A server and what it was asked. `routes`: (regular expression of the path, function of the request → Answer)."""

    def __init__(self, host: str = "127.0.0.1", tls: object = None) -> None:
        self.asked: list[Asked] = []
        self.routes: list[tuple[str, Callable[[Asked], Answer]]] = []
        self.host = host
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                service._answer(self)

            do_POST = do_HEAD = do_GET

            def handle(self):
                try:
                    super().handle()
                except (ConnectionResetError, BrokenPipeError):
                    pass  # a client may go

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1" if host == "localhost" else host, 0), Handler)
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self.url = f"{'https' if tls is not None else 'http'}://{host}:{self.port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def route(self, pattern: str, answer: Callable[[Asked], Answer] | Answer | bytes) -> None:
        """Answer requests whose path matches `pattern`; the newest route goes first."""
        if isinstance(answer, bytes):
            answer = Answer(answer)
        self.routes.insert(0, (pattern, answer if callable(answer) else lambda _: answer))

    def json(self, pattern: str, record: object, **headers: str) -> None:
        """Answer with JSON."""
        self.route(
            pattern, Answer(json.dumps(record).encode(), headers={"Content-Type": "application/json", **headers})
        )

    def file(
        self, pattern: str, data: bytes, faults: list[Callable[[Answer], Answer]] | None = None, **options
    ) -> None:
        """Serve a file with ranges; each of `faults` spoils one answer, in turn."""
        waiting = list(faults or [])

        def answer(asked: Asked) -> Answer:
            given = ranged(asked, data, **options)
            return waiting.pop(0)(given) if waiting else given

        self.route(pattern, answer)

    def close(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._server.server_close()

    def paths(self) -> list[str]:
        """Paths that were asked for, in order."""
        return [asked.path for asked in self.asked]

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        length = int(handler.headers.get("Content-Length") or 0)
        asked = Asked(
            handler.command, parts.path, parse_qs(parts.query, keep_blank_values=True), dict(handler.headers.items()),
            handler.rfile.read(length),
        )  # fmt: skip
        self.asked.append(asked)
        answer = next(
            (make(asked) for pattern, make in self.routes if re.fullmatch(pattern, parts.path)), Answer(b"", 404)
        )
        try:
            handler.send_response(answer.status)
            length = {"Transfer-Encoding": "chunked"} if answer.chunked else {"Content-Length": str(len(answer.body))}
            for name, value in {**length, **answer.headers}.items():
                handler.send_header(name, value)
            handler.end_headers()
            if handler.command == "HEAD":
                return
            body = answer.body if answer.cut is None else answer.body[: answer.cut]
            first, step, pause = answer.drip or (len(body), 1, 0.0)
            handler.wfile.write(body[:first])
            for begin in range(first, len(body), step):
                time.sleep(pause)
                handler.wfile.write(body[begin : begin + step])
            handler.wfile.flush()
            if answer.hang:
                time.sleep(answer.hang)
            if answer.cut is not None:  # a reset, not a tidy end
                handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                handler.connection.close()
                handler.close_connection = True
        except (BrokenPipeError, ConnectionResetError):
            handler.close_connection = True


def chunks(data: bytes, size: int = 100_000) -> bytes:
    """A body in HTTP's chunks, with the empty one that ends it."""
    parts = [data[begin : begin + size] for begin in range(0, len(data), size)] + [b""]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)


def ranged(asked: Asked, data: bytes, *, etag: str = '"v1"', ranges: bool = True, kind: str = "") -> Answer:
    """A file as S3 and Apache serve it: Range, If-Range, 206, 416."""
    headers = {"ETag": etag, "Accept-Ranges": "bytes", "Content-Type": kind or "application/octet-stream"}
    if not etag:
        del headers["ETag"]
    wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", asked.headers.get("Range", ""))
    if not ranges or not wanted or asked.headers.get("If-Range", etag) != etag:
        return Answer(data, headers=headers)
    start, end = int(wanted[1]), int(wanted[2] or len(data) - 1)
    if start >= len(data):
        return Answer(b"", 416, {"Content-Range": f"bytes */{len(data)}"})
    end = min(end, len(data) - 1)
    return Answer(data[start : end + 1], 206, headers | {"Content-Range": f"bytes {start}-{end}/{len(data)}"})


@contextmanager
def service(host: str = "127.0.0.1", tls: object = None):
    """A server for the length of a test."""
    started = Service(host, tls)
    try:
        yield started
    finally:
        started.close()


def quick_web(realms: tuple[Realm, ...] = (), tries: int = 3, stall: float = 0.4) -> tuple[Web, list[float]]:
    """A client that notes its waits instead of waiting."""
    waits: list[float] = []
    return Web(tries=tries, timeout=(2.0, stall), realms=realms, sleep=waits.append), waits


def basic(user: str, password: str) -> str:
    """The header of basic authentication."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def md5(data: bytes) -> str:
    """MD5, hexadecimal."""
    return hashlib.md5(data).hexdigest()

"""The viewer's server: one page, tiles and answers about pixels, on this machine only."""

import errno
import json
import re
import sys
import webbrowser
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from slipmap.config import read_config
from slipmap.errors import InputError
from slipmap.report import template
from slipmap.viewer.pixels import Pixels
from slipmap.viewer.shown import Shown, load
from slipmap.viewer.tiles import tile

HOST, PORT = "127.0.0.1", 8808
_LAST_PORT = 65_535
_TILE = re.compile(r"/tile/([^/]+)/(-?\d+)/(-?\d+)/(-?\d+)\.png")


class Viewer(ThreadingHTTPServer):
    """Serves one area to browsers of this machine.

    Parameters
    ----------
    shown : the area. port : 0 takes any free one.

    Raises
    ------
    InputError : the port is taken, or none.
    """

    daemon_threads = True

    def __init__(self, shown: Shown, port: int = PORT) -> None:
        if not 0 <= port <= _LAST_PORT:
            raise InputError(f"--port {port} is no port; give one from 1024 to {_LAST_PORT}.")
        self.shown, self.pixels = shown, Pixels(shown)
        outlined = any(one["items"] for one in shown.data["landslides"].values())
        context = {"title": shown.title, "has_points": True, "has_outlines": outlined, "landslides_left_out": []}
        self.page = template.page("view.html.j2", context, shown.data, last="view.js").encode()
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            raise InputError(
                f"port {port} of this machine is taken, perhaps by another slipmap view; give a free one with --port."
            ) from None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a browser that leaves before it has its answer; it does so whenever a map is moved."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        """Where a browser finds the page."""
        return f"http://{HOST}:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    """Answers of a `Viewer`."""

    server: Viewer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer a request; another machine's page cannot ask by a name of its own (DNS rebinding)."""
        if self.headers.get("Host", "") not in (f"{name}:{self.server.server_port}" for name in (HOST, "localhost")):
            self._send(HTTPStatus.FORBIDDEN, "text/plain", b"only this machine")
            return
        parts = urlsplit(self.path)
        asked = {key: found[0] for key, found in parse_qs(parts.query).items()}
        try:
            self._answer(unquote(parts.path), asked)
        except (KeyError, ValueError) as error:
            self._send(HTTPStatus.BAD_REQUEST, "text/plain", f"cannot be answered: {error}".encode())

    def _answer(self, path: str, asked: Mapping[str, str]) -> None:
        viewer = self.server
        if path == "/":
            self._send(HTTPStatus.OK, "text/html; charset=utf-8", viewer.page)
        elif found := _TILE.fullmatch(path):
            layer, (z, x, y) = found[1], (int(found[i]) for i in (2, 3, 4))
            raster, minus = viewer.shown.rasters[layer], float(asked.get("minus", 0))
            picture = tile(raster, viewer.shown.legends[layer], viewer.shown.grid, z, x, y, minus=minus)
            self._send(HTTPStatus.OK, "image/png", picture, keep=True)
        elif path in _ANSWERS:
            self._send(HTTPStatus.OK, "application/json", json.dumps(_ANSWERS[path](viewer.pixels, asked)).encode())
        else:
            self._send(HTTPStatus.NOT_FOUND, "text/plain", b"not found")

    def _send(self, status: HTTPStatus, kind: str, body: bytes, keep: bool = False) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=600" if keep else "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: the terminal is for errors."""


def _values(pixels: Pixels, asked: Mapping[str, str]) -> list[str | None]:
    place = float(asked["column"]), float(asked["row"])
    return [pixels.text(layer, *place) for layer in asked.get("layers", "").split(",") if layer]


def _series(pixels: Pixels, asked: Mapping[str, str]) -> dict[str, Any] | None:
    return pixels.series(float(asked["column"]), float(asked["row"]))


def _profile(pixels: Pixels, asked: Mapping[str, str]) -> dict[str, Any]:
    c0, r0, c1, r1 = (float(v) for v in asked["line"].split(","))
    return pixels.profile(asked["layer"], (c0, r0), (c1, r1))


_ANSWERS: dict[str, Callable[[Pixels, Mapping[str, str]], Any]] = {
    "/values": _values,
    "/series": _series,
    "/profile": _profile,
}


def run(area: str, config: str, port: int = PORT, open_browser: bool = True) -> None:
    """Serve an area's results until Ctrl+C."""
    viewer = Viewer(load(area, read_config(config)), port)
    print(f"{area}: {viewer.url} (end with Ctrl+C)", flush=True)
    if open_browser:
        webbrowser.open(viewer.url)
    try:
        viewer.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        viewer.server_close()

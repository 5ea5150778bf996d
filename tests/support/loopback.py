"""A real HTTP server on 127.0.0.1 for tests: simple indexes in every form, files with and without ranges, and faults.

with simple_index({"six": [make_wheel("six", "1.16.0")]}) as server:
    check(index=server.index)
    server.fault("/simple/six/", status(503), times=2)
    assert server.paths == ["/simple/six/", ...]
"""

from __future__ import annotations

import gzip
import hashlib
import html
import json
import os
import re
import socket
import struct
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote, unquote, urlsplit

from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    import ssl

    from typing_extensions import Self

    from wheels import Dist

os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request as it came. Header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    client: int = 0
    """The port that it came from: one for each connection."""


@dataclass(kw_only=True)
class Resource:
    """What is served at a path. `ranges`: ``all``, ``no-suffix`` (200 to a suffix range) or ``none``."""

    body: bytes
    content_type: str = "application/octet-stream"
    headers: dict[str, str] = field(default_factory=dict)
    ranges: str = "all"
    length: bool = True
    json: bytes | None = None
    """The body for who accepts JSON."""


class Handler(BaseHTTPRequestHandler):
    """One connection. Faults get it and may write to `wfile` or close `connection` as they like."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Listener

    def do_GET(self) -> None:
        owner = self.server.owner
        headers = {name.lower(): value for name, value in self.headers.items()}
        owner.record(Request(method=self.command, path=self.path, headers=headers, client=self.client_address[1]))
        if owner.latency:
            time.sleep(owner.latency)
        with suppress(ConnectionError, TimeoutError):
            fault = owner.take_fault(unquote(self.path))
            if fault is None:
                self.serve()
            else:
                fault(self)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_CONNECT(self) -> None:
        self.do_GET()

    def serve(self) -> None:
        """The honest answer for this path."""
        owner = self.server.owner
        if owner.auth is not None and self.headers.get("authorization") != basic(*owner.auth):
            self.answer(401, b"who are you?", {"www-authenticate": 'Basic realm="tests"'})
            return
        resource = owner.resources.get(unquote(urlsplit(self.path).path))
        if resource is None:
            self.answer(404, b"not here", {"content-type": "text/plain"})
        else:
            self.give(resource)

    def give(self, resource: Resource) -> None:
        headers = {"content-type": resource.content_type} | resource.headers
        body = resource.body
        if resource.json is not None:
            headers.setdefault("vary", "accept")
            if JSON in self.headers.get("accept", ""):
                body, headers["content-type"] = resource.json, JSON
        tag = headers.get("etag")
        if tag and self.headers.get("if-none-match") == tag:
            self.answer(304, b"", headers)
        elif self.headers.get("range") and resource.ranges != "none":
            self.give_range(resource, body, headers)
        else:
            if "gzip" in self.headers.get("accept-encoding", "") and self.server.owner.gzip:
                body, headers["content-encoding"] = gzip.compress(body), "gzip"
            self.answer(200, body, headers, length=resource.length)

    def give_range(self, resource: Resource, body: bytes, headers: dict[str, str]) -> None:
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers["range"])
        assert asked, self.headers["range"]
        first, last = asked.groups()
        if not first and resource.ranges != "all":
            refusal = int(resource.ranges.removeprefix("suffix-")) if resource.ranges.startswith("suffix-") else 200
            about = {"content-range": f"bytes */{len(body)}"} if refusal == 416 else {}
            self.answer(refusal, body if refusal == 200 else b"", headers | about, length=resource.length)
            return
        start = int(first) if first else max(0, len(body) - int(last))
        end = min(int(last) + 1, len(body)) if first and last else len(body)
        if start >= len(body):
            self.answer(416, b"", {"content-range": f"bytes */{len(body)}"})
            return
        self.answer(206, body[start:end], headers | {"content-range": f"bytes {start}-{end - 1}/{len(body)}"})

    def answer(self, status: int, body: bytes, headers: Mapping[str, str], *, length: bool = True) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if length and status != 304:
            self.send_header("content-length", str(len(body)))
        elif not length:
            self.send_header("connection", "close")
            self.close_connection = True
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def hang_up(self, *, reset: bool = False) -> None:
        """Ends the connection, with a reset where asked for."""
        self.close_connection = True
        with suppress(OSError):
            self.wfile.flush()
            if reset:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
            else:
                self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: Any) -> None:
        """Silence: what was asked is in `Server.requests`."""


Fault: TypeAlias = Callable[[Handler], None]


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    owner: Server

    def handle_error(self, *_: Any) -> None:
        """Clients that hang up are what is tested."""


_USED: set[int] = set()


def _listening() -> _Listener:
    """A listener on a port that no server of this process had: tests share a cache, in which its pages live on."""
    while (listener := _Listener(("127.0.0.1", 0), Handler)).server_address[1] in _USED:
        listener.server_close()
    _USED.add(listener.server_address[1])
    return listener


class Server:
    """What is served, what was asked, and which faults are in store.

    Attributes:
        url: where it is, without a slash at its end. `index` is the simple index below it.
        resources: by path, percent-encoding undone.
        requests: in the order in which they came. `paths` are their paths.
        auth: the user and password that every path wants, or None.
        gzip: whether bodies are compressed for who accepts that.
        latency: seconds before each answer.
    """

    def __init__(self, *, auth: tuple[str, str] | None = None, gzip: bool = True, latency: float = 0) -> None:
        self.auth, self.gzip, self.latency = auth, gzip, latency
        self.resources: dict[str, Resource] = {}
        self.requests: list[Request] = []
        self.released = threading.Event()
        self._faults: list[tuple[str, Fault, list[int]]] = []
        self._lock = threading.Lock()
        self._listener = _listening()
        self._listener.owner = self
        self.port: int = self._listener.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._listener.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._listener.shutdown()
        self._listener.server_close()

    def wrap(self, context: ssl.SSLContext) -> None:
        """Speaks TLS from now on."""
        self._listener.socket = context.wrap_socket(self._listener.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.port}"

    @property
    def index(self) -> str:
        return f"{self.url}/simple/"

    @property
    def paths(self) -> list[str]:
        return [request.path for request in self.requests]

    def with_credentials(self, user: str, password: str, path: str = "/simple/") -> str:
        return f"http://{quote(user, safe='')}:{quote(password, safe='')}@127.0.0.1:{self.port}{path}"

    def add(self, path: str, body: bytes | str, content_type: str = "application/octet-stream", **about: Any) -> None:
        """Serves a body at a path; `about` are fields of `Resource`."""
        raw = body.encode() if isinstance(body, str) else body
        self.resources[path] = Resource(body=raw, content_type=content_type, **about)

    def fault(self, path: str, fault: Fault, *, times: int | None = None) -> None:
        """Lets a fault answer a path, or all that begin so where it ends in ``*``; for ever or a few times."""
        self._faults.append((path, fault, [times if times is not None else 1 << 30]))

    def mend(self) -> None:
        """Forgets all faults."""
        self._faults.clear()

    def forget(self) -> None:
        """Forgets what was asked."""
        self.requests.clear()

    def record(self, request: Request) -> None:
        with self._lock:
            self.requests.append(request)

    def take_fault(self, path: str) -> Fault | None:
        with self._lock:
            for pattern, fault, left in self._faults:
                exact = pattern in (path, path.partition("?")[0])
                fits = path.startswith(pattern[:-1]) if pattern.endswith("*") else exact
                if fits and left[0] > 0:
                    left[0] -= 1
                    return fault
        return None

    # -- indexes

    def add_project(
        self,
        name: str,
        dists: Iterable[Dist],
        *,
        form: str = "both",
        base: str = "/simple",
        metadata: bool | str = True,
        hashes: bool = True,
        sizes: bool = True,
        ranges: str = "all",
        length: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """A project's page at ``BASE/NAME/`` and its files at ``/files/``.

        Args:
            name, dists: the project and its files.
            form: ``json``, ``html`` or ``both`` (by what is accepted).
            base: the path of the index.
            metadata: whether the metadata is served beside the wheels and its hash listed; ``true`` lists no hash,
                ``listed`` lists the hash and serves nothing.
            hashes, sizes: whether the page tells them.
            ranges, length: how files are served, see `Resource`.
            headers: for the page.
        """
        dists = list(dists)
        canonical = canonicalize_name(name)
        about = dict(headers or {})
        files = [entry(dist, metadata=metadata, hashes=hashes, sizes=sizes) for dist in dists]
        as_json, as_html = page_json(canonical, files), page_html(canonical, files)
        page = as_json if form == "json" else as_html
        resource = Resource(body=page, content_type=JSON if form == "json" else HTML, headers=about)
        resource.json = as_json if form == "both" else None
        self.resources[f"{base}/{canonical}/"] = resource
        for dist in dists:
            path = f"/files/{dist.filename}"
            self.resources[path] = Resource(body=dist.content, ranges=ranges, length=length)
            if metadata in (True, "true") and dist.metadata is not None:
                self.resources[path + ".metadata"] = Resource(body=dist.metadata)


def entry(dist: Dist, *, metadata: bool | str = True, hashes: bool = True, sizes: bool = True) -> dict[str, Any]:
    """A file's entry on a JSON page, with a relative URL."""
    about: dict[str, Any] = {"filename": dist.filename, "url": f"../../files/{quote(dist.filename)}"}
    about["hashes"] = {"sha256": dist.sha256} if hashes else {}
    about |= {"size": len(dist.content)} if sizes else {}
    about |= {"requires-python": dist.requires_python} if dist.requires_python else {}
    about |= {"yanked": dist.yanked or True} if dist.yanked is not None else {}
    about |= {"upload-time": dist.upload_time} if dist.upload_time else {}
    if metadata and dist.metadata is not None:
        told = True if metadata == "true" else {"sha256": hashlib.sha256(dist.metadata).hexdigest()}
        about["core-metadata"] = told
    return about


def page_json(name: str, files: list[dict[str, Any]]) -> bytes:
    return json.dumps({"meta": {"api-version": "1.1"}, "name": name, "files": files}).encode()


def page_html(name: str, files: list[dict[str, Any]]) -> bytes:
    anchors = "\n".join(_anchor(file) for file in files)
    head = '<meta name="pypi:repository-version" content="1.1">'
    return f"<!DOCTYPE html><html><head>{head}<title>{name}</title></head><body>{anchors}</body></html>".encode()


def _anchor(file: Mapping[str, Any]) -> str:
    digest = file["hashes"].get("sha256")
    attributes = {"href": file["url"] + (f"#sha256={digest}" if digest else "")}
    if "requires-python" in file:
        attributes["data-requires-python"] = file["requires-python"]
    if "yanked" in file:
        attributes["data-yanked"] = file["yanked"] if isinstance(file["yanked"], str) else ""
    if "upload-time" in file:
        attributes["data-upload-time"] = file["upload-time"]
    if core := file.get("core-metadata"):
        attributes["data-core-metadata"] = "true" if core is True else f"sha256={core['sha256']}"
    text = " ".join(f'{name}="{html.escape(value)}"' for name, value in attributes.items())
    return f"<a {text}>{html.escape(file['filename'])}</a>"


@contextmanager
def serve(**about: Any) -> Iterator[Server]:
    """An empty server; `about` are the arguments of `Server`."""
    with Server(**about) as server:
        yield server


@contextmanager
def simple_index(
    projects: Mapping[str, Iterable[Dist]] | None = None,
    *,
    auth: tuple[str, str] | None = None,
    gzip: bool = True,
    latency: float = 0,
    **how: Any,
) -> Iterator[Server]:
    """A server with a simple index at ``server.index``; `how` are the arguments of `Server.add_project`."""
    with Server(auth=auth, gzip=gzip, latency=latency) as server:
        for name, dists in (projects or {}).items():
            server.add_project(name, dists, **how)
        yield server


def basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


# -- faults


def honest(handler: Handler) -> None:
    """No fault: the answer that would be given without one."""
    handler.serve()


def status(code: int, body: bytes = b"", **headers: str) -> Fault:
    """An error status; underscores in header names stand for dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: handler.answer(code, body, named)


def body(content: bytes | str, content_type: str = JSON, **headers: str) -> Fault:
    """Status 200 with another body, such as a login page."""
    raw = content.encode() if isinstance(content, str) else content
    named = {"content-type": content_type} | {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: handler.answer(200, raw, named)


def redirect(location: str, code: int = 302) -> Fault:
    return status(code, location=location)


def reset(after: bytes = b"") -> Fault:
    """A connection that is reset, after the beginning of an answer if one is given."""

    def fault(handler: Handler) -> None:
        if after:
            handler.wfile.write(after)
        handler.hang_up(reset=True)

    return fault


def truncated(content: bytes = b'{"files": [', *, promised: int = 1000, content_type: str = JSON) -> Fault:
    """Fewer bytes than the content length says."""

    def fault(handler: Handler) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {promised}\r\n\r\n"
        handler.wfile.write(head.encode() + content)
        handler.hang_up()

    return fault


def truncated_gzip(content: bytes = b'{"files": []}' * 100) -> Fault:
    """A gzip stream without its end, of the length that its header says."""
    return body(gzip.compress(content)[:-12], content_encoding="gzip")


def bad_gzip() -> Fault:
    """Something else under the name of gzip."""
    return body(b"this is not gzip", content_encoding="gzip")


def bomb(size: int) -> Fault:
    """A small gzip stream that expands to `size` zeros."""
    raw = gzip.compress(b"\0" * size, 9)
    return body(raw, content_encoding="gzip")


def stall(*, after: bytes = b"") -> Fault:
    """Silence until the server ends."""

    def fault(handler: Handler) -> None:
        handler.wfile.write(after)
        handler.wfile.flush()
        handler.server.owner.released.wait(60)
        handler.hang_up()

    return fault


def drip(head: bytes, *, every: float = 0.05) -> Fault:
    """The beginning of an answer, then single bytes that never end."""

    def fault(handler: Handler) -> None:
        handler.wfile.write(head)
        while not handler.server.owner.released.wait(every):
            handler.wfile.write(b"x")
            handler.wfile.flush()
        handler.hang_up()

    return fault


def endless(content_type: str = JSON) -> Fault:
    """A body without an end, as fast as it is taken."""

    def fault(handler: Handler) -> None:
        handler.wfile.write(f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nConnection: close\r\n\r\n".encode())
        while not handler.server.owner.released.is_set():
            handler.wfile.write(b" " * 2**20)

    return fault


def raw(content: bytes) -> Fault:
    """These bytes and a closed connection."""

    def fault(handler: Handler) -> None:
        handler.wfile.write(content)
        handler.hang_up()

    return fault


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port

"""A small index on 127.0.0.1 for benchmarks that ask one: pages and metadata of made-up projects that need each other.

Its files are never fetched, so only their names are there. What it serves may be cached for a day, so that a warm cache
stays warm for as long as a benchmark runs.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import samples

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROJECTS = (
    *("dashforge", "plotline", "tabular-io", "webframe", "authkeeper", "gridcore", "colorwheel", "fontbox"),
    *("csvstream", "arrowlike", "httplane", "templater", "tokenring", "cryptobox", "numkernel", "pathwise"),
    *("pixelmap", "glyphset", "chunked", "schemata", "urlparts", "headerset", "markupsafer", "clockwork"),
    *("base58x", "cffibridge", "typehints", "filelocker", "backoffs", "iniconf"),
)
"""Each needs the two at twice its place and, where there are any, two others, so that the graph is six deep."""

ROOT = PROJECTS[0]
VERSIONS = 40
TARGET = "manylinux_2_28_x86_64-cp312"
PLATFORM_OF_UV, PYTHON = "x86_64-manylinux_2_28", "3.12"
_BUILT = ("manylinux_2_17_x86_64.manylinux2014_x86_64", "musllinux_1_2_x86_64", "macosx_11_0_arm64", "win_amd64")

os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"


def needs(place: int) -> list[str]:
    """The requirements of the project at a place."""
    wanted = {2 * place + 1, 2 * place + 2, place + 5, place + 11}
    needed = [f"{PROJECTS[other]}>=1.{other % 7}" for other in sorted(wanted) if other < len(PROJECTS)]
    return [*needed, 'winonly>=2; sys_platform == "win32"', 'pytest>=7; extra == "test"']


def filenames(place: int) -> list[str]:
    """The wheels of the project at a place; every third project is compiled."""
    stem = PROJECTS[place].replace("-", "_")
    pythons = [f"cp3{minor}-cp3{minor}" for minor in range(9, 15)]
    tags = [f"{python}-{platform}" for python in pythons for platform in _BUILT] if place % 3 == 0 else ["py3-none-any"]
    return [f"{stem}-1.{number}.0-{tag}.whl" for number in range(VERSIONS) for tag in tags]


def served_paths() -> dict[str, tuple[str, bytes]]:
    """Content type and body of every path."""
    paths: dict[str, tuple[str, bytes]] = {}
    for place, project in enumerate(PROJECTS):
        about = {filename: _metadata(place, filename) for filename in filenames(place)}
        paths[f"/simple/{project}/"] = samples.JSON, _page(project, about)
        for filename, text in about.items():
            paths[f"/files/{filename}.metadata"] = "text/plain", text
    return paths


def _metadata(place: int, filename: str) -> bytes:
    version = filename.split("-")[1]
    head = ["Metadata-Version: 2.1", f"Name: {PROJECTS[place]}", f"Version: {version}", "Requires-Python: >=3.9"]
    requirements = [f"Requires-Dist: {text}" for text in needs(place)]
    return "\n".join([*head, "Provides-Extra: test", *requirements, "", "A project.\n" * 100]).encode()


def _page(project: str, about: Mapping[str, bytes]) -> bytes:
    files = [_entry(filename, text) for filename, text in about.items()]
    return json.dumps({"meta": {"api-version": "1.1"}, "name": project, "files": files}).encode()


def _entry(filename: str, metadata: bytes) -> dict[str, Any]:
    return {
        "filename": filename,
        "url": f"../../files/{filename}",
        "hashes": {"sha256": samples.digest_of(filename)},
        "core-metadata": {"sha256": hashlib.sha256(metadata).hexdigest()},
        "requires-python": ">=3.9",
        "size": 123_456,
        "upload-time": "2026-01-02T03:04:05.678901Z",
        "yanked": False,
    }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    paths: Mapping[str, tuple[str, bytes]]

    def do_GET(self) -> None:
        """Gives what is served at a path."""
        content_type, body = self.paths.get(self.path, ("", b""))
        self.send_response(200 if content_type else 404)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.send_header("cache-control", "max-age=86400")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Silence."""


@contextmanager
def serving(paths: Mapping[str, tuple[str, bytes]]) -> Iterator[str]:
    """Serves bodies at paths; gives the URL of the simple index."""
    handler = type("Handler", (_Handler,), {"paths": paths})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/simple/"
        finally:
            server.shutdown()


# -- commands


def command_of(name: str) -> str | None:
    """The path of a command that is installed beside this Python or, if it is not there, anywhere."""
    return shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)


def surroundings_without_settings(cache: Path) -> dict[str, str]:
    """The environment of a command that keeps what it caches in a directory, without what the user has set."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_", "WHEELCHECK_"))}
    own = {"UV_PYTHON_DOWNLOADS": "never", "UV_CACHE_DIR": str(cache / "uv"), "WHEELCHECK_CACHE_DIR": str(cache)}
    return kept | own | {"PIP_CONFIG_FILE": os.devnull}


def wheelcheck_command(script: str, index: str) -> list[str]:
    """wheelcheck's answer to what `uv_command` asks, in JSON."""
    of_index = ["--isolated", "--index-url", index, "--no-rules"]
    return [script, "check", *of_index, "--target", TARGET, "--format", "json", "--", ROOT]


def uv_command(script: str, index: str, question: Path) -> list[str]:
    """uv's answer to a file that asks for `ROOT`."""
    of_index = ["--no-config", "--default-index", index, "--only-binary", ":all:"]
    of_target = ["--python", sys.executable, "--python-version", PYTHON, "--python-platform", PLATFORM_OF_UV]
    return [script, "pip", "compile", str(question), *of_index, *of_target, "--no-header", "--no-annotate", "-q"]


def pins_in(listed: str) -> dict[str, str]:
    """The versions in what uv wrote, by project."""
    return dict(line.split("==") for line in listed.split() if "==" in line)

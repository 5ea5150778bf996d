"""What an index of today sends for a project with many files, and core metadata, made up here.

The page is like that of the largest projects: compiled wheels for six Pythons and nine platforms with each of 200
versions, a wheel for every Python and a source distribution. No name on it is that of a real project or host.
"""

from __future__ import annotations

import hashlib
import html
import json
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import Any

PROJECT = "gridworks"
INDEX = "https://index.example.org/simple/"
URL = f"{INDEX}{PROJECT}/"
FILES = "https://files.example.org/packages"
JSON = "application/vnd.pypi.simple.v1+json"
HTML = "text/html; charset=utf-8"

VERSIONS = 200
PLATFORMS = (
    "macosx_11_0_universal2",
    "manylinux2014_aarch64.manylinux_2_17_aarch64",
    "manylinux2014_i686.manylinux_2_17_i686",
    "manylinux2014_x86_64.manylinux_2_17_x86_64",
    "musllinux_1_2_aarch64",
    "musllinux_1_2_i686",
    "musllinux_1_2_x86_64",
    "win32",
    "win_amd64",
)
_FIRST_UPLOAD = datetime(2018, 3, 5, 10, 20, 30, 123456, tzinfo=timezone.utc)


def version_at(place: int) -> str:
    """The version at a place, oldest first; every tenth is a release candidate."""
    minor, micro = divmod(place, 10)
    return f"1.{minor}.0rc1" if micro == 0 else f"1.{minor}.{micro - 1}"


def filenames_at(place: int) -> list[str]:
    """The names of the files of one version."""
    stem = f"{PROJECT}-{version_at(place)}"
    built = [f"{stem}-{python}-{platform}.whl" for python in _pythons(place) for platform in PLATFORMS]
    return sorted([*built, f"{stem}-py3-none-any.whl", f"{stem}.tar.gz"])


def _oldest(place: int) -> int:
    return 5 + place // 40


def _pythons(place: int) -> list[str]:
    minors = range(_oldest(place), _oldest(place) + 6)
    return [f"cp3{minor}-cp3{minor}{'m' if minor < 8 else ''}" for minor in minors]


@cache
def entries() -> tuple[dict[str, Any], ...]:
    """The files of the page, oldest version first, as PEP 691 and its successors have them."""
    return tuple(_entry(place, filename) for place in range(VERSIONS) for filename in filenames_at(place))


def _entry(place: int, filename: str) -> dict[str, Any]:
    digest = digest_of(filename)
    core: bool | dict[str, str] = {"sha256": digest_of(f"{filename}.metadata")} if filename.endswith(".whl") else False
    return {
        "core-metadata": core,
        "data-dist-info-metadata": core,
        "filename": filename,
        "hashes": {"sha256": digest},
        "provenance": f"{INDEX}provenance/{filename}" if place > 150 else None,
        "requires-python": f">=3.{_oldest(place)}" if place >= 60 else None,
        "size": 2_000_000 + int(digest[:5], 16),
        "upload-time": (_FIRST_UPLOAD + timedelta(days=16 * place)).isoformat().replace("+00:00", "Z"),
        "url": f"{FILES}/{digest[:2]}/{digest[2:4]}/{digest[4:]}/{filename}",
        "yanked": "a mistake" if place % 50 == 7 else False,
    }


def digest_of(text: str) -> str:
    """A digest that goes with a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def json_page() -> bytes:
    """The page in JSON (PEP 691)."""
    page = {
        "alternate-locations": [],
        "files": [{key: value for key, value in entry.items() if value is not None} for entry in entries()],
        "meta": {"_last-serial": 30123456, "api-version": "1.4"},
        "name": PROJECT,
        "project-status": {"status": "active"},
        "versions": [version_at(place) for place in range(VERSIONS)],
    }
    return json.dumps(page, separators=(",", ":")).encode()


def html_page() -> bytes:
    """The page in HTML (PEP 503)."""
    head = f'<meta name="pypi:repository-version" content="1.4"><title>Links for {PROJECT}</title>'
    anchors = "<br />\n".join(map(_anchor, entries()))
    return f"<!DOCTYPE html>\n<html><head>{head}</head><body>\n{anchors}<br />\n</body></html>\n".encode()


def _anchor(entry: dict[str, Any]) -> str:
    attributes = {"href": f"{entry['url']}#sha256={entry['hashes']['sha256']}"}
    if entry["requires-python"]:
        attributes["data-requires-python"] = entry["requires-python"]
    if entry["core-metadata"]:
        attributes["data-core-metadata"] = f"sha256={entry['core-metadata']['sha256']}"
    if entry["yanked"]:
        attributes["data-yanked"] = entry["yanked"]
    text = " ".join(f'{name}="{html.escape(value)}"' for name, value in attributes.items())
    return f"<a {text}>{entry['filename']}</a>"


# -- core metadata

REQUIREMENTS = 60
_NEEDED = ("absolute-paths", "base64-tools", "cachetable", "dateparts", "eventloop", "fieldset", "gridtools", "httpish")
_TAILS = (
    "",
    '; python_version < "3.11"',
    '; sys_platform == "win32"',
    '; extra == "fast"',
    '; extra == "all" and python_version >= "3.10"',
    '; platform_machine != "aarch64" or sys_platform != "linux"',
)


def requirements() -> list[str]:
    """Sixty requirements as publishers write them."""
    return [
        f"{_NEEDED[number % 8]}-{number}{'[fast]' if number % 10 == 3 else ''}"
        f"{('>=1.2', '<3,>=1.21.4', '~=4.5', '!=2.0.*,>=1')[number % 4]}{_TAILS[number % 6]}"
        for number in range(REQUIREMENTS)
    ]


def metadata() -> bytes:
    """METADATA with 60 requirements and a description of 30 kB."""
    head = [
        "Metadata-Version: 2.4",
        f"Name: {PROJECT}",
        f"Version: {version_at(VERSIONS - 1)}",
        "Summary: Work on grids, quickly",
        f"Project-URL: Documentation, https://docs.example.org/{PROJECT}/",
        "Author-email: The Gridworks developers <developers@example.org>",
        "License-Expression: Apache-2.0",
        "License-File: LICENSE",
        *(f"Classifier: Programming Language :: Python :: 3.{minor}" for minor in range(9, 15)),
        "Classifier: Topic :: Scientific/Engineering",
        "Requires-Python: >=3.9",
        "Description-Content-Type: text/markdown",
        *(f"Requires-Dist: {text}" for text in requirements()),
        "Provides-Extra: fast",
        "Provides-Extra: all",
    ]
    line = "Gridworks computes on grids of any size: declare the axes, and it finds the rest. Größe is no matter.\n"
    text = "\n".join([*head, "", "# Gridworks", "", line * (30_000 // len(line.encode()) + 1)])
    return text.encode()

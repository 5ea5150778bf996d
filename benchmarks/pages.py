"""From the bytes of a page with 11,200 files to the files of its newest version, or to all of them.

python benchmarks/pages.py [RUNS]. The peer is the standard library's parser with packaging's reading of file names;
msgspec's typed decoding stands beside it where it is installed. All sides must agree before anything is timed.
"""

from __future__ import annotations

import json
from functools import partial
from html.parser import HTMLParser
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeAlias

import samples
from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version
from side_by_side import Way, announce, compared, forget_everything, must_agree, runs_asked_for

from wheelcheck.standards.simple_api import parse_page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from wheelcheck.standards.project_page import File, ProjectPage

Row: TypeAlias = "tuple[Version, str, str, str, str | None]"
"""Version, file name, URL, SHA-256 and Requires-Python: what a resolver has to know of a file."""


# -- packaging


def version_in(filename: str) -> Version:
    """The version that a file name states."""
    return parse_wheel_filename(filename)[1] if filename.endswith(".whl") else parse_sdist_filename(filename)[1]


def newest(rows: Iterable[Row]) -> list[Row]:
    """The files of the newest version."""
    by_version: dict[Version, list[Row]] = {}
    for row in rows:
        by_version.setdefault(row[0], []).append(row)
    return by_version[max(by_version)]


def newest_of(read: Callable[[], list[Row]]) -> list[Row]:
    """The files of the newest version of a page, however it is read."""
    return newest(read())


def rows_by_json(body: bytes) -> list[Row]:
    """Every file, by json.loads and packaging."""
    return [_row(entry) for entry in json.loads(body)["files"]]


def _row(entry: dict[str, Any]) -> Row:
    filename = entry["filename"]
    return version_in(filename), filename, entry["url"], entry["hashes"]["sha256"], entry.get("requires-python")


class Anchors(HTMLParser):
    """The links of an HTML page, read as pip reads them."""

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []
        self.feed(body.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keeps the attributes of a link."""
        if tag == "a":
            self.found.append(dict(attrs))


def rows_by_html(body: bytes) -> list[Row]:
    """Every file, by html.parser and packaging."""
    return [_row_of_anchor(anchor) for anchor in Anchors(body).found]


def _row_of_anchor(anchor: dict[str, str | None]) -> Row:
    url, _, digest = (anchor["href"] or "").partition("#sha256=")
    filename = url.rpartition("/")[2]
    return version_in(filename), filename, url, digest, anchor.get("data-requires-python")


# -- msgspec


def typed_decoder() -> Callable[[bytes], Any] | None:
    """Decodes a page into typed values, as fast as Python can have it; None where msgspec is not installed."""
    if find_spec("msgspec") is None:
        return None
    import msgspec

    file = msgspec.defstruct(
        "file",
        [("filename", str), ("url", str), ("hashes", dict[str, str]), ("requires_python", str | None, None)],
        rename={"requires_python": "requires-python"},
        gc=False,
    )
    page = msgspec.defstruct("page", [("files", list[file])])  # type: ignore[valid-type]
    return msgspec.json.Decoder(page).decode


def rows_by_msgspec(decode: Callable[[bytes], Any], body: bytes) -> list[Row]:
    """Every file, by msgspec and packaging."""
    return [
        (version_in(file.filename), file.filename, file.url, file.hashes["sha256"], file.requires_python)
        for file in decode(body).files
    ]


# -- wheelcheck


def page_in(body: bytes, content_type: str) -> ProjectPage:
    """The page that wheelcheck makes of a body."""
    name = canonicalize_name(samples.PROJECT)
    return parse_page(body, content_type, name=name, url=samples.URL, index=samples.INDEX)


def newest_files(body: bytes, content_type: str) -> tuple[File, ...]:
    """The files of the newest version."""
    return next(iter(page_in(body, content_type).versions.values()))


def every_file(body: bytes, content_type: str) -> tuple[File, ...]:
    """All files, newest version first."""
    return page_in(body, content_type).files


def rows_of(files: Iterable[File]) -> list[Row]:
    """What the peers give, to be held against it."""
    return [(file.version, file.filename, file.url, file.hashes["sha256"], file.requires_python) for file in files]


# -- both


def check(body: bytes, content_type: str, peers: dict[str, Callable[[], list[Row]]]) -> None:
    """All sides must agree on the newest version and on every file."""
    all_rows = {name: rows() for name, rows in peers.items()}
    first = {name: newest(rows) for name, rows in all_rows.items()}
    must_agree("the newest version", first | {"wheelcheck": rows_of(newest_files(body, content_type))})
    newest_first = {name: sorted(rows, key=lambda row: row[0], reverse=True) for name, rows in all_rows.items()}
    must_agree("all files", newest_first | {"wheelcheck": rows_of(every_file(body, content_type))})


def wheelcheck_ways(run: Callable[[], object]) -> list[Way]:
    return [
        Way(name="wheelcheck, nothing remembered", run=run, before=forget_everything),
        Way(name="wheelcheck, again", run=run),
    ]


def from_json(body: bytes, runs: int) -> None:
    peers: dict[str, Callable[[], list[Row]]] = {"json.loads and packaging": partial(rows_by_json, body)}
    alone: dict[str, Callable[[], object]] = {"json.loads alone": partial(json.loads, body)}
    decode = typed_decoder()
    if decode is not None:
        peers["msgspec and packaging"] = partial(rows_by_msgspec, decode, body)
        alone["msgspec alone"] = partial(decode, body)
    check(body, samples.JSON, peers)
    decoding = [Way(name=name, run=run) for name, run in alone.items()]
    size = f"JSON, {len(body) / 1e6:.1f} MB"
    ways = [Way(name=name, run=partial(newest_of, rows)) for name, rows in peers.items()]
    compared(
        f"{size}: the files of the newest version",
        [*ways, *decoding, *wheelcheck_ways(partial(newest_files, body, samples.JSON))],
        runs,
    )
    ways = [Way(name=name, run=rows) for name, rows in peers.items()]
    compared(f"{size}: every file", [*ways, *wheelcheck_ways(partial(every_file, body, samples.JSON))], runs)


def from_html(body: bytes, runs: int) -> None:
    peer = "html.parser and packaging"
    check(body, samples.HTML, {peer: partial(rows_by_html, body)})
    size = f"HTML, {len(body) / 1e6:.1f} MB"
    compared(
        f"{size}: the files of the newest version",
        [
            Way(name=peer, run=lambda: newest(rows_by_html(body))),
            *wheelcheck_ways(partial(newest_files, body, samples.HTML)),
        ],
        runs,
    )
    ways = [Way(name=peer, run=partial(rows_by_html, body)), *wheelcheck_ways(partial(every_file, body, samples.HTML))]
    compared(f"{size}: every file", ways, runs)


def main() -> None:
    runs = runs_asked_for(9)
    announce(f"A page of {len(samples.entries()):,} files of {samples.VERSIONS} versions", runs)
    from_json(samples.json_page(), runs)
    from_html(samples.html_page(), runs)


if __name__ == "__main__":
    main()

"""A page of 11,200 files loaded from the cache on disk and its newest version read, beside the same JSON on disk.

python benchmarks/cache.py [RUNS]. The page is stored by asking an index on this machine once; then an `Index` that may
make no request answers from the cache. All sides must agree before anything is timed.
"""

from __future__ import annotations

import json
import pickle
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import sample_index
import samples
from packaging.utils import canonicalize_name
from pages import newest, rows_by_json, rows_by_msgspec, rows_of, typed_decoder
from side_by_side import Way, announce, compared, forget_everything, must_agree, runs_asked_for

from wheelcheck.index.cache.store import Cache
from wheelcheck.index.index import Index, SimpleIndex

if TYPE_CHECKING:
    from collections.abc import Callable

    from pages import Row

    from wheelcheck.standards.project_page import File

NAME = canonicalize_name(samples.PROJECT)


def newest_files(url: str, directory: Path, *, offline: bool = True) -> tuple[File, ...]:
    """The files of the newest version, by an index and a cache that were just made."""
    with Index([SimpleIndex(url)], cache=Cache(directory), offline=offline) as index:
        page = index.page(NAME)
        assert page is not None
        return next(iter(page.versions.values()))


def by_json(place: Path) -> list[Row]:
    """The same from JSON on disk."""
    return newest(rows_by_json(place.read_bytes()))


def by_pickle(place: Path) -> list[Row]:
    """The same from rows that were parsed before and pickled."""
    rows: list[Row] = pickle.loads(place.read_bytes())
    return newest(rows)


def peers_of(directory: Path, body: bytes) -> dict[str, Callable[[], list[Row]]]:
    """The ways to the files of the newest version without wheelcheck."""
    page, rows = directory / "page.json", directory / "rows.pickle"
    page.write_bytes(body)
    rows.write_bytes(pickle.dumps(rows_by_json(body)))
    peers: dict[str, Callable[[], list[Row]]] = {
        "json.loads and packaging": partial(by_json, page),
        "every file pickled": partial(by_pickle, rows),
    }
    decode = typed_decoder()
    if decode is not None:
        peers["msgspec and packaging"] = lambda: newest(rows_by_msgspec(decode, page.read_bytes()))
    return peers


def main() -> None:
    runs = runs_asked_for(15)
    body = samples.json_page()
    with (
        tempfile.TemporaryDirectory() as made,
        sample_index.serving({f"/simple/{NAME}/": (samples.JSON, body)}) as url,
    ):
        directory = Path(made)
        newest_files(url, directory, offline=False)
        peers = peers_of(directory, body)
        ours = partial(newest_files, url, directory)
        must_agree("the newest version", {name: peer() for name, peer in peers.items()} | {"cache": rows_of(ours())})
        announce(f"A page of {len(samples.entries()):,} files on disk: the files of its newest version", runs)
        ways = [Way(name=name, run=peer) for name, peer in peers.items()]
        ways += [
            Way(name="json.loads alone", run=lambda: json.loads((directory / "page.json").read_bytes())),
            Way(name="wheelcheck, nothing remembered", run=ours, before=forget_everything),
            Way(name="wheelcheck, again", run=ours),
        ]
        compared(f"{len(body) / 1e6:.1f} MB of JSON; in wheelcheck's cache {_size(directory):.1f} MB", ways, runs)


def _size(directory: Path) -> float:
    return Cache(directory).size()[1] / 1e6


if __name__ == "__main__":
    main()

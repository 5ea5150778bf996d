"""Record the part of an index that an answer needs, as a static simple repository that gives the same answer.

DIR/index.json, DIR/index.html                    the list of the projects
DIR/PROJECT/index.json, DIR/PROJECT/index.html    every file of a requested page (PEP 691 and PEP 503)
DIR/PROJECT/FILE.metadata                         the metadata of a file, where the answer read it (PEP 658)
DIR/manifest.json                                 the question, the sources, and the missing projects

Only what the answer needs is recorded, not what was prefetched, and no distribution file.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timezone
from hashlib import sha256
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from wheelcheck._version import __version__
from wheelcheck.commands.check import answers
from wheelcheck.commands.report import Result
from wheelcheck.commands.retry import Retry, order_of
from wheelcheck.common.errors import UsageError
from wheelcheck.common.records import Plain, Truthful, plain, record
from wheelcheck.common.urls import mask
from wheelcheck.index.snapshot_index import BESIDE, MANIFEST, SCHEMA, manifest_in
from wheelcheck.inputs.options import DEFAULTS, Options, complete
from wheelcheck.inputs.request import Request
from wheelcheck.resolver.model import Missing
from wheelcheck.standards.core_metadata import Metadata
from wheelcheck.standards.names import NormalizedName
from wheelcheck.standards.project_page import Listed, ProjectPage, UnreadableFile
from wheelcheck.standards.simple_api import JSON_TYPE, parse_page
from wheelcheck.standards.source_metadata import MetadataResult
from wheelcheck.targets.target import Target

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from wheelcheck.index.index import Index

PAGES = ("index.json", "index.html")
NO_PART = ("cache_dir", "no_cache", "offline", "refresh", "strict", "confirm", "fresh", "timeout")
"""Options without influence on what is recorded."""


@record
class Snapshot(Truthful):
    """What was recorded.

    Attributes:
        directory: where.
        projects, files, metadata: the number of pages, of files on them, and of files with metadata.
        missing: the projects that no index has.
        bytes: the total size.
        results: the answers that it reproduces.
        notices: what the user should hear of, one sentence each.
    """

    directory: Path
    projects: int
    files: int
    metadata: int
    missing: tuple[NormalizedName, ...]
    bytes: int
    results: tuple[Result, ...]
    notices: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Always true: a failure to record raises. A recorded answer may be a "no"."""
        return True

    def to_dict(self) -> dict[str, Plain]:
        """Return the document ``wheelcheck/snapshot/1``."""
        return {
            "schema": "wheelcheck/snapshot/1",
            "ok": self.ok,
            "directory": str(self.directory),
            "projects": self.projects,
            "files": self.files,
            "metadata": self.metadata,
            "missing": plain(self.missing),
            "bytes": self.bytes,
            "answers": [{"target": result.target.to_dict(), "ok": result.ok} for result in self.results],
            "notices": list(self.notices),
        }


def record_snapshot(
    directory: str | Path,
    requirements: Iterable[str] = (),
    *,
    targets: Iterable[str | Target] | None = None,
    **options: Unpack[Options],
) -> Snapshot:
    """Record what an answer needs. Other arguments are those of `wheelcheck.check`.

    Args:
        directory: where to write; it is created. An empty directory or an earlier snapshot is replaced as a whole.

    Raises:
        UsageError: the arguments are malformed, or the directory holds something else or cannot be written.
        UndeterminedError: the answer for some target is unknown; nothing is written then.
    """
    asked = complete(options)
    if asked["confirm"]:
        raise UsageError("A snapshot records what an index says; leave --confirm to the check that replays it.")
    place = _placed(Path(directory))
    request = Request.read(requirements, targets, asked)
    notices = [*request.notices, *_left_out(request)]
    with request.opened_index(notices.append) as index:
        recorder = _Recorder(index)
        _known(answers(request, Retry(request, index, strategies=False)))
        results = _known(answers(request, Retry(request, index, recorder, strategies=False)))
        written = _write(place, recorder.slice(request, results))
    return Snapshot(
        directory=place,
        projects=sum(page is not None for page in recorder.pages.values()),
        files=sum(len(page.files) for page in recorder.pages.values() if page is not None),
        metadata=sum(isinstance(result, Metadata) for result in recorder.read.values()),
        missing=tuple(sorted(name for name, page in recorder.pages.items() if page is None)),
        bytes=written,
        results=results,
        notices=tuple(notices),
    )


def _known(results: tuple[Result, ...]) -> tuple[Result, ...]:
    """Return the results, or raise the first error among them."""
    for result in results:
        if result.error is not None:
            raise result.error
    return results


def _left_out(request: Request) -> Iterator[str]:
    for ask in (*request.inputs.asks, *request.inputs.constraints):
        if ask.requirement.url:
            shown = mask(str(ask.requirement))
            yield f"{shown} names a file of its own, which no index lists; it is not in the snapshot."


class _Recorder:
    """A view of an index that records each page and all metadata that an answer reads, without prefetching.

    It runs after a first run of the question, which has fetched everything in its own way.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self.pages: dict[NormalizedName, ProjectPage | None] = {}
        self.read: dict[Listed, MetadataResult] = {}
        self.direct = index.direct

    def start_page(self, name: NormalizedName, then: Callable[[ProjectPage], None] | None = None) -> None:
        """Do nothing: prefetching would read pages that the answer does not need."""

    def start_metadata(self, file: Listed, then: object = None) -> None:
        """Do nothing, for the same reason."""

    def page(self, name: NormalizedName) -> ProjectPage | None:
        page = self.pages[name] = self._index.page(name)
        return page

    def metadata(self, file: Listed) -> MetadataResult:
        result = self.read[file] = self._index.metadata(file)
        return result

    def slice(self, request: Request, results: Iterable[Result]) -> Iterator[tuple[str, bytes]]:
        """Yield every file of the snapshot: its path below the directory, and its content."""
        pages = {name: page for name, page in sorted(self.pages.items()) if page is not None}
        projects = {name: _Project(page, self.read) for name, page in pages.items()}
        for project in projects.values():
            yield from project.documents()
        yield from _lists(projects)
        missing = sorted(self.pages.keys() - pages.keys())
        manifest = {
            "schema": SCHEMA,
            "wheelcheck": __version__,
            "recorded": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "question": _question(request),
            "sources": list(self._index.origins),
            "order": list(order_of(request, self._index)),
            "projects": {name: project.origins() for name, project in projects.items()},
            "missing": {name: {"near": _near(name, results)} for name in missing},
        }
        yield MANIFEST, _json(manifest, indent=1)


def _question(request: Request) -> dict[str, Plain]:
    """Return the question, without secrets."""
    options = {
        name: value for name, value in request.options.items() if name not in NO_PART and value != DEFAULTS.get(name)
    }
    return {
        "requirements": [mask(str(ask.requirement)) for ask in request.inputs.asks],
        "constraints": [mask(str(ask.requirement)) for ask in request.inputs.constraints],
        "targets": [target.name for target in request.targets],
        "options": _masked(plain(options)),
        "exclude_newer": request.limit,
    }


def _masked(value: Plain) -> Plain:
    match value:
        case str():
            return mask(value)
        case list():
            return [_masked(item) for item in value]
        case dict():
            return {key: _masked(item) for key, item in value.items()}
    return value


def _near(name: NormalizedName, results: Iterable[Result]) -> list[Plain]:
    conflicts = (result.conflict for result in results)
    missing = (each for one in conflicts if isinstance(one, Missing) for each in (one, *one.also))
    found = (one.near for one in missing if one.project == name)
    return list(next(found, ()))


# -- one project


@record
class _Kept:
    """A file of a page, its path below the project's folder, and its metadata, if it was read."""

    file: Listed
    path: str
    result: MetadataResult | None

    @property
    def metadata(self) -> bytes | None:
        return metadata_text(self.result) if isinstance(self.result, Metadata) else None

    @property
    def entry(self) -> dict[str, Any]:
        """The entry on the page (PEP 691, 700, 714); metadata is announced only where the snapshot has it."""
        file, metadata = self.file, self.metadata
        optional = {
            "size": file.size,
            "requires-python": file.requires_python,
            "upload-time": file.upload_time,
            "yanked": None if file.yanked is None else file.yanked or True,
            "core-metadata": None if metadata is None else {"sha256": sha256(metadata).hexdigest()},
        }
        about = {"filename": file.filename, "url": quote(self.path), "hashes": dict(file.hashes)}
        return about | {key: value for key, value in optional.items() if value is not None}

    @property
    def origin(self) -> dict[str, Plain]:
        """The entry in the manifest."""
        refused = {} if self.result is None or isinstance(self.result, Metadata) else {"refused": plain(self.result)}
        return {"source": self.file.index, "url": mask(self.file.url)} | refused


class _Project:
    """A page with the metadata of its files, as documents of a static repository."""

    def __init__(self, page: ProjectPage, result: Mapping[Listed, MetadataResult]) -> None:
        self._page = page
        self._files = [_Kept(file=file, path=path, result=result.get(file)) for file, path in _paths(page.files)]
        on_shelves = [(file, False) for version in page.versions for file in page.files_of(version).unreadable]
        unreadable = [*on_shelves, *((file, True) for file in page.stray)]
        found = [(file, _unreadable_entry(file, page.name, stray=stray)) for file, stray in unreadable]
        self._entries = [kept.entry for kept in self._files] + [entry for _, entry in found if entry is not None]
        self._unlisted = [file for file, entry in found if entry is None]

    def documents(self) -> Iterator[tuple[str, bytes]]:
        """Yield the page in both forms, and the metadata that was read."""
        name = self._page.name
        about = self._about()
        yield f"{name}/index.json", _page_json(about, self._entries)
        yield f"{name}/index.html", _page_html(about, self._entries)
        for kept in self._files:
            if kept.metadata is not None:
                yield f"{name}/{kept.path}{BESIDE}", kept.metadata

    def _about(self) -> dict[str, Any]:
        """Return the page without its files; the API version is the one that it conforms to."""
        page = self._page
        sized = all("size" in entry for entry in self._entries)
        about: dict[str, Any] = {"meta": {"api-version": "1.1" if sized else "1.0"}, "name": page.name}
        if page.status:
            reason = {"reason": page.status_reason} if page.status_reason else {}
            about |= {"project-status": {"status": page.status} | reason}
        return about | {"versions": [str(version) for version in page.versions]}

    def origins(self) -> dict[str, Plain]:
        """Return the project's entry in the manifest; `unreadable` are files that no page entry reproduces."""
        indexes = self._page.indexes
        asked = (f"{index.rstrip('/')}/{self._page.name}/" for index in indexes)
        links = (kept.file.index for kept in self._files if kept.file.index not in indexes)
        return {
            "pages": list(dict.fromkeys([*asked, *links])),
            "indexes": list(indexes),
            "files": {kept.path: kept.origin for kept in self._files},
            "unreadable": plain(self._unlisted),
        }


def _paths(files: Iterable[Listed]) -> Iterator[tuple[Listed, str]]:
    """Yield a path for each file; where a file system may not distinguish two names, the second is in a folder
    ``2``.
    """
    often: Counter[str] = Counter()
    for file in files:
        often[file.filename.casefold()] += 1
        number = often[file.filename.casefold()]
        yield file, file.filename if number == 1 else f"{number}/{file.filename}"


def _unreadable_entry(file: UnreadableFile, name: NormalizedName, *, stray: bool) -> dict[str, Any] | None:
    """Return an entry that parses to the same invalid file, with or without a version, or None."""
    for entry in (
        {"filename": file.filename, "url": quote(file.filename), "hashes": {}},
        {"filename": file.filename, "url": "http://["},
        {"filename": file.filename},
    ):
        page = parse_page(_json({"files": [entry]}), JSON_TYPE, name=name, url="", index="")
        if page.unreadable == (file,) and bool(page.stray) is stray:
            return entry
    return None


def metadata_text(metadata: Metadata) -> bytes:
    """Return metadata as the text of core metadata, which parses to the same value."""
    fields = [
        ("Metadata-Version", "2.2"),
        ("Name", metadata.name),
        ("Version", metadata.version),
        *(("Dynamic", name) for name in sorted(metadata.dynamic)),
        *([("Requires-Python", metadata.requires_python)] if metadata.requires_python else []),
        *(("Provides-Extra", extra) for extra in sorted(metadata.extras)),
        *(("Requires-Dist", str(requirement)) for requirement in metadata.requires_dist),
    ]
    return "".join(f"{name}: {value}\n" for name, value in fields).encode()


# -- documents


def _json(document: Any, **how: Any) -> bytes:
    return f"{json.dumps(document, **how)}\n".encode()


def _page_json(about: Mapping[str, Any], entries: Iterable[Mapping[str, Any]]) -> bytes:
    """Return a page with one line a file, so that two recordings differ by lines."""
    lines = ",\n".join(json.dumps(entry) for entry in entries)
    return f'{json.dumps(about)[:-1]}, "files": [\n{lines}\n]}}\n'.encode()


def _page_html(about: Mapping[str, Any], entries: Iterable[Mapping[str, Any]]) -> bytes:
    metas = {"pypi:repository-version": about["meta"]["api-version"]}
    status = about.get("project-status", {})
    metas |= {f"pypi:project-status{ending}": status[key] for key, ending in _STATUS.items() if key in status}
    return _html(about["name"], metas, (_anchor(entry) for entry in entries if "hashes" in entry))


_STATUS = {"status": "", "reason": "-reason"}


def _anchor(entry: Mapping[str, Any]) -> str:
    hashes = entry["hashes"]
    digest = next((f"#{name}={hashes[name]}" for name in ("sha256", *sorted(hashes)) if name in hashes), "")
    core = entry.get("core-metadata")
    yanked = entry.get("yanked")
    attributes = {
        "href": entry["url"] + digest,
        "data-requires-python": entry.get("requires-python"),
        "data-upload-time": entry.get("upload-time"),
        "data-yanked": "" if yanked is True else yanked,
        "data-core-metadata": core and f"sha256={core['sha256']}",
        "data-dist-info-metadata": core and f"sha256={core['sha256']}",
    }
    text = " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items() if value is not None)
    return f"<a {text}>{escape(entry['filename'])}</a><br>"


def _html(title: str, metas: Mapping[str, str], lines: Iterable[str]) -> bytes:
    head = "".join(f'<meta name="{name}" content="{escape(value)}">' for name, value in metas.items())
    body = "\n".join(lines)
    page = f"<!DOCTYPE html>\n<html><head>{head}<title>{escape(title)}</title></head><body>\n{body}\n</body></html>\n"
    return page.encode()


def _lists(names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the list of projects in both forms."""
    meta = {"api-version": "1.0"}
    names = list(names)
    yield "index.json", _json({"meta": meta, "projects": [{"name": name} for name in names]}, indent=1)
    links = (f'<a href="{name}/">{name}</a><br>' for name in names)
    yield "index.html", _html("Simple index", {"pypi:repository-version": "1.0"}, links)


# -- the directory


def _placed(directory: Path) -> Path:
    try:
        place = directory.expanduser().resolve()
        _check_place(place)
    except (OSError, RuntimeError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise UsageError(f"{directory} cannot be the directory of a snapshot: {why}.") from None
    return place


def _check_place(place: Path) -> None:
    """Reject a directory in which something would be lost. Raises OSError where it cannot be read."""
    try:
        place.lstat()
    except FileNotFoundError:
        return
    if not place.is_dir():
        raise UsageError(f"{place} is a file; name a directory for the snapshot.")
    if Path.cwd().is_relative_to(place):
        raise UsageError(f"{place} is the directory that this runs in; name another one for the snapshot.")
    paths = [path for path in place.rglob("*") if not path.is_dir() or path.is_symlink()]
    if paths and manifest_in(place) is None:
        raise UsageError(f"{place} is neither empty nor a snapshot; name another directory.")
    own = {path for path in paths if path.name in (*PAGES, MANIFEST) or path.name.endswith(BESIDE)}
    foreign = next((path for path in paths if path.is_symlink() or path not in own), None)
    if foreign is not None:
        raise UsageError(f"{foreign} is no part of a snapshot and would be lost; move it, or name another directory.")


def _write(place: Path, documents: Iterable[tuple[str, bytes]]) -> int:
    """Write documents to a directory atomically; return their total size."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{place.name}-", dir=place.parent, ignore_cleanup_errors=True) as room:
            made = Path(room, "made")
            written = 0
            for path, content in documents:
                (made / path).parent.mkdir(parents=True, exist_ok=True)
                written += (made / path).write_bytes(content)
            _check_place(place)
            if place.exists():
                place.rename(Path(room, "before"))
            made.rename(place)
    except OSError as error:
        raise UsageError(f"The snapshot cannot be written to {place}: {error.strerror}.") from None
    return written

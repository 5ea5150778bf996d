"""The manifest of a snapshot: where pages came from, why files were rejected, and what no index had.

A snapshot is a static simple repository that ``wheelcheck snapshot`` wrote, with a manifest. The URLs in the manifest
appear in reports and are never requested: everything is read below the directory.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wheelcheck.common.errors import NotCached, Unreadable
from wheelcheck.common.records import replace
from wheelcheck.common.urls import path_of_url
from wheelcheck.index.regular_files import read_regular
from wheelcheck.standards.file_problems import BadMetadata, DynamicMetadata, HashMismatch
from wheelcheck.standards.hashes import mismatch_of
from wheelcheck.standards.names import NormalizedName
from wheelcheck.standards.project_page import Listed, ProjectPage, UnreadableFile, VersionFiles
from wheelcheck.standards.source_metadata import MetadataResult, checked_metadata
from wheelcheck.standards.zip_member import METADATA_LIMIT

MANIFEST = "manifest.json"
SCHEMA = "wheelcheck/manifest/1"
MAX_MANIFEST = 2**28
BESIDE = ".metadata"


def recording_in(folder: Path) -> Recording | None:
    """Return the manifest of a directory, or None where ``wheelcheck snapshot`` did not write it."""
    manifest = manifest_in(folder)
    return None if manifest is None else Recording(folder, manifest)


def manifest_in(folder: Path) -> Mapping[str, Any] | None:
    """Parse the manifest of a snapshot; return None where the directory is none."""
    import json

    try:
        manifest = json.loads(read_regular(folder / MANIFEST, MAX_MANIFEST))
    except (OSError, ValueError, RecursionError):
        return None
    return manifest if isinstance(manifest, dict) and manifest.get("schema") == SCHEMA else None


class Recording:
    """A snapshot as its manifest describes it; malformed parts count as missing.

    Attributes:
        sources: the queried sources, as reports name them.
        order: the indexes among them in the order in which ``first-index`` asks.
    """

    def __init__(self, folder: Path, manifest: Mapping[str, Any]) -> None:
        self._folder = os.path.normpath(folder)
        self._projects = _mapping(manifest.get("projects"))
        self._missing = _mapping(manifest.get("missing"))
        self.sources = _texts(manifest.get("sources"))
        self.order = _texts(manifest.get("order"))

    def near(self, name: NormalizedName) -> tuple[str, ...] | None:
        """Return the similar names that were suggested for a missing project; None if it was not requested."""
        return _texts(_mapping(self._missing[name]).get("near")) if name in self._missing else None

    def page(self, name: NormalizedName, page: ProjectPage | None) -> ProjectPage | None:
        """Return the page of a project as it was recorded.

        Args:
            name: the project.
            page: the page that the directory itself has.

        Raises:
            NotCached: the project was not requested then.
        """
        if page is None:
            if name in self._missing:
                return None
            raise NotCached(name, self._folder)
        about = _mapping(self._projects.get(name))
        order = tuple(page.versions)

        def files_of(place: int) -> VersionFiles:
            found = page.files_of(order[place])
            return VersionFiles(found.names, lambda at: self._as_recorded(found[at]))

        return ProjectPage.from_files_of(
            name,
            order,
            files_of,
            (*page.stray, *_unreadable(about.get("unreadable"))),
            status=page.status,
            status_reason=page.status_reason,
            indexes=_texts(about.get("indexes")),
        )

    def _as_recorded(self, file: Listed | UnreadableFile) -> Listed | UnreadableFile:
        """Return a file with its original URL and source; one that was added to the directory later is unchanged."""
        if isinstance(file, UnreadableFile):
            return file
        path = os.path.normpath(path_of_url(file.url) or os.sep)
        about = self._about(file.name, path)
        url, source = about.get("url"), about.get("source")
        if not isinstance(url, str) or not isinstance(source, str):
            return file
        return replace(file, url=url, index=source, path=path)

    def _about(self, name: NormalizedName, path: str) -> Mapping[str, Any]:
        """Return what the manifest says of a file at a normalized path; nothing outside the project's folder."""
        folder = os.path.join(self._folder, name, "")  # noqa: PTH118 -- a path as text, with the separator at its end
        files = _mapping(_mapping(self._projects.get(name)).get("files"))
        return _mapping(files.get(path[len(folder) :].replace(os.sep, "/"))) if path.startswith(folder) else {}

    def holds(self, file: Listed) -> bool:
        """Return whether a file belongs to this snapshot."""
        return file.path is not None and bool(self._about(file.name, file.path))

    def metadata(self, file: Listed) -> MetadataResult:
        """Return the recorded metadata of a file, or why it was rejected.

        Raises:
            NotCached: it was not requested then.
            Unreadable: what the directory has of it cannot be used.
        """
        assert file.path is not None
        refusal = _refusal(_mapping(self._about(file.name, file.path).get("refused")))
        return refusal or self._metadata(file, Path(file.path + BESIDE))

    def _metadata(self, file: Listed, beside: Path) -> MetadataResult:
        expected = file.core_metadata if isinstance(file.core_metadata, Mapping) else {}
        try:
            body = read_regular(beside, METADATA_LIMIT)
        except FileNotFoundError:
            raise NotCached(f"the metadata of {file.filename}", self._folder) from None
        except OSError as error:
            raise Unreadable(file.filename, f"{beside}: {error.strerror}") from None
        wrong = mismatch_of(expected, [body])
        if wrong is not None:
            return replace(wrong, received=True, of_metadata=True)
        result = checked_metadata(file, body)
        if isinstance(result, BadMetadata):
            raise Unreadable(file.filename, f"{beside}: {result.why}")
        return result


def _refusal(document: Mapping[str, Any]) -> BadMetadata | HashMismatch | DynamicMetadata | None:
    """Return the reason against a file from its JSON form."""
    text = {name: value for name, value in document.items() if isinstance(value, str)}
    match text.get("kind"):
        case "BadMetadata":
            return BadMetadata(why=text.get("why", ""), ends_search=document.get("ends_search") is True)
        case "HashMismatch":
            return HashMismatch(
                expected=_texts(document.get("expected")),
                actual=text.get("actual", ""),
                received=document.get("received") is True,
                of_metadata=document.get("of_metadata") is True,
            )
        case "DynamicMetadata":
            return DynamicMetadata(fields=_texts(document.get("fields")))
    return None


def _unreadable(document: Any) -> list[UnreadableFile]:
    entries = [_mapping(entry) for entry in document] if isinstance(document, list) else []
    return [
        UnreadableFile(
            filename=entry["filename"], why=entry["why"], label=entry["label"] if _is_text(entry.get("label")) else None
        )
        for entry in entries
        if _is_text(entry.get("filename")) and _is_text(entry.get("why"))
    ]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(filter(_is_text, value)) if isinstance(value, list) else ()

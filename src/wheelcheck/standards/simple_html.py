"""HTML project pages and pages of links (PEP 503, 592, 629, 658, 792), converted to entries of the JSON form (PEP
691).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Any

from wheelcheck.common.errors import IndexNonsense
from wheelcheck.common.urls import absolute
from wheelcheck.standards.filenames import OTHER_ENDINGS, SDIST_ENDINGS
from wheelcheck.standards.project_page import hash_pairs, last_part


class Markup:
    """The content of an HTML page.

    Attributes:
        metas: the content of each meta element by its name, lower case.
        entries: each linked file as a JSON entry, its URL absolute.

    Raises:
        IndexNonsense: the page lists no distribution files.
    """

    def __init__(self, body: bytes, url: str) -> None:
        parser = _Anchors()
        try:
            parser.feed(body.decode("utf-8", "replace"))
            parser.close()
        except AssertionError:
            raise IndexNonsense(url, "its HTML cannot be parsed") from None
        base = absolute(url, parser.base)
        if base is None:
            raise IndexNonsense(url, "its base URL cannot be parsed")
        self.metas = parser.metas
        self.entries = [_entry(absolute(base, href) or href, attributes) for href, attributes in parser.anchors]
        if (self.entries or parser.interactive) and not any(map(_looks_like_a_file, self.entries)):
            raise IndexNonsense(url, "it is a web page that lists no distribution files")


def _looks_like_a_file(entry: Mapping[str, Any]) -> bool:
    return str(entry["filename"]).endswith((".whl", *SDIST_ENDINGS, *OTHER_ENDINGS))


def _entry(link: str, attributes: Mapping[str, str]) -> dict[str, Any]:
    url, _, fragment = link.partition("#")
    entry = {"filename": last_part(url), "url": url, "hashes": hash_pairs(fragment)}
    return entry | dict(_stated(attributes))


def _stated(attributes: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    for key in ("requires-python", "upload-time"):
        if attributes.get(f"data-{key}"):
            yield key, attributes[f"data-{key}"]
    if "data-yanked" in attributes:
        yield "yanked", attributes["data-yanked"] or True
    core = attributes.get("data-core-metadata") or attributes.get("data-dist-info-metadata") or ""
    yield "core-metadata", hash_pairs(core) or core == "true"


class _Anchors(HTMLParser):
    """Collect anchors with a target, meta elements, the base URL, and signs of a login form."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.anchors: list[tuple[str, dict[str, str]]] = []
        self.metas: dict[str, str] = {}
        self.base = ""
        self.interactive = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {key: value or "" for key, value in attrs}
        if tag == "a" and values.get("href"):
            self.anchors.append((values["href"], values))
        elif tag == "base" and not self.base:
            self.base = values.get("href", "")
        elif tag == "meta" and "name" in values:
            self.metas[values["name"].lower()] = values.get("content", "")
        elif tag in ("form", "input", "script"):
            self.interactive = True

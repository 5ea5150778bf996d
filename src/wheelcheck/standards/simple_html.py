"""HTML project pages and pages of links (PEP 503, 592, 629, 658, 792), converted to entries of the JSON form (PEP
691).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any

from wheelcheck.common.errors import IndexNonsense
from wheelcheck.common.lazy_regex import pattern
from wheelcheck.common.urls import absolute
from wheelcheck.standards.filenames import OTHER_ENDINGS, SDIST_ENDINGS
from wheelcheck.standards.hashes import LENGTHS
from wheelcheck.standards.project_page import MAX_FILES, hash_pairs, last_part

MAX_ATTRIBUTES = 32
"""Maximum number of attributes of an element."""
MAX_VALUE = 2**16
"""Maximum length of the value of an attribute."""


_CHARSET = pattern(r";\s*charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{1,40})")


class TooMuchError(Exception):
    """A page holds more than is read; the text says what."""


class Markup:
    """The content of an HTML page.

    Attributes:
        metas: the content of each meta element by its name, lower case.
        entries: each linked file as a JSON entry, its URL absolute.

    Raises:
        IndexNonsense: the page lists no distribution files.
    """

    def __init__(self, body: bytes, content_type: str, url: str) -> None:
        stated = _CHARSET.search(content_type)
        try:
            page = _Elements(body.decode(stated[1] if stated else "utf-8"))
        except (LookupError, UnicodeError):
            raise IndexNonsense(url, f"it is not encoded in {stated[1] if stated else 'UTF-8'}") from None
        except TooMuchError as error:
            raise IndexNonsense(url, f"it has {error}") from None
        base = page.base or url  # not resolved against the page's own address, as in pip
        self.metas = page.metas
        self.entries = [_entry(absolute(base, values["href"]) or values["href"], values) for values in page.anchors]
        if (self.entries or page.interactive) and not any(map(_looks_like_a_file, self.entries)):
            raise IndexNonsense(url, "it is a web page that lists no distribution files")


def _looks_like_a_file(entry: Mapping[str, Any]) -> bool:
    return str(entry["filename"]).endswith((".whl", *SDIST_ENDINGS, *OTHER_ENDINGS))


def _entry(link: str, attributes: Mapping[str, str]) -> dict[str, Any]:
    entry = {"filename": last_part(link), "url": link.partition("#")[0], "hashes": hash_pairs(link)}
    return entry | dict(_stated(attributes))


def _stated(attributes: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    for key in ("requires-python", "upload-time"):
        if attributes.get(f"data-{key}"):
            yield key, attributes[f"data-{key}"]
    if "data-yanked" in attributes:
        yield "yanked", attributes["data-yanked"] or True
    core = attributes.get("data-core-metadata") or attributes.get("data-dist-info-metadata") or ""
    algorithm, _, digest = core.partition("=")
    yield "core-metadata", ({algorithm: digest} if algorithm in LENGTHS else core == "true")


class _Elements:
    """What a page says: anchors with a target, meta elements, the base URL, and signs of a login form.

    The page is read once from its start to its end, in time that grows with its length; the parser of the standard
    library starts anew at each thing that nobody closes. Like a browser, this takes what nobody closes for the rest of
    the page.
    """

    def __init__(self, text: str) -> None:
        self.anchors: list[dict[str, str]] = []
        self.metas: dict[str, str] = {}
        self.base: str | None = None
        self.interactive = False
        for tag, values in _start_tags(text):
            if tag == "a" and values.get("href"):
                self.anchors.append(values)
                if len(self.anchors) > MAX_FILES:
                    raise TooMuchError(f"more than {MAX_FILES:,} files")
            elif tag == "base" and self.base is None and "href" in values:
                self.base = values["href"]
            elif tag == "meta" and "name" in values:
                self.metas[values["name"].lower()] = values.get("content", "")
            elif tag in ("form", "input", "script"):
                self.interactive = True


_OF_INTEREST = frozenset({"a", "base", "meta"})
"""Elements whose attributes matter."""
_FIRST_COUNTS = {"base": ("href",)}
_RAW = frozenset({"script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"})
"""Elements whose content is text, in which nothing begins but their own end."""
_NAME = pattern(r"[A-Za-z][^\s/>]*")
_ATTRIBUTE = pattern(r"[\s/]*(=?[^\s/>=]+)(?:\s*=\s*(\"[^\"]*\"|'[^']*'|(?![\"'])[^\s>]*))?")
_SPACE = pattern(r"[\s/]*")
_COMMENT_END = pattern("--!?>")


def _start_tags(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the start tags of a page, with the attributes of those that matter (HTML, section 13.2.5)."""
    place = text.find("<")
    while place >= 0:
        name = _NAME.match(text, place + 1)
        if name is None:
            place = _after_other(text, place)
        else:
            tag, attributes = name[0].lower(), dict[str, str]()
            place = _after_attributes(text, name.end(), tag, attributes if tag in _OF_INTEREST else None)
            if place < 0:
                return
            yield tag, attributes
            if tag in _RAW:
                closing = re.compile(rf"</{tag}(?=[\s/>])", re.IGNORECASE).search(text, place)
                place = closing.start() if closing else -1
        place = text.find("<", place) if place >= 0 else -1


def _after_other(text: str, place: int) -> int:
    """Return the position after something in angle brackets that is no start tag, or -1 where nothing follows it."""
    if text.startswith("<!--", place):
        if text.startswith((">", "->"), place + 4):
            return text.index(">", place) + 1
        comment = _COMMENT_END.search(text, place + 4)
        return comment.end() if comment else -1
    if text.startswith(("<!", "<?", "</"), place):
        end = text.find(">", place)
        return end + 1 if end >= 0 else -1
    return place + 1


def _after_attributes(text: str, place: int, tag: str, into: dict[str, str] | None) -> int:
    """Return the position after a start tag, or -1 where nobody closes it.

    Of two attributes with one name, the last counts, but the first of a base element, as in pip.
    """
    while True:
        space = _SPACE.match(text, place)
        place = space.end() if space else place
        if place >= len(text):
            return -1
        if text[place] == ">":
            return place + 1
        found = _ATTRIBUTE.match(text, place)
        if found is None or found.end() >= len(text):
            return -1
        if found[2] is None and _EMPTY.match(text, found.end()):
            return -1  # a quotation mark that nobody closes
        if into is not None:
            value = found[2] or ""
            if len(into) == MAX_ATTRIBUTES or len(value) > MAX_VALUE:
                raise TooMuchError(
                    f"an element with more than {MAX_ATTRIBUTES} attributes, or a value of more than {MAX_VALUE:,}"
                )
            name = found[1].lower()
            if name not in into or name not in _FIRST_COUNTS.get(tag, ()):
                into[name] = unescape(value[1:-1] if value[:1] in ("'", '"') else value)
        place = found.end()


_EMPTY = pattern(r"\s*=\s*[\"']")

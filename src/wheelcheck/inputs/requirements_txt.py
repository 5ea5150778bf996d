"""Split a requirements file into logical lines with their options.

Source: pip's "Requirements File Format". What pip ignores silently (text after an option) is an error here, or recorded
in `FileOptions.ignored`.
"""

from __future__ import annotations

import codecs
import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from wheelcheck.common.errors import UsageError
from wheelcheck.common.records import record
from wheelcheck.common.urls import mask
from wheelcheck.inputs.pip_config import PipOptions, selections
from wheelcheck.inputs.requirement import Place, named_in, quoted, scheme

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@record
class Option:
    """An option with its full name, its value (which may be empty), and its place."""

    name: str
    value: str
    place: Place


@record
class Line:
    """A logical line: the requirement before its first option (which may be empty), and the options."""

    place: Place
    requirement: str
    options: tuple[Option, ...]


@record
class Ignored:
    """An option without effect on the answer, or without effect where it is written."""

    option: str
    value: str
    place: Place


@record
class FileOptions(PipOptions):
    """The combined options of all files.

    The last index URL counts, and as in pip it also replaces every earlier extra index. Paths in ``find_links`` are
    relative to the directory of their file where they exist there.

    Attributes:
        no_require_hashes: whether the option was given, which turns ``require_hashes`` off.
        ignored: options without effect.
    """

    no_require_hashes: bool = False
    ignored: tuple[Ignored, ...] = ()


# -- what is no requirements file

_EXPORT = "export the dependencies as a requirements file and name that"
_KINDS = (
    (r"pyproject\.toml", "a project file", "name it with -r on the command line"),
    (r"pylock\.(.+\.)?toml", "a lock file", "name it with -r on the command line, as pylock.toml or pylock.NAME.toml"),
    (r"(poetry|uv|pdm)\.lock|pipfile\.lock|conda-lock\.ya?ml", "a lock file", _EXPORT),
    (r"pipfile", "a Pipfile", _EXPORT),
    (r"environment\.ya?ml", "a conda environment", "write the projects that pip installs to a requirements file"),
    (r"setup\.(py|cfg)", "a project's set-up file", "write its dependencies to a requirements file"),
    (r".*\.whl", "a wheel", "give it without -r"),
)
_CONTENTS = (
    (rb"\APK\x03\x04", "a zip archive or a wheel", "give a wheel without -r"),
    (rb"\A\x1f\x8b", "a compressed archive", "give a source archive without -r"),
    (rb"\A\s*<(!|html)", "a web page", "download the plain text of the file"),
    (rb"\A\s*\{\s*[\"}]", "a JSON file", _EXPORT),
    (rb"(?m)(?<!\\\n)(?<!\\\r\n)^\[\[?[\w.\-\"']+\]\]?[ \t]*\r?$", "a TOML or INI file", _EXPORT),
    (
        rb"(?m)^(channels|dependencies):[ \t]*\r?$",
        "a conda environment",
        "write the projects that pip installs to a requirements file",
    ),
)
_SNIFFED = 1 << 16
_MAX_LINE = 1 << 16


def refuse_by_name(name: str, place: Place | None) -> None:
    """Raise `UsageError` for the name of another kind of file."""
    for names, what, instead in _KINDS:
        if re.fullmatch(names, Path(name).name, re.IGNORECASE):
            raise UsageError(f"{name}{named_in(place)} is {what}, not a requirements file: {instead}.")


# -- from bytes to logical lines

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order marks; that of UTF-16 is a prefix of that of UTF-32, so it comes later."""

_NO_CHARSETS = ("idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "utf-7")


def text_of(data: bytes, name: str) -> str:
    """Decode a requirements file. Raises `UsageError` for other kinds of files and for what is not text."""
    bom, encoding = next(((bom, encoding) for bom, encoding in _BOMS if data.startswith(bom)), (b"", ""))
    if not bom:
        for beginning, what, instead in _CONTENTS:
            if re.search(beginning, data[:_SNIFFED]):
                raise UsageError(f"{name} is {what}, not a requirements file: {instead}.")
        encoding = _declared(data) or "utf-8"
    text = _decoded(data, bom, encoding, name)
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise UsageError(
            f"{name}, line {line} has a zero byte, so it is no text: check that this is a requirements file."
        )
    return text


def _declared(data: bytes) -> str | None:
    """Return the encoding declared by a comment in the first two lines (PEP 263)."""
    for line in data.split(b"\n", 2)[:2]:
        found = re.search(rb"coding[:=]\s*([-\w.]+)", line) if line.startswith(b"#") else None
        if found:
            return found[1].decode("ascii")
    return None


def _decoded(data: bytes, bom: bytes, encoding: str, name: str) -> str:
    try:
        if codecs.lookup(encoding).name.replace("_", "-") in _NO_CHARSETS:
            raise LookupError
        return data[len(bom) :].decode(encoding)
    except UnicodeDecodeError as error:
        start = error.start + len(bom)
        where = f"{name}, line {data.count(10, 0, start) + 1}"
        raise UsageError(
            f"{where} is not {encoding.upper()} (byte {start}, 0x{data[start]:02x}): save it as UTF-8."
        ) from None
    except (LookupError, UnicodeError):
        raise UsageError(f"{name} declares the encoding {encoding}, which is not known: save it as UTF-8.") from None


def logical_lines(text: str, file: str) -> Iterator[Line]:
    """Yield the non-empty lines of a file. Raises `UsageError` for one that cannot be split."""
    for number, line in _joined(text):
        comment = re.search(r"(?:^|\s)#", line)
        line = re.sub(
            r"\$\{([A-Z0-9_]+)\}",
            lambda found: os.environ.get(found[1]) or found[0],
            line[: comment.start()] if comment else line,
        ).strip()
        if len(line) > _MAX_LINE:
            raise UsageError(f"{file}, line {number} has more than {_MAX_LINE} characters: shorten or split it.")
        if line:
            yield _parsed(line, Place(file=file, line=number))


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Join lines continued by a backslash, each with the number of its first; a comment ends there."""
    parts: list[str] = []
    first = 0
    for number, line in enumerate(text.splitlines(), 1):
        if not parts and not line:
            continue
        comment = re.match(r"\s*#", line)
        first = first if parts else number
        if line.endswith("\\") and not comment:
            parts.append(line.strip("\\"))
            continue
        yield first, "".join([*parts, f" {line}" if comment else line])
        parts = []
    if parts:
        yield first, "".join(parts)


# -- options

_FLAGS = ("--no-index", "--pre", "--prefer-binary", "--require-hashes", "--no-require-hashes")
_LISTS = ("--extra-index-url", "--find-links", "--trusted-host")
_SELECTIONS = ("--only-binary", "--no-binary", "--all-releases", "--only-final")
_WITHOUT_BEARING = ("--use-feature", "--config-settings", "--config-setting", "--global-option", "--install-option")
_ALIASES = {"-i": "--index-url", "--pypi-url": "--index-url", "-f": "--find-links", "-r": "--requirement"} | {
    "-c": "--constraint",
    "-e": "--editable",
    "-C": "--config-settings",
}
_NAMES = (*_FLAGS, *_LISTS, *_SELECTIONS, *_WITHOUT_BEARING, *_ALIASES, *_ALIASES.values(), "--hash")


def _parsed(line: str, place: Place) -> Line:
    """Parse a logical line: options start at the first word with a dash, and are quoted as in a shell."""
    words = line.split(" ")
    start = next((number for number, word in enumerate(words) if word.startswith("-")), len(words))
    try:
        rest = iter(shlex.split(" ".join(words[start:])))
    except ValueError:
        raise UsageError(f"The options in {place} have a quotation mark without its partner: close it.") from None
    options = tuple(_option(word, rest, place) for word in rest)
    return Line(place=place, requirement=" ".join(words[:start]).strip(), options=options)


def _option(word: str, rest: Iterator[str], place: Place) -> Option:
    if not word.startswith("-"):
        raise UsageError(
            f"{quoted(word)} in {place} follows an option, where pip reads no requirement: give it its own line."
        )
    if word.startswith("--"):
        given, equals, value = word.partition("=")
    else:
        given, equals, value = word[:2], word[2:], word[2:]
    name = _full_name(given, place)
    if name in _FLAGS:
        if equals:
            raise UsageError(f"The option {name} in {place} takes no value: write {name} alone.")
        return Option(name=name, value="", place=place)
    value = value if equals else next(rest, "")
    if not value:
        raise UsageError(f"The option {name} in {place} lacks its value: give one, or remove the option.")
    return Option(name=name, value=value, place=place)


def _full_name(given: str, place: Place) -> str:
    """Return the full name of an option: for an alias, or for an unambiguous prefix."""
    found = {given} & set(_NAMES) or {name for name in _NAMES if given[2:] and name.startswith(given)}
    names = {_ALIASES.get(name, name) for name in found}
    if len(names) != 1:
        what = "is not one that a requirements file can hold" if not names else f"could be {' or '.join(sorted(names))}"
        raise UsageError(f"The option {quoted(given)} in {place} {what}: correct or remove it.")
    return names.pop()


def resolved(option: Option, file: str) -> Option:
    """Resolve a find-links path against the directory of its file where it exists there, as pip does."""
    if option.name != "--find-links" or file == "-" or scheme(option.value):
        return option
    beside = Path(file).parent / os.path.expanduser(option.value)  # noqa: PTH111 (an unknown user is no error here)
    elsewhere = not os.path.exists(beside) and os.path.exists(option.value)  # noqa: PTH110 (no error for a long name)
    value = option.value if elsewhere else os.path.normpath(beside)
    return Option(name=option.name, value=value, place=option.place)


def file_options(given: Sequence[Option], ignored: Sequence[Option]) -> FileOptions:
    """Combine the options of all files; `ignored` are those without effect where they are written."""
    flags = {option.name for option in given}
    index = next((option for option in reversed(given) if option.name == "--index-url"), None)
    replaced = _extras_before(index, given)
    kept = [option for option in given if option not in replaced]
    lists = {name: tuple(dict.fromkeys(option.value for option in kept if option.name == name)) for name in _LISTS}
    idle = [option for option in kept if option.name in (*_WITHOUT_BEARING, "--hash")]
    chosen = selections((option.name[2:], option.value) for option in kept if option.name in _SELECTIONS)
    return FileOptions(
        index_url=index.value if index else None,
        extra_index_urls=lists["--extra-index-url"],
        find_links=lists["--find-links"],
        trusted_hosts=lists["--trusted-host"],
        no_index="--no-index" in flags,
        pre="--pre" in flags,
        prefer_binary="--prefer-binary" in flags,
        require_hashes="--require-hashes" in flags and "--no-require-hashes" not in flags,
        no_require_hashes="--no-require-hashes" in flags,
        ignored=tuple(
            Ignored(option=option.name, value=mask(option.value), place=option.place)
            for option in (*replaced, *idle, *ignored)
        ),
        **chosen,
    )


def _extras_before(index: Option | None, given: Sequence[Option]) -> list[Option]:
    """Return the extra indexes before the last index, which replaces them."""
    if index is None:
        return []
    earlier = given[: given.index(index)]
    return [option for option in earlier if option.name == "--extra-index-url" and option.place != index.place]

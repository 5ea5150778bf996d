"""Parse one requirement as a user writes it: a specifier, or the path or URL of a wheel, an archive or a directory.

Sources: dependency specifiers (PEP 508), and what pip accepts as a path or URL.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from wheelcheck.common.errors import UsageError
from wheelcheck.common.lazy_regex import pattern
from wheelcheck.common.records import record
from wheelcheck.common.urls import mask, path_of_url, url_fault
from wheelcheck.standards.filenames import OTHER_ENDINGS, SDIST_ENDINGS, read_sdist_name, read_wheel_name
from wheelcheck.standards.markers import nests_too_deeply
from wheelcheck.standards.names import canonicalize_name
from wheelcheck.standards.requirements import requirement_of
from wheelcheck.standards.specifiers import specifiers_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from packaging.requirements import Requirement

COMMAND_LINE = "the command line"

_ARCHIVES = (*SDIST_ENDINGS, *OTHER_ENDINGS)
_REPOSITORY = pattern(r"(git|hg|svn|bzr)(\+[\w+.-]+)?:|git@", re.IGNORECASE)
_NO_TEXT = pattern("[\0\ud800-\udc7f\udd00-\udfff]")  # lone surrogates; the range between stands for path bytes
NAMED_URL = pattern(r"[A-Za-z0-9][\w.-]*\s*(\[[^\]]*\])?\s*@")
_ADVICE = "give the name of the project, or a built wheel"
_CLONE = "give the name of the project, or clone the repository and name the directory"
_NEEDS_NAME = "does not tell which project it is: write NAME @ URL"
_MAX_REQUIREMENT = 4000  # fewer digits than the interpreter refuses to read as one number


@record
class Place:
    """Where something was requested: a file and its line, or `COMMAND_LINE` and the number of the argument.

    `table` is the part of a TOML file instead of a line, such as ``[project] dependencies``.
    """

    file: str
    line: int | None = None
    table: str = ""

    def __str__(self) -> str:
        if self.table:
            return f"{self.file} {self.table}"
        return self.file if self.line is None or self.file == COMMAND_LINE else f"{self.file}, line {self.line}"


def requirement_at(text: str, place: Place) -> Requirement:
    """Parse a requirement; a path or URL is converted to ``project @ url``."""
    if len(text) > _MAX_REQUIREMENT:
        raise refused(text, place, f"has more than {_MAX_REQUIREMENT} characters: shorten or split it")
    if _NO_TEXT.search(text):
        raise refused(text, place, "holds something that is no character: correct it")
    if _REPOSITORY.match(text):
        raise refused(text, place, f"is a source repository, which would have to be built: {_CLONE}")
    if scheme(text):
        target, *marker = re.split(r"\s;|;\s", text, maxsplit=1)
        return _direct(_local_url(target.strip(), text, place), "", "".join(marker).strip(), text, place)
    target, _, marker_text = text.partition(";")
    target, marker_text = target.strip(), marker_text.strip()
    if _is_path(target):
        return _by_path(target, marker_text, text, place)
    requirement = _valid(f"{target} ; {marker_text}" if marker_text else target, text, place)
    return _with_url(requirement, text, place) if requirement.url else requirement


def _is_path(target: str) -> bool:
    if NAMED_URL.match(target) and not os.path.isfile(target):  # noqa: PTH113 (no error for a long name)
        return False
    return target.startswith(".") or "/" in target or "\\" in target or target.lower().endswith((".whl", *_ARCHIVES))


def _by_path(target: str, marker: str, text: str, place: Place) -> Requirement:
    """Parse a path, relative to the working directory as in pip, with ~ for the home directory as in a shell."""
    found = re.fullmatch(r"(.+?)(\[[^\[\]]*\])?", target)
    path, extras = (found[1], found[2] or "") if found else (target, "")
    if place.file == COMMAND_LINE and not os.path.exists(path):  # noqa: PTH110 (no error for a long name)
        path = os.path.expanduser(path)  # noqa: PTH111 (an unknown user is no error here)
    full = os.path.normpath(Path(path).absolute())
    if not os.path.isdir(full) and "#" in path:  # noqa: PTH112 (no error for a long name)
        raise refused(text, place, "is a path with a #, which only a URL has: state the digest with --hash")
    if not os.path.exists(full) and not full.lower().endswith(OTHER_ENDINGS):  # noqa: PTH110 (as above)
        _check_missing(path, marker, text, place)
    return _direct(Path(full).as_uri(), extras, marker, text, place)


def _check_missing(path: str, marker: str, text: str, place: Place) -> None:
    """Reject a path that does not exist, unless it is that of a file that a marker may exclude."""
    kinds = {".whl": "a wheel"} | dict.fromkeys(SDIST_ENDINGS, "a source archive")
    what = next((what for ending, what in kinds.items() if path.lower().endswith(ending)), None)
    if marker and what:
        return
    where = f"paths are taken from {Path.cwd()}"
    if path.startswith("~"):
        where = "write the home directory out, since pip does not read ~ in a file"
    raise refused(text, place, f"names {what or 'a file or directory'} that is not there: {where}")


def _direct(url: str, extras: str, marker: str, text: str, place: Place) -> Requirement:
    """Return ``name @ url`` for a URL, named by the directory's project or by the file name."""
    name = _stated_name(url, text, place)
    if name is None:
        raise refused(text, place, _NEEDS_NAME)
    return _valid(f"{name}{extras} @ {url}" + (f" ; {marker}" if marker else ""), text, place)


def _with_url(requirement: Requirement, text: str, place: Place) -> Requirement:
    """Check that the URL of a requirement belongs to the same project, as far as that can be told."""
    url = requirement.url or ""
    if _REPOSITORY.match(url):
        raise refused(text, place, f"names a source repository, which would have to be built: {_CLONE}")
    if scheme(url) not in ("http", "https", "file"):
        raise refused(text, place, "names no URL after the @: write https://... or file:///..., or give a path alone")
    requirement.url = _local_url(url, text, place)
    project = _stated_name(requirement.url, text, place, sure=True)
    if project not in (None, canonicalize_name(requirement.name)):
        what = "directory" if is_directory(requirement.url) else "wheel"
        raise refused(
            text, place, f"names the project {requirement.name}, but its URL a {what} of {project}: correct one"
        )
    return requirement


def _local_url(url: str, text: str, place: Place) -> str:
    """Return a URL with an absolute path; the relative path of a file URL starts at the working directory."""
    if url_fault(url) is not None:
        raise refused(text, place, f"has a URL that cannot be used ({url_fault(url)}): correct it")
    if scheme(url) != "file":
        return url
    link, mark, fragment = url.partition("#")
    path = path_of_url(link)
    if path is None:
        raise refused(text, place, "has a URL that names nothing on this machine: write file:///...")
    if os.path.isabs(path):  # noqa: PTH117 (a text from outside, only asked about)
        return url
    return Path(os.path.normpath(Path(path).absolute())).as_uri() + mark + fragment


def _stated_name(url: str, text: str, place: Place, *, sure: bool = False) -> str | None:
    """Return the project of a URL, or None where it does not tell; `sure` distrusts the name of an archive."""
    if "subdirectory=" in url.partition("#")[2]:
        raise refused(text, place, f"names a directory within an archive, which is not read here: {_ADVICE}")
    if is_directory(url):
        return _name_of_directory(url, text, place)
    filename = _filename(url, text, place)
    if filename.endswith(".whl"):
        try:
            return read_wheel_name(filename)[0]
        except ValueError as error:
            raise refused(text, place, f"names a wheel whose file name cannot be read: {error}") from None
    try:
        return None if sure else read_sdist_name(filename)[0]
    except ValueError:
        return None


def names_wheel(url: str) -> bool:
    """Return whether a URL ends like that of a wheel."""
    return url.partition("#")[0].endswith(".whl")


def is_directory(url: str | None) -> bool:
    """Return whether a URL is that of a local directory."""
    path = path_of_url((url or "").partition("#")[0])
    return path is not None and os.path.isdir(path)  # noqa: PTH112 (no error for a long name)


def _name_of_directory(url: str, text: str, place: Place) -> str:
    from wheelcheck.index.direct_urls import read_project
    from wheelcheck.standards.core_metadata import MetadataError

    path = path_of_url(url.partition("#")[0]) or ""
    try:
        return read_project(Path(path)).metadata.name
    except MetadataError as error:
        instead = "add a [project] table, or give a built wheel"
        raise refused(
            text, place, f"is a directory of which only a build could tell more: {error}; {instead}"
        ) from None
    except OSError as error:
        raise refused(text, place, f"is a directory that cannot be read ({error.strerror}): check it") from None


def _filename(url: str, text: str, place: Place) -> str:
    try:
        path = urlsplit(url).path
    except ValueError:
        raise refused(text, place, "has a URL that cannot be parsed: correct it") from None
    filename = unquote(path.rstrip("/").rpartition("/")[2])
    if not filename.endswith((".whl", *SDIST_ENDINGS)):
        raise refused(text, place, f"{_what_it_is(path)}: {_ADVICE}")
    return filename


def _what_it_is(path: str) -> str:
    if path.lower().endswith(OTHER_ENDINGS):
        return "is a file of a kind that pip does not install"
    return "is a path or URL, but not that of a wheel (.whl), a source archive or a directory"


def _valid(normal: str, text: str, place: Place) -> Requirement:
    try:
        return _with_place(normal) if "@" in normal else requirement_of(normal)
    except ValueError:
        raise refused(text, place, f"is not a requirement: {_why(normal)}") from None


def _with_place(normal: str) -> Requirement:
    """Parse a requirement that may have a URL; it is not shared, since the URL is corrected afterwards."""
    from packaging.requirements import InvalidRequirement, Requirement

    if nests_too_deeply(normal):
        raise InvalidRequirement("its parentheses are nested too deeply")
    return Requirement(normal)


def editable_refused(project: str, place: Place) -> UsageError:
    """Return the error for an editable project, with what to do instead."""
    if _REPOSITORY.match(project) or _REPOSITORY.match(project.partition("@")[2].strip()):
        instead = _CLONE
    else:
        instead = f"write {quoted(project or '.')} without -e, and its pyproject.toml is read"
    return refused(project, place, f"is an editable project (-e), which would have to be built: {instead}")


def scheme(text: str) -> str:
    """Return ``http``, ``https`` or ``file`` where a text starts with such a scheme, otherwise nothing."""
    found = re.match(r"(https?|file):", text, re.IGNORECASE)
    return found[1].lower() if found else ""


def named_in(place: Place | None) -> str:
    """Return which file names something, as a part of a sentence."""
    return f" (named in {place})" if place else ""


def refused(text: str, place: Place, why: str) -> UsageError:
    """Return the error for a requirement; `why` continues the sentence with the verb."""
    where = "" if place.file == COMMAND_LINE else f" in {place}"  # an argument, maybe of a function
    return UsageError(f"{quoted(text)}{where} {why}.")


def quoted(text: str) -> str:
    """Quote a text for a sentence: without credentials, on one line, and cut where it is long."""
    shown = mask(text[:2000])
    return repr(shown if len(shown) <= 200 else shown[:197] + "...")


# -- what is wrong with a requirement, in plain words

_NAME = r"[A-Za-z0-9][\w.-]*(?:\s*\[[^\]]*\])?"
_FAULTS = (
    (r"\S+#.*", "the # of a comment needs a space before it"),
    (r"(python[\d.]* -m )?pip[\d.]* (install|download)\b.*", "leave out the command, and give the requirements alone"),
    (r"""["'].*""", "leave out the quotation marks"),
    (r"[<>=!~].*", "the name of the project is missing before the operator"),
    (rf"{_NAME}\s*=[^=<>].*=.*", "this is conda's form; write NAME==VERSION"),
    (rf"{_NAME}\s*=[^=<>].*", "a version is pinned with two equals signs, NAME==VERSION"),
    (rf"{_NAME}\s*=[<>].*", "the operators are written >= and <="),
    (rf"{_NAME}\s+v?\d.*", "there is no operator between name and version; write NAME==VERSION"),
    (rf"{_NAME}\s*,?\s+{_NAME}.*", "only one requirement may stand on a line, with an operator before a version"),
    (r"[^\[\]]*\[[^\]]*", "the square bracket of the extras is not closed"),
    (r"[^\[\]]*\[.*\].*", "extras are names with commas between them, NAME[EXTRA,EXTRA]"),
    (rf"{_NAME}\s*@\s*", "the URL is missing after the @"),
)


def _why(normal: str) -> str:
    head, semicolon, marker = normal.partition(" ; ")
    head = head.strip()
    if semicolon and _parses(requirement_of, head):
        return _why_marker(marker)
    fault = next((why for pattern, why in _FAULTS if re.fullmatch(pattern, head, re.IGNORECASE)), None)
    return _bad_clause(head) or fault or "write it as NAME, NAME[EXTRA], NAME>=VERSION or NAME @ URL"


def _parses(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


def _why_marker(marker: str) -> str:
    from packaging.markers import InvalidMarker, Marker

    if nests_too_deeply(marker):
        return "its marker has too many nested parentheses"
    try:
        Marker(marker)
    except InvalidMarker as error:
        why = str(error).splitlines()[0]
        return f"its marker {quoted(marker)} cannot be parsed ({why[:1].lower()}{why[1:]})"
    return f"its marker {quoted(marker)} cannot stand here"


def _bad_clause(head: str) -> str | None:
    """Return what is wrong with the first invalid version clause (PEP 440)."""
    found = "#" not in head and re.fullmatch(rf"{_NAME}\s*\(?\s*((?:===|~=|==|!=|<=|>=|<|>)[^()]*)\)?", head)
    for clause in found[1].split(",") if found else ():
        clause = clause.strip()
        operator, version = re.match(r"([<>=!~]*)\s*(.*)", clause, re.DOTALL).groups()  # type: ignore[union-attr]
        if not _parses(specifiers_of, clause):
            return _why_clause(quoted(clause), operator, version)
    return None


def _why_clause(clause: str, operator: str, version: str) -> str:
    if operator not in ("===", "~=", "==", "!=", "<=", ">=", "<", ">"):
        return f"{clause} has no operator of PEP 440; use ==, !=, <=, >=, <, >, ~= or ==="
    if "*" in version:
        return f"in {clause} the wildcard .* must end the version, and only == and != take one"
    if operator == "~=" and re.fullmatch(r"v?\d+", version):
        return f"in {clause} the operator ~= needs two numbers, such as ~={version}.0"
    if not version:
        return f"the version after {operator} is missing"
    return f"{clause} has no version of PEP 440, such as 1.2 or 2.0rc1"

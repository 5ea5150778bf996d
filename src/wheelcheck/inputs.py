"""Requirements from the command line and from requirements files, each with its place and its marker unevaluated.

Sources: dependency specifiers (PEP 508), and pip's "Requirements File Format" for lines, options and encodings. Where
pip drops something without a word (text after an option, a second ``-r`` on a line), it is refused here, or kept in
`FileOptions.ignored`.
"""

from __future__ import annotations

import codecs
import os
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import unquote, urlsplit

from wheelcheck.configuration import selections
from wheelcheck.distributions import OTHER_ENDINGS, SDIST_ENDINGS, read_sdist_name, read_wheel_name
from wheelcheck.failures import UsageError
from wheelcheck.names import canonicalize_name
from wheelcheck.patterns import pattern
from wheelcheck.requirements import requirement_of, specifiers_of
from wheelcheck.urls import mask, path_of_url
from wheelcheck.values import field, record, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from packaging.requirements import Requirement

    from wheelcheck.locks import Lock
    from wheelcheck.names import NormalizedName
    from wheelcheck.projects import Project
    from wheelcheck.pyprojects import Pyproject, Stated

MOST_BYTES = 16 << 20
"""A requirements file that is larger than this is refused."""

COMMAND_LINE = "the command line"
STANDARD_INPUT = "standard input"


@record
class Place:
    """Where something was asked: a file and the line where it begins, or `COMMAND_LINE` and the argument's number.

    `table` is the part of a TOML file instead of a line, such as ``[project] dependencies``.
    """

    file: str
    line: int | None = None
    table: str = ""

    def __str__(self) -> str:
        if self.table:
            return f"{self.file} {self.table}"
        return self.file if self.line is None or self.file == COMMAND_LINE else f"{self.file}, line {self.line}"


@record
class Ask:
    """One requirement as the user gave it.

    Attributes:
        requirement: with its marker, which nothing has evaluated; a wheel, a source archive or a directory given by
            path or URL is ``name @ url``.
        place: where it stands.
        hashes: ``algorithm:digest`` of every file that is allowed, in lower case; empty where any file is.
        constraint: it only bounds the project in case something else needs it.
    """

    requirement: Requirement
    place: Place
    hashes: tuple[str, ...] = ()
    constraint: bool = False


@record
class Ignored:
    """An option that has no bearing on the answer, or none where it stands."""

    option: str
    value: str
    place: Place


@record
class FileOptions:
    """The options that all the files gave together.

    Attributes:
        index_url: the last one given, or None. As in pip it also replaces every extra index from before it.
        extra_index_urls, trusted_hosts: as given.
        find_links: URLs as given, and paths, taken from the directory of their file where they exist there.
        no_index, pre, prefer_binary, no_require_hashes: whether the option was given.
        require_hashes: whether it was given, and not its opposite.
        only_binary, no_binary, all_releases, only_final: normalised names, or ``:all:``.
        ignored: what was read and does not count.
    """

    index_url: str | None = field(default=None, repr=False)
    extra_index_urls: tuple[str, ...] = field(default=(), repr=False)
    find_links: tuple[str, ...] = field(default=(), repr=False)
    no_index: bool = False
    pre: bool = False
    trusted_hosts: tuple[str, ...] = ()
    only_binary: tuple[str, ...] = ()
    no_binary: tuple[str, ...] = ()
    all_releases: tuple[str, ...] = ()
    only_final: tuple[str, ...] = ()
    prefer_binary: bool = False
    require_hashes: bool = False
    no_require_hashes: bool = False
    ignored: tuple[Ignored, ...] = ()


@record
class Admission:
    """What a project says of the Pythons that it is for (``requires-python``), and where it says so."""

    project: NormalizedName
    requires_python: str
    place: Place


@record
class Inputs:
    """All that the user asked for, in the order of the question; `asks` are wanted, `constraints` only bound.

    Attributes:
        asks, constraints: requirements.
        files: the names, which may be links, of all files that were read; ``-`` is the standard input.
        lock: a lock file, which is asked about alone.
        admissions: for which Pythons the projects are whose dependencies are asked for.
        is_question: whether something is asked for, be it nothing: a project may have no dependencies.
        notices: what the user should hear of, a sentence each.
        options: those that files gave.
    """

    asks: tuple[Ask, ...] = ()
    constraints: tuple[Ask, ...] = ()
    files: tuple[str, ...] = ()
    lock: Lock | None = None
    admissions: tuple[Admission, ...] = ()
    is_question: bool = False
    notices: tuple[str, ...] = ()
    options: FileOptions = field(default_factory=FileOptions)


def read_inputs(
    requirements: Sequence[str],
    files: Sequence[str] = (),
    constraints: Sequence[str] = (),
    stdin: BinaryIO | None = None,
    *,
    groups: Sequence[str] = (),
    extras: Sequence[str] = (),
    all_extras: bool = False,
) -> Inputs:
    """Everything that requirements, requirements files and constraint files ask for, nested files included.

    Args:
        requirements: single requirements: specifiers, or paths and URLs of wheels, of source archives, and of
            directories with a pyproject.toml that states its project.
        files: paths of requirements files, of a pyproject.toml, or of one pylock.toml; ``-`` is the standard input.
        constraints: paths of constraint files.
        stdin: what ``-`` reads instead of the standard input of the process.
        groups: dependency groups, ``NAME`` of the pyproject.toml in the working directory or ``PATH:NAME``, where the
            path is that of a pyproject.toml or of the lock.
        extras: extras of the projects among the files, or of the lock.
        all_extras: all of them.

    Raises:
        UsageError: a file that cannot be read, or a line that cannot be understood or answered.
    """
    reader = _Reader(stdin=stdin)
    for path in constraints:
        reader.read(path, constraint=True)
    for number, text in enumerate(requirements, 1):
        reader.asks.append(_argument(text, number))
    locks, projects = [*filter(_is_lock, files)], [*filter(_is_pyproject, files)]
    of_lock, groups = (groups, ()) if locks else ((), groups)
    if locks:
        _check_alone(locks[0], (*requirements, *files, *(text for text in of_lock if _group(text)[0] != locks[0])))
    for path in files:
        if path not in (*projects, *locks):
            reader.read(path, constraint=False)
    chosen = _Extras(wanted=tuple(map(canonicalize_name, extras)), all=all_extras)
    for path in projects:
        reader.read_project(path, chosen)
    lock = reader.read_lock(locks[0], chosen, [_group(text)[1] for text in of_lock]) if locks else None
    chosen.check((*projects, *locks))
    for group in groups:
        reader.read_group(group)
    return Inputs(
        asks=tuple(ask for ask in reader.asks if not ask.constraint),
        constraints=tuple(ask for ask in reader.asks if ask.constraint),
        files=tuple(sorted(reader.names)),
        lock=lock,
        admissions=tuple(reader.admissions),
        is_question=bool(reader.asks or projects or groups or locks),
        notices=tuple(reader.notices),
        options=_file_options(reader.options, reader.ignored),
    )


def _argument(text: str, number: int) -> Ask:
    place = Place(file=COMMAND_LINE, line=number)
    if not text.strip():
        raise UsageError(f"Argument {number} of {place} is empty: give a requirement, such as numpy>=2.")
    editable = re.fullmatch(r"(?:-e|--editable)[\s=]*(.*)", text.strip(), re.DOTALL)
    if editable:
        raise _editable(editable[1], place)
    if text.lower().endswith((".txt", ".in")) and os.path.isfile(text):  # noqa: PTH113 (no error for a long name)
        raise UsageError(f"{text} is a file, not a project: read it with -r {text}.")
    return Ask(requirement=_requirement(text.strip(), place), place=place)


# -- projects


def _is_pyproject(path: str) -> bool:
    return Path(path).name.lower() == "pyproject.toml"


def _is_lock(path: str) -> bool:
    """Whether a file has a name that PEP 751 gives to locks."""
    return re.fullmatch(r"pylock\.([^.]+\.)?toml", Path(path).name) is not None


def _group(text: str) -> tuple[str, str]:
    """The path and the name in ``PATH:NAME``; the path may be empty."""
    path, _, name = text.rpartition(":")
    if not name.strip():
        raise UsageError(f"The group {_quoted(text)} has no name: write NAME or path/pyproject.toml:NAME.")
    return path, name.strip()


def _check_alone(lock: str, given: Sequence[str]) -> None:
    other = next((text for text in given if text != lock), None)
    if other is not None:
        raise UsageError(f"{lock} is a lock file, a whole answer of its own: ask about it without {_quoted(other)}.")


def _unusable(name: str, error: ValueError) -> UsageError:
    return UsageError(f"{name} cannot be used: {error}.")


def _elsewhere(name: str, projects: Sequence[str]) -> Iterator[str]:
    """That projects which are asked for have sources that only one tool knows."""
    if projects:
        yield (
            f"In {name}, [tool.uv.sources] has sources of its own for {', '.join(projects)}. They are not "
            "read, and the indexes are asked: to ask about such a file, name it by its path or URL."
        )


def _refuse_dynamic(name: str, project: Project, further: str) -> None:
    """Refuse a project that does not state what decides which of its requirements there are."""
    decisive = ("dependencies", "requires-python", further)
    left_open = [key for key in project.dynamic if key in decisive]
    if left_open:
        raise UsageError(
            f"{name} leaves {' and '.join(left_open)} open (dynamic), so only a build could tell: "
            "build a wheel and give that, or write a requirements file."
        )


@record(frozen=False)
class _Extras:
    """The extras that are asked of the projects among the inputs, and which of them some project has."""

    wanted: tuple[NormalizedName, ...]
    all: bool
    found: set[NormalizedName] = field(default_factory=set)

    @property
    def is_asked(self) -> bool:
        return self.all or bool(self.wanted)

    def of(self, known: Iterable[NormalizedName]) -> list[NormalizedName]:
        """The extras to take of those that a project has."""
        known = list(known)
        self.found |= set(known)
        return [extra for extra in (known if self.all else dict.fromkeys(self.wanted)) if extra in known]

    def check(self, projects: Sequence[str]) -> None:
        """Refuse an extra of no project, and extras where no project is asked about."""
        if self.is_asked and not projects:
            raise UsageError(
                "--extra and --all-extras choose among the extras of a project or a lock: add -r pyproject.toml."
            )
        missing = next((extra for extra in self.wanted if extra not in self.found), None)
        if missing is not None:
            known = ", ".join(sorted(self.found)) or "none"
            raise UsageError(f"{' and '.join(projects)} has no extra {missing}: it has {known}.")


# -- files, and files within files


@record
class _Option:
    name: str
    value: str
    place: Place


@record
class _Line:
    """A logical line: the requirement before its first option (may be empty), and the options."""

    place: Place
    requirement: str
    options: tuple[_Option, ...]


@record
class _OpenFile:
    name: str
    constraint: bool
    lines: Iterator[_Line]


@record(frozen=False)
class _Reader:
    """Collects asks and options from files, each file once, in the order in which pip meets them."""

    stdin: BinaryIO | None = None
    asks: list[Ask] = field(default_factory=list)
    options: list[_Option] = field(default_factory=list)
    ignored: list[_Option] = field(default_factory=list)
    done: set[tuple[str, bool]] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    admissions: list[Admission] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def read_project(self, name: str, extras: _Extras) -> None:
        """Take the dependencies of a project and of some of its extras from its pyproject.toml."""
        name = _path(name, None)
        pyproject = self._pyproject(name)
        try:
            project = pyproject.project()
        except ValueError as error:
            raise _unusable(name, error) from None
        chosen = extras.of(project.optional)
        _refuse_dynamic(name, project, "optional-dependencies" if extras.is_asked else "")
        self._take_stated(name, pyproject, pyproject.dependencies(chosen))
        if project.metadata.requires_python:
            place = Place(file=name, table="[project] requires-python")
            stated = project.metadata.requires_python
            self.admissions.append(Admission(project=project.metadata.name, requires_python=stated, place=place))

    def read_lock(self, name: str, extras: _Extras, groups: Sequence[str]) -> Lock:
        """A lock file, with some of its extras and, beside its default ones, of its groups."""
        from wheelcheck.locks import Lock

        name = _path(name, None)
        self.names.add(name)
        base = Path(os.path.normpath(Path(name).absolute())).parent.as_uri()
        lock = Lock.parse(_contents(name, None), name, f"{base}/")
        return replace(lock.with_groups(groups), extras=tuple(extras.of(lock.pylock.extras or ())))

    def read_group(self, text: str) -> None:
        """Take the requirements of a dependency group, ``NAME`` or ``PATH:NAME`` as pip spells it."""
        path, group = _group(text)
        if path and not _is_pyproject(path):
            raise UsageError(f"The group {_quoted(text)} is not in a pyproject.toml: write path/pyproject.toml:NAME.")
        name = _path(path or "pyproject.toml", None)
        pyproject = self._pyproject(name)
        self._take_stated(name, pyproject, pyproject.group(group))

    def _pyproject(self, name: str) -> Pyproject:
        from wheelcheck.pyprojects import Pyproject

        self.names.add(name)
        try:
            return Pyproject.parse(_contents(name, None))
        except ValueError as error:
            raise _unusable(name, error) from None

    def _take_stated(self, name: str, pyproject: Pyproject, stated: Iterator[Stated]) -> None:
        """Keep what tables ask for; a requirement with a URL is looked at as one in a file."""
        before = len(self.asks)
        try:
            for one in stated:
                place = Place(file=name, table=one.table)
                text = str(one.requirement)
                requirement = _requirement(text, place) if one.requirement.url else one.requirement
                self.asks.append(Ask(requirement=requirement, place=place))
        except ValueError as error:
            raise _unusable(name, error) from None
        except RecursionError:
            raise UsageError(f"In {name}, lists include each other too deeply: flatten them.") from None
        names = {canonicalize_name(ask.requirement.name) for ask in self.asks[before:]}
        self.notices += _elsewhere(name, sorted(names & pyproject.sources()))
        for loop in pyproject.cycles:
            self.notices.append(f"In {name}, extras include each other ({' -> '.join(loop)}); each was read once.")

    def read(self, name: str, *, constraint: bool) -> None:
        """Read a file and all that it includes; the open files are a stack, so that no depth is too deep."""
        stack: dict[str, _OpenFile] = {}
        self._open(stack, name, constraint, place=None)
        while stack:
            file = stack[next(reversed(stack))]
            line = next(file.lines, None)
            if line is None:
                stack.popitem()
                continue
            nested = self._take(line, file)
            if nested is not None:
                self._open(stack, _beside(file.name, nested), nested.name == "--constraint", nested.place)

    def _open(self, stack: dict[str, _OpenFile], name: str, constraint: bool, place: Place | None) -> None:
        name = _path(name, place)
        self.names.add(name)
        key = name if name == "-" else _real(name)
        if key in stack:
            names = [file.name for file in stack.values()]
            loop = " -> ".join([*names[list(stack).index(key) :], name])
            raise UsageError(f"{place} closes a loop of files that include each other: {loop}. Take one of them out.")
        if (key, constraint) in self.done:
            return
        self.done.add((key, constraint))
        if name != "-":
            _refuse_by_name(name, place)
        data = _standard_input(self.stdin) if name == "-" else _contents(name, place)
        shown = STANDARD_INPUT if name == "-" else name
        stack[key] = _OpenFile(name=name, constraint=constraint, lines=_lines(_text(data, shown), shown))

    def _take(self, line: _Line, file: _OpenFile) -> _Option | None:
        """Keep what a line says; the option that includes another file is given back."""
        if line.requirement:
            self.asks.append(_ask(line, constraint=file.constraint))
            self.ignored += [option for option in line.options if option.name != "--hash"]
            return None
        _refuse_editable(line)
        nested = _include(line)
        if nested:
            self.ignored += [option for option in line.options if option is not nested]
        else:
            self.options += [_resolved(option, file.name) for option in line.options]
        return nested


def _include(line: _Line) -> _Option | None:
    for names in (("--requirement", "--constraint"), ("--find-links",)):
        found = [option for option in line.options if option.name in names]
        if len(found) > 1:
            which = f"{line.place} has more than one {found[0].name}"
            raise UsageError(f"{which}, of which pip reads the first only: give each its own line.")
    return next((option for option in line.options if option.name in ("--requirement", "--constraint")), None)


def _refuse_editable(line: _Line) -> None:
    for option in line.options:
        if option.name == "--editable":
            raise _editable(option.value, line.place)


def _editable(project: str, place: Place) -> UsageError:
    if _REPOSITORY.match(project) or _REPOSITORY.match(project.partition("@")[2].strip()):
        instead = _CLONE
    else:
        instead = f"write {_quoted(project or '.')} without -e, and its pyproject.toml is read"
    return _refused(project, place, f"is an editable project (-e), which would have to be built: {instead}")


def _beside(file: str, nested: _Option) -> str:
    """The path of a nested file, which is taken from the directory of the file that names it; ``-`` is one as well."""
    if _scheme(nested.value):
        return nested.value
    path = os.path.normpath(Path(file).parent / nested.value)
    return path if path != "-" else os.path.join(".", path)  # noqa: PTH118 (Path would drop the dot)


def _path(name: str, place: Place | None) -> str:
    if not _scheme(name):
        return name
    if _scheme(name) != "file":
        raise UsageError(
            f"{mask(name)}{_named_in(place)} is a web address: download the file first, and name the copy."
        )
    path = path_of_url(name)
    if path is None:
        raise UsageError(f"{_quoted(name)}{_named_in(place)} is not the URL of a file on this machine: give a path.")
    return path


def _real(path: str) -> str:
    """The path after symbolic links, so that no loop can hide behind one; as given where it can be no path at all."""
    try:
        return os.path.realpath(path)
    except ValueError:
        return path


def _named_in(place: Place | None) -> str:
    return f" (named in {place})" if place else ""


def _scheme(text: str) -> str:
    found = re.match(r"(https?|file):", text, re.IGNORECASE)
    return found[1].lower() if found else ""


def _standard_input(stdin: BinaryIO | None) -> bytes:
    try:
        return _bounded((stdin or sys.stdin.buffer).read(MOST_BYTES + 1), STANDARD_INPUT)
    except (OSError, ValueError, AttributeError):
        raise UsageError("The standard input cannot be read, because it is closed: name a requirements file.") from None


def _contents(name: str, place: Place | None) -> bytes:
    try:
        with Path(name).open("rb") as stream:
            return _bounded(stream.read(MOST_BYTES + 1), name)
    except FileNotFoundError:
        raise UsageError(f"There is no file {name}{_named_in(place)}: check the path.") from None
    except IsADirectoryError:
        raise UsageError(f"{name}{_named_in(place)} is a directory: name a requirements file in it.") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{_quoted(name)}{_named_in(place)} cannot be read ({why}): name a readable file.") from None


def _bounded(data: bytes, name: str) -> bytes:
    if len(data) > MOST_BYTES:
        raise UsageError(
            f"{name} is larger than {MOST_BYTES >> 20} MiB, so it is no requirements file: check the path."
        )
    return data


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
_LONGEST_LINE = 1 << 16
_LONGEST_REQUIREMENT = 4000  # fewer digits than the interpreter refuses to read as one number


def _refuse_by_name(name: str, place: Place | None) -> None:
    for names, what, instead in _KINDS:
        if re.fullmatch(names, Path(name).name, re.IGNORECASE):
            raise UsageError(f"{name}{_named_in(place)} is {what}, not a requirements file: {instead}.")


def _refuse_by_contents(data: bytes, name: str) -> None:
    for beginning, what, instead in _CONTENTS:
        if re.search(beginning, data[:_SNIFFED]):
            raise UsageError(f"{name} is {what}, not a requirements file: {instead}.")


# -- from bytes to logical lines

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order marks; that of UTF-16 begins that of UTF-32, so it comes later."""

_NO_CHARSETS = ("idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "utf-7")


def _text(data: bytes, name: str) -> str:
    bom, encoding = next(((bom, encoding) for bom, encoding in _BOMS if data.startswith(bom)), (b"", ""))
    if not bom:
        _refuse_by_contents(data, name)
        encoding = _declared(data) or "utf-8"
    text = _decoded(data, bom, encoding, name)
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise UsageError(
            f"{name}, line {line} has a zero byte, so it is no text: check that this is a requirements file."
        )
    return text


def _declared(data: bytes) -> str | None:
    """The encoding that a comment in the first two lines declares (PEP 263)."""
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


def _lines(text: str, file: str) -> Iterator[_Line]:
    for number, line in _joined(text):
        comment = re.search(r"(?:^|\s)#", line)
        line = _expanded(line[: comment.start()] if comment else line).strip()
        if len(line) > _LONGEST_LINE:
            raise UsageError(f"{file}, line {number} has more than {_LONGEST_LINE} characters: shorten or split it.")
        if line:
            yield _parsed(line, Place(file=file, line=number))


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Lines joined where a backslash continues them, each with the number of its first; a comment ends there."""
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


def _expanded(line: str) -> str:
    """The line with ``${NAME}`` replaced where the environment has a value for it."""
    return re.sub(r"\$\{([A-Z0-9_]+)\}", lambda found: os.environ.get(found[1]) or found[0], line)


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
_DIGEST_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}


def _parsed(line: str, place: Place) -> _Line:
    """A logical line: options begin at the first word with a dash, and are quoted as in a shell."""
    words = line.split(" ")
    start = next((number for number, word in enumerate(words) if word.startswith("-")), len(words))
    try:
        rest = iter(shlex.split(" ".join(words[start:])))
    except ValueError:
        raise UsageError(f"The options in {place} have a quotation mark without its partner: close it.") from None
    options = tuple(_option(word, rest, place) for word in rest)
    return _Line(place=place, requirement=" ".join(words[:start]).strip(), options=options)


def _option(word: str, rest: Iterator[str], place: Place) -> _Option:
    if not word.startswith("-"):
        raise UsageError(
            f"{_quoted(word)} in {place} stands after an option, where pip reads no requirement: give it its own line."
        )
    if word.startswith("--"):
        given, equals, value = word.partition("=")
    else:
        given, equals, value = word[:2], word[2:], word[2:]
    name = _full_name(given, place)
    if name in _FLAGS:
        if equals:
            raise UsageError(f"The option {name} in {place} takes no value: write {name} alone.")
        return _Option(name=name, value="", place=place)
    value = value if equals else next(rest, "")
    if not value:
        raise UsageError(f"The option {name} in {place} lacks its value: give one, or remove the option.")
    return _Option(name=name, value=value, place=place)


def _full_name(given: str, place: Place) -> str:
    """The option that a name stands for: an alias, or the beginning of one long name only."""
    found = {given} & set(_NAMES) or {name for name in _NAMES if given[2:] and name.startswith(given)}
    names = {_ALIASES.get(name, name) for name in found}
    if len(names) != 1:
        what = "is not one that a requirements file can hold" if not names else f"could be {' or '.join(sorted(names))}"
        raise UsageError(f"The option {_quoted(given)} in {place} {what}: correct or remove it.")
    return names.pop()


def _resolved(option: _Option, file: str) -> _Option:
    """A find-links path is taken from the directory of its file where it exists there, as pip takes it."""
    if option.name != "--find-links" or file == "-" or _scheme(option.value):
        return option
    beside = Path(file).parent / os.path.expanduser(option.value)  # noqa: PTH111 (an unknown user is no error here)
    elsewhere = not os.path.exists(beside) and os.path.exists(option.value)  # noqa: PTH110 (no error for a long name)
    value = option.value if elsewhere else os.path.normpath(beside)
    return _Option(name=option.name, value=value, place=option.place)


def _file_options(given: Sequence[_Option], ignored: Sequence[_Option]) -> FileOptions:
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
        ignored=tuple(_ignored(option) for option in (*replaced, *idle, *ignored)),
        **chosen,
    )


def _extras_before(index: _Option | None, given: Sequence[_Option]) -> list[_Option]:
    """The extra indexes of the lines before the last index, which replaces them."""
    if index is None:
        return []
    earlier = given[: given.index(index)]
    return [option for option in earlier if option.name == "--extra-index-url" and option.place != index.place]


def _ignored(option: _Option) -> Ignored:
    return Ignored(option=option.name, value=mask(option.value), place=option.place)


# -- requirements

_ARCHIVES = (*SDIST_ENDINGS, *OTHER_ENDINGS)
_REPOSITORY = pattern(r"(git|hg|svn|bzr)(\+[\w+.-]+)?:|git@", re.IGNORECASE)
_NO_TEXT = pattern("[\0\ud800-\udc7f\udd00-\udfff]")  # lone surrogates; the range between stands for path bytes
_NAMED_URL = pattern(r"[A-Za-z0-9][\w.-]*\s*(\[[^\]]*\])?\s*@")
_ADVICE = "give the name of the project, or a built wheel"
_CLONE = "give the name of the project, or clone the repository and name the directory"
_NEEDS_NAME = "does not tell which project it is: write NAME @ URL"


def _ask(line: _Line, *, constraint: bool) -> Ask:
    requirement = _requirement(line.requirement, line.place)
    if constraint and requirement.extras:
        raise UsageError(
            f"{_quoted(line.requirement)} in {line.place} is a constraint, and a constraint has no extras: "
            "write it without the square brackets."
        )
    has_name = not requirement.url or _NAMED_URL.match(line.requirement) or _names_wheel(requirement.url)
    if constraint and not has_name:
        raise _refused(line.requirement, line.place, "is a constraint, and a constraint has a name: write NAME @ URL")
    hashes = dict.fromkeys(_digest(option) for option in line.options if option.name == "--hash")
    if hashes and _is_directory(requirement.url):
        raise _refused(line.requirement, line.place, "is a directory, which has no hash: leave out --hash")
    return Ask(requirement=requirement, place=line.place, hashes=tuple(hashes), constraint=constraint)


def _digest(option: _Option) -> str:
    algorithm, _, digest = option.value.lower().partition(":")
    if algorithm not in _DIGEST_LENGTHS:
        known = ", ".join(_DIGEST_LENGTHS)
        raise UsageError(
            f"The hash {_quoted(option.value)} in {option.place} does not begin with a known algorithm ({known}): "
            "write it as sha256:DIGEST."
        )
    if not re.fullmatch(rf"[0-9a-f]{{{_DIGEST_LENGTHS[algorithm]}}}", digest):
        raise UsageError(
            f"The hash {_quoted(option.value)} in {option.place} is not {_DIGEST_LENGTHS[algorithm]} hexadecimal "
            f"digits after {algorithm}: copy the whole digest."
        )
    return f"{algorithm}:{digest}"


def _requirement(text: str, place: Place) -> Requirement:
    """The requirement in a text; what a path or URL names is given by both its project and its URL."""
    if len(text) > _LONGEST_REQUIREMENT:
        raise _refused(text, place, f"has more than {_LONGEST_REQUIREMENT} characters: shorten or split it")
    if _NO_TEXT.search(text):
        raise _refused(text, place, "holds something that is no character: correct it")
    if _REPOSITORY.match(text):
        raise _refused(text, place, f"is a source repository, which would have to be built: {_CLONE}")
    if _scheme(text):
        target, *marker = re.split(r"\s;|;\s", text, maxsplit=1)
        return _direct(_local_url(target.strip(), text, place), "", "".join(marker).strip(), text, place)
    target, _, marker_text = text.partition(";")
    target, marker_text = target.strip(), marker_text.strip()
    if _is_path(target):
        return _by_path(target, marker_text, text, place)
    requirement = _valid(f"{target} ; {marker_text}" if marker_text else target, text, place)
    return _with_url(requirement, text, place) if requirement.url else requirement


def _is_path(target: str) -> bool:
    if _NAMED_URL.match(target) and not os.path.isfile(target):  # noqa: PTH113 (no error for a long name)
        return False
    return target.startswith(".") or "/" in target or "\\" in target or target.lower().endswith((".whl", *_ARCHIVES))


def _by_path(target: str, marker: str, text: str, place: Place) -> Requirement:
    """What a path names, taken from the working directory as in pip, with the home directory for ~ as a shell does."""
    found = re.fullmatch(r"(.+?)(\[[^\[\]]*\])?", target)
    path, extras = (found[1], found[2] or "") if found else (target, "")
    if place.file == COMMAND_LINE and not os.path.exists(path):  # noqa: PTH110 (no error for a long name)
        path = os.path.expanduser(path)  # noqa: PTH111 (an unknown user is no error here)
    full = os.path.normpath(Path(path).absolute())
    if not os.path.isdir(full) and "#" in path:  # noqa: PTH112 (no error for a long name)
        raise _refused(text, place, "is a path with a #, which only a URL has: state the digest with --hash")
    if not os.path.exists(full) and not full.lower().endswith(OTHER_ENDINGS):  # noqa: PTH110 (as above)
        _check_missing(path, marker, text, place)
    return _direct(Path(full).as_uri(), extras, marker, text, place)


def _check_missing(path: str, marker: str, text: str, place: Place) -> None:
    """Raises where a path leads nowhere, unless it is that of a file which a marker may exclude."""
    kinds = {".whl": "a wheel"} | dict.fromkeys(SDIST_ENDINGS, "a source archive")
    what = next((what for ending, what in kinds.items() if path.lower().endswith(ending)), None)
    if marker and what:
        return
    where = f"paths are taken from {Path.cwd()}"
    if path.startswith("~"):
        where = "write the home directory out, since pip does not read ~ in a file"
    raise _refused(text, place, f"names {what or 'a file or directory'} that is not there: {where}")


def _direct(url: str, extras: str, marker: str, text: str, place: Place) -> Requirement:
    """``name @ url`` for a URL alone: by the name that a directory states, or the file name of a wheel or archive."""
    name = _stated_name(url, text, place)
    if name is None:
        raise _refused(text, place, _NEEDS_NAME)
    return _valid(f"{name}{extras} @ {url}" + (f" ; {marker}" if marker else ""), text, place)


def _with_url(requirement: Requirement, text: str, place: Place) -> Requirement:
    """A requirement with a URL, once that is known to be of the same project, as far as that can be known."""
    url = requirement.url or ""
    if _REPOSITORY.match(url):
        raise _refused(text, place, f"names a source repository, which would have to be built: {_CLONE}")
    if _scheme(url) not in ("http", "https", "file"):
        raise _refused(text, place, "names no URL after the @: write https://... or file:///..., or give a path alone")
    requirement.url = _local_url(url, text, place)
    project = _stated_name(requirement.url, text, place, sure=True)
    if project not in (None, canonicalize_name(requirement.name)):
        what = "directory" if _is_directory(requirement.url) else "wheel"
        raise _refused(
            text, place, f"names the project {requirement.name}, but its URL a {what} of {project}: correct one"
        )
    return requirement


def _local_url(url: str, text: str, place: Place) -> str:
    """A URL as it is, or, of a file, with an absolute path: one without is taken from the working directory."""
    if _scheme(url) != "file":
        return url
    link, mark, fragment = url.partition("#")
    path = path_of_url(link)
    if path is None:
        raise _refused(text, place, "has a URL that names nothing on this machine: write file:///...")
    if os.path.isabs(path):  # noqa: PTH117 (a text from outside, only asked about)
        return url
    return Path(os.path.normpath(Path(path).absolute())).as_uri() + mark + fragment


def _stated_name(url: str, text: str, place: Place, *, sure: bool = False) -> str | None:
    """The project that a URL names, or None where it does not tell; `sure` does not trust the name of an archive."""
    if "subdirectory=" in url.partition("#")[2]:
        raise _refused(text, place, f"names a directory within an archive, which is not read here: {_ADVICE}")
    if _is_directory(url):
        return _name_of_directory(url, text, place)
    filename = _filename(url, text, place)
    if filename.endswith(".whl"):
        return _name_of_wheel(filename, text, place)
    try:
        return None if sure else read_sdist_name(filename)[0]
    except ValueError:
        return None


def _names_wheel(url: str) -> bool:
    return url.partition("#")[0].endswith(".whl")


def _is_directory(url: str | None) -> bool:
    path = path_of_url((url or "").partition("#")[0])
    return path is not None and os.path.isdir(path)  # noqa: PTH112 (no error for a long name)


def _name_of_directory(url: str, text: str, place: Place) -> str:
    from wheelcheck.distributions import MetadataError
    from wheelcheck.index.direct import read_project

    path = path_of_url(url.partition("#")[0]) or ""
    try:
        return read_project(Path(path)).metadata.name
    except MetadataError as error:
        instead = "add a [project] table, or give a built wheel"
        raise _refused(
            text, place, f"is a directory of which only a build could tell more: {error}; {instead}"
        ) from None
    except OSError as error:
        raise _refused(text, place, f"is a directory that cannot be read ({error.strerror}): check it") from None


def _filename(url: str, text: str, place: Place) -> str:
    try:
        path = urlsplit(url).path
    except ValueError:
        raise _refused(text, place, "has a URL that cannot be parsed: correct it") from None
    filename = unquote(path.rstrip("/").rpartition("/")[2])
    if not filename.endswith((".whl", *SDIST_ENDINGS)):
        raise _refused(text, place, f"{_what_it_is(path)}: {_ADVICE}")
    return filename


def _name_of_wheel(filename: str, text: str, place: Place) -> str:
    try:
        return read_wheel_name(filename)[0]
    except ValueError as error:
        raise _refused(text, place, f"names a wheel whose file name cannot be read: {error}") from None


def _what_it_is(path: str) -> str:
    if path.lower().endswith(OTHER_ENDINGS):
        return "is a file of a kind that pip does not install"
    return "is a path or URL, but not that of a wheel (.whl), a source archive or a directory"


def _valid(normal: str, text: str, place: Place) -> Requirement:
    try:
        return _with_place(normal) if "@" in normal else requirement_of(normal)
    except ValueError:
        raise _refused(text, place, f"is not a requirement: {_why(normal)}") from None


def _with_place(normal: str) -> Requirement:
    """A requirement that may have a URL: one of its own, since the URL is put right afterwards."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return Requirement(normal)
    except RecursionError:
        raise InvalidRequirement("its parentheses are nested too deeply") from None


def _refused(text: str, place: Place, why: str) -> UsageError:
    preposition = "on" if place.file == COMMAND_LINE else "in"
    return UsageError(f"{_quoted(text)} {preposition} {place} {why}.")


def _quoted(text: str) -> str:
    """The text for a sentence: without credentials, on one line, and cut where it is long."""
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
    if semicolon and _parses(head):
        return _why_marker(marker)
    fault = next((why for pattern, why in _FAULTS if re.fullmatch(pattern, head, re.IGNORECASE)), None)
    return _bad_clause(head) or fault or "write it as NAME, NAME[EXTRA], NAME>=VERSION or NAME @ URL"


def _parses(text: str) -> bool:
    try:
        requirement_of(text)
    except ValueError:
        return False
    return True


def _why_marker(marker: str) -> str:
    from packaging.markers import InvalidMarker, Marker

    try:
        Marker(marker)
    except InvalidMarker as error:
        why = str(error).splitlines()[0]
        return f"its marker {_quoted(marker)} cannot be parsed ({why[:1].lower()}{why[1:]})"
    except RecursionError:
        return "its marker has too many parentheses"
    return f"its marker {_quoted(marker)} cannot stand here"


def _bad_clause(head: str) -> str | None:
    """The first clause with an operator that is not a version specifier, and why not (PEP 440)."""
    found = "#" not in head and re.fullmatch(rf"{_NAME}\s*\(?\s*((?:===|~=|==|!=|<=|>=|<|>)[^()]*)\)?", head)
    for clause in found[1].split(",") if found else ():
        clause = clause.strip()
        operator, version = re.match(r"([<>=!~]*)\s*(.*)", clause, re.DOTALL).groups()  # type: ignore[union-attr]
        if not _is_specifier(clause):
            return _why_clause(_quoted(clause), operator, version)
    return None


def _is_specifier(clause: str) -> bool:
    try:
        specifiers_of(clause)
    except ValueError:
        return False
    return True


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

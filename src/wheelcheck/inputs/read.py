"""Read everything that a user asks for, on the command line and in files, each requirement with its place.

Source: pip's "Requirements File Format" for nested files. A second ``-r`` on a line, which pip ignores silently, is an
error.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from wheelcheck.common.errors import UsageError
from wheelcheck.common.records import field, record, replace
from wheelcheck.common.urls import mask, path_of_url
from wheelcheck.inputs.requirement import (
    COMMAND_LINE,
    NAMED_URL,
    Place,
    editable_refused,
    is_directory,
    named_in,
    names_wheel,
    quoted,
    refused,
    requirement_at,
    scheme,
)
from wheelcheck.inputs.requirements_txt import (
    FileOptions,
    Line,
    Option,
    file_options,
    logical_lines,
    refuse_by_name,
    resolved,
    text_of,
)
from wheelcheck.standards.names import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from packaging.requirements import Requirement

    from wheelcheck.inputs.pylock import Lock
    from wheelcheck.inputs.pyproject import Pyproject, Stated
    from wheelcheck.standards.names import NormalizedName

STANDARD_INPUT = "standard input"

MAX_BYTES = 16 << 20
"""Maximum size of a requirements file."""


@record
class UserRequirement:
    """A requirement as the user gave it.

    Attributes:
        requirement: with its marker unevaluated; a wheel, source archive or directory given by path or URL is ``name @
            url``.
        place: where it is written.
        hashes: ``algorithm:digest`` of every accepted file, lower case; empty where any file is accepted.
        constraint: whether it only bounds the project in case something else requires it.
        editable: whether it is to be installed in editable mode, which only pip does.
    """

    requirement: Requirement
    place: Place
    hashes: tuple[str, ...] = ()
    constraint: bool = False
    editable: bool = False


@record
class Admission:
    """The Pythons that a project supports (``requires-python``), and where it says so."""

    project: NormalizedName
    requires_python: str
    place: Place


@record
class Inputs:
    """Everything that the user asked for, in order; `asks` are requirements, `constraints` only bounds.

    Attributes:
        asks, constraints: requirements.
        files: the names, which may be links, of all files that were read; ``-`` is stdin.
        lock: a lock file, which is checked alone.
        admissions: the supported Pythons of the projects whose dependencies are requested.
        is_question: whether something is requested; a project may have no dependencies.
        notices: what the user should hear of, one sentence each.
        options: the options in files.
    """

    asks: tuple[UserRequirement, ...] = ()
    constraints: tuple[UserRequirement, ...] = ()
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
    editables: Sequence[str] | None = None,
) -> Inputs:
    """Read requirements, requirements files and constraint files, nested files included.

    Args:
        requirements: single requirements: specifiers, or paths and URLs of wheels, source archives, and directories
            with a static pyproject.toml.
        files: paths of requirements files, of a pyproject.toml, or of one pylock.toml; ``-`` is stdin.
        constraints: paths of constraint files.
        stdin: what ``-`` reads instead of the stdin of the process.
        groups: dependency groups, ``NAME`` of the pyproject.toml in the working directory or ``PATH:NAME``, where the
            path is that of a pyproject.toml or of the lock file.
        extras: extras of the projects among the files, or of the lock file.
        all_extras: all of them.
        editables: directories of projects to install in editable mode; None refuses such, also in files.

    Raises:
        UsageError: a file cannot be read, or a line is malformed or not supported.
    """
    reader = _Reader(stdin=stdin, takes_editables=editables is not None)
    for path in constraints:
        reader.read(path, constraint=True)
    for number, text in enumerate(requirements, 1):
        reader.asks.append(_argument(text, number))
    for number, text in enumerate(editables or (), len(requirements) + 1):
        reader.asks.append(_editable(text, Place(file=COMMAND_LINE, line=number)))
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
        is_question=bool(projects or groups or locks) or not all(ask.constraint for ask in reader.asks),
        notices=tuple(reader.notices),
        options=file_options(reader.options, reader.ignored),
    )


def _argument(text: str, number: int) -> UserRequirement:
    place = Place(file=COMMAND_LINE, line=number)
    if not text.strip():
        raise UsageError(f"Argument {number} of {place} is empty: give a requirement, such as numpy>=2.")
    editable = re.fullmatch(r"(?:-e|--editable)[\s=]*(.*)", text.strip(), re.DOTALL)
    if editable:
        raise editable_refused(editable[1], place)
    if text.lower().endswith((".txt", ".in")) and os.path.isfile(text):  # noqa: PTH113 (no error for a long name)
        raise UsageError(f"{text} is a file, not a project: read it with -r {text}.")
    return UserRequirement(requirement=requirement_at(text.strip(), place), place=place)


def _editable(text: str, place: Place) -> UserRequirement:
    """Return the requirement for a project to install in editable mode, whose static metadata is read."""
    if not scheme(text) and os.path.isdir(text.partition("[")[0]):  # noqa: PTH112 (no error for a long name)
        text = os.path.join(os.curdir, text)  # noqa: PTH118 (Path would drop the dot)
    return UserRequirement(requirement=requirement_at(text, place), place=place, editable=True)


# -- projects


def _is_pyproject(path: str) -> bool:
    return Path(path).name.lower() == "pyproject.toml"


def _is_lock(path: str) -> bool:
    """Return whether a file has the name of a lock file (PEP 751)."""
    return re.fullmatch(r"pylock\.([^.]+\.)?toml", Path(path).name) is not None


def _group(text: str) -> tuple[str, str]:
    """Split ``PATH:NAME``; the path may be empty."""
    path, _, name = text.rpartition(":")
    if not name.strip():
        raise UsageError(f"The group {quoted(text)} has no name: write NAME or path/pyproject.toml:NAME.")
    return path, name.strip()


def _check_alone(lock: str, given: Sequence[str]) -> None:
    other = next((text for text in given if text != lock), None)
    if other is not None:
        raise UsageError(f"{lock} is a lock file, a whole answer of its own: check it without {quoted(other)}.")


def _unusable(name: str, error: ValueError) -> UsageError:
    return UsageError(f"{name} cannot be used: {error}.")


def _elsewhere(name: str, projects: Sequence[str]) -> Iterator[str]:
    """Yield a notice about requested projects with sources that only one tool knows."""
    if projects:
        yield (
            f"In {name}, [tool.uv.sources] has sources of its own for {', '.join(projects)}. They are not "
            "read, and the indexes are used: to check such a file, name it by its path or URL."
        )


@record(frozen=False)
class _Extras:
    """The requested extras, and which of them some project has."""

    wanted: tuple[NormalizedName, ...]
    all: bool
    found: set[NormalizedName] = field(default_factory=set)

    @property
    def is_asked(self) -> bool:
        return self.all or bool(self.wanted)

    def of(self, known: Iterable[NormalizedName]) -> list[NormalizedName]:
        """Return the requested extras among those of a project."""
        known = list(known)
        self.found |= set(known)
        return [extra for extra in (known if self.all else dict.fromkeys(self.wanted)) if extra in known]

    def check(self, projects: Sequence[str]) -> None:
        """Reject an extra that no project has, and extras without a project."""
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
class _OpenFile:
    name: str
    constraint: bool
    lines: Iterator[Line]


@record(frozen=False)
class _Reader:
    """Collect requirements and options from files, each file once, in the order in which pip reads them."""

    stdin: BinaryIO | None = None
    takes_editables: bool = False
    asks: list[UserRequirement] = field(default_factory=list)
    options: list[Option] = field(default_factory=list)
    ignored: list[Option] = field(default_factory=list)
    done: set[tuple[str, bool]] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    admissions: list[Admission] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def read_project(self, name: str, extras: _Extras) -> None:
        """Add the dependencies of a project and of some of its extras from its pyproject.toml."""
        name = _path(name, None)
        pyproject = self._pyproject(name)
        try:
            project = pyproject.project()
        except ValueError as error:
            raise _unusable(name, error) from None
        chosen = extras.of(project.optional)
        further = "optional-dependencies" if extras.is_asked else ""
        decisive = ("dependencies", "requires-python", further)
        left_open = [key for key in project.dynamic if key in decisive]
        if left_open:
            raise UsageError(
                f"{name} leaves {' and '.join(left_open)} open (dynamic), so only a build could tell: "
                "build a wheel and give that, or write a requirements file."
            )
        self._take_stated(name, pyproject, pyproject.dependencies(chosen))
        if project.metadata.requires_python:
            place = Place(file=name, table="[project] requires-python")
            stated = project.metadata.requires_python
            self.admissions.append(Admission(project=project.metadata.name, requires_python=stated, place=place))

    def read_lock(self, name: str, extras: _Extras, groups: Sequence[str]) -> Lock:
        """Read a lock file, with some of its extras and, beside the default ones, of its groups."""
        from wheelcheck.inputs.pylock import Lock

        name = _path(name, None)
        self.names.add(name)
        base = Path(os.path.normpath(Path(name).absolute())).parent.as_uri()
        lock = Lock.parse(_contents(name, None), name, f"{base}/")
        return replace(lock.with_groups(groups), extras=tuple(extras.of(lock.pylock.extras or ())))

    def read_group(self, text: str) -> None:
        """Add the requirements of a dependency group, ``NAME`` or ``PATH:NAME`` as in pip."""
        path, group = _group(text)
        if path and not _is_pyproject(path):
            raise UsageError(f"The group {quoted(text)} is not in a pyproject.toml: write path/pyproject.toml:NAME.")
        name = _path(path or "pyproject.toml", None)
        pyproject = self._pyproject(name)
        self._take_stated(name, pyproject, pyproject.group(group))

    def _pyproject(self, name: str) -> Pyproject:
        from wheelcheck.inputs.pyproject import Pyproject

        self.names.add(name)
        try:
            return Pyproject.parse(_contents(name, None))
        except ValueError as error:
            raise _unusable(name, error) from None

    def _take_stated(self, name: str, pyproject: Pyproject, stated: Iterator[Stated]) -> None:
        """Add requirements from tables; one with a URL is treated like one in a file."""
        before = len(self.asks)
        try:
            for one in stated:
                place = Place(file=name, table=one.table)
                text = str(one.requirement)
                requirement = requirement_at(text, place) if one.requirement.url else one.requirement
                self.asks.append(UserRequirement(requirement=requirement, place=place))
        except ValueError as error:
            raise _unusable(name, error) from None
        except RecursionError:
            raise UsageError(f"In {name}, lists include each other too deeply: flatten them.") from None
        names = {canonicalize_name(ask.requirement.name) for ask in self.asks[before:]}
        self.notices += _elsewhere(name, sorted(names & pyproject.sources()))
        for loop in pyproject.cycles:
            self.notices.append(f"In {name}, extras include each other ({' -> '.join(loop)}); each was read once.")

    def read(self, name: str, *, constraint: bool) -> None:
        """Read a file and everything it includes; open files are on a stack, so that no depth is too deep."""
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
            refuse_by_name(name, place)
        data = _standard_input(self.stdin) if name == "-" else _contents(name, place)
        shown = STANDARD_INPUT if name == "-" else name
        stack[key] = _OpenFile(name=name, constraint=constraint, lines=logical_lines(text_of(data, shown), shown))

    def _take(self, line: Line, file: _OpenFile) -> Option | None:
        """Add the content of a line; return the option that includes another file."""
        if line.requirement:
            self.asks.append(_ask(line, constraint=file.constraint))
            self.ignored += [option for option in line.options if option.name != "--hash"]
            return None
        editable = next((option for option in line.options if option.name == "--editable"), None)
        if editable is not None:
            if not self.takes_editables:
                raise editable_refused(editable.value, line.place)
            self.asks.append(_editable(editable.value, line.place))
            return None
        nested = _include(line)
        if nested:
            self.ignored += [option for option in line.options if option is not nested]
        else:
            self.options += [resolved(option, file.name) for option in line.options]
        return nested


def _include(line: Line) -> Option | None:
    for names in (("--requirement", "--constraint"), ("--find-links",)):
        found = [option for option in line.options if option.name in names]
        if len(found) > 1:
            which = f"{line.place} has more than one {found[0].name}"
            raise UsageError(f"{which}, of which pip reads the first only: give each its own line.")
    return next((option for option in line.options if option.name in ("--requirement", "--constraint")), None)


def _beside(file: str, nested: Option) -> str:
    """Return the path of a nested file, relative to the directory of the file that names it; ``-`` is one as well."""
    if scheme(nested.value):
        return nested.value
    path = os.path.normpath(Path(file).parent / nested.value)
    return path if path != "-" else os.path.join(".", path)  # noqa: PTH118 (Path would drop the dot)


def _path(name: str, place: Place | None) -> str:
    if not scheme(name):
        return name
    if scheme(name) != "file":
        raise UsageError(f"{mask(name)}{named_in(place)} is a web address: download the file first, and name the copy.")
    path = path_of_url(name)
    if path is None:
        raise UsageError(f"{quoted(name)}{named_in(place)} is not the URL of a file on this machine: give a path.")
    return path


def _real(path: str) -> str:
    """Return the path with symbolic links resolved, so that they cannot hide a loop; unchanged where it is invalid."""
    try:
        return os.path.realpath(path)
    except ValueError:
        return path


def _standard_input(stdin: BinaryIO | None) -> bytes:
    try:
        return _bounded((stdin or sys.stdin.buffer).read(MAX_BYTES + 1), STANDARD_INPUT)
    except (OSError, ValueError, AttributeError):
        raise UsageError("The standard input cannot be read, because it is closed: name a requirements file.") from None


def _contents(name: str, place: Place | None) -> bytes:
    try:
        with Path(name).open("rb") as stream:
            return _bounded(stream.read(MAX_BYTES + 1), name)
    except FileNotFoundError:
        raise UsageError(f"There is no file {name}{named_in(place)}: check the path.") from None
    except IsADirectoryError:
        raise UsageError(f"{name}{named_in(place)} is a directory: name a requirements file in it.") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{quoted(name)}{named_in(place)} cannot be read ({why}): name a readable file.") from None


def _bounded(data: bytes, name: str) -> bytes:
    if len(data) > MAX_BYTES:
        raise UsageError(f"{name} is larger than {MAX_BYTES >> 20} MiB, so it is no requirements file: check the path.")
    return data


def _ask(line: Line, *, constraint: bool) -> UserRequirement:
    requirement = requirement_at(line.requirement, line.place)
    if constraint and requirement.extras:
        raise UsageError(
            f"{quoted(line.requirement)} in {line.place} is a constraint, and a constraint has no extras: "
            "write it without the square brackets."
        )
    has_name = not requirement.url or NAMED_URL.match(line.requirement) or names_wheel(requirement.url)
    if constraint and not has_name:
        raise refused(line.requirement, line.place, "is a constraint, and a constraint has a name: write NAME @ URL")
    hashes = dict.fromkeys(_digest(option) for option in line.options if option.name == "--hash")
    if hashes and is_directory(requirement.url):
        raise refused(line.requirement, line.place, "is a directory, which has no hash: leave out --hash")
    return UserRequirement(requirement=requirement, place=line.place, hashes=tuple(hashes), constraint=constraint)


_DIGEST_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}


def _digest(option: Option) -> str:
    algorithm, _, digest = option.value.partition(":")
    digest = digest.lower()
    if algorithm not in _DIGEST_LENGTHS:
        known = ", ".join(_DIGEST_LENGTHS)
        raise UsageError(
            f"The hash {quoted(option.value)} in {option.place} does not begin with a known algorithm ({known}): "
            "write it as sha256:DIGEST."
        )
    if not re.fullmatch(rf"[0-9a-f]{{{_DIGEST_LENGTHS[algorithm]}}}", digest):
        raise UsageError(
            f"The hash {quoted(option.value)} in {option.place} is not {_DIGEST_LENGTHS[algorithm]} hexadecimal "
            f"digits after {algorithm}: copy the whole digest."
        )
    return f"{algorithm}:{digest}"

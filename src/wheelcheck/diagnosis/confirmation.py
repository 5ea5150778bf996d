"""The outcome of a real import: how far each module came and why it failed, or why nothing was tried.

`wheelcheck.interpreters.probe` makes these values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, TypeAlias

from wheelcheck.common.records import Plain, Truthful, Variant, field, plain, record

if TYPE_CHECKING:
    from wheelcheck.diagnosis.diagnose import Diagnosis

Level: TypeAlias = Literal["none", "found", "imported", "ran"]
Stage: TypeAlias = Literal["find", "import", "run", "exit"]

OLDEST_PYTHON = (3, 8)
"""The oldest Python in which an import can be tried, or an environment made."""


# -- why nothing was tried


@record
class OtherMachine(Variant):
    """The target is not an interpreter of this machine."""

    target: str


@record
class NotInstalled(Variant):
    """The project is not installed in the interpreter."""

    project: str


@record
class NoModules(Variant):
    """The project is installed but has no importable module, like stubs and plugins."""

    project: str


@record
class BrokenMetadata(Variant):
    """The project's installed metadata cannot be read, so that its modules are unknown."""

    project: str
    why: str


@record
class NoAnswer(Variant):
    """The child's answer does not mention the project: it was truncated or corrupted."""

    project: str


@record
class InterpreterGone(Variant):
    """The interpreter could not be started. `why` is the operating system's message."""

    interpreter: str
    why: str


@record
class InterpreterUnusable(Variant):
    """The interpreter exited or was killed before the first step. `last_line` is the last line it printed."""

    interpreter: str
    returncode: int | None
    last_line: str


@record
class PythonTooOld(Variant):
    """The interpreter is older than the probe can run on (`OLDEST_PYTHON`)."""

    interpreter: str
    python: str


@record
class NothingAsked(Variant):
    """No project was named."""


NotTried: TypeAlias = (
    OtherMachine
    | NotInstalled
    | NoModules
    | BrokenMetadata
    | NoAnswer
    | InterpreterGone
    | InterpreterUnusable
    | PythonTooOld
    | NothingAsked
)


# -- how a module failed


@record
class NotFound(Variant):
    """The interpreter finds no module of this name. `name` is its first component."""

    name: str


@record
class Raised(Variant):
    """The import or the operation raised an exception. `error` is its type, `where` the innermost frame."""

    stage: Stage
    error: str
    message: str
    where: str | None
    traceback: str


@record
class Died(Variant):
    """The process died, of a signal such as ``SIGSEGV`` where `signal` is set; stage ``exit`` is after all steps."""

    stage: Stage
    returncode: int
    signal: str | None


@record
class Hung(Variant):
    """A step exceeded its time limit, so the process was killed. `where` is the innermost frame at that time."""

    stage: Stage
    seconds: float
    where: str | None


@record
class WrongResult(Variant):
    """An operation gave a result that differs from NumPy's."""

    operation: str
    expected: str
    got: str


@record
class ImportedElsewhere(Variant):
    """The module was imported from somewhere else than its distribution."""

    origin: str
    expected: str


@record
class Shadowed(Variant):
    """A file of the caller has the name of a module that the import needs, and takes its place where it is found first.

    `name` is the top-level module, `path` the file in the working directory or on PYTHONPATH.
    """

    name: str
    path: str


Failure: TypeAlias = NotFound | Raised | Died | Hung | WrongResult | ImportedElsewhere | Shadowed


# -- the answer


@record
class ModuleResult(Truthful):
    """The outcome for one module.

    Attributes:
        module: its dotted name.
        project: the project whose module it is, where that is known.
        level: how far it came.
        failure: what went wrong, or None.
        version: the module's ``__version__``, or that of its distribution.
        origin: the file, or for a namespace the directory, that it was imported from.
        seconds: the duration of the import; None where it did not end.
        operation_seconds: the duration of the operation.
        devices: the names of the devices that it lists.
        facts: further versions that the operation reported.
        shadowed_by: the file in the caller's directory that would be imported instead.
        shadows: module to file, for each imported module whose place a file of the caller takes, or would take.
        diagnosis: why it failed, and what helps.
        stdout, stderr: the last lines of output, on failure only.
    """

    module: str
    project: str | None = None
    level: Level = "none"
    failure: Failure | None = None
    version: str | None = None
    origin: str | None = None
    seconds: float | None = None
    operation_seconds: float | None = None
    devices: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    shadowed_by: str | None = None
    shadows: Mapping[str, str] = field(default_factory=dict)
    diagnosis: Diagnosis | None = None
    stdout: tuple[str, ...] = ()
    stderr: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return self.failure is None

    @property
    def returncode(self) -> int | None:
        """The exit code of a process that does only this; None where it was killed."""
        match self.failure:
            case None:
                return 0
            case Hung():
                return None
            case Died(returncode=returncode):
                return returncode
        return 1

    @property
    def signal(self) -> str | None:
        return self.failure.signal if isinstance(self.failure, Died) else None

    def to_dict(self) -> dict[str, Plain]:
        """Return the form under `modules` in a report: the documented keys, then further ones."""
        first = (
            "module",
            "ok",
            "level",
            "version",
            "origin",
            "seconds",
            "devices",
            "returncode",
            "signal",
            "diagnosis",
        )
        more = ("project", "failure", "operation_seconds", "facts", "shadowed_by", "shadows", "stdout", "stderr")
        return {name: plain(getattr(self, name)) for name in (*first, *more)}


@record
class Confirmation(Truthful):
    """The outcome of importing the requested projects.

    Attributes:
        interpreter: the executable as it reports itself, or as requested; None where none was.
        python: its version.
        modules: one result for each module that was tried.
        not_tried: what was not tried, with the reasons.
        installed: the installed versions of the projects in the answer, None for absent ones.
        loaded: the projects in the answer of which a module was imported, with its file.
        origins: the file of each top-level module that was imported and is not part of Python.
    """

    interpreter: str | None = None
    python: str | None = None
    modules: tuple[ModuleResult, ...] = ()
    not_tried: tuple[NotTried, ...] = ()
    installed: Mapping[str, str | None] = field(default_factory=dict)
    loaded: Mapping[str, str] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)

    @property
    def shadowing(self) -> Mapping[str, str]:
        """Module to file, for every module whose place a file of the caller takes, or would take."""
        return {name: path for module in self.modules for name, path in module.shadows.items()}

    @property
    def tried(self) -> bool:
        return bool(self.modules)

    @property
    def why(self) -> NotTried | None:
        """The first reason why something was not tried; a project without modules does not count beside others."""
        if not self.modules:
            return next(iter(self.not_tried), None)
        return next((why for why in self.not_tried if not isinstance(why, NoModules)), None)

    @property
    def ok(self) -> bool | None:
        """False if a module failed, None if something was not tried, otherwise True."""
        if not all(self.modules):
            return False
        return True if self.modules and self.why is None else None

    @property
    def exit_code(self) -> int:
        """0 where all is well, 1 for a failure or what is not installed, 2 where no interpreter could be used."""
        unusable = (OtherMachine, InterpreterGone, InterpreterUnusable, PythonTooOld, NothingAsked)
        if not self.modules and isinstance(self.why, unusable):
            return 2
        return 0 if self.ok else 1

    def to_dict(self) -> dict[str, Plain]:
        first = ("ok", "tried", "why", "interpreter", "modules", "python", "not_tried", "installed", "loaded")
        names = (*first, "origins", "shadowing")
        return {name: plain(getattr(self, name)) for name in names}


def not_tried_elsewhere(target: str) -> Confirmation:
    """Return the outcome for a target that is not an interpreter of this machine."""
    return Confirmation(not_tried=(OtherMachine(target=target),))

"""What importing for real has shown, as values: how far each module came and why it failed, or why none was tried.

`probing` makes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from wheelcheck.common.records import Plain, Variant, field, plain, record

Level: TypeAlias = Literal["none", "found", "imported", "ran"]
Stage: TypeAlias = Literal["find", "import", "run", "exit"]

OLDEST_PYTHON = (3, 8)
"""The oldest Python in which an import can be tried, or an environment made for it."""


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
    """The project is installed and has no module that a user would import, as stubs and plugins have none."""

    project: str


@record
class BrokenMetadata(Variant):
    """What is installed of the project cannot be read, so that its modules are unknown."""

    project: str
    why: str


@record
class NoAnswer(Variant):
    """The project was asked for, and what the child wrote does not speak of it: it was cut short or spoilt."""

    project: str


@record
class InterpreterGone(Variant):
    """The interpreter could not be started. `why` is the system's own text."""

    interpreter: str
    why: str


@record
class InterpreterUnusable(Variant):
    """The interpreter ended, or was ended, before the first step. `last_line` is the last that it printed."""

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
    """No module of this name on the path of the interpreter. `name` is its first part."""

    name: str


@record
class Raised(Variant):
    """An exception left the import or the operation. `error` is its type, `where` the innermost frame."""

    stage: Stage
    error: str
    message: str
    where: str | None
    traceback: str


@record
class Died(Variant):
    """The process ended by itself, `signal` where one ended it; stage ``exit`` means after all steps were done."""

    stage: Stage
    returncode: int
    signal: int | None


@record
class Hung(Variant):
    """A step took longer than its limit, so the process was ended. `where` is the innermost frame at that time."""

    stage: Stage
    seconds: float
    where: str | None


@record
class WrongResult(Variant):
    """An operation ran and gave something else than NumPy."""

    operation: str
    expected: str
    got: str


@record
class ImportedElsewhere(Variant):
    """Something else answers to the name: the module was imported, but not from the file of its distribution."""

    origin: str
    expected: str


Failure: TypeAlias = NotFound | Raised | Died | Hung | WrongResult | ImportedElsewhere


# -- the answer


@record
class ModuleResult:
    """What became of one module.

    Attributes:
        module: its dotted name.
        project: the project that it stands for; None where the module itself was asked for.
        level: how far it came.
        failure: why it is not well, or None.
        version: the module's own ``__version__``, else that of its distribution.
        origin: the file, or for a namespace the directory, that it came from.
        seconds: the import alone; None where it did not end.
        operation_seconds: the operation alone.
        devices: names of the devices that it lists.
        facts: further versions that the operation reported.
        shadowed_by: the file in the caller's directory that would be imported in its place.
        stdout, stderr: the last lines of the process, for a failure only.
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
    stdout: tuple[str, ...] = ()
    stderr: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return self.failure is None

    def __bool__(self) -> bool:
        return self.ok

    @property
    def returncode(self) -> int | None:
        """What a process that does just this ends with; None where it had to be ended."""
        match self.failure:
            case None:
                return 0
            case Hung():
                return None
            case Died(returncode=returncode):
                return returncode
        return 1

    @property
    def signal(self) -> int | None:
        return self.failure.signal if isinstance(self.failure, Died) else None

    def to_dict(self) -> dict[str, Plain]:
        """The form under `modules` in a report: the documented keys, then the further ones."""
        first = ("module", "ok", "level", "version", "origin", "seconds", "devices", "returncode", "signal")
        more = ("project", "failure", "operation_seconds", "facts", "shadowed_by", "stdout", "stderr")
        told = {name: plain(getattr(self, name)) for name in first}
        return told | {"diagnosis": None} | {name: plain(getattr(self, name)) for name in more}


@record
class Confirmation:
    """What importing for real has shown.

    Attributes:
        interpreter: the executable as it names itself, or as it was asked for; None where none was asked.
        python: its version.
        modules: one result for each module that was tried.
        not_tried: what was not tried, each with why.
        installed: versions of the projects that the caller wanted to know, None for those that are not installed.
        shadowing: name to file, for each name imported on the way that the caller's directory would replace.
    """

    interpreter: str | None = None
    python: str | None = None
    modules: tuple[ModuleResult, ...] = ()
    not_tried: tuple[NotTried, ...] = ()
    installed: Mapping[str, str | None] = field(default_factory=dict)
    shadowing: Mapping[str, str] = field(default_factory=dict)

    @property
    def tried(self) -> bool:
        return bool(self.modules)

    @property
    def why(self) -> NotTried | None:
        """The first thing that should have been tried and was not; a project without modules is none beside others."""
        if not self.modules:
            return next(iter(self.not_tried), None)
        return next((why for why in self.not_tried if not isinstance(why, NoModules)), None)

    @property
    def ok(self) -> bool | None:
        """False if a module failed, None if something should have been tried and was not, else True."""
        if not all(self.modules):
            return False
        return True if self.modules and self.why is None else None

    def __bool__(self) -> bool:
        return bool(self.ok)

    def to_dict(self) -> dict[str, Plain]:
        names = ("ok", "tried", "why", "interpreter", "modules", "python", "not_tried", "installed", "shadowing")
        return {name: plain(getattr(self, name)) for name in names}


def not_tried_elsewhere(target: str) -> Confirmation:
    """For a target that is no interpreter of this machine."""
    return Confirmation(not_tried=(OtherMachine(target=target),))

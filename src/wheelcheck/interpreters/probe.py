"""Confirm by a real import: a child process of the target interpreter imports modules and runs operations on them.

The child may raise, crash, hang, exit early or flood its output; each is an answer. It answers through a file, and runs
in an empty directory with the caller's environment.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, ClassVar

from wheelcheck.common.errors import UndeterminedError
from wheelcheck.common.progress import ACTIVITY
from wheelcheck.common.records import record, replace
from wheelcheck.diagnosis.confirmation import (
    OLDEST_PYTHON,
    BrokenMetadata,
    Confirmation,
    Died,
    Failure,
    Hung,
    ImportedElsewhere,
    InterpreterGone,
    InterpreterUnusable,
    Level,
    ModuleResult,
    NoAnswer,
    NoModules,
    NotFound,
    NothingAsked,
    NotInstalled,
    NotTried,
    PythonTooOld,
    Raised,
    Shadowed,
    Stage,
    WrongResult,
)
from wheelcheck.diagnosis.crashes import signal_of

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from threading import Thread

    from wheelcheck.standards.names import NormalizedName

KEPT_OUTPUT = 65536
"""The number of last bytes kept of each output stream."""

KEPT_LINES = 100
MAX_LINE = 1000
MAX_TEXT = 32768
MAX_ANSWER = 16 * 2**20
MARK = "WHEELCHECK_CONFIRMATION"
"""The variable by which the processes that an import leaves behind are recognised."""
FLUSH_FAILED = 120
"""The exit code of a Python that could not flush stdout: a module closed it, nothing crashed."""


@record(frozen=False, kw_only=False, eq=False, slots=False)
class NoWorkroom(UndeterminedError):
    """The temporary directory for a confirmation could not be created."""

    why: str
    sentence = (
        "No temporary directory for the import could be made: {why}. Free some space, or set TMPDIR to another place."
    )


# -- the doors of this module


def confirm_projects(
    projects: Sequence[NormalizedName],
    *,
    interpreter: str,
    timeout: float = 300.0,
    search: Path | None = None,
    versions: Sequence[str] = (),
    isolated: bool = False,
) -> Confirmation:
    """Import the modules of projects that are installed in an interpreter, and run an operation where one is known.

    Args:
        projects: their modules come from Import-Name (PEP 794), top_level.txt or RECORD.
        interpreter: the executable of a Python, 3.8 or newer; not a shim that depends on the working directory.
        timeout: seconds for each step (start, import, operation).
        search: the directory to search for files that shadow modules; by default the working directory.
        versions: projects whose installed version is reported in `installed`.
        isolated: ignore user site, PYTHON* variables and the caller's directory (``-I``), as suits a fresh environment.

    Raises:
        NoWorkroom: no temporary directory can be created.
    """
    if not projects:
        return Confirmation(interpreter=interpreter, not_tried=(NothingAsked(),))
    question = {"projects": list(projects), "versions": list(versions), "search": _directory(search, isolated)}
    return _confirm(question, interpreter, timeout, isolated)


def confirm_names(
    names: Sequence[str],
    *,
    interpreter: str,
    timeout: float = 300.0,
    search: Path | None = None,
    isolated: bool = False,
    run: bool = True,
) -> Confirmation:
    """Import modules, or where there is none of that name, those of the project; otherwise as `confirm_projects`.

    Args:
        names: such as ``tensorflow``, ``xml.dom`` or ``opencv-python``.
        interpreter, timeout, search, isolated: see `confirm_projects`.
        run: whether to run operations, too.
    """
    if not names:
        return Confirmation(interpreter=interpreter, not_tried=(NothingAsked(),))
    question = {"names": list(names), "search": _directory(search, isolated), "run": run}
    return _confirm(question, interpreter, timeout, isolated)


def _directory(search: Path | None, isolated: bool) -> str | None:
    from pathlib import Path

    if isolated:
        return None
    try:
        return str((search or Path.cwd()).absolute())
    except OSError:
        return None


def _confirm(question: dict[str, Any], interpreter: str, timeout: float, isolated: bool) -> Confirmation:
    """Run children until every module has been tried once: a crash loses only the module that crashed."""
    progress = _Progress(question, interpreter=interpreter, timeout=timeout)
    ACTIVITY.begin("importing", lambda: ", ".join(str(name) for name, *_ in progress.waiting or [question["names"]]))
    with _workroom() as room:
        while progress.add(_run(question, interpreter, timeout, room, isolated)):
            question = question | {"names": [], "projects": [], "versions": [], "modules": progress.waiting}
        if progress.ownerless:
            progress.add(_run({"owners": progress.ownerless}, interpreter, timeout, room, isolated))
    return progress.confirmation()


@contextmanager
def _workroom() -> Iterator[Path]:
    import tempfile
    from pathlib import Path

    try:
        room = tempfile.TemporaryDirectory(prefix="wheelcheck-", ignore_cleanup_errors=True)
    except OSError as error:
        raise NoWorkroom(error.strerror or str(error)) from None
    with room as name:
        yield Path(name)


def _unusable(interpreter: str, run: _Run) -> NotTried:
    """Return why an interpreter did not reach the first line of its answer; only then is its version queried."""
    import subprocess

    lines = [line for line in run.stdout + run.stderr if line.strip()]
    last = lines[-1] if lines else ""
    if run.hung:
        return InterpreterUnusable(interpreter=interpreter, returncode=None, last_line=last)
    ask = "import sys; sys.stdout.write('%d.%d.%d' % sys.version_info[:3])"
    command = [interpreter, "-E", "-S", "-c", ask]
    with suppress(OSError, subprocess.SubprocessError, ValueError):
        asked = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=10, check=False)
        python = asked.stdout.decode("ascii")
        if tuple(map(int, python.split("."))) < OLDEST_PYTHON:
            return PythonTooOld(interpreter=interpreter, python=python)
    return InterpreterUnusable(interpreter=interpreter, returncode=run.returncode, last_line=last)


# -- one child


@record
class _Run:
    """The answer of one child, and how it ended."""

    events: tuple[dict[str, Any], ...]
    returncode: int
    hung: bool
    stdout: tuple[str, ...]
    stderr: tuple[str, ...]

    @property
    def began(self) -> int:
        """The number of modules that it started."""
        return self.count("began")

    @property
    def finished(self) -> bool:
        """Whether it finished each of them."""
        return self.began == self.count("finished")

    def count(self, kind: str) -> int:
        return len([event for event in self.events if event["event"] == kind])

    @property
    def ended_badly(self) -> bool:
        return self.hung or self.returncode not in (0, FLUSH_FAILED)


def _run(
    question: Mapping[str, Any], interpreter: str, timeout: float, room: Path, isolated: bool
) -> _Run | InterpreterGone:
    """Run one child. Its working directory is empty, its session its own, its output drained."""
    import json
    import os
    import subprocess
    import tempfile
    from pathlib import Path

    place = Path(tempfile.mkdtemp(dir=room))
    (place / "empty").mkdir()
    (place / "question.json").write_text(json.dumps(question), encoding="utf-8")
    probe = Path(__file__).with_name("_probe.py")
    answer = place / "answer.jsonl"
    flags = ["-I"] if isolated else []
    command = [_located(interpreter), *flags, str(probe), str(place / "question.json"), str(answer)]
    lifeline = os.pipe() if os.name == "posix" else None
    try:
        own: dict[str, Any] = {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
        if lifeline is not None:
            command.append(str(lifeline[0]))
            own = {"start_new_session": True, "pass_fds": lifeline[:1]}
        streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        environ = _environment(str(place))
        process = subprocess.Popen(command, cwd=place / "empty", bufsize=0, env=environ, **streams, **own)
    except (OSError, ValueError) as error:
        _close(lifeline or ())
        return InterpreterGone(interpreter=interpreter, why=getattr(error, "strerror", None) or str(error))
    drains = [_Drain(process.stdout), _Drain(process.stderr)]
    try:
        hung = _wait(process, answer, timeout)
    finally:
        _end(process, str(place))
        _close(lifeline or ())
    stdout, stderr = (drain.lines() for drain in drains)
    return _Run(events=_read(answer), returncode=process.returncode, hung=hung, stdout=stdout, stderr=stderr)


def _environment(place: str) -> dict[str, str]:
    """Return the caller's environment, in which PYTHONPATH means the same in every working directory.

    An empty part of it stands for the working directory, which is searched as the caller's anyway.
    """
    import os

    parts = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
    absolute = {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, parts))} if parts else {}
    others = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return {**others, **absolute, MARK: place}


def _close(descriptors: Iterable[int]) -> None:
    import os

    for descriptor in descriptors:
        os.close(descriptor)


def _located(interpreter: str) -> str:
    """Return a path that is valid in every working directory; the system looks a bare name up on PATH."""
    import os

    return os.path.abspath(interpreter) if os.path.dirname(interpreter) else interpreter  # noqa: PTH100, PTH120


def _wait(process: subprocess.Popen[bytes], answer: Path, timeout: float) -> bool:
    """Wait for the child; return whether it timed out. Every line of its answer restarts the clock."""
    from threading import Thread
    from time import monotonic

    # with a time limit, Popen.wait would sleep up to 50 ms too long
    waiter = Thread(target=process.wait, daemon=True)
    waiter.start()
    written, deadline = _size(answer), monotonic() + timeout
    while (left := deadline - monotonic()) > 0:
        waiter.join(min(left, 0.25))
        if not waiter.is_alive():
            return False
        if _size(answer) != written:
            written, deadline = _size(answer), monotonic() + timeout
    _ask_for_stack(process)
    return True


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _ask_for_stack(process: subprocess.Popen[bytes]) -> None:
    """Send the signal at which the probe prints its stack."""
    import signal
    import subprocess

    with suppress(subprocess.TimeoutExpired, OSError, AttributeError):
        process.send_signal(signal.SIGUSR1)
        process.wait(0.5)


def _end(process: subprocess.Popen[bytes], place: str) -> None:
    """Kill the child, everything in its session, and where this system tells, what has left the session."""
    import os
    import signal
    import subprocess

    if os.name == "nt":
        tree = ["taskkill", "/T", "/F", "/PID", str(process.pid)]
        with suppress(OSError):
            subprocess.run(tree, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    with suppress(OSError, AttributeError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(OSError):
        process.kill()
    process.wait()
    for left in _left_over(f"{MARK}={place}".encode()):
        with suppress(OSError):
            os.kill(left, signal.SIGKILL)


def _left_over(mark: bytes) -> Iterator[int]:
    """Yield the processes whose environment holds a mark (Linux)."""
    from pathlib import Path

    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if mark in path.read_bytes().split(b"\0"):
                yield int(path.parent.name)


class _Drain:
    """Read a stream to its end on a thread, so that no flood blocks the child, and keep its last bytes."""

    patience: ClassVar[float] = 2.0

    def __init__(self, stream: Any) -> None:
        from threading import Thread

        self.stream = stream
        self.kept = b""
        self.thread: Thread = Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self) -> None:
        with self.stream, suppress(OSError, ValueError):
            while chunk := self.stream.read(KEPT_OUTPUT):
                self.kept = (self.kept + chunk)[-KEPT_OUTPUT:]

    def lines(self) -> tuple[str, ...]:
        """Return the last lines so far; a process that left the session may hold the stream open forever."""
        self.thread.join(self.patience)
        return tuple(_clean(line, MAX_LINE) for line in self.kept.decode("utf-8", "replace").splitlines())


# -- reading what a child wrote: it is not to be trusted


def _read(path: Path) -> tuple[dict[str, Any], ...]:
    """Return the well-formed lines of an answer; a module may have corrupted the file."""
    try:
        with path.open("rb") as file:
            lines = file.read(MAX_ANSWER).splitlines()
    except OSError:
        return ()
    return tuple(event for event in map(_event, lines) if event is not None)


def _event(line: bytes) -> dict[str, Any] | None:
    import json

    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) and isinstance(event.get("event"), str) else None


def _clean(text: str, longest: int = MAX_TEXT) -> str:
    """Strip control characters from untrusted output."""
    return "".join(mark if mark.isprintable() or mark in "\n\t" else "\ufffd" for mark in text[:longest])


def _text(event: Mapping[str, Any], key: str) -> str:
    value = event.get(key)
    return _clean(value) if isinstance(value, str) else ""


def _texts(event: Mapping[str, Any], key: str) -> dict[str, str]:
    value = event.get(key)
    pairs = value.items() if isinstance(value, dict) else ()
    return {_clean(name): _clean(text) for name, text in pairs if isinstance(text, str)}


def _names(event: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = event.get(key)
    return tuple(_clean(name) for name in value if isinstance(name, str)) if isinstance(value, list) else ()


def _number(event: Mapping[str, Any], key: str) -> float | None:
    value = event.get(key)
    return float(value) if isinstance(value, (int, float)) and 0 <= value < float("inf") else None


# -- from events to results


class _Progress:
    """Combine the answers of all children of one confirmation."""

    def __init__(self, question: Mapping[str, Any], *, interpreter: str, timeout: float) -> None:
        self.unanswered: dict[str, None] = dict.fromkeys(question.get("projects", ()))
        self.interpreter = interpreter
        self.timeout = timeout
        self.python: str | None = None
        self.planned: dict[str, str | None] = {}
        self.results: dict[str, ModuleResult] = {}
        self.reasons: list[NotTried] = []
        self.installed: dict[str, str | None] = {}
        self.loaded: dict[str, str] = {}
        self.origins: dict[str, str] = {}
        self.owners: dict[str, tuple[str, str]] = {}

    @property
    def waiting(self) -> list[list[str | None]]:
        """The modules that no child has started, in the form of a question."""
        return [[module, project] for module, project in self.planned.items() if module not in self.results]

    def add(self, run: _Run | InterpreterGone) -> bool:
        """Add the answer of a child; return whether another child is needed."""
        if isinstance(run, InterpreterGone):
            self.reasons.append(run)
            self.unanswered.clear()
            return False
        modules: dict[str, list[dict[str, Any]]] = {}
        for event in run.events:
            module = event.get("module")
            if isinstance(module, str) and event["event"] == "owner":
                self.owners[module] = _text(event, "project"), _text(event, "version")
            elif isinstance(module, str):
                modules.setdefault(module, []).append(event)
            else:
                self.note(event)
        for module, events in modules.items():
            self.results[module] = _result(module, events, run, self.timeout)
        return bool(self.waiting) if run.began else self.give_up(run)

    def give_up(self, run: _Run) -> bool:
        """Record a child that reached no module: the next one would fare no better."""
        for module, project in self.waiting:
            self.results[str(module)] = _result(
                str(module), [{"event": "began", "project": project}], run, self.timeout
            )
        if not self.results and not self.reasons:
            self.reasons.append(_unusable(self.interpreter, run))
            self.unanswered.clear()
        return False

    def note(self, event: Mapping[str, Any]) -> None:
        """Record a line that is not about one module."""
        match event:
            case {"event": "started"}:
                self.interpreter = _text(event, "executable") or self.interpreter
                self.python = _text(event, "python") or None
            case {"event": "installed", "versions": dict(versions)}:
                known = _texts(event, "versions")
                self.installed.update({name: known.get(name) for name in versions})
            case {"event": "project", "project": str(project)}:
                self.unanswered.pop(project, None)
                self.reasons.extend(_reasons(project, event))
            case {"event": "planned", "modules": list(pairs)}:
                self.planned.update(_pairs(pairs))
            case {"event": "origins"}:
                self.origins.update(_texts(event, "origins"))
            case {"event": "loaded"}:
                self.loaded.update(_texts(event, "loaded"))

    @property
    def ownerless(self) -> list[str]:
        """The modules that failed and whose project is not known."""
        return [module for module, result in self.results.items() if not result.ok and result.project is None]

    def confirmation(self) -> Confirmation:
        for module, (project, version) in self.owners.items():
            known = self.results.get(module)
            if known is not None:
                self.results[module] = replace(known, project=project, version=known.version or version or None)
        return Confirmation(
            interpreter=self.interpreter,
            python=self.python,
            modules=tuple(self.results.values()),
            not_tried=(*self.reasons, *(NoAnswer(project=project) for project in self.unanswered)),
            installed=self.installed,
            loaded=self.loaded,
            origins=self.origins,
        )


def _pairs(pairs: Iterable[Any]) -> Iterator[tuple[str, str | None]]:
    for pair in pairs:
        match pair:
            case [str(module), str() | None as project]:
                yield module, project


def _reasons(project: str, event: Mapping[str, Any]) -> Iterator[NotTried]:
    if event.get("error"):
        yield BrokenMetadata(project=project, why=_text(event, "error"))
    elif not event.get("installed"):
        yield NotInstalled(project=project)
    elif not event.get("modules"):
        yield NoModules(project=project)


def _result(module: str, events: Sequence[Mapping[str, Any]], run: _Run, timeout: float) -> ModuleResult:
    """Return the result for one module from the lines about it and from how its process ended."""
    facts: dict[str, Any] = {}
    for event in events:
        facts.update(event)
    said = frozenset(event["event"] for event in events)
    failure = _failure(said, facts, run, timeout)
    return ModuleResult(
        module=_clean(module),
        project=_text(facts, "project") or None,
        level=_level(said),
        failure=failure,
        version=_text(facts, "version") or None,
        origin=_text(facts, "origin") or None,
        seconds=_number(facts, "seconds"),
        operation_seconds=_number(facts, "operation_seconds"),
        devices=_names(facts, "devices"),
        facts=_texts(facts, "facts"),
        shadowed_by=_text(facts, "shadowed_by") or None,
        shadows=_texts(facts, "shadows"),
        stdout=run.stdout[-KEPT_LINES:] if failure else (),
        stderr=run.stderr[-KEPT_LINES:] if failure else (),
    )


def _level(said: frozenset[str]) -> Level:
    levels: tuple[Level, ...] = ("ran", "imported", "found")
    return next((level for level in levels if level in said), "none")


def _failure(said: frozenset[str], facts: Mapping[str, Any], run: _Run, timeout: float) -> Failure | None:
    if "missing" in said:
        return NotFound(name=_text(facts, "name"))
    if "raised" in said:
        stage: Stage = facts["stage"] if facts.get("stage") in ("find", "import", "run") else "import"
        return Raised(
            stage=stage,
            error=_text(facts, "type"),
            message=_text(facts, "message"),
            where=_text(facts, "where") or None,
            traceback=_text(facts, "traceback"),
        )
    if "differs" in said:
        return WrongResult(
            operation=_text(facts, "operation"), expected=_text(facts, "expected"), got=_text(facts, "got")
        )
    if "finished" not in said:
        return _ending("run" if "imported" in said else "import" if "found" in said else "find", run, timeout)
    if "elsewhere" in said:
        return ImportedElsewhere(origin=_text(facts, "origin"), expected=_text(facts, "expected"))
    shadows = _texts(facts, "shadows")
    if shadows:
        top = _text(facts, "module").partition(".")[0]
        name = top if top in shadows else next(iter(shadows))
        return Shadowed(name=name, path=shadows[name])
    return _ending("exit", run, timeout) if run.finished and run.ended_badly else None


def _ending(stage: Stage, run: _Run, timeout: float) -> Died | Hung:
    if run.hung:
        return Hung(stage=stage, seconds=timeout, where=_innermost(run.stderr))
    return Died(stage=stage, returncode=run.returncode, signal=signal_of(run.returncode))


def _innermost(lines: Sequence[str]) -> str | None:
    """Return the first frame under ``Current thread`` in faulthandler's output."""
    heads = [at for at, line in enumerate(lines) if line.startswith("Current thread")]
    frames = lines[heads[-1] + 1 : heads[-1] + 2] if heads else ()
    return next((frame.strip() for frame in frames if frame.startswith("  File ")), None)

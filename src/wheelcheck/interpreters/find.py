"""Interpreters on this machine: describe them as targets, and list what is installed in them.

An interpreter is described by running ``_describe.py`` in it, in an empty directory. It keeps its site-packages and the
user's, since pip honours a ``_manylinux`` module there; so it is not isolated (``-I`` does not exist before Python 3.4
either). The caller's ``PYTHON*`` variables are withheld, since ``PYTHONHOME`` and ``PYTHONPATH`` break another Python.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wheelcheck.common.errors import UsageError
from wheelcheck.common.records import replace
from wheelcheck.interpreters import _describe
from wheelcheck.standards.names import NormalizedName, canonicalize_name
from wheelcheck.targets.python import Python, read_python
from wheelcheck.targets.serialize import target_from_dict, target_from_facts
from wheelcheck.targets.target import Target, names_python, python_of, read_target, target_on

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Mapping

PATIENCE = 30.0
"""Seconds that an interpreter has to describe itself."""
MAX_DOCUMENT = 1_000_000
"""Maximum size of a target document or a description."""
DOCUMENT_SCHEMA = "wheelcheck/target/1"
CHILD = Path(_describe.__file__)


def describe(python: str | os.PathLike[str] | None = None) -> Target:
    """Return the target that an interpreter of this machine is.

    Args:
        python: an executable, or the directory of a virtual or conda environment; left out, the running interpreter.

    Raises:
        UsageError: there is no interpreter, it does not answer, or it is older than Python 3.6.

    Example:
        >>> wheelcheck.describe().implementation  # doctest: +SKIP
        'cpython'
    """
    if python is None:
        return _running()
    executable = find_interpreter(python)
    facts = facts_of(executable)
    try:
        return replace(target_from_facts(facts), interpreter=str(executable))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _no_answer(executable, "its answer does not describe a Python") from None


@cache
def _running() -> Target:
    return target_from_facts(running_facts())


def target_of(text: str | None, python: str | None = None) -> Target:
    """Return the target that ``--target`` and ``--python`` name together.

    Args:
        text: ``running``, a path, a saved ``FILE.json``, or ``PLATFORM[-PYTHON]``; None is the platform of the running
            interpreter.
        python: a version or tag such as ``3.12``, or the path of an interpreter; None is what `text` says, else the
            running interpreter's.

    Raises:
        UsageError: one of the two is malformed, or both name a Python.
    """
    if text is None:
        if python is None:
            return describe()
        if _is_interpreter(python):
            return describe(python)
        host = describe()
        target = target_on(host.platform, read_python(python))
        about_the_system = tuple(pair for pair in host.stated if pair[0] != "platform_python_implementation")
        return replace(target, stated=about_the_system, translated=host.translated)
    complete = _complete_target(text)
    if complete is not None and python is not None:
        raise UsageError(
            f"The target {text!r} is a whole interpreter, so --python {python} cannot be combined with it."
        )
    if complete is not None:
        return complete
    if names_python(text) and python is not None:
        raise UsageError(f"The target {text!r} names its Python, so --python {python} cannot be combined with it.")
    return read_target(text, None if names_python(text, or_preset=python is None) else _python(python))


def _python(text: str | None) -> Python:
    if text is None:
        return replace(python_of(describe()), assumed=True)
    return python_of(describe(text)) if _is_interpreter(text) else read_python(text)


def _complete_target(text: str) -> Target | None:
    """Return the target of a text that is complete without ``--python``; None for ``PLATFORM[-PYTHON]``."""
    word = text.strip()
    if word.lower() == "running":
        return describe()
    if word.lower().endswith(".json"):
        return load(word)
    if _is_path(word) or (_exists(word) and not _is_target(word)):
        return describe(word)
    return None


def _is_target(text: str) -> bool:
    """Return whether a text is a target name. Those mean the same everywhere, whatever files exist."""
    return _can(lambda: read_target(text, None if names_python(text) else read_python("3.12")))


def _is_interpreter(text: str) -> bool:
    """Return whether ``--python`` names an interpreter rather than a version."""
    return _is_path(text) or (_exists(text) and not _can(lambda: read_python(text)))


def _can(read: Callable[[], object]) -> bool:
    try:
        read()
    except UsageError:
        return False
    return True


def _exists(text: str) -> bool:
    try:
        return bool(text) and Path(text).exists()
    except (OSError, ValueError):
        return False


def _is_path(text: str) -> bool:
    separators = [os.sep, *([os.altsep] if os.altsep else [])]
    return text.startswith("~") or any(mark in text for mark in separators) or _is_command(text)


def _is_command(text: str) -> bool:
    """Return whether a text is the name of an interpreter to look up on PATH, such as ``python3.12``."""
    name = text.lower().removesuffix(".exe")
    return any(name.startswith(stem) and not name.removeprefix(stem).strip("0123456789.t") for stem in COMMANDS)


COMMANDS = ("python", "pypy", "graalpy")


def load(path: str | os.PathLike[str]) -> Target:
    """Load a target from a file that ``wheelcheck targets show T --format json`` wrote.

    Raises:
        UsageError: the file cannot be read or holds no target.
    """
    data = _document(Path(path).expanduser())
    try:
        return target_from_dict(data)
    except UsageError as error:
        raise UsageError(f"{path} cannot be used: {error}") from None


def _document(path: Path) -> object:
    import json

    try:
        with path.open("rb") as stream:
            body = stream.read(MAX_DOCUMENT + 1)
        if len(body) > MAX_DOCUMENT:
            raise UsageError(f"{path} is too large for a target document. Save one with 'wheelcheck targets show'.")
        data = json.loads(body.decode("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{path} could not be read: {error.strerror or error}.") from None
    except (ValueError, RecursionError):
        raise UsageError(f"{path} is not JSON. Save a target with 'wheelcheck targets show T --format json'.") from None
    if isinstance(data, dict) and "schema" in data:
        if data["schema"] != DOCUMENT_SCHEMA:
            raise UsageError(f"{path} is a document of another kind: its schema is not {DOCUMENT_SCHEMA}.")
        return data.get("target", data)
    return data


# -- asking an interpreter


def running_facts() -> dict[str, Any]:
    """Return the facts about the running interpreter; see ``_describe.py`` for the keys.

    Raises:
        UsageError: files of the caller shadow the standard library, and running a separate process failed.
    """
    if _standard_library_is_shadowed() and sys.executable:
        return facts_of(Path(sys.executable))
    facts: dict[str, Any] = _describe.describe()  # type: ignore[no-untyped-call]
    return facts


def _standard_library_is_shadowed() -> bool:
    """Return whether a file such as ``platform.py`` beside the caller's script shadows the standard library."""
    home = str(Path(os.__file__).resolve().parent)
    files = (getattr(sys.modules[name], "__file__", None) for name in ("platform", "sysconfig", "struct", "subprocess"))
    return any(file is not None and not str(Path(file).resolve()).startswith(home) for file in files)


def facts_of(executable: Path, *options: str, patience: float = PATIENCE) -> dict[str, Any]:
    """Return the facts about the interpreter at a path; see ``_describe.py`` for the keys and the options.

    Raises:
        UsageError: as `answer_of`.
    """
    return answer_of(executable, CHILD, *options, environ=clean_environment(), patience=patience)


def answer_of(
    executable: Path, script: Path, *arguments: str, environ: Mapping[str, str], patience: float = PATIENCE
) -> dict[str, Any]:
    """Return the JSON object that a script of this package writes in another interpreter.

    Args:
        executable: the interpreter; it works in an empty directory.
        script: the script; its first argument is the file to write to.
        arguments: further arguments.
        environ: the environment variables.
        patience: seconds that it has.

    Raises:
        UsageError: it cannot be run, does not end in time, fails, or gives no usable answer.
    """
    import json
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="wheelcheck-", ignore_cleanup_errors=True) as place:
        answer = Path(place, "facts.json")
        empty = Path(place, "empty")
        empty.mkdir()
        _run([str(executable), str(script), str(answer), *arguments], executable, empty, environ, patience)
        try:
            with answer.open("rb") as stream:
                facts = json.loads(stream.read(MAX_DOCUMENT * 10).decode("utf-8"))
        except OSError:
            raise _no_answer(executable, "it ended without an answer") from None
        except (ValueError, RecursionError):
            raise _no_answer(executable, "its answer is not JSON") from None
    if not isinstance(facts, dict):
        raise _no_answer(executable, "its answer does not describe a Python")
    return facts


def _no_answer(executable: Path, why: str) -> UsageError:
    return UsageError(f"{executable} is not a usable interpreter: {why}. Name the path of a Python.")


def _run(command: list[str], executable: Path, place: Path, environ: Mapping[str, str], patience: float) -> None:
    """Run a child to its end. Of its output, only the end is kept."""
    import subprocess
    from threading import Thread

    try:
        child = _start(command, place, environ)
    except (OSError, ValueError) as error:
        raise _no_answer(executable, getattr(error, "strerror", None) or str(error)) from None
    tail: list[bytes] = [b""]
    reader = Thread(target=_keep_tail, args=(child.stderr, tail), daemon=True)
    reader.start()
    try:
        child.wait(patience)
    except subprocess.TimeoutExpired:
        raise _no_answer(executable, f"it did not answer within {patience:g} seconds") from None
    finally:
        _end(child)
        reader.join(1)
    if child.returncode:
        raise _no_answer(executable, _ending(child.returncode, tail[0]))


def _start(command: list[str], place: Path, environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a child in its own session, with only stderr captured."""
    import subprocess

    quiet, heard = subprocess.DEVNULL, subprocess.PIPE
    streams: dict[str, Any] = {"stdin": quiet, "stdout": quiet, "stderr": heard}
    return subprocess.Popen(command, cwd=place, env=environ, start_new_session=True, **streams)


def _keep_tail(stream: Any, tail: list[bytes]) -> None:
    while chunk := stream.read1(65536):
        tail[0] = (tail[0] + chunk)[-4096:]
    stream.close()


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kill a running child with everything that it started."""
    import signal

    if child.poll() is not None:
        return
    try:
        if hasattr(os, "killpg"):
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()
    except OSError:
        pass
    child.wait()


def _ending(code: int, printed: bytes) -> str:
    lines = [line for line in printed.decode("utf-8", "replace").splitlines() if line.strip()]
    line = lines[-1 if "Traceback" in printed.decode("utf-8", "replace") else 0][:300] if lines else ""
    plain = "".join(letter if letter.isprintable() else " " for letter in line).strip()
    end = f"signal {-code} ended it" if code < 0 else f"it ended with exit code {code}"
    return f"{end} ({plain.rstrip('.')})" if plain else end


KEPT = frozenset({"PYTHONUSERBASE", "PYTHONNOUSERSITE"})
"""Variables of the caller that locate the user's own packages, for any Python."""


def clean_environment() -> dict[str, str]:
    """Return the environment without variables meant for the caller's own Python."""
    return {name: value for name, value in os.environ.items() if not _is_hazard(name)}


def _is_hazard(name: str) -> bool:
    return (name.startswith("PYTHON") and name not in KEPT) or name == "__PYVENV_LAUNCHER__"


# -- finding an interpreter


IN_ENVIRONMENTS = ("bin/python", "bin/python3", "Scripts/python.exe", "python.exe", "bin/pypy3")
"""Where an environment has its interpreter: venv and conda, on POSIX and on Windows."""


def find_interpreter(path: str | os.PathLike[str]) -> Path:
    """Return the executable that a path, an environment's directory, or a name on PATH means. Links are not resolved.

    Raises:
        UsageError: there is none, or it is not executable.
    """
    text = os.fspath(path)
    if not text or "\0" in text:
        raise UsageError(f"{text!r} is not the path of an interpreter.")
    import stat

    found = _on_path(text) or _expanded(text)
    mode = _mode(found)
    if stat.S_ISDIR(mode):
        found = _in_environment(found)
        mode = _mode(found)
    if not stat.S_ISREG(mode):
        raise UsageError(f"{found} is not a file, so not an interpreter.")
    if not os.access(found, os.X_OK):
        raise UsageError(f"{found} is not executable, so not a usable interpreter.")
    return found.absolute()


def _on_path(text: str) -> Path | None:
    import shutil

    if not _is_command(text) or _exists(text):
        return None
    found = shutil.which(text)
    if found is None:
        raise UsageError(f"There is no {text} on PATH. Name the path of an interpreter.")
    return Path(found)


def _expanded(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise UsageError(f"The home directory in {text!r} is not known. Write the path in full.") from None


def _in_environment(directory: Path) -> Path:
    for inside in IN_ENVIRONMENTS:
        if (directory / inside).is_symlink() or (directory / inside).exists():
            return directory / inside
    raise UsageError(f"{directory} is a directory without an interpreter. Name a Python, or an environment with one.")


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        fault = "is a link to nothing" if path.is_symlink() else "does not exist"
        raise UsageError(f"{path} {fault}. Name the path of an interpreter.") from None
    except (OSError, RuntimeError) as error:
        raise UsageError(f"{path} cannot be run: {getattr(error, 'strerror', None) or error}.") from None


# -- what is installed


def installed(path: str | os.PathLike[str] | None = None) -> dict[NormalizedName, str]:
    """Return name and version of every distribution in an interpreter, as its pip sees them.

    Without a working pip, the interpreter itself lists the distributions on its path.

    Args:
        path: as `describe` takes it; None is the running interpreter.

    Raises:
        UsageError: the interpreter cannot be run.
    """
    executable = find_interpreter(sys.executable if path is None else path)
    facts = facts_of(executable, "--installed")
    pairs = _seen_by_pip(executable) if facts.get("has_pip") else None
    return _normalised(facts.get("installed", []) if pairs is None else pairs)


def _normalised(pairs: Any) -> dict[NormalizedName, str]:
    versions: dict[NormalizedName, str] = {}
    for name, version in pairs:
        versions.setdefault(canonicalize_name(str(name)), str(version))
    return versions


def _seen_by_pip(executable: Path) -> list[tuple[str, str]] | None:
    """Return what ``pip list`` there reports; None where pip fails."""
    import subprocess

    with _pip_api_asks(executable):
        try:
            import pip_api

            found = pip_api.installed_distributions()  # type: ignore[attr-defined]
        except (subprocess.CalledProcessError, OSError, ValueError, KeyError, IndexError):
            return None
    return [(name, str(distribution.version)) for name, distribution in found.items()]


@contextmanager
def _pip_api_asks(executable: Path) -> Iterator[None]:
    """Set this process's environment for pip-api, which takes the interpreter, and its environment, from there."""
    before = dict(os.environ)
    wanted = clean_environment() | {"PIPAPI_PYTHON_LOCATION": str(executable), "PYTHONSAFEPATH": "1"}
    _set_environment(wanted)
    try:
        yield
    finally:
        _set_environment(before)


def _set_environment(wanted: Mapping[str, str]) -> None:
    for name in os.environ.keys() - wanted.keys():
        del os.environ[name]
    os.environ.update(wanted)

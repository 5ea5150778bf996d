"""Why an import failed: what its process printed, together with what is known of the process and of its modules."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from wheelcheck.common.records import replace
from wheelcheck.diagnosis.confirmation import (
    Confirmation,
    Died,
    Hung,
    ImportedElsewhere,
    ModuleResult,
    NotFound,
    Raised,
    Shadowed,
    WrongResult,
)
from wheelcheck.diagnosis.diagnose import BENIGN, UNRECOGNISED, Diagnosis, diagnose, project_of, told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelcheck.targets.target import Target

SHADOWED = "module-shadowed"


def diagnosed(confirmation: Confirmation, target: Target | None = None) -> Confirmation:
    """Return a confirmation with a diagnosis for each module that failed.

    Args:
        confirmation: the outcome of an import.
        target: the interpreter that imported.
    """
    modules = tuple(
        result if result.ok else replace(result, diagnosis=_diagnosis(result, confirmation.interpreter, target))
        for result in confirmation.modules
    )
    return replace(confirmation, modules=modules)


def _diagnosis(result: ModuleResult, interpreter: str | None, target: Target | None) -> Diagnosis:
    found = _cause(result, target)
    about = {"module": result.module, "project": result.project or "", "installed": _installed(result)}
    facts = {**{name: value for name, value in about.items() if value}, **found.facts}
    fixes = tuple(for_interpreter(fix, interpreter) for fix in found.fixes)
    return replace(found, facts=facts, fixes=fixes)


def _installed(result: ModuleResult) -> str:
    return f"{result.project} {result.version}" if result.project and result.version else ""


def _cause(result: ModuleResult, target: Target | None) -> Diagnosis:
    printed = "\n".join([*result.stdout, *result.stderr])
    match result.failure:
        case NotFound():
            return _missing(result)
        case Shadowed(name=name, path=path):
            return _shadowed(name, path, result)
        case ImportedElsewhere(origin=origin):
            return _shadowed(result.module.partition(".")[0], origin, result)
        case WrongResult(operation=operation, expected=expected, got=got):
            facts = {"operation": operation, "expected": expected, "got": got}
            is_about_gpu = "GPU" in expected
            cause = told("gpu-plugin-failure" if is_about_gpu else UNRECOGNISED, (), facts)
            return cause if is_about_gpu else replace(cause, explanation=_WRONG.format(**facts))
        case Raised(traceback=traceback, message=message):
            found = diagnose(f"{printed}\n{traceback}", 1, target)
            blamed = _blamed(result.shadows, f"{traceback}\n{message}")
            if blamed is not None:
                also = (found.cause,) if found.cause not in (SHADOWED, UNRECOGNISED, BENIGN) else ()
                return replace(_shadowed(*blamed, result), also=also)
            also = (*found.also, *((SHADOWED,) if result.shadows and found.cause != SHADOWED else ()))
            return replace(_known(found, f"{result.failure.error}: {message}"), also=also)
        case Died(returncode=returncode, stage=stage):
            found = diagnose(printed, returncode, target)
            return _known(found, "", _ENDED.format(stage=stage, returncode=returncode))
        case Hung(where=where):
            found = diagnose(printed, None, target)
            hung = _known(found, "", _HUNG)
            is_native = where is None or "importlib" in where  # at rest in the loading of a library
            return replace(hung, also=("native-library-clash",)) if hung is not found and is_native else hung
    raise AssertionError(result.failure)


def _missing(result: ModuleResult) -> Diagnosis:
    if result.project:  # it is installed, by what its metadata says
        return told("corrupted-install", (), {"module": result.module, "project": result.project})
    if result.shadowed_by:
        return _not_installed(result.module, result.shadowed_by)
    return told("module-missing", (), {"module": result.module, "project": project_of(result.module)})


def _not_installed(module: str, path: str) -> Diagnosis:
    """Return the diagnosis of a module that is only in the caller's directory, which is not searched."""
    folder = _folder(path).rpartition("/")[0] or "."
    known = told("module-missing", (), {"module": module, "file": path})
    explanation = (
        f"The module ({module}) is not installed in the Python that runs this; {path} is found from there only."
    )
    return replace(known, explanation=explanation, fixes=(f"python -m pip install -e {shlex.quote(folder)}",))


def _folder(path: str) -> str:
    """Return the package of an initializer, or the file itself."""
    return re.sub(r"[/\\]__init__\.[\w.-]+$", "", path)


_WRONG = "The module imports, but gives wrong results: {operation} gave {got} where {expected} is right."
_ENDED = "The process ended itself with exit code {returncode} (stage: {stage}), without saying why."
_HUNG = "It did not end, and was stopped."


def _known(found: Diagnosis, line: str, explanation: str = "") -> Diagnosis:
    """Return a diagnosis that says at least what happened, and never that nothing did."""
    if found.cause not in (BENIGN, UNRECOGNISED):
        return found
    unknown = told(UNRECOGNISED, (), {"line": line.partition("\n")[0][:400]} if line else {})
    return replace(unknown, explanation=explanation or unknown.explanation)


def _blamed(shadows: Mapping[str, str], text: str) -> tuple[str, str] | None:
    """Return the shadowing module that an exception is about: its file is in the traceback, or the message names it."""
    for name, path in shadows.items():
        if path in text or re.search(rf"(?:module|from|of) '?{re.escape(name)}\b", text):
            return name, path
    return None


def _shadowed(name: str, path: str, result: ModuleResult) -> Diagnosis:
    facts = {"file": _folder(path), "module": name, "project": result.project or ""}
    facts |= {"line": f"{result.failure.error}: {result.failure.message}"} if isinstance(result.failure, Raised) else {}
    return told(SHADOWED, (), {name: value for name, value in facts.items() if value})


def for_interpreter(command: str, interpreter: str | None) -> str:
    """Return a command with the interpreter in question in place of ``python``, ``pip`` and ``python -m pip``."""
    if interpreter is None:
        return command
    quoted = f'"{interpreter}"' if "\\" in interpreter else shlex.quote(interpreter)
    return re.sub(
        r"^(?:(python -m )?pip|python)(?= )", lambda m: quoted if m[0] == "python" else f"{quoted} -m pip", command
    )

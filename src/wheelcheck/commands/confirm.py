"""Confirm by a real import: what is installed, or the answer of a check in its interpreter or a fresh environment."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from wheelcheck.advice.concerns import Concern, InstalledDiffers, NotTried
from wheelcheck.common.errors import UndeterminedError, UsageError
from wheelcheck.common.records import replace
from wheelcheck.diagnosis.confirmation import (
    OLDEST_PYTHON,
    Confirmation,
    NoModules,
    NotInstalled,
    PythonTooOld,
    not_tried_elsewhere,
)
from wheelcheck.inputs.options import complete
from wheelcheck.inputs.request import cache_directory, target_named
from wheelcheck.resolver.resolve import refusal
from wheelcheck.standards.file_problems import FileRefusedError

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Unpack

    from wheelcheck.commands.report import Result
    from wheelcheck.index.index import Index
    from wheelcheck.inputs.options import Options
    from wheelcheck.resolver.model import Pin
    from wheelcheck.targets.target import Target


def confirm(names: Iterable[str], *, ignore_environment: bool = False, **options: Unpack[Options]) -> Confirmation:
    """Import modules in a process of their own, and run an operation on the device where one is known for them.

    Args:
        names: modules such as ``tensorflow``; a name that is none stands for the modules of an installed project, such
            as ``opencv-python`` for ``cv2``.
        ignore_environment: ignore user site, PYTHON* variables and files in the working directory (``python -I``).
        options: `python` is the interpreter, as a path or a version (by default the running one), and `timeout` how
            many seconds a step may take. Those about the index, and `rules`, say where versions for fixes are looked
            up; `no_remedies` leaves that out.

    Returns:
        A confirmation with one result for each module. A failed one has a `diagnosis`.

    Raises:
        UsageError: there is no such interpreter, or a name is none.
        UndeterminedError: no temporary directory can be made.

    Example:
        >>> wheelcheck.confirm(["json"]).modules[0].level
        'imported'
    """
    from wheelcheck.interpreters.probe import confirm_names

    if isinstance(names, str):
        raise UsageError(f"The names to confirm are a list, such as [{names!r}], not a text.")
    wanted = [_checked(name) for name in names]
    if not wanted:
        raise UsageError("Nothing to confirm: name a module or an installed project.")
    completed = complete(options)
    target = interpreter_of(completed["python"])
    confirmation = confirm_names(
        wanted,
        interpreter=str(target.interpreter or sys.executable),
        timeout=completed["timeout"],
        isolated=ignore_environment,
    )
    return _explained(confirmation, target, completed)


def _checked(name: str) -> str:
    if isinstance(name, str) and re.fullmatch(r"\w(?:[\w-]|\.(?!\.))*(?<![.-])", name) and name != "__main__":
        return name
    raise UsageError(f"{name!r} is neither a module nor a project: give a name such as tensorflow, without a version.")


def interpreter_of(python: str | None) -> Target:
    """Return the target of an interpreter of this machine, by its path or version; None is the running one.

    Raises:
        UsageError: there is none.
    """
    from wheelcheck.interpreters.installed import installed_python
    from wheelcheck.targets.target import python_of

    target = target_named(None, python)
    if python is None or target.interpreter is not None:
        return target
    found = installed_python(python_of(target))
    if found is None:
        raise UsageError(f"No Python {python} was found on this machine: give the path of one with --python.")
    return found


def _explained(confirmation: Confirmation, target: Target, options: Options) -> Confirmation:
    """Return a confirmation with the causes of failures, and fixes that were re-resolved."""
    from wheelcheck.diagnosis.of_import import diagnosed

    if confirmation.ok is not False:
        return confirmation
    found = diagnosed(confirmation, target)
    if options["no_remedies"]:
        return found
    from wheelcheck.commands.repair import with_repairs

    return with_repairs(found, options)


def confirmed(result: Result, options: Options, index: Index) -> Result:
    """Return a result with the outcome of importing its requested projects, and the concerns that follow from it."""
    try:
        confirmation = _explained(_confirm(result, options, index), result.target, options)
    except UndeterminedError as error:
        return replace(result, error=error)
    except FileRefusedError as error:
        (pin,) = (pin for pin in result.pins if pin.file.filename == error.file.filename)
        return replace(result, pins=(), conflict=refusal(error, pin.demands), concerns=(), remedies=())
    concerns = (*_not_tried(confirmation), *_differences(result.pins, confirmation))
    return replace(result, confirmation=confirmation, concerns=(*result.concerns, *concerns))


def _confirm(result: Result, options: Options, index: Index) -> Confirmation:
    from wheelcheck.interpreters.venv import fresh

    interpreter = result.target.interpreter
    if interpreter is None:
        return not_tried_elsewhere(result.target.name)
    if result.target.version.release[:2] < OLDEST_PYTHON:
        too_old = PythonTooOld(interpreter=interpreter, python=result.target.python)
        return Confirmation(interpreter=interpreter, not_tried=(too_old,))
    if not options["fresh"]:
        return _import(result.pins, options, interpreter)
    with _workspace(options) as directory:
        python = fresh(
            result.pins, interpreter=interpreter, download=index.download, cache_dir=directory, verify=index.verify
        )
        return _import(result.pins, options, str(python))


def _import(pins: Sequence[Pin], options: Options, interpreter: str) -> Confirmation:
    from wheelcheck.interpreters.probe import confirm_projects

    return confirm_projects(
        [pin.name for pin in pins if pin.requested],
        interpreter=interpreter,
        versions=[pin.name for pin in pins],
        timeout=options["timeout"],
        isolated=options["fresh"],
    )


@contextmanager
def _workspace(options: Options) -> Iterator[Path]:
    """Yield where new environments are made: in the cache, or in a temporary directory where that is not writable."""
    from os import W_OK, access
    from pathlib import Path
    from tempfile import TemporaryDirectory

    kept = cache_directory(options)
    if kept is not None:
        try:
            kept.mkdir(parents=True, exist_ok=True)
        except OSError:
            kept = None
    if kept is not None and access(kept, W_OK):
        yield kept
        return
    with TemporaryDirectory(prefix="wheelcheck-", ignore_cleanup_errors=True) as directory:
        yield Path(directory)


def _not_tried(confirmation: Confirmation) -> Iterator[Concern]:
    for why in confirmation.not_tried:
        if not confirmation.tried or not isinstance(why, NoModules):
            yield NotTried(project=getattr(why, "project", None), why=why)


def _differences(pins: Iterable[Pin], confirmation: Confirmation) -> Iterator[Concern]:
    """Yield a concern for each pin of which another version is installed where the import was made."""
    found: Mapping[str, str | None] = confirmation.installed
    absent = {why.project for why in confirmation.not_tried if isinstance(why, NotInstalled)}
    for pin in pins:
        if confirmation.tried and pin.name in found and pin.name not in absent:
            installed = found[pin.name]
            try:
                is_same = installed is not None and Version(installed) == pin.version
            except InvalidVersion:
                is_same = False
            if not is_same:
                origin = confirmation.loaded.get(pin.name)
                yield InstalledDiffers(
                    project=pin.name,
                    version=pin.version,
                    installed=installed,
                    imported=pin.requested or not confirmation.loaded or origin is not None,
                    origin=origin if origin in confirmation.shadowing.values() else None,
                )

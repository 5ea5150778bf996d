"""Confirm an answer by a real import, in the target's interpreter or in a fresh environment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from wheelcheck.advice.concerns import Concern, InstalledDiffers, NotTried
from wheelcheck.common.errors import UndeterminedError
from wheelcheck.common.records import replace
from wheelcheck.diagnosis.confirmation import (
    OLDEST_PYTHON,
    Confirmation,
    NoModules,
    NotInstalled,
    PythonTooOld,
    not_tried_elsewhere,
)
from wheelcheck.inputs.request import cache_directory

if TYPE_CHECKING:
    from pathlib import Path

    from wheelcheck.commands.report import Result
    from wheelcheck.index.index import Index
    from wheelcheck.inputs.options import Options
    from wheelcheck.resolver.model import Pin


def confirmed(result: Result, options: Options, index: Index) -> Result:
    """Return a result with the outcome of importing its requested projects, and the concerns that follow from it."""
    try:
        confirmation = _confirm(result, options, index)
    except UndeterminedError as error:
        return replace(result, error=error)
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
        python = fresh(result.pins, interpreter=interpreter, download=index.download, cache_dir=directory)
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
                yield InstalledDiffers(project=pin.name, version=pin.version, installed=installed)

"""Fixes of a failed import that were re-resolved: which versions go together in the environment where it failed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement

from wheelcheck.common.errors import UndeterminedError, UsageError
from wheelcheck.common.records import replace
from wheelcheck.diagnosis.of_import import for_interpreter
from wheelcheck.inputs.request import Request
from wheelcheck.resolver.limits import Budget
from wheelcheck.resolver.model import AddedByRule, Environment, Solution
from wheelcheck.rules.load import modules
from wheelcheck.standards.names import canonicalize_name

if TYPE_CHECKING:
    from wheelcheck.diagnosis.confirmation import Confirmation, ModuleResult
    from wheelcheck.diagnosis.diagnose import Diagnosis
    from wheelcheck.inputs.options import Options
    from wheelcheck.interpreters.pip_environment import PipEnvironment
    from wheelcheck.resolver.model import Distribution, Pin
    from wheelcheck.standards.names import NormalizedName
    from wheelcheck.targets.target import Target

BY_OTHER_VERSIONS = frozenset(
    [
        "crash-undetermined",
        "gpu-plugin-failure",
        "hdf5-mismatch",
        "keras-version",
        "module-missing",
        "native-library-clash",
        "numpy-abi",
        "numpy-removed-api",
        "protobuf-descriptors",
        "symbol-not-found",
        "tensorflow-api-mismatch",
        "typing-extensions-or-dependency-conflict",
        "unrecognised",
    ]
)
"""Causes that other versions may mend."""
MAX_SECONDS = 10.0
"""How long one fix may be re-resolved."""


def with_repairs(confirmation: Confirmation, options: Options) -> Confirmation:
    """Return a confirmation whose fixes say which versions go together in the environment where the import failed.

    What is installed counts as pip counts it: it stays where nothing excludes it. So a fix is the smallest change, and
    the curated rules have their say on what metadata leaves open. Without an index, the fixes stay as they are.

    Args:
        confirmation: with diagnoses.
        options: complete ones; those about the index count.
    """
    if confirmation.interpreter is None or not any(map(_may_mend, confirmation.modules)):
        return confirmation
    from wheelcheck.interpreters.pip_environment import environment_of

    try:
        environment = environment_of(Path(confirmation.interpreter))
        mended = tuple(
            replace(module, diagnosis=_repaired(module.diagnosis, module.project, environment, options))
            if module.diagnosis is not None and _may_mend(module)
            else module
            for module in confirmation.modules
        )
    except (UsageError, UndeterminedError):
        return confirmation
    return replace(confirmation, modules=mended)


def repaired(diagnosis: Diagnosis, interpreter: str, options: Options) -> Diagnosis:
    """Return a diagnosis whose fixes are resolved beside what is installed in an interpreter, as `with_repairs`."""
    if diagnosis.cause not in BY_OTHER_VERSIONS:
        return diagnosis
    from wheelcheck.interpreters.pip_environment import environment_of

    try:
        return _repaired(diagnosis, diagnosis.facts.get("project"), environment_of(Path(interpreter)), options)
    except (UsageError, UndeterminedError):
        return diagnosis


def _may_mend(module: ModuleResult) -> bool:
    return module.diagnosis is not None and module.diagnosis.cause in BY_OTHER_VERSIONS


def _repaired(diagnosis: Diagnosis, project: str | None, environment: PipEnvironment, options: Options) -> Diagnosis:
    """Return a diagnosis whose fixes that pip carries out are resolved beside what is installed."""
    names = [canonicalize_name(project)] if project else []
    names += [name for group in modules().values() if names and names[0] in group for name in group]
    owner = next(filter(None, map(environment.distributions.get, names)), None)
    kept = [f"{owner.name}=={owner.version}"] if owner is not None else []
    fixes = [_command(_changes(kept, environment, options), environment)] if kept else []
    for given in diagnosis.fixes:
        # what is installed may be tensorflow-cpu, say
        fix = re.sub(rf" (?:{'|'.join(names)})$", f" {owner.name}", given) if owner is not None else given
        wanted = _requirements_in(fix, environment)
        if wanted is None:
            fixes.append(fix)
            continue
        # beside what failed at the version that it has, and where that is impossible, beside another
        is_about_owner = owner is not None and owner.name in map(_name, wanted)
        asks = [wanted] if is_about_owner else [[*kept, *wanted], wanted]
        found = (_changes(ask, environment, options) for ask in asks)
        pins = next((pins for pins in found if pins is not None), None)
        if pins is not None:
            fixes.append(_command(pins, environment) or fix)
    return replace(diagnosis, fixes=tuple(dict.fromkeys(filter(None, fixes))) or diagnosis.fixes)


def _requirements_in(fix: str, environment: PipEnvironment) -> list[str] | None:
    """Return the requirements that a command installs; None for any other command, and for one with options."""
    start = for_interpreter("pip install ", str(environment.interpreter))
    try:
        words = shlex.split(fix[len(start) :]) if fix.startswith(start) else []
    except ValueError:
        return None
    return words if words and is_plain(words) else None


def is_plain(requirements: Sequence[str]) -> bool:
    """Return whether texts are requirements without URLs; such a text may come from anybody's output."""
    try:
        return all(Requirement(text).url is None for text in requirements)
    except InvalidRequirement:
        return False


def _name(requirement: str) -> str:
    return canonicalize_name(Requirement(requirement).name)


def _changes(requirements: Sequence[str], environment: PipEnvironment, options: Options) -> tuple[Pin, ...] | None:
    return changes_beside(environment.distributions, requirements, environment.target, options)


def changes_beside(
    installed: Mapping[NormalizedName, Distribution], requirements: Sequence[str], target: Target, options: Options
) -> tuple[Pin, ...] | None:
    """Return what has to be installed for requirements to be met beside what is there; None where they cannot be.

    Args:
        installed: what is there, and stays where nothing excludes it.
        requirements: what has to be met.
        target: the interpreter.
        options: complete ones; those about the index and the rules count.

    Raises:
        UndeterminedError: the index does not tell.
    """
    request = replace(Request.read(requirements, [target], options), environment=Environment(distributions=installed))
    with request.opened_index(lambda _: None) as index:
        outcome = request.resolved(request.question(target), index, Budget(monotonic, MAX_SECONDS))
    return outcome.pins if isinstance(outcome, Solution) else None


def _command(pins: Iterable[Pin] | None, environment: PipEnvironment) -> str | None:
    return command_of(pins, str(environment.interpreter), environment.distributions.keys())


def command_of(pins: Iterable[Pin] | None, interpreter: str, installed: Collection[NormalizedName]) -> str | None:
    """Return the command that installs pins, or None where there are none.

    Args:
        pins: what has to be installed.
        interpreter: where.
        installed: the projects that are there already.
    """
    shown = list(_shown(pins or (), installed))
    return for_interpreter(f"pip install {' '.join(shown)}", interpreter) if shown else None


def _shown(pins: Iterable[Pin], installed: Collection[NormalizedName]) -> Iterator[str]:
    """Yield the pins that pip has to be told: what was requested, what a rule asks for, what replaces another version,
    and what something requires that stays.
    """
    chosen = sorted(pins, key=lambda pin: not pin.requested)
    names = {pin.name for pin in chosen}
    for pin in chosen:
        is_by_rule = any(isinstance(demand.origin, AddedByRule) for demand in pin.demands)
        if pin.requested or is_by_rule or pin.name in installed or not names.issuperset(pin.needed_by):
            extras = f"[{','.join(pin.extras)}]" if pin.extras else ""
            yield f"{pin.name}{extras}=={pin.version}"

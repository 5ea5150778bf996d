"""The interpreter that pip installs into, what is installed there, and the pip that will run."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any

from wheelcheck.common.errors import UsageError
from wheelcheck.common.records import record, replace
from wheelcheck.index.cache.entries import ANSWERS, FORMAT, Damaged, read_entry
from wheelcheck.index.cache.store import Cache, key_of
from wheelcheck.interpreters import _distributions, _pip
from wheelcheck.interpreters.find import IN_ENVIRONMENTS, answer_of, find_interpreter
from wheelcheck.resolver.model import Distribution
from wheelcheck.standards.names import NormalizedName, canonicalize_name
from wheelcheck.targets.serialize import target_from_facts
from wheelcheck.targets.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterator

GUARDED = ("install", "download", "wheel", "lock")
"""The commands of pip that choose files."""
OF_ENVIRONMENTS = ("VIRTUAL_ENV", "CONDA_PREFIX")
"""The variables that name an active environment, in the order in which they count."""


@record
class PipEnvironment:
    """Where pip installs.

    Attributes:
        interpreter: the path of the interpreter.
        target: the interpreter as a target.
        distributions: what is installed, as pip sees it.
        faults: sentences on what is installed and cannot be read, which pip leaves out.
        prefix, base_prefix: its ``sys.prefix`` and ``sys.base_prefix``, which decide where pip is configured.
        is_externally_managed: whether pip refuses to install there (PEP 668).
        began: when it was examined, in seconds since the epoch.
        places: the directories whose change means that something was installed or removed.
    """

    interpreter: Path
    target: Target
    distributions: Mapping[NormalizedName, Distribution]
    faults: tuple[str, ...]
    prefix: str
    base_prefix: str
    is_externally_managed: bool
    places: tuple[str, ...]
    began: float

    @property
    def pip(self) -> Distribution | None:
        """The installed pip."""
        return self.distributions.get(canonicalize_name("pip"))


def interpreter_of(python: str | None, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the interpreter that pip installs into.

    Args:
        python: pip's option ``--python``: the path of an interpreter or of a virtual environment.
        environ: the environment; without `python` an active virtual or conda environment counts, otherwise the
            interpreter that runs wheelcheck.

    Raises:
        UsageError: there is no such interpreter.
    """
    if python is not None:
        if not os.path.exists(python):  # noqa: PTH110 (no error for a long name)
            raise UsageError(f"There is no interpreter {python}, which --python names: give the path of one.")
        return find_interpreter(Path(python).absolute())
    for variable in OF_ENVIRONMENTS:
        folder = environ.get(variable)
        if folder:
            inside = (Path(folder, path) for path in IN_ENVIRONMENTS)
            found = next((path for path in inside if path.exists()), None)
            if found is None:
                raise UsageError(
                    f"{variable} is {folder}, where there is no interpreter: activate another environment."
                )
            return find_interpreter(found)
    return find_interpreter(sys.executable)


def runner_of(python: str | None) -> Path:
    """Return the interpreter whose pip runs: the one that pip installs into, or where that has none, the usual one.

    Raises:
        UsageError: there is no such interpreter.
    """
    interpreter = interpreter_of(python)
    prefix = interpreter.parent.parent
    copies = (*prefix.glob("lib*/*/site-packages/pip/__main__.py"), *prefix.glob("Lib/site-packages/pip/__main__.py"))
    is_bare = (prefix / "pyvenv.cfg").exists() and not any(copies)
    return interpreter_of(None) if python is not None and is_bare else interpreter


def environment_of(interpreter: Path) -> PipEnvironment:
    """Describe an interpreter and what is installed in it, by running one process.

    Raises:
        UsageError: it cannot be run.
    """
    began = time()
    facts = answer_of(interpreter, Path(_distributions.__file__), environ=dict(os.environ))
    try:
        target = replace(target_from_facts(facts), interpreter=str(interpreter))
        installed = list(_distributions_in(facts["distributions"]))
        places = tuple(dict.fromkeys((*map(str, facts["path"]), *(one.location for one in installed))))
        return PipEnvironment(
            interpreter=interpreter,
            target=target,
            distributions={one.name: one for one in installed},
            faults=tuple(_faults_in(facts["distributions"], {one.name for one in installed})),
            prefix=str(facts["prefix"]),
            base_prefix=str(facts["base_prefix"]),
            is_externally_managed=bool(facts["externally_managed"]) and facts["prefix"] == facts["base_prefix"],
            places=places,
            began=began,
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UsageError(f"{interpreter} is not a usable interpreter: its answer does not describe a Python.") from None


def _distributions_in(rows: Sequence[Mapping[str, Any]]) -> Iterator[Distribution]:
    from packaging.version import InvalidVersion

    from wheelcheck.standards.specifiers import version_of

    for row in rows:
        try:
            version = version_of(str(row["version"]))
        except InvalidVersion:
            continue
        if "fault" not in row:
            yield Distribution(
                name=canonicalize_name(str(row["name"])),
                version=version,
                head=str(row["head"]).encode("utf-8", "surrogateescape"),
                editable=bool(row["editable"]),
                location=str(row["location"]),
            )


def _faults_in(rows: Sequence[Mapping[str, Any]], read: set[NormalizedName]) -> Iterator[str]:
    for row in rows:
        if canonicalize_name(str(row["name"])) not in read:
            why = row.get("fault") or f"its version {row['version']!r} is none of PEP 440"
            yield f"The installed {row['name']} in {row['location']} was left out, as in pip: {why}."


def option_table(environment: PipEnvironment, cache: Path | None) -> Mapping[str, Any]:
    """Return the options of each guarded command of an environment's pip, asked once for each version and path.

    Args:
        environment: the environment, which has a pip.
        cache: the cache directory, or None.

    Raises:
        UsageError: its pip does not answer.
    """
    pip = environment.pip
    assert pip is not None
    key = key_of("the options of pip", str(pip.version), pip.location)
    if cache is not None:
        try:
            about, parts = read_entry(f"{cache}/{FORMAT}/{ANSWERS}/{key}")
            found: Mapping[str, Any] = json.loads(parts[0])
        except (OSError, ValueError, LookupError, Damaged):
            pass
        else:
            if about.get("entry") == key:
                return found
    table: Mapping[str, Any] = ask_pip(environment, {"commands": GUARDED})["options"]
    Cache(cache).store_answer(key, {}, json.dumps(table).encode())
    return table


def ask_pip(environment: PipEnvironment, question: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what ``_pip.py`` answers in an environment.

    Raises:
        UsageError: its pip does not answer.
    """
    return answer_of(environment.interpreter, Path(_pip.__file__), json.dumps(question), environ=dict(os.environ))

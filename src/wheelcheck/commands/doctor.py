"""Find what is wrong with an environment, in the order in which to mend it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from wheelcheck.advice.environment import DescribedEnvironment, environment_from_dict
from wheelcheck.advice.findings import Finding, bearing_on, findings_of
from wheelcheck.commands.repair import changes_beside, command_of
from wheelcheck.common.errors import UndeterminedError, UsageError
from wheelcheck.common.records import Plain, Truthful, record, replace
from wheelcheck.inputs.options import Options, complete
from wheelcheck.inputs.request import rules_of
from wheelcheck.resolver.model import Distribution
from wheelcheck.rules.load import modules
from wheelcheck.standards.names import NormalizedName, canonicalize_name

if TYPE_CHECKING:
    import os

    from typing_extensions import Unpack

MAX_DOCUMENT = 256 << 20
"""Bytes that are read of a recorded description."""
RESOLVED = ("RuleBroken", "UnmetRequirement")
"""Kinds whose fixes are versions, which are looked up on the index."""


@record
class Audit(Truthful):
    """What is wrong with an environment.

    Attributes:
        environment: what was examined.
        findings: causes before symptoms.
        projects: those that were asked about; empty for all.
    """

    environment: DescribedEnvironment
    findings: tuple[Finding, ...] = ()
    projects: tuple[NormalizedName, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.findings

    @property
    def exit_code(self) -> int:
        """0 where nothing is wrong, 1 for findings."""
        return 0 if self.ok else 1

    @property
    def commands(self) -> tuple[str, ...]:
        """The fixes in the order in which to run them, each once."""
        return tuple(dict.fromkeys(one.fix for one in self.findings if one.fix is not None))

    def to_dict(self) -> dict[str, Plain]:
        """Return the document ``wheelcheck/doctor/1``."""
        environment, target = self.environment, self.environment.target
        by_project: dict[NormalizedName | None, list[Finding]] = {}
        for one in self.findings:
            by_project.setdefault(one.project, []).append(one)
        installed = {one.name: one.version for one in reversed(environment.distributions)}
        return {
            "schema": "wheelcheck/doctor/1",
            "ok": self.ok,
            "target": target.to_dict(),
            "interpreter": {
                "path": target.interpreter,
                "translated": bool(target.translated),
                "prefix": environment.prefix,
                "base_prefix": environment.base_prefix,
                "virtual": environment.prefix != environment.base_prefix,
                "conda": environment.is_conda,
                "externally_managed": environment.is_externally_managed,
                "free_threaded": target.free_threaded,
            },
            "distributions": [
                {
                    "name": name,
                    "version": version,
                    "ok": name not in by_project,
                    "findings": [one.to_dict() for one in by_project.get(name, [])],
                }
                for name, version in sorted(installed.items())
            ],
            "findings": [one.to_dict() for one in self.findings],
            "commands": list(self.commands),
        }


def audit(  # type: ignore[misc]
    projects: Iterable[str] = (),
    python: str | os.PathLike[str] | None = None,
    environment: str | os.PathLike[str] | DescribedEnvironment | None = None,
    *,
    hashes: bool = False,
    **options: Unpack[Options],
) -> Audit:
    """Find what is wrong with an environment: its interpreter, and everything that is installed.

    Args:
        projects: only what bears on these counts.
        python: the interpreter, as a path or a version; by default the one that runs this.
        environment: a recorded description, or its file, instead of an interpreter of this machine.
        hashes: whether to compare the content of every file with its RECORD.
        options: `rules`, `no_rules` and `ignore` count. Those about the index say where versions for fixes are looked
            up; `no_remedies` leaves that out.

    Raises:
        UsageError: there is no such interpreter or file.

    Example:
        >>> wheelcheck.audit(no_remedies=True).environment.target.implementation
        'cpython'
    """
    if isinstance(projects, str):
        raise UsageError(f"The projects are a list, such as [{projects!r}], not a text.")
    completed = complete(cast("Options", options))
    wanted = tuple(canonicalize_name(name) for name in projects)
    if isinstance(environment, DescribedEnvironment):
        described = environment
    elif environment is not None:
        described = load_environment(Path(environment))
    else:
        described = describe_environment(None if python is None else str(python), hashes=hashes)
    known = {one.name for one in described.distributions}
    for name in wanted:
        alike = {other for group in modules().values() if name in group for other in group}
        if not known & {name, *alike}:
            raise UsageError(f"{name} is not installed in {described.target.interpreter}: install it, or correct it.")
    findings = findings_of(described, rules_of(completed))
    if wanted:
        findings = tuple(_with_projects(one, wanted) for one in bearing_on(findings, wanted, described))
    if not completed["no_remedies"]:
        findings = _with_versions(findings, described, completed)
    return Audit(environment=described, findings=findings, projects=wanted)


def _with_projects(finding: Finding, projects: Sequence[NormalizedName]) -> Finding:
    """Return a finding; a new environment is one with the projects in question."""
    if finding.kind != "Translated":
        return finding
    return replace(
        finding, fix=f"{finding.fix} && arch -arm64 .venv-arm64/bin/python -m pip install {' '.join(projects)}"
    )


def describe_environment(python: str | None, *, hashes: bool = False) -> DescribedEnvironment:
    """Describe an interpreter of this machine and what is installed in it."""
    from wheelcheck.commands.confirm import interpreter_of
    from wheelcheck.interpreters.examine import examine

    target = interpreter_of(python)
    return examine(Path(str(target.interpreter)), hashes=hashes)


def load_environment(path: Path) -> DescribedEnvironment:
    """Return a recorded description.

    Raises:
        UsageError: the file cannot be read, or holds none.
    """
    try:
        with path.open("rb") as stream:
            data = json.loads(stream.read(MAX_DOCUMENT).decode("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{path} could not be read: {error.strerror or error}.") from None
    except (ValueError, RecursionError):
        raise UsageError(f"{path} is not JSON. Record one with 'wheelcheck doctor --record FILE'.") from None
    try:
        return environment_from_dict(data)
    except UsageError as error:
        raise UsageError(f"{path} cannot be used. {error}") from None


def _with_versions(
    findings: Sequence[Finding], described: DescribedEnvironment, options: Options
) -> tuple[Finding, ...]:
    """Return findings whose fixes say which versions go together with what is installed; without an index, as they are.

    What several findings want is resolved together, so that one fix does not undo another.
    """
    wants = list(dict.fromkeys(want for one in findings if one.kind in RESOLVED for want in one.wants))
    if not wants or described.target.interpreter is None:
        return tuple(findings)
    try:
        pins = changes_beside(_installed(described), wants, described.target, options)
    except (UsageError, UndeterminedError):
        return tuple(findings)
    command = command_of(pins, described.target.interpreter, {one.name for one in described.distributions})
    if command is None:
        return tuple(findings)
    return tuple(replace(one, fix=command) if one.kind in RESOLVED and one.wants else one for one in findings)


def _installed(described: DescribedEnvironment) -> dict[NormalizedName, Distribution]:
    """Return what is installed, the first of each name, as the resolver takes it."""
    return {
        one.name: Distribution(
            name=one.name,
            version=version,
            head=one.head.encode("utf-8", "surrogateescape"),
            editable=one.editable,
            location=one.location,
        )
        for one in reversed(described.distributions)
        if not one.fault and (version := one.parsed_version) is not None
    }

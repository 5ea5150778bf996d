"""What is wrong with an environment: each finding has a kind, a sentence, and a command that mends it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import groupby
from shlex import quote
from typing import TYPE_CHECKING, Literal, TypeAlias

from packaging.requirements import Requirement

from wheelcheck.advice.environment import DescribedEnvironment, InstalledProject
from wheelcheck.common.records import Plain, record, replace
from wheelcheck.diagnosis.diagnose import Diagnosis, told
from wheelcheck.diagnosis.of_import import for_interpreter
from wheelcheck.resolver.compatibility import Incompatible, OsTooOld, judge
from wheelcheck.rules.load import modules as shared_modules
from wheelcheck.standards.core_metadata import Metadata, MetadataError, parse_metadata
from wheelcheck.standards.markers import UndecidableMarker, applies
from wheelcheck.standards.names import NormalizedName, canonicalize_name
from wheelcheck.standards.project_page import Wheel, read_file
from wheelcheck.targets.platform import MacOS, Manylinux, Windows

if TYPE_CHECKING:
    from packaging.version import Version

    from wheelcheck.rules.model import Rules

Kind: TypeAlias = Literal[
    "Translated",
    "WrongTags",
    "UnmetRequirement",
    "RuleBroken",
    "WrongArchitecture",
    "OsTooOld",
    "FileMissing",
    "FileAltered",
    "DuplicateDistInfo",
    "Leftover",
    "Shadowed",
    "CondaPipMix",
    "CudaOnMac",
    "BadMetadata",
    "SameModule",
]
ORDER: tuple[Kind, ...] = (
    "Translated",
    "CondaPipMix",
    "BadMetadata",
    "DuplicateDistInfo",
    "Leftover",
    "WrongTags",
    "WrongArchitecture",
    "OsTooOld",
    "FileMissing",
    "FileAltered",
    "SameModule",
    "CudaOnMac",
    "RuleBroken",
    "UnmetRequirement",
    "Shadowed",
)
"""Causes before symptoms: the order in which to mend. With another interpreter, all else may be well."""
CAUSES: Mapping[Kind, str] = {
    "CondaPipMix": "conda-pip-mix",
    "BadMetadata": "corrupted-install",
    "WrongArchitecture": "wrong-architecture",
    "FileMissing": "corrupted-install",
    "FileAltered": "corrupted-install",
    "Shadowed": "module-shadowed",
}
"""What an import fails of, for the kinds of which that is known."""
MAX_NAMED = 3
"""How many files a sentence names."""
_EXTENSION = re.compile(r"\.(?:cpython|pypy\d*|graalpy\d*)-[\w-]+\.so$")
_CUDA = re.compile(r"(?:nvidia-.+-cu\d+|nvidia-.*|cupy-cuda\w+|pycuda|tensorrt.*|triton|jax-cuda\d*-.*)")


@record
class Finding:
    """Something that is wrong with an environment.

    Attributes:
        kind: one of `ORDER`.
        project: the project that it is about; None for the interpreter itself.
        message: a sentence.
        fix: a command, or None where no command mends it.
        wants: requirements that pip would have to meet; where there are any, the fix can be re-resolved.
        rule: the curated rule that is broken.
        file: the file that it is about, where it is one.
        others: further projects that it is about.
    """

    kind: Kind
    project: NormalizedName | None = None
    message: str
    fix: str | None = None
    wants: tuple[str, ...] = ()
    rule: str | None = None
    file: str | None = None
    others: tuple[NormalizedName, ...] = ()

    def to_dict(self) -> dict[str, Plain]:
        """Return the form under `findings`."""
        about: dict[str, Plain] = {"rule": self.rule} if self.rule else {}
        about |= {"file": self.file} if self.file else {}
        about |= {"diagnosis": None if self.diagnosis is None else self.diagnosis.to_dict()}
        return {"kind": self.kind, "project": self.project, "message": self.message, "fix": self.fix, **about}

    @property
    def diagnosis(self) -> Diagnosis | None:
        """What an import fails of because of it, as `wheelcheck.diagnose` would tell; None where that is open."""
        cause = CAUSES.get(self.kind)
        if self.kind == "OsTooOld":
            cause = "macos-too-old" if "macOS" in self.message or "macosx" in self.message else "glibc-too-old"
        if cause is None:
            return None
        facts = {"project": self.project or "", "file": self.file or "", "line": self.message}
        found = told(cause, (), {name: value for name, value in facts.items() if value})
        return replace(found, fixes=(self.fix,) if self.fix is not None else ())


def findings_of(environment: DescribedEnvironment, rules: Rules) -> tuple[Finding, ...]:
    """Return what is wrong with an environment, causes before symptoms.

    Args:
        environment: the interpreter and what is installed in it.
        rules: the curated rules that count.
    """
    found = list(_Examination(environment, rules).findings())
    return tuple(sorted(found, key=lambda one: (ORDER.index(one.kind), one.project or "")))


def bearing_on(
    findings: Iterable[Finding], projects: Collection[NormalizedName], environment: DescribedEnvironment
) -> tuple[Finding, ...]:
    """Return the findings that bear on projects: on themselves, on all that they require, and on the interpreter."""
    near = _closure(projects, environment)
    return tuple(one for one in findings if one.project is None or one.project in near or near & {*one.others})


def _closure(projects: Collection[NormalizedName], environment: DescribedEnvironment) -> set[NormalizedName]:
    installed = {one.name: one for one in environment.distributions}
    alike = {name for group in shared_modules().values() if {*group} & {*projects} for name in group}
    waiting, near = [*projects, *(name for name in alike if name in installed)], set[NormalizedName]()
    while waiting:
        name = waiting.pop()
        if name not in near:
            near.add(name)
            metadata = _metadata(installed[name]) if name in installed else None
            waiting += [canonicalize_name(one.name) for one in metadata.requires_dist] if metadata else []
    return near


def _metadata(one: InstalledProject) -> Metadata | None:
    try:
        return parse_metadata(one.head.encode("utf-8", "surrogateescape"))
    except MetadataError:
        return None


class _Examination:
    """The findings of one environment."""

    def __init__(self, environment: DescribedEnvironment, rules: Rules) -> None:
        self.environment = environment
        self.target = environment.target
        self.rules = rules
        self.first: dict[NormalizedName, InstalledProject] = {}
        for one in environment.distributions:
            self.first.setdefault(one.name, one)
        self.versions: dict[NormalizedName, Version] = {
            name: version for name, one in self.first.items() if (version := one.parsed_version) is not None
        }

    def findings(self) -> Iterator[Finding]:
        yield from self.interpreter()
        yield from self.folders()
        for one in self.first.values():
            yield from self.metadata(one)
            yield from self.tags(one)
            yield from self.binaries(one)
            yield from self.files(one)
            yield from self.requirements(one)
        yield from self.broken_rules()
        yield from self.same_modules()
        yield from self.conda()
        yield from self.cuda()
        yield from self.shadowed()

    def pip(self, arguments: str) -> str:
        return for_interpreter(f"pip {arguments}", self.target.interpreter)

    def again(self, one: InstalledProject) -> str:
        """Return the command that installs a project anew: in another version where this one is not for this Python."""
        if isinstance(self.target.platform, MacOS) and _CUDA.fullmatch(one.name):
            return self.pip(f"uninstall -y {one.name}")
        version = "" if self._verdicts(one) else f"=={one.version}"
        return self.pip(f"install --force-reinstall --no-deps --no-cache-dir {one.name}{version}")

    # -- the interpreter and its directories

    def interpreter(self) -> Iterator[Finding]:
        if self.target.translated:
            yield Finding(
                kind="Translated",
                message="This Python is an x86_64 one that Rosetta translates on Apple silicon: wheels for arm64 and "
                "the GPU are out of its reach, and builds with AVX crash before macOS 15.",
                fix="arch -arm64 python3 -m venv .venv-arm64",
            )

    def folders(self) -> Iterator[Finding]:
        for path in self.environment.leftovers:
            yield Finding(
                kind="Leftover",
                message=f"{path} was left behind by an interrupted uninstallation.",
                fix=f"rm -r {quote(path)}",
                file=path,
            )
        by_name = sorted(self.environment.distributions, key=lambda one: (one.name, one.location))
        for (name, _), group in groupby(by_name, key=lambda one: (one.name, one.location)):
            same = list(group)
            if len(same) > 1:
                versions = ", ".join(one.version or "no version" for one in same)
                yield Finding(
                    kind="DuplicateDistInfo",
                    project=name,
                    message=f"{name} has {len(same)} metadata directories ({versions}); which one counts is chance.",
                    fix=f"rm -r {' '.join(quote(one.info) for one in same)} && "
                    + self.pip(f"install --force-reinstall --no-deps {name}=={self._newest(same)}"),
                    file=same[0].info,
                )

    @staticmethod
    def _newest(same: list[InstalledProject]) -> str:
        known = [(version, one.version) for one in same if (version := one.parsed_version) is not None]
        return max(known, default=(None, same[-1].version))[1]

    # -- one distribution

    def metadata(self, one: InstalledProject) -> Iterator[Finding]:
        fault = one.fault or ("" if one.parsed_version is not None else f"its version {one.version!r} is invalid")
        if not fault and _metadata(one) is None:
            fault = "its metadata is malformed"
        if fault:
            yield Finding(
                kind="BadMetadata",
                project=one.name,
                message=f"What is installed of {one.name} cannot be read: {fault}.",
                fix=self.pip(f"install --force-reinstall --no-deps {one.name}"),
                file=one.info,
            )

    def tags(self, one: InstalledProject) -> Iterator[Finding]:
        verdicts = self._verdicts(one)
        if not verdicts:
            return
        too_old = any(all(isinstance(reason, OsTooOld) for reason in verdict.reasons) for verdict in verdicts)
        yield Finding(
            kind="OsTooOld" if too_old else "WrongTags",
            project=one.name,
            message=f"{one.name} {one.version} was installed from a wheel for {_listed(one.tags)}, and this is "
            f"{self.target.name}{': the system is too old' if too_old else ''}.",
            fix=self.again(one),
        )

    def _verdicts(self, one: InstalledProject) -> list[Incompatible]:
        """Return the verdicts on the tags of a distribution, if none of them fits."""
        if not one.tags or one.parsed_version is None or one.editable:
            return []
        stem = f"{one.name.replace('-', '_')}-{one.version}"
        files = [read_file(f"{stem}-{tag}.whl", url="") for tag in one.tags]
        verdicts = [judge(file, self.target) for file in files if isinstance(file, Wheel)]
        wrong = [verdict for verdict in verdicts if isinstance(verdict, Incompatible)]
        return wrong if len(wrong) == len(verdicts) else []

    def binaries(self, one: InstalledProject) -> Iterator[Finding]:
        """Find compiled files for another machine, among those that Python imports, or where all are.

        Wheels also carry files for other systems on purpose: launchers, libraries of debuggers.
        """
        platform = self.target.platform
        form = {MacOS: "Mach-O", Manylinux: "ELF", Windows: "PE"}.get(type(platform))
        if form is None:
            return
        machine = platform.machine
        images = [(file.path, file.image) for file in one.files if file.image is not None]
        wrong = [
            (path, image)
            for path, image in images
            if image.format != form or machine not in _machines(image.architectures)
        ]
        imported = [path for path, _ in wrong if _is_extension(path)]
        if imported or (wrong and len(wrong) == len(images)):
            shown = imported or [path for path, _ in wrong]
            first = dict(images)[shown[0]]
            yield Finding(
                kind="WrongArchitecture",
                project=one.name,
                message=f"{one.name} {one.version} has compiled files for {first.format} "
                f"{_listed(first.architectures)}, and this Python is {form} {machine}: {_listed(shown)}.",
                fix=self.again(one),
                file=shown[0],
            )
        elif isinstance(platform, MacOS | Manylinux):
            yield from self._too_new(one, [(path, image.minimum_os) for path, image in images if _is_extension(path)])

    def _too_new(self, one: InstalledProject, needed: list[tuple[str, tuple[int, int] | None]]) -> Iterator[Finding]:
        platform = self.target.platform
        assert isinstance(platform, MacOS | Manylinux)
        here = platform.major, platform.minor
        newer = [(floor, path) for path, floor in needed if floor is not None and floor > here]
        if newer:
            floor, path = max(newer)
            system = "macOS" if isinstance(platform, MacOS) else "glibc"
            yield Finding(
                kind="OsTooOld",
                project=one.name,
                message=f"{one.name} {one.version} needs {system} {floor[0]}.{floor[1]} or newer ({path}); this is "
                f"{here[0]}.{here[1]}.",
                fix=self.again(one)
                if self._verdicts(one)
                else self.pip(f"install --force-reinstall --only-binary :all: '{one.name}<{one.version}'"),
                file=path,
            )

    def files(self, one: InstalledProject) -> Iterator[Finding]:
        if one.editable or one.installer == "conda":
            return
        kinds: Mapping[str, tuple[Kind, str]] = {
            "missing": ("FileMissing", "lacks"),
            "altered": ("FileAltered", "has altered files:"),
            "cut off": ("FileAltered", "has files that are cut off:"),
        }
        for state, (kind, verb) in kinds.items():
            paths = [file.path for file in one.files if file.state == state]
            if paths:
                yield Finding(
                    kind=kind,
                    project=one.name,
                    message=f"{one.name} {one.version} {verb} {_listed(paths)}.",
                    fix=self.again(one),
                    file=paths[0],
                )

    # -- what they require of each other

    def requirements(self, one: InstalledProject) -> Iterator[Finding]:
        metadata = _metadata(one)
        for requirement in metadata.requires_dist if metadata is not None else ():
            if self._applies(requirement, None):
                yield from self._unmet(one, requirement, "")
                yield from self._unmet_extras(requirement)

    def _applies(self, requirement: Requirement, extra: str | None) -> bool:
        try:
            return applies(requirement, self.target, extra)
        except UndecidableMarker:
            return False

    def _unmet(self, one: InstalledProject, requirement: Requirement, extra: str) -> Iterator[Finding]:
        name = canonicalize_name(requirement.name)
        there = self.versions.get(name)
        if there is not None and (requirement.url or requirement.specifier.contains(there, prereleases=True)):
            return
        if there is None and name in self.first:
            return  # its version is unreadable, which is a finding of its own
        wants = f"{name}{requirement.specifier}"
        with_extra = f"[{extra}]" if extra else ""
        has = "is not installed" if there is None else f"{there} is installed"
        yield Finding(
            kind="UnmetRequirement",
            project=one.name,
            message=f"{one.name}{with_extra} {one.version} requires {wants}, and {name} {has}.",
            fix=self.pip(f"install {quote(wants)}"),
            wants=(f"{one.name}=={one.version}", wants),
            others=(name,),
        )

    def _unmet_extras(self, requirement: Requirement) -> Iterator[Finding]:
        """Find what the extras of a requirement, such as ``keras[gpu]``, need and is not there."""
        other = self.first.get(canonicalize_name(requirement.name))
        metadata = _metadata(other) if other is not None and requirement.extras else None
        if other is None or metadata is None:
            return
        for extra in sorted(requirement.extras):
            for needed in metadata.requires_dist:
                if self._applies(needed, extra) and not self._applies(needed, None):
                    yield from self._unmet(other, needed, extra)

    def broken_rules(self) -> Iterator[Finding]:
        for name in sorted(self.rules.projects & self.versions.keys()):
            version = self.versions[name]
            for rule in self.rules.forbidding(name, version, self.target):
                yield Finding(
                    kind="RuleBroken",
                    project=name,
                    message=f"{name} {version} does not work here: {rule.why}",
                    # with an arm64 Python, nothing of this is left
                    fix=None if rule.translated else self.pip(f"install --upgrade {name}"),
                    wants=() if rule.translated else (str(name),),
                    rule=rule.id,
                )
            requiring = [(pair, True) for pair in self.rules.requiring(name, version, self.target, self.versions)]
            constraining = [(pair, False) for pair in self.rules.constraining(name, version, self.target)]
            for (rule, requirement), is_needed in (*requiring, *constraining):
                other = canonicalize_name(requirement.name)
                there = self.versions.get(other)
                if not (is_needed if there is None else not requirement.specifier.contains(there, prereleases=True)):
                    continue
                has = "is not installed" if there is None else f"{there} is installed"
                yield Finding(
                    kind="RuleBroken",
                    project=name,
                    message=f"{name} {version} needs {other}{requirement.specifier}, and {other} {has}: {rule.why}",
                    fix=self.pip(f"install {quote(f'{other}{requirement.specifier}')}"),
                    wants=(f"{name}=={version}", str(other)),
                    rule=rule.id,
                    others=(other,),
                )

    # -- what several of them share

    def same_modules(self) -> Iterator[Finding]:
        owners: dict[str, list[InstalledProject]] = {}
        for one in self.first.values():
            for module in one.modules:
                owners.setdefault(module, []).append(one)
        told: set[tuple[NormalizedName, ...]] = set()
        for module, several in sorted(owners.items()):
            names = tuple(sorted(one.name for one in several))
            if len(several) < 2 or names in told or module.startswith("_"):
                continue
            told.add(names)
            kept = max(several, key=lambda one: len(one.head))
            uninstall, install = f"uninstall -y {' '.join(names)}", f"install {kept.name}=={kept.version}"
            yield Finding(
                kind="SameModule",
                project=names[0],
                message=f"{_listed(names)} all install the module {module}: the last one has overwritten the others.",
                fix=f"{self.pip(uninstall)} && {self.pip(install)}",
                others=names[1:],
            )

    def conda(self) -> Iterator[Finding]:
        for name, version in sorted(self.environment.conda.items()):
            one = self.first.get(canonicalize_name(name))
            if one is not None and one.installer not in ("", "conda") and one.version != version:
                yield Finding(
                    kind="CondaPipMix",
                    project=one.name,
                    message=f"conda has installed {name} {version}, and {one.installer} has put {one.version} over it.",
                    fix=f"{self.pip(f'uninstall -y {one.name}')} && conda install --force-reinstall {name}",
                )

    def cuda(self) -> Iterator[Finding]:
        if isinstance(self.target.platform, MacOS):
            names = sorted(name for name in self.first if _CUDA.fullmatch(name))
            if names:
                yield Finding(
                    kind="CudaOnMac",
                    project=canonicalize_name(names[0]),
                    message=f"No Mac of today has CUDA, which {_listed(names)} need{'s' * (len(names) == 1)}.",
                    fix=self.pip(f"uninstall -y {' '.join(names)}"),
                    others=tuple(names[1:]),
                )

    def shadowed(self) -> Iterator[Finding]:
        for module, (file, project) in sorted(self.environment.shadowed.items()):
            folder, mark, name = file.removesuffix("/__init__.py").rpartition("/")
            yield Finding(
                kind="Shadowed",
                project=canonicalize_name(project) if project else None,
                message=f"{file} is imported in place of the module {module} of {project or 'Python'}.",
                fix=f"mv {quote(f'{folder}{mark}{name}')} {quote(f'{folder}{mark}my_{name}')}",
                file=file,
            )


def _machines(architectures: Iterable[str]) -> set[str]:
    """Return the machines that files for some processors run on."""
    alike = {"i686": {"i686", "i386"}, "x86": {"x86", "i386", "i686"}, "armv7l": {"armv7l", "armv6l", "armv8l"}}
    return {machine for one in architectures for machine in alike.get(one, {one})}


def _is_extension(path: str) -> bool:
    """Return whether a file has the name of an extension module, such as ``x.abi3.so`` or ``x.pyd``."""
    return path.endswith((".abi3.so", ".pyd")) or _EXTENSION.search(path) is not None


def _listed(items: Iterable[str]) -> str:
    shown = list(items)
    more = [f"{len(shown) - MAX_NAMED} more"] if len(shown) > MAX_NAMED else []
    *first, last = [*shown[:MAX_NAMED], *more]
    return f"{', '.join(first)} and {last}" if first else last

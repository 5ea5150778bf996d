"""Why a file is incompatible with a target: checks in a fixed order, each failure a value.

The position of the first failed check is the closeness of a file: a wheel that fails only on Requires-Python is closer
than one for another operating system. Standards: PEP 425 and its specification, PEP 592, PEP 440.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, ClassVar, TypeAlias

from wheelcheck.common.lazy_regex import pattern
from wheelcheck.common.records import Plain, Truthful, Variant, assert_never, plain, record
from wheelcheck.rules.model import NO_RULES, Rule, Rules
from wheelcheck.standards.file_problems import BadMetadata, DynamicMetadata, HashMismatch, NotListed
from wheelcheck.standards.filenames import tag_set
from wheelcheck.standards.project_page import Listed, Sdist, UnreadableFile, Wheel
from wheelcheck.standards.specifiers import specifiers_of, version_of
from wheelcheck.targets.platform import LEGACY_MANYLINUX, MacOS, Manylinux, Musllinux, Other, Platform, Windows
from wheelcheck.targets.target import Target


@record
class UnreadableName(Variant):
    """The file name follows no standard."""

    why: str


@record
class VariantWheel(Variant):
    """A wheel variant (PEP 825 draft), which today's installers ignore."""

    label: str


@record
class WrongPlatformTag(Variant):
    """Built for other platforms. `have` are the file's platform tags, `want` is the target's most specific one."""

    have: tuple[str, ...]
    want: str

    @property
    def kindred(self) -> tuple[str, ...]:
        """The file's tags for another architecture or C library of the same system."""
        return tuple(tag for tag in self.have if _system(tag) == _system(self.want))

    @property
    def distance(self) -> int:
        """0 for the same system and architecture, 1 for another architecture of the system, larger otherwise."""
        machine = _machine(self.want)
        return min((int(_machine(tag) != machine) for tag in self.kindred), default=_FAR)


@record
class NeverMatches(Variant):
    """A platform tag that matches no system, such as ``macosx_14_5_arm64``."""

    tag: str


@record
class OsTooOld(Variant):
    """Built for a newer release of the right system and architecture. `system` is ``macOS``, ``glibc`` or ``musl``."""

    system: str
    have: str
    need: str

    @property
    def distance(self) -> int:
        """How far the required release is; a major version counts as a hundred minor ones."""
        (major, minor), (own_major, own_minor) = (map(int, release.split(".")) for release in (self.need, self.have))
        return 100 * (major - own_major) + minor - own_minor


@record
class WrongPythonTag(Variant):
    """Built for other Pythons. `have` are the file's python tags, `want` is the target's own."""

    have: tuple[str, ...]
    want: str

    @property
    def distance(self) -> int:
        """The difference in minor versions of Python; large for another implementation."""
        return min(_distance(tag, self.want) for tag in self.have)


@record
class WrongAbiTag(Variant):
    """Built for the right Python with another ABI, such as the free-threaded one."""

    have: tuple[str, ...]
    want: str


@record
class RequiresPython(Variant):
    """Requires-Python excludes the target's Python."""

    specifier: str
    python: str

    @property
    def distance(self) -> int:
        """The difference in minor versions between the target's Python and the nearest one admitted."""
        return _minors_to(self.specifier, self.python)


@record
class SourceOnly(Variant):
    """The file would have to be built, which wheelcheck never does: an sdist, or a wheel that ``--no-binary``
    excludes.
    """

    no_binary: bool = False


@record
class Quarantined(Variant):
    """The index has quarantined the project (PEP 792)."""


@record
class ForbiddenByRule(Variant):
    """A curated rule says that this file does not work on the target, whatever its metadata says."""

    rule: Rule


@record
class NoUploadTime(Variant):
    """The index does not say when the file was uploaded, and only files from before `limit` are accepted."""

    limit: str


@record
class TooNew(Variant):
    """Uploaded at `limit` or later. Both are instants in UTC (RFC 3339)."""

    uploaded: str
    limit: str


@record
class Yanked(Variant):
    """Yanked (PEP 592), and not pinned."""

    why: str


@record
class PreReleaseNotWanted(Variant):
    """A pre-release, while final releases match (PEP 440)."""


Reason: TypeAlias = (
    "UnreadableName | VariantWheel | WrongPlatformTag | NeverMatches | OsTooOld | WrongPythonTag | WrongAbiTag"
    " | RequiresPython | SourceOnly | DynamicMetadata | Quarantined | NotListed | HashMismatch | BadMetadata"
    " | ForbiddenByRule | NoUploadTime | TooNew | Yanked | PreReleaseNotWanted"
)

CHECK_ORDER: tuple[type[Variant], ...] = (
    UnreadableName,
    VariantWheel,
    WrongPlatformTag,
    NeverMatches,
    OsTooOld,
    WrongPythonTag,
    WrongAbiTag,
    RequiresPython,
    SourceOnly,
    Quarantined,
    ForbiddenByRule,
    NoUploadTime,
    TooNew,
    Yanked,
    PreReleaseNotWanted,
    NotListed,
    DynamicMetadata,
    HashMismatch,
    BadMetadata,
)
"""The order of the checks; those that read the file or its metadata come last. The first failure is the closeness."""

MEASURED = (WrongPlatformTag, OsTooOld, WrongPythonTag, RequiresPython)
"""Reasons that have a `distance`: how far the file is from the target."""
_POSITION = {question: position for position, question in enumerate(CHECK_ORDER)}


def in_order(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Sort reasons in the order of the checks."""
    return tuple(sorted(reasons, key=lambda reason: _POSITION[type(reason)]))


@record
class Compatible(Truthful):
    """The file can be used. `rank` is the position of its best tag among the target's; 0 is the most specific."""

    rank: int
    ok: ClassVar[bool] = True

    def to_dict(self) -> dict[str, Plain]:
        """The form within `explain`."""
        return {"compatible": True, "rank": self.rank, "reasons": []}


@record
class Incompatible(Truthful):
    """The file cannot be used; `reasons` are in the order of the checks."""

    reasons: tuple[Reason, ...]
    ok: ClassVar[bool] = False

    @property
    def closeness(self) -> tuple[int, int]:
        """A sort key: the larger, the closer the file came to being usable."""
        return min((_POSITION[type(reason)] for reason in self.reasons), default=len(CHECK_ORDER)), -len(self.reasons)

    def to_dict(self) -> dict[str, Plain]:
        """The form within `explain`."""
        return {"compatible": False, "rank": None, "reasons": [plain(reason) for reason in self.reasons]}


Verdict: TypeAlias = "Compatible | Incompatible"


class Judge:
    """Give verdicts on files for one target, caching the results for tag sets and specifiers.

    Args:
        target: the interpreter and platform.
        rules: the curated rules that apply.
        any_python: whether to ignore Requires-Python.
    """

    def __init__(self, target: Target, rules: Rules = NO_RULES, *, any_python: bool = False) -> None:
        self.target = target
        self.rules = rules
        self._any_python = any_python
        self._ranks = target.ranks
        self._rank_of: dict[str, int | None] = {}
        self._pythons: dict[str, bool] = {}
        self._verdicts: dict[object, Verdict] = {}

    def rank(self, tags: str) -> int | None:
        """Return the position of the best triple of a compressed tag set among the target's, or None."""
        try:
            return self._rank_of[tags]
        except KeyError:
            return self._rank_of.setdefault(tags, self._best_rank(tags))

    def _best_rank(self, tags: str) -> int | None:
        try:
            return min((self._ranks[triple] for triple in tag_set(tags) if triple in self._ranks), default=None)
        except ValueError:
            return None

    def accepts_python(self, specifier: str | None) -> bool:
        """Return whether Requires-Python admits the target's full version; an invalid specifier admits all."""
        if specifier is None or self._any_python:
            return True
        try:
            return self._pythons[specifier]
        except KeyError:
            return self._pythons.setdefault(specifier, _contains(specifier, self.target.python))

    def admits(self, file: Listed) -> bool:
        """Return whether neither Requires-Python nor a rule excludes a file; its tags are ignored."""
        if not self.accepts_python(file.requires_python):
            return False
        return file.name not in self.rules.projects or not self._forbidding(file)

    def _forbidding(self, file: Listed) -> tuple[Rule, ...]:
        return self.rules.forbidding(file.name, file.version, self.target)

    def verdict(self, file: Listed | UnreadableFile) -> Verdict:
        """Return the verdict on a file: its rank, or every reason against it.

        Yanked files and pre-releases pass; whether they are accepted depends on the requirements on the project.
        """
        key = _verdict_key(file, self.rules)
        try:
            return self._verdicts[key]
        except KeyError:
            return self._verdicts.setdefault(key, self._verdict(file))

    def verdicts(self, keys: Iterable[object], representatives: Iterable[Listed | UnreadableFile]) -> list[Verdict]:
        """Return the verdict on each of some files; each key holds all that the verdict on its file depends on."""
        known = zip(map(self._verdicts.get, keys), representatives, strict=True)
        return [self.verdict(file) if verdict is None else verdict for verdict, file in known]

    def _verdict(self, file: Listed | UnreadableFile) -> Verdict:
        if isinstance(file, UnreadableFile):
            return Incompatible(reasons=(unreadable_reason(file),))
        rank = self.rank(file.tags) if isinstance(file, Wheel) else None
        reasons = tuple(self._reasons(file, rank))
        if reasons or rank is None:
            return Incompatible(reasons=reasons)
        return Compatible(rank=rank)

    def _reasons(self, file: Listed, rank: int | None) -> Iterator[Reason]:
        if isinstance(file, Wheel) and rank is None:
            yield from tag_reasons(file.tags, self.target)
        if not self.accepts_python(file.requires_python):
            yield RequiresPython(specifier=file.requires_python or "", python=self.target.python)
        if isinstance(file, Sdist):
            yield SourceOnly()
        for rule in self._forbidding(file):
            yield ForbiddenByRule(rule=rule)


class Verdicts(Sequence["Compatible | Incompatible"]):
    """Verdicts on many files for one target, in the order of the files; equal ones share one object."""

    def __init__(self, judged: Sequence[Verdict], places: Sequence[int]) -> None:
        self._judged, self._places = judged, places

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, place: Any) -> Any:
        return self._judged[self._places[place]]

    def __iter__(self) -> Iterator[Verdict]:
        return map(self._judged.__getitem__, self._places)


def judge_all(
    files: Iterable[Listed | UnreadableFile], targets: Iterable[Target], rules: Rules = NO_RULES
) -> list[Verdicts]:
    """Return the verdicts on many files for many targets: for each target, one for each file, in order.

    Files that differ in nothing relevant are judged once, and grouped once for all targets.
    """
    places: dict[object, int] = {}
    representatives: list[Listed | UnreadableFile] = []
    order: list[int] = []
    for file in files:
        place = places.setdefault(_verdict_key(file, rules), len(representatives))
        if place == len(representatives):
            representatives.append(file)
        order.append(place)
    judges = [judge_for(target, rules) for target in targets]
    return [Verdicts(judge.verdicts(places, representatives), order) for judge in judges]


def judge_for(target: Target, rules: Rules = NO_RULES) -> Judge:
    """Return the cached judge for a target and a set of rules; targets that differ in `translated` have their own."""
    return _judge_for(target, target.translated, rules)


@lru_cache(maxsize=256)
def _judge_for(target: Target, translated: bool | None, rules: Rules) -> Judge:  # noqa: ARG001 -- tells targets apart
    return Judge(target, rules)


def _verdict_key(file: Listed | UnreadableFile, rules: Rules) -> object:
    """Return everything about a file that a verdict depends on."""
    if isinstance(file, UnreadableFile):
        return file
    if file.name in rules.projects:
        return type(file), getattr(file, "tags", None), file.requires_python, file.name, file.version
    return (file.tags, file.requires_python) if isinstance(file, Wheel) else (None, file.requires_python)


def unreadable_reason(file: UnreadableFile) -> Reason:
    """Return the reason against a file with an invalid name."""
    return VariantWheel(label=file.label) if file.label else UnreadableName(why=file.why)


def _contains(specifier: str, version: str) -> bool:
    try:
        return specifiers_of(specifier).contains(version_of(version).base_version, prereleases=True)
    except ValueError:
        return True


_PLATFORM_TAG = pattern(r"(?:many|musl)?([a-z]+?)(?:[0-9]{1,4}|_[0-9]{1,3}_[0-9]{1,3})?(?:_([a-z]\w*))?")
_PYTHON_TAG = pattern(r"(\D+)(\d)(\d*)")
_FAR = 1000


def _system(tag: str) -> str:
    parts = _PLATFORM_TAG.fullmatch(tag)
    return parts[1] if parts else tag


def _machine(tag: str) -> str:
    parts = _PLATFORM_TAG.fullmatch(tag)
    return parts[2] or "" if parts else tag


@lru_cache(maxsize=1024)
def _minors_to(specifier: str, python: str) -> int:
    own, wanted = version_of(python), specifiers_of(specifier)
    micros = dict.fromkeys((own.micro, 0, 99))
    for distance in range(own.minor + _FAR // 10):
        minors = {own.minor - distance, own.minor + distance}
        if any(wanted.contains(f"{own.major}.{minor}.{micro}") for minor in minors if minor >= 0 for micro in micros):
            return distance
    return _FAR


def _distance(tag: str, own: str) -> int:
    one, other = _PYTHON_TAG.fullmatch(tag), _PYTHON_TAG.fullmatch(own)
    if not one or not other or one[2] != other[2]:
        return _FAR
    another_implementation = one[1] not in ("py", other[1])
    return abs(int(one[3] or 0) - int(other[3] or 0)) + _FAR * another_implementation


# -- which part of the tags failed


def tag_reasons(tags: str, target: Target) -> tuple[Reason, ...]:
    """Return why a compressed tag set does not match a target.

    The triples are the verdict (PEP 425); the parts are commentary on the triple that came closest.
    """
    found = (tuple(_triple_reasons(triple, tags, target)) for triple in tag_set(tags))
    return max(found, key=lambda reasons: Incompatible(reasons=reasons).closeness)


def _triple_reasons(triple: str, tags: str, target: Target) -> Iterator[Reason]:
    python, abi, platform = triple.split("-")
    parts = [part.split(".") for part in tags.split("-")]
    against_platform = _platform_reason(platform, tuple(parts[2]), target)
    against_interpreter = _interpreter_reason(python, abi, parts, target)
    yield from filter(None, (against_platform, against_interpreter))
    if not against_platform and not against_interpreter:
        yield NeverMatches(tag=triple)


def _platform_reason(tag: str, have: tuple[str, ...], target: Target) -> Reason | None:
    platform = target.platform
    if tag == "any" or tag in platform.tags:
        return None
    need = release_asked(tag, platform)
    if need is None:
        return WrongPlatformTag(have=have, want=platform.tag)
    system, (major, minor) = need
    assert not isinstance(platform, Windows | Other)
    if isinstance(platform, Manylinux) and tag in platform.refused:
        return WrongPlatformTag(have=have, want=platform.tag)
    if (system == "macOS" and major > 10 and minor) or (major, minor) <= (platform.major, platform.minor):
        return NeverMatches(tag=tag)
    return OsTooOld(system=system, have=f"{platform.major}.{platform.minor}", need=f"{major}.{minor}")


_MAC_FORMATS = {
    "arm64": {"arm64", "universal2"},
    "x86_64": {"x86_64", "universal2", "universal", "intel", "fat3", "fat64"},
}
_VERSIONED_TAG = pattern(r"(macosx|manylinux|musllinux)_(\d+)_(\d+)_(\w+)")
_LEGACY_TAG = pattern(r"(manylinux1|manylinux2010|manylinux2014)_(\w+)")


def release_asked(tag: str, platform: Platform) -> tuple[str, tuple[int, int]] | None:
    """Return the system (``macOS``, ``glibc`` or ``musl``) and the release of it that a platform tag requires.

    None where the tag is for another system or architecture, or where the system's tags name no release.
    """
    family, major, minor, machine = _split_platform_tag(tag)
    match platform:
        case MacOS():
            return (
                ("macOS", (major, minor)) if family == "macosx" and machine in _MAC_FORMATS[platform.machine] else None
            )
        case Manylinux():
            return ("glibc", (major, minor)) if (family, machine) == ("manylinux", platform.machine) else None
        case Musllinux():
            return ("musl", (major, minor)) if (family, machine) == ("musllinux", platform.machine) else None
        case Windows() | Other():
            return None
        case _:
            assert_never(platform)


def _split_platform_tag(tag: str) -> tuple[str, int, int, str]:
    if legacy := _LEGACY_TAG.fullmatch(tag):
        return "manylinux", *LEGACY_MANYLINUX[legacy[1]], legacy[2]
    if versioned := _VERSIONED_TAG.fullmatch(tag):
        return versioned[1], int(versioned[2]), int(versioned[3]), versioned[4]
    return "", 0, 0, ""


def _interpreter_reason(python: str, abi: str, parts: list[list[str]], target: Target) -> Reason | None:
    own = target.interpreter_tag
    if f"{python}-{abi}" in _interpreter_pairs(target):
        return None
    stable_abi_of_an_older_python = abi in ("abi3", "abi3t") and python in _older_pythons(target)
    if python == own or stable_abi_of_an_older_python:
        return WrongAbiTag(have=tuple(parts[1]), want=target.abi)
    return WrongPythonTag(have=tuple(parts[0]), want=own)


@lru_cache(maxsize=256)
def _interpreter_pairs(target: Target) -> frozenset[str]:
    return frozenset(triple.rpartition("-")[0] for triple in target.tags)


@lru_cache(maxsize=256)
def _older_pythons(target: Target) -> frozenset[str]:
    """Return the python tags whose stable ABI the target would load if its own ABI were of that kind."""
    minors = range(2, target.version.minor + 1) if target.implementation == "cpython" else ()
    return frozenset(f"cp3{minor}" for minor in minors)


def judge(file: Listed | UnreadableFile, target: Target, rules: Rules = NO_RULES) -> Verdict:
    """Return the verdict on one file for one target; `Judge` is faster for many."""
    return Judge(target, rules).verdict(file)


SYSTEM, ARCHITECTURE, RELEASE = "system", "architecture", "release"


INTERPRETER, ABI, REQUIRES_PYTHON = "interpreter", "abi", "requires-python"


AXES = (SYSTEM, ARCHITECTURE, RELEASE, INTERPRETER, ABI, REQUIRES_PYTHON)
"""The axes on which a file can match: operating system, architecture and release; interpreter and ABI; Requires-
Python.
"""


def fits_of(file: Listed | UnreadableFile, reasons: Collection[Reason], target: Target) -> tuple[str, ...]:
    """Return the axes on which an incompatible file matches a target."""
    if isinstance(file, UnreadableFile):
        return ()
    by_tags = (*_of_platform(reasons, target), *_of_interpreter(reasons)) if isinstance(file, Wheel) else ()
    admits = file.requires_python and not any(isinstance(why, RequiresPython) for why in reasons)
    return (*by_tags, REQUIRES_PYTHON) if admits else by_tags


def _of_platform(reasons: Collection[Reason], target: Target) -> tuple[str, ...]:
    for why in reasons:
        if isinstance(why, WrongPlatformTag):
            same_machine = any(tag.endswith(f"_{target.platform.machine}") for tag in why.kindred)
            return (SYSTEM, ARCHITECTURE)[: bool(why.kindred) + same_machine]
        if isinstance(why, OsTooOld) or (isinstance(why, NeverMatches) and "-" not in why.tag):
            return SYSTEM, ARCHITECTURE
    return SYSTEM, ARCHITECTURE, RELEASE


def _of_interpreter(reasons: Collection[Reason]) -> tuple[str, ...]:
    for why in reasons:
        if isinstance(why, WrongPythonTag):
            return ()
        if isinstance(why, WrongAbiTag):
            return (INTERPRETER,)
    return INTERPRETER, ABI

"""One phrase for each variant that an answer can hold. A variant without a phrase fails a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelcheck.advice import changes, concerns
from wheelcheck.common.lazy_regex import pattern
from wheelcheck.common.records import assert_never, replace
from wheelcheck.diagnosis import confirmation
from wheelcheck.resolver import compatibility as verdicts
from wheelcheck.resolver import model as outcomes
from wheelcheck.standards import file_problems
from wheelcheck.targets.platform import WINDOWS_BY_TAG, MacOS, Manylinux, Musllinux, Other, Windows

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from wheelcheck.resolver.rejections import JudgedFile
    from wheelcheck.rules.model import Source
    from wheelcheck.targets.target import Target

_IMPLEMENTATIONS = {"cpython": "CPython", "pypy": "PyPy", "graalpy": "GraalPy"}
CLOSING = " ."
"""Characters stripped from the end of a foreign text that ends one of our sentences."""

MAX_ALIKE = 2
"""Maximum number of similar concerns about different projects that get a sentence each."""
MAX_LINES = 3
"""Maximum number of metadata lines that a sentence quotes."""

MIN_RUN = 3
"""Minimum number of consecutive Python versions that are shown as a range."""

_TAGGED = {"cp": "CPython", "pp": "PyPy", "py": "Python"}


def sourced(source: Source) -> str:
    """Return the source of a rule, with its date."""
    return f"{source.url or source.fact} ({source.date})"


def listed(words: Iterable[object], last: str = "and") -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    texts = [str(word) for word in words]
    if len(texts) < 2:
        return "".join(texts)
    return f"{', '.join(texts[:-1])} {last} {texts[-1]}"


def python_of(target: Target) -> str:
    """The interpreter of a target, such as ``CPython 3.13.5, free-threaded``."""
    name = _IMPLEMENTATIONS.get(target.implementation, target.implementation)
    return f"{name} {target.python}{', free-threaded' if target.free_threaded else ''}"


def platform_of(target: Target) -> str:
    """The system of a target, such as ``macOS 14.0 arm64``."""
    match target.platform:
        case MacOS() as mac:
            translated = ", translated by Rosetta" if target.translated else ""
            return f"macOS {mac.major}.{mac.minor} {mac.machine}{translated}"
        case Manylinux() as linux:
            return f"Linux {linux.machine}, glibc {linux.major}.{linux.minor}"
        case Musllinux() as linux:
            return f"Linux {linux.machine}, musl {linux.major}.{linux.minor}"
        case Windows() as windows:
            return f"Windows {windows.machine}"
        case Other() as other:
            return other.tag
        case other:
            assert_never(other)


def assumed(target: Target) -> tuple[str, ...]:
    """Return what the text of a target did not say, as it was assumed."""
    platform = target.platform
    release = platform_of(target) if isinstance(platform, Windows | Other) else f"{platform.major}.{platform.minor}"
    system = {MacOS: "macOS", Manylinux: "glibc", Musllinux: "musl"}.get(type(platform), "")
    taken = {
        "python": f"Python {target.python}",
        "floor": f"{system} {release}".strip(),
        "architecture": platform.machine,
    }
    return tuple(words for part, words in taken.items() if part in target.assumed)


def pythons(tags: Iterable[str]) -> str:
    """Python tags in words: ``CPython 3.9 and 3.12``, and ``3.9 to 3.12`` where all between are there too."""
    found: dict[str, list[str]] = {}
    for tag in tags:
        name = _TAGGED.get(tag[:2], tag)
        digits = tag[2:] if tag[:2] in _TAGGED else ""
        found.setdefault(name, []).append(f"{digits[:1]}.{digits[1:]}" if len(digits) > 1 else digits)
    return listed(f"{name} {listed(_runs(dict.fromkeys(versions)))}".rstrip() for name, versions in found.items())


def _runs(versions: Iterable[str]) -> list[str]:
    """Join three or more consecutive versions of Python into a range."""
    runs: list[list[str]] = []
    for version in versions:
        if runs and _follows(runs[-1][-1], version):
            runs[-1].append(version)
        else:
            runs.append([version])
    return [run_texts for run in runs for run_texts in (run if len(run) < MIN_RUN else [f"{run[0]} to {run[-1]}"])]


def _follows(one: str, other: str) -> bool:
    (major, _, minor), (next_major, _, next_minor) = one.partition("."), other.partition(".")
    return major == next_major and minor.isdecimal() and next_minor == str(int(minor) + 1)


_SYSTEMS = {MacOS: "macOS", Manylinux: "Linux", Musllinux: "Linux", Windows: "Windows"}
_FAMILIES = {"macosx": "macOS", "manylinux": "Linux", "linux": "Linux", "musllinux": "Linux with musl"}
_RELEASE = pattern(r"([a-z]+?)(?:[0-9]{1,4}|_[0-9]{1,3}_[0-9]{1,3})?_([a-z]\w*)")


def systems(tags: Iterable[str], first: str | None = None) -> str:
    """Return platform tags in words, without system releases: ``Linux aarch64 and x86_64, Windows amd64``.

    Args:
        tags: the tags.
        first: a tag whose system is named before the others.
    """
    found: dict[str, set[str]] = {}
    for tag in tags:
        system, machine = _system(tag)
        found.setdefault(system, set()).add(machine)
    own = _system(first)[0] if first is not None else None
    ordered = sorted(found, key=lambda system: (system != own, system))
    return ", ".join(f"{system} {listed(sorted(found[system]))}".rstrip() for system in ordered)


def _system(tag: str) -> tuple[str, str]:
    if tag in WINDOWS_BY_TAG:
        return "Windows", WINDOWS_BY_TAG[tag].machine
    parts = _RELEASE.fullmatch(tag)
    family = _FAMILIES.get(parts[1]) if parts else None
    return (family, parts[2]) if parts and family else (tag, "")


def fits(axes: Sequence[str], target: Target) -> str:
    """Return what of a rejected file matches, continuing a sentence about the file; empty where nothing does."""
    from wheelcheck.resolver.compatibility import ARCHITECTURE, INTERPRETER, RELEASE, REQUIRES_PYTHON, SYSTEM

    system = _SYSTEMS.get(type(target.platform), target.platform.tag)
    release = platform_of(replace(target, translated=None))
    systems = {RELEASE: release, ARCHITECTURE: f"{system} on {target.platform.machine}", SYSTEM: system}
    fitting = [next((words for axis, words in systems.items() if axis in axes), "")]
    fitting += [pythons([target.interpreter_tag]) if INTERPRETER in axes else ""]
    matching = listed(filter(None, fitting))
    if RELEASE in axes and REQUIRES_PYTHON in axes and INTERPRETER not in axes:
        matching = f"{matching}, and its publisher admits Python {target.environment['python_version']}"
    return f"fits {matching}" if matching else ""


def reason(why: verdicts.Reason) -> str:
    """Return why a file is rejected, continuing a sentence about the file."""
    match why:
        case verdicts.UnreadableName():
            return f"its name cannot be read: {why.why}"
        case verdicts.VariantWheel():
            return f"it is a wheel variant ({why.label}), which installers do not take yet"
        case verdicts.WrongPlatformTag():
            have, want = systems(why.have, first=why.want), systems([why.want])
            same = want in have  # the difference lies in a release
            return f"built for {listed(why.have) if same else have}; this is {why.want if same else want}"
        case verdicts.NeverMatches():
            return f"tagged {why.tag}, which matches no system: only its publisher can fix that"
        case verdicts.OsTooOld():
            return f"needs {why.system} {why.need} or newer; this is {why.have}"
        case verdicts.WrongPythonTag():
            return f"built for {pythons(why.have)}; this is {pythons([why.want])}"
        case verdicts.WrongAbiTag():
            return f"built for the ABI {listed(why.have)}; this Python has {why.want}"
        case verdicts.RequiresPython():
            return f"requires Python {why.specifier}; this is {why.python}"
        case verdicts.SourceOnly(no_binary=True):
            return "a wheel, but --no-binary requires a build from source, which is never done here"
        case verdicts.SourceOnly():
            return "a source distribution, which would have to be built"
        case file_problems.DynamicMetadata():
            fields = listed(why.fields) or "what it needs, since its metadata is older than version 2.2"
            return f"a source distribution of which only a build can tell {fields}"
        case verdicts.Quarantined():
            return "the index has quarantined the project"
        case file_problems.NotListed():
            return (
                f"no index lists it, and the lock file has it from {why.url}: name the index of the lock with "
                f"--extra-index-url, or lock again"
            )
        case file_problems.HashMismatch():
            wanted = listed(why.expected, "or") or "one that is given with every requirement, and there is none"
            what = "the hash of its metadata" if why.of_metadata else "its hash"
            return f"{what} is {why.actual or 'not stated'}, expected is {wanted}"
        case file_problems.BadMetadata():
            return f"its metadata cannot be used: {why.why}"
        case verdicts.ForbiddenByRule():
            return f"{why.rule.why.rstrip(CLOSING)} (rule {why.rule.id})"
        case verdicts.NoUploadTime():
            unknown = f"its index does not say whether it was uploaded before {why.limit}"
            return f"{unknown}; --no-upload-time allow accepts it anyway"
        case verdicts.TooNew():
            return f"uploaded at {why.uploaded}; --exclude-newer leaves out all from {why.limit} on"
        case verdicts.Yanked():
            return f"yanked by its publisher{f': {why.why}' if why.why else ''}; pin it with == to use it anyway"
        case verdicts.PreReleaseNotWanted():
            return "a pre-release, while final releases match; --pre accepts it"
        case _:
            assert_never(why)


def origin(demand: outcomes.Demand) -> str:
    """Return the origin of a demand, as the end of a sentence."""
    match demand.origin:
        case outcomes.Asked() as asked:
            return f"requested on {asked.place}" if asked.place == "the command line" else f"requested in {asked.place}"
        case outcomes.NeededBy() as needed:
            return f"required by {needed.name} {needed.version}"
        case outcomes.Installed() as installed:
            return f"required by the installed {installed.name} {installed.version}"
        case outcomes.Constraint() as constraint:
            return f"constrained by {constraint.place}"
        case outcomes.AddedByRule() as added:
            return f"added by a rule because of {added.name} {added.version}"
        case other:
            assert_never(other)


def conflict(answer: outcomes.NoAnswer, target: Target) -> str:
    """Return the first sentence about a conflict."""
    project = answer.project
    match answer:
        case outcomes.Missing():
            every = (answer, *answer.also)
            near = [f"{listed(one.near, 'or')}{f' for {one.project}' * bool(answer.also)}" for one in every if one.near]
            meant = f" Did you mean {'; '.join(near)}?" if near else ""
            are = f"{listed(one.project for one in every)} {'are' if answer.also else 'is'}"
            return f"{are} not on any index: {listed(answer.indexes) or 'none is configured'}.{meant}"
        case outcomes.NoMatchingVersion(newest=None):
            page = "none of the files on its page can be read" if answer.files else "its page lists none"
            return f"{project} has no usable file: {page}."
        case outcomes.NoMatchingVersion() if empty := _empty(answer):
            return f"No version can match {listed(empty)}: its parts exclude each other."
        case outcomes.NoMatchingVersion():
            return f"{project} has no version that matches; the newest is {answer.newest}."
        case outcomes.NoCompatibleFile() if all(verdicts.SourceOnly() in file.reasons for file in answer.files):
            has = f"{project} has no wheel that matches, only source distributions, and nothing is built here"
            return f"{has}: a wheel that pip wheel makes of one is found with --find-links."
        case outcomes.NoCompatibleFile() if any(map(file_problems.ends_search, answer.files[0].reasons)):
            return f"{answer.files[0].filename} is refused, and no other version is tried, as in pip."
        case outcomes.NoCompatibleFile() if [type(why) for why in answer.files[0].reasons] == [
            file_problems.HashMismatch
        ]:
            return f"{project} has no file with one of the given hashes."
        case outcomes.NoCompatibleFile():
            this = f"{python_of(target)} on {platform_of(target)}"
            return f"{project} has no file{_early(answer.files)} compatible with {this}."
        case outcomes.Conflict():
            return "The requirements conflict."
        case outcomes.NotLocked():
            lacks = f"{project} is required, and {answer.place} does not have it for this target"
            return f"{lacks}: the lock file is incomplete."
        case outcomes.NotForTarget():
            this = f"{python_of(target)} on {platform_of(target)}"
            several = [f"({one})" for one in answer.admitted] if len(answer.admitted) > 1 else answer.admitted
            return f"{answer.place} is for {listed(several, 'or')} only; this is {this}."
        case _:
            assert_never(answer)


def _empty(conflict: outcomes.NoAnswer) -> list[str]:
    """Return the demands on a project that no version can meet."""
    about = (demand.requirement for demand in conflict.demands if demand.name == conflict.project)
    return list(dict.fromkeys(str(each) for each in about if each.specifier.is_unsatisfiable()))


LEFT_OUT = "compatible, but the requirements exclude its version"
"""Said of a file in a conflict that nothing rules out by itself."""


def _early(files: Sequence[outcomes.RefusedFile]) -> str:
    """Return the limit of ``--exclude-newer``, where only its upload time rules out the closest file."""
    match files and files[0].reasons:
        case (verdicts.TooNew(limit=limit) | verdicts.NoUploadTime(limit=limit),):
            return f" from before {limit}"
    return ""


def concern(about: concerns.Concern) -> str:
    """Return a concern as a sentence."""
    match about:
        case concerns.PreRelease():
            found = f"{about.project} {about.version} is an unrequested pre-release"
            lacking = f"; no final release fits. {_newest(about.newest_final, about.needs)}"
            return f"{found}{lacking if about.newest_final else '.'}"
        case concerns.NightlyDependency():
            wanted = listed(about.requirements, "and")
            required = f"is a development release, required by {listed(about.needed_by)} ({wanted})"
            return f"{about.project} {about.version} {required}; unless it is pinned, the answer changes daily."
        case concerns.Stale():
            return f"{behind(about)}, which does not fit. {_newest(_needed(about), about.needs)}"
        case concerns.Antique():
            return (
                f"{about.filename} is for Python {about.newest} and older by its name; this is {about.python}. "
                "Installers take it, whether it works or not."
            )
        case concerns.SameModule():
            projects = listed([about.project, *about.others])
            return f"{projects} install the same module, {about.module}: keep one of them."
        case concerns.Translated(rule=rule) if rule is not None:
            fails = f"{about.project or 'this'} does not work: {rule.why}"
            return f"if this Mac has Apple silicon, Rosetta translates this Python, and {fails}"
        case concerns.Translated():
            return (
                f"{about.interpreter or 'This Python'} runs translated by Rosetta: it takes wheels for x86_64 only. "
                "The fix is an arm64 Python, not another wheel."
            )
        case concerns.AssumedPython():
            hangs = f"{about.project} {about.version} states {about.states}"
            return f"{hangs}; that was decided for Python {about.python}, and other micro versions decide otherwise."
        case concerns.AssumedFloor():
            needs = f"{about.project} {about.version} needs {about.system} {about.needs} or newer"
            said = "so it was left out" if about.refused else "so it fits nothing older"
            return f"{needs}, {said}. The release was assumed: name yours in the target."
        case concerns.MetadataDisagrees():
            other = about.other or "the page of the index"
            says = f"{about.filename} says {_lines(about.says)}, {other} says {_lines(about.other_says)}"
            return f"{says}; the file counts."
        case concerns.UnknownTarget():
            known = f"the newest that is known is {about.newest} ({about.as_of})"
            return f"there is no {about.thing} {about.release}: {known}. Correct the target, or update wheelcheck."
        case concerns.Yanked():
            why = f": {about.why.rstrip(CLOSING)}" if about.why else ""
            return f"{about.project} {about.version} was yanked by its publisher{why}."
        case concerns.SourceOnly():
            return f"{about.project} {about.version} would be built from source; whether that works was not tried."
        case concerns.ProjectStatus():
            return f"{status(about)}{f': {about.why.rstrip(CLOSING)}' if about.why else ''}."
        case concerns.SeveralIndexes():
            others = "; ".join(map(elsewhere, about.others))
            chosen = f"{about.filename} is from {about.chosen} and not the same on every index that has {about.project}"
            return f"{chosen}: {others}. {_MIXED}"
        case concerns.HeldBack():
            held = f"{about.project} is held back to {about.version}; metadata alone would give {about.instead_of}"
            return f"{held}. {' '.join(rule.why for rule in about.rules)}"
        case concerns.PredictedBreak():
            doubt = f"{about.project} {about.version} may not work here: {about.rule.why}"
            return f"{doubt} That is predicted, not proved."
        case concerns.MarkerUnknown() if about.by_host != about.by_target:
            by_host, by_target = (
                f"{about.project} {v}" if v else f"no {about.project}" for v in (about.by_host, about.by_target)
            )
            return (
                f"pip evaluates markers for this machine and takes {by_host}; those of the target ask for {by_target}."
            )
        case concerns.MarkerUnknown():
            needs = f"{about.project} {about.version} needs {about.requirement.name}"
            return f"{needs} only where {about.requirement.marker}; whether this target is so is unknown."
        case concerns.BreaksInstalled():
            needs = f"{about.installed} {about.installed_version}, which stays installed, requires {about.requirement}"
            return f"{needs}; pip would install {about.project} {about.version} regardless."
        case concerns.InstalledDiffers(installed=None):
            return f"{about.project} {about.version} is pinned and not installed there."
        case concerns.InstalledDiffers(origin=str()):
            was = f"the import was with {about.origin}, not with the installed {about.installed}"
            return f"{about.project} {about.version} is pinned; {was}."
        case concerns.InstalledDiffers(imported=False):
            return (
                f"{about.project} {about.version} is pinned; {about.installed} is installed, and the import did not "
                "need it."
            )
        case concerns.InstalledDiffers():
            return f"{about.project} {about.version} is pinned; the import was with the installed {about.installed}."
        case concerns.NotTried():
            return f"No import was tried: {not_tried(about.why)}"
        case _:
            assert_never(about)


def behind(about: concerns.Stale) -> str:
    """Return how far a choice is behind the newest release, as the beginning of a sentence."""
    months = f" ({counted(about.months, 'month')})" if about.months else ""
    far = f"is {counted(about.versions, 'release')}{months} behind {about.newest}"
    if about.fitting == about.version:
        return f"{about.project} {about.version} {far}"
    left_out = f"{about.project} {about.version} is older than {about.fitting}, which another requirement excludes"
    return f"{left_out}; that {far}"


def _needed(about: concerns.Stale) -> str:
    """Return the release that does not fit: its version, with its project where that is another one."""
    return str(about.newest) if about.of == about.project else f"{about.of} {about.needs[0].version}, which that needs"


def groups(found: Iterable[concerns.Concern], pins: Iterable[outcomes.Pin]) -> list[list[concerns.Concern]]:
    """Return concerns that one sentence can tell together, worst first; up to `MAX_ALIKE` of them stay apart."""
    asked = {pin.name for pin in pins if pin.requested}
    found = list(found)
    nightly = {one.project for one in found if isinstance(one, concerns.NightlyDependency)}
    alike: dict[object, list[concerns.Concern]] = {}
    for one in found:
        # a nightly is a pre-release, too
        if not (isinstance(one, concerns.PreRelease) and one.newest_final is None and one.project in nightly):
            alike.setdefault(_likeness(one, asked), []).append(one)
    parts = [part for group in alike.values() for part in ([group] if len(group) > MAX_ALIKE else [[o] for o in group])]
    return sorted(parts, key=lambda group: _urgency(group[0], asked))


def _urgency(about: concerns.Concern, asked: Container[str]) -> tuple[int, int]:
    """A sort key: warnings before notes, and of each first what is about the target or a requested project."""
    late = isinstance(about, concerns.SeveralIndexes)
    return about.level != "warning", 2 if late else about.project is not None and about.project not in asked


def about(group: Sequence[concerns.Concern]) -> str:
    """Return the sentence about a concern, or about several alike."""
    return concern(group[0]) if len(group) == 1 else _together(group)


def _likeness(about: concerns.Concern, asked: Container[str]) -> object:
    """Return a key for concerns that `_together` can put into one sentence; any other concern is its own key."""
    match about:
        case concerns.Stale() if about.project not in asked:
            return type(about), about.level
        case concerns.SeveralIndexes():
            return type(about)
    return about


def _together(about: Sequence[concerns.Concern]) -> str:
    """Return several concerns with the same key as one sentence."""
    first = about[0]
    match first:
        case concerns.SeveralIndexes():
            same = f"{len(about)} chosen files are not the same on every index that has their project"
            return f"{same}. {_MIXED} They are of {listed(one.project for one in about)}."
    behind_newest = (f"{one.project} {one.version} ({one.newest})" for one in about if isinstance(one, concerns.Stale))
    unfit = "of which, or of what they need, no file fits"
    return f"{listed(behind_newest)} are behind their newest releases, {unfit}."


_MIXED = "Name one index only, or pin the hash."


def counted(number: int, thing: str) -> str:
    """``1 month``, ``2 months``."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _newest(version: object, files: Sequence[outcomes.RefusedFile]) -> str:
    """Return what the newest release would need, as a sentence."""
    if not files:
        return f"It would be {version}."
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    return f"{version}: {'; '.join(joined_reasons(files))} (nearest: {files[0].filename}{more})."


def _lines(lines: Sequence[str]) -> str:
    shown = [repr(line) for line in lines[:MAX_LINES]]
    more = [f"{len(lines) - MAX_LINES} more lines"] if len(lines) > MAX_LINES else []
    return listed([*shown, *more]) or "nothing of that"


def joined_reasons(files: Sequence[outcomes.RefusedFile]) -> list[str]:
    """Return the reasons against files that are rejected for the same kinds of reasons, each kind once."""
    return [reason(joined([file.reasons[at] for file in files])) for at in range(len(files[0].reasons))]


def joined(reasons: Sequence[verdicts.Reason]) -> verdicts.Reason:
    """Return one reason for several of a kind: tags are combined, of others the first counts."""
    first = reasons[0]
    if not isinstance(first, _ABOUT_TAGS):
        return first
    have = {tag for why in reasons if isinstance(why, _ABOUT_TAGS) for tag in why.have}
    return replace(first, have=tuple(sorted(have, key=lambda tag: (len(tag), tag))))


_ABOUT_TAGS = verdicts.WrongPythonTag | verdicts.WrongAbiTag | verdicts.WrongPlatformTag


def change(what: changes.Change) -> str:
    """Return what a remedy changes."""
    match what:
        case changes.ChangePython():
            return f"CPython {what.python}"
        case changes.RaiseOsFloor():
            return f"{what.system} {what.floor} or newer"
        case changes.UseNativeArchitecture():
            return f"an {what.machine} Python (on Apple silicon)"
        case changes.ReplaceProject():
            return f"require {what.requirement} instead of {what.project}: {what.why}"
        case changes.AddRequirement():
            return f"also require {listed(what.requirements, 'and')}"
        case changes.ChangeRequirement():
            where = "" if what.place == "the command line" else f" ({what.place})"
            return f"require {what.after} instead of {what.before}{where}"
        case changes.AllowPreRelease(requirements=()):
            named = ",".join(what.projects)
            return f"accept pre-releases of {listed(what.projects)} (--all-releases {named} in a requirements file)"
        case changes.AllowPreRelease():
            return f"accept the pre-release: add {listed(what.requirements)}, so that it is a decision"
        case changes.AllowSource():
            return f"--allow-sdists: build {listed(what.projects)} from source; whether that works was not tried"
        case changes.DropRequirement():
            where = "" if what.place == "the command line" else f" ({what.place})"
            return f"leave out {what.requirement}{where}"
        case changes.ChangeIndexStrategy():
            return f"--index-strategy {what.strategy}"
        case _:
            assert_never(what)


def extent(files: Sequence[JudgedFile], demands: Iterable[outcomes.Demand]) -> str:
    """Return how many files of how many versions are shown, and what excludes others."""
    versions = len({file.version for file in files if file.version is not None})
    selecting = [f"{demand.shown} ({origin(demand)})" for demand in demands if demand.requirement.specifier]
    number = f"{counted(len(files), 'file')} of {counted(versions, 'version')}"
    return f"{number}{f', those that {listed(selecting)} admits' if selecting else ''}:"


def status(about: concerns.ProjectStatus) -> str:
    """Return the status of a project (PEP 792), as a sentence without its end."""
    match about.status:
        case "archived":
            return f"{about.project} is archived, so no further release is to be expected"
        case "deprecated":
            return f"{about.project} is deprecated by its maintainers"
        case other:
            return f"The index calls the status of {about.project} {other!r}"


def elsewhere(other: concerns.Elsewhere) -> str:
    """Return what another index has instead of a chosen file, as a part of a sentence."""
    has = {
        "nothing": "has no file of that name",
        "other": "has another file of that name",
        "unproven": "has a file of that name, and no hash proves that it is the same",
    }
    return f"{other.index} {has[other.has]}"


def not_tried(why: confirmation.NotTried) -> str:
    """Return why an import was not tried, as a sentence."""
    match why:
        case confirmation.OtherMachine():
            return (
                f"{why.target} is not an interpreter of this machine. Run the same command there, "
                "or name one that is here with --target /path/to/python."
            )
        case confirmation.NotInstalled():
            return f"{why.project} is not installed in that interpreter. Add --fresh to try it in a new environment."
        case confirmation.NoModules():
            return f"{why.project} has no module of its own to import."
        case confirmation.BrokenMetadata():
            return f"what is installed of {why.project} cannot be read: {why.why}."
        case confirmation.NoAnswer():
            return f"what the import of {why.project} gave was cut short or spoilt."
        case confirmation.InterpreterGone():
            return f"{why.interpreter} could not be started: {why.why}."
        case confirmation.InterpreterUnusable(returncode=None):
            return f"{why.interpreter} was ended before the first import{_last(why.last_line)}"
        case confirmation.InterpreterUnusable():
            ended = f"{why.interpreter} ended before the first import (exit code {why.returncode})"
            return f"{ended}{_last(why.last_line)}"
        case confirmation.PythonTooOld():
            return f"{why.interpreter} is Python {why.python}; an import can be tried from 3.8 on."
        case confirmation.NothingAsked():
            return "no project was requested."
        case _:
            assert_never(why)


def _last(line: str) -> str:
    return f": {line}" if line else "."


def failure(what: confirmation.Failure) -> str:
    """Return how an import failed, continuing a sentence about the module."""
    match what:
        case confirmation.NotFound():
            return f"no module {what.name} was found"
        case confirmation.Raised():
            return f"{what.stage} raised {what.error}: {what.message}"
        case confirmation.Died(signal=None):
            return f"the process ended with exit code {what.returncode} during {what.stage}"
        case confirmation.Died():
            return f"the process was ended by {what.signal} during {what.stage}"
        case confirmation.Hung():
            return f"{what.stage} took longer than {what.seconds:g} seconds{f', in {what.where}' if what.where else ''}"
        case confirmation.WrongResult():
            return f"{what.operation} gave {what.got}; expected: {what.expected}"
        case confirmation.ImportedElsewhere():
            return f"another module of that name was imported, from {what.origin}; the installed one is {what.expected}"
        case confirmation.Shadowed():
            return f"{what.path} is found first where this runs, and imported as {what.name}"
        case _:
            assert_never(what)

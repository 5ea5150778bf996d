"""Records the slice of the configured index that the questions of fixtures/cases.json need.

Run it as ``python tests/support/record.py``. It writes

fixtures/index/PROJECT/index.json       the part of a project page (PEP 691) that the answers stand on, one file a line
fixtures/index/files/WHEEL.metadata     what the metadata of a wheel says about compatibility, where an answer read it
fixtures/index/answers.json             what the index answered, for the replay to be compared with
fixtures/index/manifest.json            when it was recorded, by what, and why each version was kept

Everything is written anew and sorted, so that two recordings differ only where the index does. Of what pip is
configured for, only the index is asked: extra indexes, directories of links and constraints belong to the machine.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import defaultdict
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from time import thread_time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import wheelcheck
from wheelcheck.advice.remedies import Answer, Case, remedies
from wheelcheck.commands.retry import concerns_in
from wheelcheck.commands.snapshot import metadata_text
from wheelcheck.common.errors import TimedOut
from wheelcheck.common.records import replace
from wheelcheck.index.cache.store import Cache
from wheelcheck.index.http.client import TransportOptions
from wheelcheck.index.index import Index, SimpleIndex
from wheelcheck.inputs.pip_config import default_index_url, read_configuration
from wheelcheck.resolver.limits import Budget
from wheelcheck.resolver.model import Asked, Demand, Missing, Outcome, Solution
from wheelcheck.resolver.resolve import Question, resolve, solve
from wheelcheck.rules.load import curated
from wheelcheck.standards.core_metadata import Metadata
from wheelcheck.standards.names import canonicalize_name
from wheelcheck.standards.project_page import Listed, ProjectPage, Wheel
from wheelcheck.targets.target import Target, read_target

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName
    from packaging.version import Version

    from wheelcheck.advice.changes import Remedy
    from wheelcheck.standards.file_problems import BadMetadata, HashMismatch
    from wheelcheck.standards.project_page import UnreadableFile

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
CASES = FIXTURES / "cases.json"
SLICE = FIXTURES / "index"

WHOLE = {
    "tensorflow": SpecifierSet(">=2.8"),
    "tensorflow-cpu": SpecifierSet(">=2.8"),
    "tensorflow-intel": SpecifierSet(),
    "tensorflow-macos": SpecifierSet(">=2.8"),
    "tensorflow-metal": SpecifierSet(),
}
"""Projects that questions are about: of these versions every final release is kept, whatever the platform."""

FIELDS = ("metadata-version", "name", "version", "requires-dist", "requires-python", "provides-extra", "dynamic")
NEWEST, NEAREST, FEW = 3, 5, 10
REFUSED = "refused in an answer"
SECONDS_FOR_A_REMEDY = 10.0
MAX_OF_A_FILE, MOST = 1_200_000, 6_000_000


class Recorder:
    """The index, and a list of what the resolver asked of it. What is only fetched ahead is no part of an answer."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.pages: set[NormalizedName] = set()
        self.read: dict[Listed, Metadata] = {}

    def start_page(self, name: NormalizedName, then: Callable[[ProjectPage], None] | None = None) -> None:
        self.pages.add(name)
        self.index.start_page(name, then)

    def page(self, name: NormalizedName) -> ProjectPage | None:
        self.pages.add(name)
        return self.index.page(name)

    def direct(self, url: str, name: NormalizedName, wanted: Collection[str] = ()) -> Listed | UnreadableFile:
        return self.index.direct(url, name, wanted)

    def start_metadata(self, file: Listed, then: Callable[[object], None] | None = None) -> None:
        self.index.start_metadata(file, then)

    def metadata(self, file: Listed) -> Metadata | BadMetadata | HashMismatch:
        told = self.index.metadata(file)
        if not isinstance(told, Metadata):
            raise SystemExit(f"The metadata of {file.filename} was refused ({told}); a slice cannot tell that.")
        self.read[file] = told
        return told


class Keep:
    """Which versions of which project are kept, and why."""

    def __init__(self) -> None:
        self.why: dict[NormalizedName, dict[str, set[Version]]] = defaultdict(lambda: defaultdict(set))

    def add(self, name: NormalizedName, why: str, versions: Iterable[Version | None]) -> None:
        self.why[name][why].update(version for version in versions if version is not None)

    def from_outcome(self, outcome: Outcome, page_of: Callable[[NormalizedName], ProjectPage | None]) -> None:
        """What an answer names without reading it."""
        if isinstance(outcome, Solution):
            for held in outcome.held_back:
                self.add(held.name, "ruled out in an answer", [held.instead_of])
            return
        for name in (outcome.project, *(demand.name for demand in outcome.demands)):
            files = outcome.files[:NEAREST]
            about = (file for file in files if canonicalize_name(file.filename.partition("-")[0]) == name)
            self.add(name, REFUSED, (file.version for file in about))
        for demand in outcome.demands:
            page = page_of(demand.name)
            admitted = demand.requirement.specifier.filter(page.versions if page else (), prereleases=True)
            self.add(demand.name, "demanded in a conflict", [next(iter(admitted), None)])

    def from_page(self, page: ProjectPage, read: set[Version]) -> None:
        """What was read, what stands beside it, and the newest; or a project as a whole."""
        final = [version for version in page.versions if not version.is_prerelease]
        self.add(page.name, "read", read)
        self.add(page.name, "newest", [*final[:NEWEST], *list(page.versions)[:1]])
        if page.name in WHOLE:
            whole = WHOLE[page.name]
            self.add(page.name, f"all of {whole or 'it'}", (version for version in final if version in whole))
            return
        for version in read & set(final) if len(read) < FEW else ():
            at = final.index(version)
            self.add(page.name, "beside one that was read", [*final[max(0, at - 1) : at], *final[at + 1 : at + 2]])


# -- asking


def question_of(case: Mapping[str, Any]) -> Question:
    origin = Asked(place="the command line")
    return Question(
        target=read_target(case["target"]),
        demands=tuple(Demand(requirement=Requirement(text), origin=origin) for text in case["requirements"]),
        rules=curated(),
    )


def configured_index() -> Index:
    """The one index that pip is configured for, or pip's default, reached as pip reaches it."""
    configuration = read_configuration()
    options = TransportOptions(
        timeout=configuration.timeout,
        retries=configuration.retries,
        trusted_hosts=configuration.trusted_hosts,
        cert=configuration.cert,
        client_cert=configuration.client_cert,
        proxy=configuration.proxy,
    )
    return Index(
        [SimpleIndex(configuration.index_url or default_index_url())], cache=Cache(None), transport_options=options
    )


def answer_of(outcome: Outcome) -> dict[str, Any]:
    """What the replay must give again: the chosen files, or the conflict with the files that came nearest."""
    if isinstance(outcome, Solution):
        return {"files": [pin.file.filename for pin in outcome.pins]}
    nearest = [file.filename for file in outcome.files[:NEAREST]] if not isinstance(outcome, Missing) else []
    return {"conflict": outcome.kind, "project": outcome.project, "nearest": nearest}


# -- slicing


def kept_files(page: ProjectPage, why: Mapping[str, set[Version]], targets: Iterable[Target]) -> list[Listed]:
    """The files of the kept versions, oldest first: all of them, or those that some questions could be about."""
    fits = fits_some(targets)
    found = [file for version in set().union(*why.values()) for file in page.versions.get(version, ())]
    wanted = [file for file in found if page.name in WHOLE or file.version in why[REFUSED] or fits(file)]
    return sorted(wanted, key=lambda file: (file.version, file.filename))


def fits_some(targets: Iterable[Target]) -> Callable[[Listed], bool]:
    """Whether the Python of one question and the platform of the same or another one suit a file."""
    tags = {tuple(tag.rsplit("-", 1)) for target in targets for tag in target.ranks}
    pythons, platforms = {python for python, _ in tags}, {platform for _, platform in tags}

    def fits(file: Listed) -> bool:
        pairs = [triple.rsplit("-", 1) for triple in file.triples] if isinstance(file, Wheel) else []
        return not isinstance(file, Wheel) or any(one in pythons and two in platforms for one, two in pairs)

    return fits


def entry(file: Listed, core: bytes | None) -> dict[str, Any]:
    """A file's entry on a page (PEP 691, 700, 714)."""
    about: dict[str, Any] = {"filename": file.filename, "url": f"../files/{quote(file.filename)}"}
    about["hashes"] = {"sha256": file.hashes["sha256"]} if "sha256" in file.hashes else {}
    about["size"] = file.size
    about["requires-python"] = file.requires_python
    about["upload-time"] = file.upload_time
    about["yanked"] = None if file.yanked is None else file.yanked or True
    about["core-metadata"] = None if core is None else {"sha256": hashlib.sha256(core).hexdigest()}
    return {key: value for key, value in about.items() if value is not None}


def page_text(name: str, entries: Iterable[Mapping[str, Any]]) -> str:
    """A page with one line a file, so that a new file is a new line."""
    lines = ",\n".join(json.dumps(about, separators=(",", ":"), ensure_ascii=False) for about in entries)
    return f'{{"meta":{{"api-version":"1.1"}},"name":{json.dumps(name)},"files":[\n{lines}\n]}}\n'


LEFT_OUT = (
    "versions that stand under no reason below",
    "wheels for a Python or a platform that no question is about; not of projects kept as a whole or versions refused",
    "metadata that no answer read",
    f"fields of metadata other than {', '.join(FIELDS)}",
)


def manifest(keep: Keep, names: Iterable[NormalizedName]) -> dict[str, Any]:
    return {
        "recorded": datetime.now(timezone.utc).date().isoformat(),
        "by": f"tests/support/record.py with wheelcheck {wheelcheck.__version__}",
        "origin": "the configured index",
        "left_out": LEFT_OUT,
        "kept": {name: reasons(keep.why[name]) for name in names},
    }


def reasons(why: Mapping[str, Iterable[Version]]) -> dict[str, str]:
    return {reason: ", ".join(map(str, sorted(found))) for reason, found in sorted(why.items()) if found}


# -- writing


def write(path: Path, content: str | bytes) -> None:
    """Exactly these bytes on every system: hashes are taken of them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def write_slice(recorder: Recorder, keep: Keep, targets: Sequence[Target], heads: Mapping[Listed, bytes]) -> None:
    pages = [page for name in sorted(recorder.pages) if (page := recorder.index.page(name)) is not None]
    for page in pages:
        keep.from_page(page, {file.version for file in recorder.read if file.name == page.name})
        files = kept_files(page, keep.why[page.name], targets)
        write(SLICE / page.name / "index.json", page_text(page.name, (entry(file, heads.get(file)) for file in files)))
    for file, head in heads.items():
        write(SLICE / "files" / f"{file.filename}.metadata", head)
    write(SLICE / "manifest.json", json.dumps(manifest(keep, [page.name for page in pages]), indent=1) + "\n")


def answers(
    cases: Iterable[Mapping[str, Any]], index: Recorder, keep: Keep, targets: list[Target]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for case in cases:
        question = question_of(case)
        outcome = resolve(question, index)
        keep.from_outcome(outcome, index.index.page)
        targets.append(question.target)
        found = remedies_for(question, outcome, index, targets)
        answer = answer_of(outcome)
        told = answer.get("conflict") or f"{len(answer['files'])} pins"
        print(case["id"], told, *(remedy.kind for remedy in found), sep=": ")
        yield case["id"], answer


def remedies_for(question: Question, outcome: Outcome, index: Recorder, targets: list[Target]) -> tuple[Remedy, ...]:
    """What the replay looks for beyond the answer itself, so that it finds it; the targets asked are noted."""

    def ask(changed: Question, strategy: str | None) -> Answer | None:
        solution = None
        with suppress(TimedOut):  # as in an answer, where a remedy that takes too long is none
            solution = None if strategy else solve(changed, index, Budget(thread_time, SECONDS_FOR_A_REMEDY))
        if solution is None:
            return None
        targets.append(changed.target)
        return Answer(solution.pins, concerns_in(solution, changed, index))

    solution = outcome if isinstance(outcome, Solution) else None
    case = Case(
        question=question,
        strategy="best-match",
        conflict=outcome if not isinstance(outcome, Solution) else None,
        pins=solution.pins if solution else (),
        concerns=concerns_in(solution, question, index) if solution else (),
        page=index.page,
        on=lambda target: replace(question, target=target),
    )
    return remedies(case, ask)


def record() -> None:
    cases = json.loads(CASES.read_text("utf-8"))
    with configured_index() as index:
        recorder, keep = Recorder(index), Keep()
        targets: list[Target] = []
        given = dict(answers(cases, recorder, keep, targets))
        shutil.rmtree(SLICE, ignore_errors=True)
        write_slice(recorder, keep, targets, {file: metadata_text(told) for file, told in recorder.read.items()})
    write(SLICE / "answers.json", json.dumps(given, indent=1, sort_keys=True) + "\n")


def check_size() -> None:
    sizes = {path: path.stat().st_size for path in SLICE.rglob("*") if path.is_file()}
    print(f"{len(sizes)} files, {sum(sizes.values()):,} bytes in {SLICE}")
    large = [path for path, size in sizes.items() if size > MAX_OF_A_FILE]
    if large or sum(sizes.values()) > MOST:
        raise SystemExit(f"That is too much for a repository: {', '.join(map(str, large)) or 'all together'}.")


if __name__ == "__main__":
    record()
    check_size()

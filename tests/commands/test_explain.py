"""`explain`: every file of a project once, each with its verdict, and the nearest of those that do not fit."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.utils import parse_wheel_filename
from packaging.version import Version

from doors import LINUX, MAC, NOWHERE, PROJECTS, stand_alone
from loopback import Server, simple_index, status
from record import SLICE
from scenario import Scenario
from wheelcheck import UsageError, check, explain
from wheelcheck.cli.main import main
from wheelcheck.resolver.compatibility import AXES, CHECK_ORDER, Incompatible, fits_of, judge
from wheelcheck.resolver.model import RefusedFile, Solution
from wheelcheck.resolver.rejections import JudgedFile, every_file, nearest_of
from wheelcheck.resolver.resolve import resolve_with_state
from wheelcheck.standards.names import canonicalize_name
from wheelcheck.standards.project_page import read_file
from wheelcheck.targets.target import read_target
from wheels import make_sdist, make_wheel
from worlds import NAMES, WORLDS, World

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from wheelcheck.commands.explain import Explanation

A = canonicalize_name("a")


# -- what of a refused file fits

ALL = " ".join(AXES)


@pytest.mark.parametrize(
    ("rest", "requires_python", "target", "axes"),
    [
        ("cp311-cp311-macosx_12_0_arm64.whl", None, "macos-14-arm64-cp312", "system architecture release"),
        ("cp311-cp311-macosx_12_0_arm64.whl", ">=3.9", MAC, "system architecture release requires-python"),
        ("cp311-cp311-macosx_12_0_arm64.whl", "<3.12", MAC, "system architecture release"),
        ("cp312-cp312-macosx_12_0_arm64.whl", "<3.12", MAC, "system architecture release interpreter abi"),
        ("cp312-cp312t-macosx_12_0_arm64.whl", None, MAC, "system architecture release interpreter"),
        ("cp312-cp312-macosx_15_0_arm64.whl", None, MAC, "system architecture interpreter abi"),
        ("cp312-cp312-macosx_14_5_arm64.whl", None, MAC, "system architecture interpreter abi"),
        ("cp312-cp312-macosx_12_0_x86_64.whl", None, MAC, "system interpreter abi"),
        ("cp312-cp312-win_arm64.macosx_12_0_x86_64.whl", None, MAC, "system interpreter abi"),
        ("cp312-cp312-win_amd64.whl", None, MAC, "interpreter abi"),
        ("cp311-cp311-win_amd64.whl", ">=3.9", MAC, "requires-python"),
        ("cp312-cp312-manylinux_2_35_x86_64.whl", None, LINUX, "system architecture interpreter abi"),
        ("cp312-cp312-manylinux_2_17_aarch64.whl", None, LINUX, "system interpreter abi"),
        ("cp312-cp312-musllinux_1_2_x86_64.whl", None, LINUX, "system architecture interpreter abi"),
        ("cp312-cp312-win32.whl", None, "windows-amd64-cp312", "system interpreter abi"),
        ("py2-none-any.whl", None, LINUX, "system architecture release"),
        ("py3-none-any.whl", ">=3.13", LINUX, "system architecture release interpreter abi"),
        ("cp312-cp312-any.whl", None, LINUX, "system architecture release interpreter abi"),
        ("cp312-abi3-cp312.whl", None, LINUX, "interpreter abi"),
        ("py3-none.whl", None, LINUX, ""),
    ],
)
def test_what_fits(rest: str, requires_python: str | None, target: str, axes: str) -> None:
    file = read_file(f"a-1.0-{rest}", url="", requires_python=requires_python)
    verdict = judge(file, read_target(target))
    assert isinstance(verdict, Incompatible)
    assert " ".join(fits_of(file, verdict.reasons, read_target(target))) == axes


@pytest.mark.parametrize(("requires_python", "axes"), [(None, ""), (">=3.9", "requires-python"), (">=3.13", "")])
def test_what_fits_of_a_source_distribution(requires_python: str | None, axes: str) -> None:
    file = read_file("a-1.0.tar.gz", url="", requires_python=requires_python)
    verdict = judge(file, read_target(LINUX))
    assert isinstance(verdict, Incompatible)
    assert " ".join(fits_of(file, verdict.reasons, read_target(LINUX))) == axes


# -- every file, in memory


def explained(told: Mapping[str, Any]) -> tuple[tuple[JudgedFile, ...], RefusedFile | None, str | None]:
    """Every file of the project `a`, the nearest one, and the file that would be chosen."""
    scenario = Scenario("here", {"target": MAC, "asks": ["a"], "no_deps": True, **told})
    question = scenario.question(scenario.targets[0])
    outcome, ledger = resolve_with_state(question, scenario.shelf)
    files = every_file(ledger, A, question.demands)
    best = outcome.pins[0].file.filename if isinstance(outcome, Solution) else None
    return files, nearest_of(files, question.target), best


def kinds(files: tuple[JudgedFile, ...]) -> dict[str, list[str]]:
    return {judged.filename: [why.kind for why in judged.reasons] for judged in files}


def wheel(version: str, tags: str = "py3-none-any") -> str:
    return f"a-{version}-{tags}.whl"


FOR_MAC, FOR_WINDOWS, OLDER = "cp312-cp312-macosx_12_0_arm64", "cp312-cp312-win_amd64", "cp311-cp311-macosx_12_0_arm64"


def test_every_reason_in_the_order_of_the_questions() -> None:
    about = {"files": [wheel("2.0rc1", "cp311-cp311-win_amd64")], "yanked": "gone", "requires_python": "<3.12"}
    index = {
        "a": {"2.0rc1": {**about, "uploaded": "2025-01-01T00:00:00Z"}, "1.0": {"uploaded": "2023-01-01T00:00:00Z"}}
    }
    files, _, best = explained({"index": index, "exclude_newer": "2024-01-01"})
    assert kinds(files) == {
        wheel("2.0rc1", "cp311-cp311-win_amd64"): [
            *("WrongPlatformTag", "WrongPythonTag", "RequiresPython", "TooNew", "Yanked", "PreReleaseNotWanted"),
        ],
        wheel("1.0"): [],
    }
    assert best == wheel("1.0")


def test_the_newest_version_first_and_of_one_version_the_nearest() -> None:
    of_two = [wheel("2.0", tags) for tags in (FOR_WINDOWS, OLDER, "py3-none-any", FOR_MAC)]
    index = {"a": {"1.0": {"files": [wheel("1.0"), "a-1.0.tar.gz"]}, "2.0": {"files": [*of_two, "a-2.0-py3.whl"]}}}
    files, nearest, best = explained({"index": index})
    assert [judged.filename for judged in files] == [
        *(wheel("2.0", tags) for tags in (FOR_MAC, "py3-none-any", OLDER, FOR_WINDOWS)),
        *(wheel("1.0"), "a-1.0.tar.gz", "a-2.0-py3.whl"),
    ]
    assert files[-1].version is None
    assert (nearest, best) == (None, wheel("2.0", FOR_MAC))


@pytest.mark.parametrize(
    ("told", "reasons"),
    [
        ({"asks": ["a"]}, {"1.0": [], "2.0": ["Yanked"], "3.0rc1": ["PreReleaseNotWanted"]}),
        ({"asks": ["a"], "pre": True}, {"1.0": [], "2.0": ["Yanked"], "3.0rc1": []}),
        ({"asks": ["a>=3.0rc1"]}, {"3.0rc1": []}),
        ({"asks": ["a>1"]}, {"2.0": ["Yanked"], "3.0rc1": ["PreReleaseNotWanted"]}),
        ({"asks": ["a>2"]}, {"3.0rc1": []}),
        ({"asks": ["a>2"], "only_final": ["a"]}, {"3.0rc1": ["PreReleaseNotWanted"]}),
        ({"asks": ["a==2.0"]}, {"2.0": []}),
        ({"asks": ["a"], "constraints": ["a==2.0"]}, {"2.0": []}),
        ({"asks": ["a"], "only_binary": [":all:"]}, {"1.0": [], "2.0": ["Yanked"], "3.0rc1": ["PreReleaseNotWanted"]}),
        ({"asks": ["a<2"], "no_binary": ["a"]}, {"1.0": ["SourceOnly"]}),
    ],
)
def test_what_is_asked_selects_the_versions_and_decides_with(
    told: dict[str, Any], reasons: dict[str, list[str]]
) -> None:
    index = {"a": {"1.0": {}, "2.0": {"yanked": "broken"}, "3.0rc1": {}}}
    files, _, best = explained({"index": index, **told})
    assert {str(judged.version): [why.kind for why in judged.reasons] for judged in files} == reasons
    assert best == next((judged.filename for judged in files if judged.verdict), None)


@pytest.mark.parametrize(
    ("told", "reasons"),
    [
        ({"asks": ["a"]}, {"1.0": ["Yanked"], "2.0": [], "3.0rc1": ["PreReleaseNotWanted"]}),
        ({"asks": ["a>=3.0rc1"]}, {"3.0rc1": []}),
        ({"asks": ["a>2"]}, {"3.0rc1": []}),
        ({"asks": ["a"], "pre": True}, {"1.0": ["Yanked"], "2.0": [], "3.0rc1": []}),
        ({"asks": ["a>2"], "only_final": ["a"]}, {"3.0rc1": ["PreReleaseNotWanted"]}),
        ({"asks": ["a==1.0"]}, {"1.0": []}),
        ({"asks": ["a==1.*"]}, {"1.0": ["Yanked"]}),
    ],
)
def test_files_for_another_system_are_told_whether_they_would_be_wanted(
    told: dict[str, Any], reasons: dict[str, list[str]]
) -> None:
    about = {"1.0": {"yanked": "broken"}, "2.0": {}, "3.0rc1": {}}
    index: dict[str, Any] = {version: {**one, "files": [wheel(version, FOR_WINDOWS)]} for version, one in about.items()}
    index["2.0"]["files"] += [wheel("2.0")]
    files, _, _ = explained({"index": {"a": index}, **told})
    foreign = {
        str(judged.version): judged.reasons for judged in files if judged.filename.endswith(f"{FOR_WINDOWS}.whl")
    }
    assert {version: [why.kind for why in found[1:]] for version, found in foreign.items()} == reasons


def test_a_pinned_version_with_a_file_that_was_not_withdrawn_gives_that_one() -> None:
    about = {"files": [wheel("1.0", FOR_MAC), wheel("1.0")], "metadata": {wheel("1.0", FOR_MAC): {"yanked": "broken"}}}
    files, _, best = explained({"index": {"a": {"1.0": about}}, "asks": ["a==1.0"]})
    assert kinds(files) == {wheel("1.0"): [], wheel("1.0", FOR_MAC): ["Yanked"]}
    assert best == wheel("1.0")
    files, _, best = explained({"index": {"a": {"1.0": {"yanked": ""}, "1.0+local": {}}}, "asks": ["a==1.0"]})
    assert kinds(files) == {wheel("1.0+local"): [], wheel("1.0"): ["Yanked"]}
    assert best == wheel("1.0+local")


def test_a_file_whose_metadata_refuses_it_makes_room_for_the_next() -> None:
    broken = {"metadata": {wheel("2.0", FOR_MAC): {"broken": "it is nonsense"}}}
    index = {"a": {"2.0": {"files": [wheel("2.0", FOR_MAC), wheel("2.0")], **broken}, "1.0": {"broken": "never read"}}}
    files, nearest, best = explained({"index": index})
    assert kinds(files) == {wheel("2.0"): [], wheel("2.0", FOR_MAC): ["BadMetadata"], wheel("1.0"): []}
    assert (nearest, best) == (None, wheel("2.0"))


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ({"2.0": [wheel("2.0", OLDER)], "1.0": [wheel("1.0", FOR_MAC)]}, wheel("2.0", OLDER)),
        ({"2.0": [wheel("2.0", FOR_MAC)], "1.0": [wheel("1.0", OLDER)]}, None),
        ({"2.0": [wheel("2.0", FOR_WINDOWS)], "1.0": [wheel("1.0", OLDER)]}, wheel("1.0", OLDER)),
        ({"2.0rc1": [wheel("2.0rc1", FOR_MAC)], "1.0": [wheel("1.0", OLDER)]}, wheel("1.0", OLDER)),
        ({"1.0": ["a-1.0.tar.gz", wheel("1.0", FOR_WINDOWS)]}, wheel("1.0", FOR_WINDOWS)),
        ({"1.0": ["a-1.0.tar.gz"]}, "a-1.0.tar.gz"),
        ({"1.0": ["a-1.0-py3.whl"]}, "a-1.0-py3.whl"),
        ({}, None),
    ],
    ids=["newer", "newest fits", "closeness", "beside a pre-release", "wheel", "source only", "unreadable", "none"],
)
def test_the_nearest_file(versions: dict[str, list[str]], expected: str | None) -> None:
    _, nearest, _ = explained({"index": {"a": {version: {"files": files} for version, files in versions.items()}}})
    assert (nearest and nearest.filename) == expected


FORBIDDING = """
project = "a"
[[rule]]
id = "a-2-does-not-start"
versions = ">=2"
effect = "forbids"
why = "It does not start."
evidence = "import-run"
confidence = "certain"
sources = [{ fact = "Seen.", date = "2025-10-02" }]
"""


def test_quarantine_and_missing_upload_times_are_reasons() -> None:
    files, _, best = explained({"index": {"a": {"status": "quarantined", "1.0": {}}}, "exclude_newer": "2024-01-01"})
    assert (kinds(files), best) == ({wheel("1.0"): ["Quarantined", "NoUploadTime"]}, None)


def test_source_distributions_that_are_allowed_come_last() -> None:
    index = {"a": {"1.0": {"files": ["a-1.0.tar.gz", wheel("1.0")]}, "2.0": {"files": ["a-2.0.tar.gz"]}}}
    files, _, best = explained({"index": index, "allow_sdists": True})
    ranks = [judged.to_dict()["rank"] for judged in files]
    target = read_target(MAC)
    assert ranks == [len(target.tags), target.ranks["py3-none-any"], len(target.tags)]
    assert best == "a-2.0.tar.gz"


def test_a_rule_that_forbids_is_a_reason() -> None:
    files, nearest, _ = explained({"index": {"a": {"1.0": {}, "2.0": {}}}, "rules": FORBIDDING})
    assert kinds(files) == {wheel("2.0"): ["ForbiddenByRule"], wheel("1.0"): []}
    assert nearest is not None
    assert nearest.fits == AXES[:-1]


# -- every file of any page

_TAGS = (
    *(
        "py3-none-any",
        FOR_MAC,
        FOR_WINDOWS,
        OLDER,
        "cp312-cp312t-macosx_12_0_arm64",
        "cp39-abi3-macosx_11_0_universal2",
    ),
    *("cp312-cp312-macosx_14_5_arm64", "cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64"),
)
_RELEASES = st.fixed_dictionaries(
    {"tags": st.sets(st.sampled_from([*_TAGS, "sdist", "unreadable"]), min_size=1, max_size=4)},
    optional={
        "requires_python": st.sampled_from([">=3.9", "<3.12", ">=3.13"]),
        "yanked": st.sampled_from(["", "broken"]),
    },
)
_VERSIONS = ("1.0", "1.1", "2.0rc1", "2.0", "2.0+local", "3.0a1")
_PAGES = st.dictionaries(st.sampled_from(_VERSIONS), _RELEASES)
_SPECIFIERS = st.sampled_from(
    ["", "", "", ">=2", "<2", "==2.0", "==2.0rc1", ">=2.0rc1", "!=1.0", "==2.*", "===2.0", ">2", "<1"]
)


def names_of(version: str, tags: set[str]) -> list[str]:
    others = {"sdist": f"a-{version}.tar.gz", "unreadable": f"a-{version}-py3.whl"}
    return [others.get(tag, wheel(version, tag)) for tag in sorted(tags)]


@given(
    page=_PAGES,
    specifier=_SPECIFIERS,
    pre=st.sampled_from([None, None, True, False]),
    target=st.sampled_from([MAC, LINUX, "macos-14-arm64-3.11.9", "macos-14-arm64-3.13.1t"]),
)
def test_any_page(page: dict[str, dict[str, Any]], specifier: str, pre: bool | None, target: str) -> None:
    """Each file once; those fit whose tags packaging matches, and that PEP 440, 592 and Requires-Python leave."""
    index = {version: {**about, "files": names_of(version, about["tags"])} for version, about in page.items()}
    policy = {} if pre is None else {"pre": True} if pre else {"only_final": ["a"]}
    files, _, best = explained({"index": {"a": index}, "asks": [f"a{specifier}"], "target": target, **policy})
    admitted = [version for version in page if SpecifierSet(specifier).contains(version, prereleases=True)]
    listed = [name for version in admitted for name in index[version]["files"]]
    listed += [f"a-{v}-py3.whl" for v in page if v not in admitted and "unreadable" in page[v]["tags"]]
    assert Counter(judged.filename for judged in files) == Counter(listed)
    fitting = {judged.filename for judged in files if judged.verdict}
    assert fitting == reference(index, SpecifierSet(specifier), pre, target)
    assert best == next((judged.filename for judged in files if judged.verdict), None)
    versions = [judged.version for judged in files if judged.version is not None]
    assert versions == sorted(versions, reverse=True)
    for judged in files:
        places = [CHECK_ORDER.index(type(why)) for why in judged.reasons]
        assert bool(places) is not bool(judged.verdict)
        assert places == sorted(set(places))


def reference(index: Mapping[str, Any], specifier: SpecifierSet, pre: bool | None, target: str) -> set[str]:
    """The files that may be chosen, by packaging alone."""
    supported, python = set(read_target(target).tags), read_target(target).python

    def is_usable(filename: str, about: Mapping[str, Any]) -> bool:
        if not filename.endswith(".whl") or filename.endswith("-py3.whl"):
            return False
        admitted = SpecifierSet(about.get("requires_python", "")).contains(python, prereleases=True)
        return admitted and any(str(tag) in supported for tag in parse_wheel_filename(filename)[3])

    usable = {
        Version(version): names
        for version, about in index.items()
        if (names := [name for name in about["files"] if is_usable(name, about)])
    }
    withdrawn = {Version(version) for version, about in index.items() if "yanked" in about}
    matching = set(specifier.filter(usable, prereleases=pre))
    pinned = any(clause.operator in ("==", "===") and "*" not in clause.version for clause in specifier)
    kept = matching - withdrawn or (matching if pinned else set())
    return {name for version in kept for name in usable[version]}


# -- on a real index, beside check


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stand_alone(monkeypatch, tmp_path)
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with simple_index(PROJECTS) as server:
        monkeypatch.setenv("PIP_INDEX_URL", server.index)
        yield server


@settings(max_examples=max(25, settings().max_examples // 4))
@given(
    world=WORLDS,
    name=st.sampled_from(NAMES),
    specifier=st.sampled_from(["", "", "<2", "==2", ">=2"]),
    options=st.fixed_dictionaries(
        {}, optional={"pre": st.just(True), "allow_sdists": st.just(True), "exclude_newer": st.just("2024-02-02")}
    ),
)
def test_the_best_file_is_the_pin_of_check_without_dependencies(
    world: World, name: str, specifier: str, options: dict[str, Any]
) -> None:
    with world.served() as server:
        asked = {"index_url": server.index, "no_cache": True, "isolated": True, **options}
        told = explain(f"{name}{specifier}", target=LINUX, **asked)
        report = check([f"{name}{specifier}"], targets=[LINUX], no_deps=True, **asked)
    (result,) = report.results
    assert (told.exit_code, told.best) == (report.exit_code, result.pins[0] if result.pins else None)
    assert told.result.concerns == result.concerns
    assert (told.error and told.error.kind) == (result.error and result.error.kind)
    if not specifier and told.error is None:
        listed = [dist.filename for version, one in world.projects[name].items() for dist in one.dists(name, version)]
        assert Counter(judged.filename for judged in told.files) == Counter(listed)
    if told.best is not None:
        chosen = next(judged for judged in told.files if judged.filename == told.best.file.filename)
        assert chosen.verdict


def test_an_explanation_as_values(index: Server) -> None:
    told = explain("ham", target=MAC)
    assert (told.ok, bool(told), told.exit_code, told.best, told.project) == (False, False, 1, None, "ham")
    assert told.nearest is not None
    assert told.nearest.filename == "ham-1.0-cp312-cp312-manylinux_2_17_x86_64.whl"
    assert told.nearest.fits == ("interpreter", "abi")
    assert explain("ham", target=LINUX)
    best = explain("eggs[dev]<2", target=LINUX).best
    assert best is not None
    assert (best.file.filename, best.extras) == ("eggs-1.5-py3-none-any.whl", ("dev",))
    assert told.target == read_target(MAC)


def test_the_document(index: Server) -> None:
    document = explain("spam", target=LINUX).to_dict()
    assert document == json.loads(json.dumps(document))
    assert {"schema", "project", "target", "best", "files"} <= document.keys()
    assert document["schema"] == "wheelcheck/explain/1"
    assert (document["project"], document["best"]) == ("spam", "spam-1.0-py3-none-any.whl")
    assert document["target"] == read_target(LINUX).to_dict()
    newer = {"filename": "spam-2.0rc1-py3-none-any.whl", "version": "2.0rc1", "compatible": False, "rank": None}
    chosen = {"filename": "spam-1.0-py3-none-any.whl", "version": "1.0", "compatible": True, "reasons": []}
    rank = read_target(LINUX).ranks["py3-none-any"]
    assert document["files"] == [{**newer, "reasons": [{"kind": "PreReleaseNotWanted"}]}, {**chosen, "rank": rank}]
    assert document["nearest"] == {
        "filename": "spam-2.0rc1-py3-none-any.whl",
        "version": "2.0rc1",
        "reasons": [{"kind": "PreReleaseNotWanted"}],
        "fits": [*AXES[:-1]],
    }


def test_only_the_metadata_of_what_would_be_chosen_is_read() -> None:
    dists = [make_wheel("spam", f"{number}.0") for number in range(1, 6)]
    with simple_index({"spam": dists}) as server:
        explain("spam", target=LINUX, index_url=server.index)
        read = [request.path for request in server.requests if request.path.endswith(".metadata")]
    assert read == ["/files/spam-5.0-py3-none-any.whl.metadata"]


def test_files_whose_names_cannot_be_read_go_with_their_version_if_they_have_one() -> None:
    good = make_wheel("spam", "1.0")
    variant, nonsense = "spam-1.0-py3-none-any-x86_64_v3.whl", "spam-1.0.exe"
    with simple_index({"spam": [good, good.named(variant), good.named(nonsense)]}) as server:
        every = explain("spam", target=LINUX, index_url=server.index)
        none = explain("spam>1", target=LINUX, index_url=server.index)
    reasons = {good.filename: [], variant: ["VariantWheel"], nonsense: ["UnreadableName"]}
    assert kinds(every.files) == reasons
    assert [judged.to_dict()["version"] for judged in every.files] == ["1.0", None, None]
    assert kinds(none.files) == {nonsense: ["UnreadableName"]}


def test_a_url_is_a_project_of_one_file(tmp_path: Path) -> None:
    dist = make_wheel("spam", "1.0", "cp311-cp311-win_amd64")
    (tmp_path / dist.filename).write_bytes(dist.content)
    for asked in (f"./{dist.filename}", f"spam @ {(tmp_path / dist.filename).as_uri()}"):
        told = explain(asked, target=LINUX)
        assert kinds(told.files) == {dist.filename: ["WrongPlatformTag", "WrongPythonTag"]}


def test_what_the_metadata_cannot_tell_leaves_the_table() -> None:
    dist = make_wheel("spam", "1.0")
    with simple_index({"spam": [dist, make_wheel("spam", "2.0", FOR_WINDOWS)]}) as server:
        for path in (f"/files/{dist.filename}", f"/files/{dist.filename}.metadata"):
            server.fault(path, status(503))
        told = explain("spam", target=LINUX, index_url=server.index)
    assert (told.exit_code, told.best, told.ok) == (2, None, False)
    assert told.error is not None
    assert kinds(told.files) == {"spam-2.0-cp312-cp312-win_amd64.whl": ["WrongPlatformTag"], dist.filename: []}


def test_a_rule_that_forbids_is_told_with_its_sources(tmp_path: Path, run: Any) -> None:
    (tmp_path / "mine.toml").write_text(FORBIDDING)
    with simple_index({"a": [make_wheel("a", "1.0"), make_wheel("a", "2.0")]}) as server:
        told = explain("a", target=LINUX, rules="mine.toml", index_url=server.index)
        text = run("a", "-t", LINUX, "--rules", "mine.toml", "--index-url", server.index)[1]
    assert [rule["id"] for rule in told.to_dict()["rules"]] == ["a-2-does-not-start"]  # type: ignore[index, call-overload, union-attr]
    assert "It does not start (rule a-2-does-not-start)" in text
    assert "  a-2-does-not-start\n" in text


def test_constraints_select_too(index: Server, tmp_path: Path) -> None:
    (tmp_path / "bounds.txt").write_text("eggs<2\n")
    told = explain("eggs", target=LINUX, constraint=["bounds.txt"])
    assert [str(judged.version) for judged in told.files] == ["1.5"]
    assert [demand.shown for demand in told.demands] == ["eggs", "eggs<2"]


@pytest.mark.parametrize(
    ("asked", "options", "said"),
    [
        ("eggs; sys_platform == 'win32'", {}, "its marker does not hold"),
        ("eggs", {"requirement": ["some.txt"]}, "leave the option requirement out"),
        ("eggs", {"confirm": True}, "leave the option confirm out"),
        ("eggs", {"target": [LINUX, MAC]}, "call it once for each"),
        ("eggs ham", {}, "eggs ham"),
        ("", {}, "requirement"),
        (["eggs"], {}, "A requirement is a text"),
        ("eggs", {"target": "plan9-cp312"}, "plan9"),
    ],
)
def test_bad_usage_is_one_sentence(index: Server, asked: Any, options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        explain(asked, **{"target": LINUX, **options})
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


# -- on the recorded slice


def on_the_slice(asked: str, target: str, **options: Any) -> Explanation:
    return explain(asked, target=target, index_url=str(SLICE), isolated=True, offline=True, no_cache=True, **options)


@pytest.mark.parametrize(
    ("asked", "target", "best", "nearest", "reasons", "fits"),
    [
        (
            *("tensorflow", "macos-14-arm64-cp314", "tensorflow-2.22.0rc0-cp314-cp314-macosx_12_0_arm64.whl"),
            *("tensorflow-2.21.0-cp313-cp313-macosx_12_0_arm64.whl", ["WrongPythonTag"]),
            "system architecture release requires-python",
        ),
        (
            *("tensorflow<2.22.dev0", "macos-14-arm64-cp314", None),
            *("tensorflow-2.21.0-cp313-cp313-macosx_12_0_arm64.whl", ["WrongPythonTag"]),
            "system architecture release requires-python",
        ),
        (
            *("tensorflow", "macos-14-x86_64-cp312", "tensorflow-2.16.2-cp312-cp312-macosx_10_15_x86_64.whl"),
            *("tensorflow-2.21.0-cp312-cp312-macosx_12_0_arm64.whl", ["WrongPlatformTag"]),
            "system interpreter abi requires-python",
        ),
        (
            *("tensorflow-metal", "macos-14-arm64-cp313", None),
            *("tensorflow_metal-1.2.0-cp312-cp312-macosx_12_0_arm64.whl", ["WrongPythonTag"]),
            "system architecture release",
        ),
        (
            *("tensorflow", "macos-14-arm64-cp313", "tensorflow-2.21.0-cp313-cp313-macosx_12_0_arm64.whl"),
            *("tensorflow-2.22.0rc0-cp313-cp313-macosx_12_0_arm64.whl", ["PreReleaseNotWanted"], ALL),
        ),
        (
            *("tensorflow==2.21.0", "macos-14-arm64-cp313", "tensorflow-2.21.0-cp313-cp313-macosx_12_0_arm64.whl"),
            *(None, [], ""),
        ),
    ],
)
def test_the_recorded_slice(
    asked: str, target: str, best: str | None, nearest: str | None, reasons: list[str], fits: str
) -> None:
    told = on_the_slice(asked, target)
    assert (told.best and told.best.file.filename) == best
    assert (told.nearest and told.nearest.filename) == nearest
    assert [why.kind for why in (told.nearest.reasons if told.nearest else ())] == reasons
    assert " ".join(told.nearest.fits if told.nearest else ()) == fits


@pytest.mark.parametrize("project", ["tensorflow", "numpy", "grpcio", "tensorflow-metal"])
def test_every_file_of_a_recorded_page_is_there_once(project: str) -> None:
    page = json.loads((SLICE / project / "index.json").read_text("utf-8"))
    told = on_the_slice(project, "linux-glibc2.28-x86_64-cp311")
    names = [entry["filename"] for entry in page["files"]]
    assert Counter(judged.filename for judged in told.files) == Counter(names)
    supported = set(read_target("linux-glibc2.28-x86_64-cp311").tags)
    about_tags = {"WrongPlatformTag", "WrongPythonTag", "WrongAbiTag", "OsTooOld", "NeverMatches"}
    for judged in told.files:
        if judged.version is not None and judged.filename.endswith(".whl"):
            matched = any(str(tag) in supported for tag in parse_wheel_filename(judged.filename)[3])
            assert matched is about_tags.isdisjoint(why.kind for why in judged.reasons)


# -- the command


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs `explain`; gives its exit code, standard output and standard error."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["explain", *arguments])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return run


HEAD = "{}: {}\n  CPython 3.12.4 (cp312) on {}\n"


def test_yes_no_and_could_not_tell(index: Server, run: Any) -> None:
    assert run("eggs", "-t", LINUX) == (
        0,
        HEAD.format(LINUX, "compatible", "Linux x86_64, glibc 2.28")
        + "  eggs 2.0 fits best: eggs-2.0-py3-none-any.whl\n"
        + "  2 files of 2 versions:\n"
        + "    2.0  eggs-2.0-py3-none-any.whl  fits\n"
        + "    1.5  eggs-1.5-py3-none-any.whl  fits\n",
        "",
    )
    assert run("ham<2", "-t", MAC) == (
        1,
        HEAD.format("macos-14-arm64-3.12.4", "not compatible", "macOS 14.0 arm64")
        + "  ham has no file compatible with CPython 3.12.4 on macOS 14.0 arm64.\n"
        + "    ham<2  requested on the command line\n"
        + "  Nearest: ham-1.0-cp312-cp312-manylinux_2_17_x86_64.whl\n"
        + "    fits CPython 3.12, but: built for Linux x86_64; this is macOS arm64\n"
        + "  1 file of 1 version, those that ham<2 (requested on the command line) admits:\n"
        + "    1.0  ham-1.0-cp312-cp312-manylinux_2_17_x86_64.whl  built for Linux x86_64; this is macOS arm64\n",
        "",
    )
    index.fault("/simple/alone/", status(503))
    code, out, err = run("alone", "-t", LINUX)
    assert (code, err) == (2, "")
    assert "unknown" in out
    assert "HTTP 503" in out
    code, out, _ = run("alone", "-t", LINUX, "--format", "json")
    assert (code, json.loads(out)["error"]["kind"], json.loads(out)["files"]) == (2, "IndexUnavailable", [])


def test_an_index_that_refuses_connections(run: Any) -> None:
    code, out, _ = run("eggs", "-t", LINUX, "--index-url", NOWHERE)
    assert (code, out.splitlines()[0]) == (2, f"{LINUX}: unknown")


def test_a_missing_project_with_near_names(index: Server, run: Any) -> None:
    assert run("eggs", "-t", LINUX)[0] == 0
    code, out, err = run("egs", "-t", LINUX)
    assert (code, err) == (1, "")
    assert f"egs is not on any index: {index.index}. Did you mean eggs?" in out
    document = json.loads(run("egs", "-t", LINUX, "--format", "json")[1])
    assert (document["best"], document["files"], document["conflict"]["kind"]) == (None, [], "Missing")


def test_a_version_that_is_not_there(index: Server, run: Any) -> None:
    code, out, _ = run("eggs>=5", "-t", LINUX)
    assert code == 1
    assert "eggs has no version that matches; the newest is 2.0." in out


def test_options_of_the_command(index: Server, run: Any, tmp_path: Path) -> None:
    assert "spam 2.0rc1 fits best" in run("spam", "-t", LINUX, "--pre")[1]
    assert "files of" not in run("spam", "-t", LINUX, "-q")[1]
    assert f"index: {index.index}" in run("spam", "-t", LINUX, "-v")[1]
    assert run("spam", "-t", LINUX, "-o", str(tmp_path / "told.txt"))[1] == ""
    assert (tmp_path / "told.txt").read_text("utf-8").split() == run("spam", "-t", LINUX)[1].split()
    assert run("spam", "--python", "3.12.4", "-t", "windows-amd64")[0] == 0


def test_one_target_at_a_time(index: Server, run: Any) -> None:
    code, out, err = run("spam", "-t", LINUX, "-t", MAC)
    assert (code, out) == (2, "")
    assert err == f"wheelcheck: explain takes one target, and {LINUX}, {MAC} are given; run it once for each.\n"


def test_the_source_distributions_of_a_user_who_allows_them(run: Any) -> None:
    with simple_index({"spam": [make_sdist("spam")]}) as server:
        told = json.loads(run("spam", "-t", LINUX, "--format", "json", "--index-url", server.index)[1])
    assert told["files"] == [
        {
            "filename": "spam-1.0.tar.gz",
            "version": "1.0",
            "compatible": False,
            "rank": None,
            "reasons": [{"kind": "SourceOnly", "no_binary": False}],
        }
    ]


def test_as_a_process_of_its_own() -> None:
    command = [sys.executable, "-m", "wheelcheck", "explain", "tensorflow-metal", "-t", "macos-14-arm64-3.13.5"]
    ended = subprocess.run(
        [*command, "--index-url", str(SLICE), "--isolated", "--offline"], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (1, "")
    assert ended.stdout == (
        "macos-14-arm64-3.13.5: not compatible\n"
        "  CPython 3.13.5 (cp313) on macOS 14.0 arm64\n"
        "  tensorflow-metal has no file compatible with CPython 3.13.5 on macOS 14.0 arm64.\n"
        "  Nearest: tensorflow_metal-1.2.0-cp312-cp312-macosx_12_0_arm64.whl\n"
        "    fits macOS 14.0 arm64, but: built for CPython 3.12; this is CPython 3.13\n"
        "  75 files of 16 versions:\n"
        "    0.1.0 to 1.2.0 (16 versions)  46 files  built for CPython 3.8 to 3.12; this is CPython 3.13\n"
        "    All other files of these versions:\n"
        "    0.1.0 to 1.0.0 (13 versions)  29 files  built for macOS x86_64\n"
    )

"""The curated rules: what they cover and what not, and how a malformed file of rules is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from itertools import combinations, product
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name
from packaging.version import Version

from wheelcheck.common.errors import UsageError
from wheelcheck.common.records import replace
from wheelcheck.rules import model as module
from wheelcheck.rules.load import curated, read_rules
from wheelcheck.rules.model import CONFIDENCE, EVIDENCE, NO_RULES, Effect, Rule, Rules, load_rules
from wheelcheck.targets.target import Target, read_target

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from packaging.requirements import Requirement

MAC = read_target("macos-14-arm64-cp312")
LINUX = read_target("manylinux_2_28_x86_64-cp310")
WINDOWS = read_target("windows-amd64-cp310")
SYSTEMS = [
    *(
        f"macos-{release}-{machine}"
        for release in ("10.15", "11.0", "12.0", "12.6", "14", "15")
        for machine in ("arm64", "x86_64")
    ),
    *("manylinux_2_17_x86_64", "manylinux_2_28_x86_64", "manylinux_2_28_aarch64", "windows-amd64"),
]
TARGETS = [
    replace(read_target(f"{system}-cp3{minor}"), translated=translated)
    for system in SYSTEMS
    for minor in (7, 9, 11, 13)
    for translated in ((False, True) if system.startswith("macos") and system.endswith("x86_64") else (False,))
    if system != "macos-10.15-arm64"
]

TENSORFLOW = """
    1.5.1 1.6.0 1.15.5 2.0.0 2.4.4 2.5.0 2.5.1 2.5.2 2.5.3 2.6.0rc0 2.6.0rc1 2.6.0rc2 2.6.0 2.6.1 2.6.2 2.6.3 2.6.4
    2.6.5 2.7.0rc0 2.7.0rc1 2.7.0 2.7.1 2.7.2 2.7.3 2.7.4 2.8.0rc0 2.8.0rc1 2.8.0 2.8.1 2.8.2 2.8.3 2.8.4
    2.9.0rc0 2.9.0rc1 2.9.0rc2 2.9.0 2.9.1 2.9.2 2.9.3 2.10.0rc0 2.10.0rc1 2.10.0rc2 2.10.0rc3 2.10.0 2.10.1
    2.11.0rc0 2.11.0rc1 2.11.0rc2 2.11.0 2.11.1 2.12.0rc0 2.12.0rc1 2.12.0 2.12.1
    2.13.0rc0 2.13.0rc1 2.13.0rc2 2.13.0 2.13.1 2.14.0rc0 2.14.0rc1 2.14.0 2.14.1
    2.15.0rc0 2.15.0rc1 2.15.0 2.15.0.post1 2.15.1 2.16.0rc0 2.16.1 2.16.2 2.17.0rc0 2.17.0rc1 2.17.0 2.17.1
    2.18.0rc0 2.18.0rc1 2.18.0rc2 2.18.0 2.18.1 2.19.0rc0 2.19.0 2.19.1 2.20.0rc0 2.20.0
    2.21.0rc0 2.21.0rc1 2.21.0 2.22.0rc0
"""
INTEL = """
    0.0.1 2.10.0.dev20220728 2.10.0rc0 2.10.0rc1 2.10.0rc2 2.10.0rc3 2.10.0 2.10.1 2.11.0rc0 2.11.0rc1 2.11.0rc2
    2.11.0 2.11.1 2.12.0rc0 2.12.0rc1 2.12.0 2.12.1 2.13.0rc0 2.13.0rc1 2.13.0rc2 2.13.0 2.13.1
    2.14.0rc0 2.14.0rc1 2.14.0 2.14.1 2.15.0 2.15.1 2.16.1 2.16.2 2.17.0 2.17.1 2.18.0
"""
AWS = """
    2.9.1 2.10.0rc0 2.10.0rc2 2.10.0rc3 2.10.0 2.10.1 2.11.0rc0 2.11.0rc1 2.11.0rc2 2.11.0 2.11.1 2.12.0rc0 2.12.0rc1
    2.12.0 2.12.1 2.13.0rc0 2.13.0 2.13.1 2.14.0rc0 2.14.0rc1 2.14.0 2.14.1 2.15.0rc0 2.15.0rc1 2.15.0 2.15.1
"""
MACOS = """
    2.5.0 2.6.0 2.7.0 2.8.0 2.9.0 2.9.1 2.9.2 2.10.0 2.11.0 2.12.0 2.13.0rc0 2.13.0rc1 2.13.0rc2 2.13.0 2.13.1
    2.14.0rc0 2.14.0rc1 2.14.0 2.14.1 2.15.0rc0 2.15.0rc1 2.15.0 2.15.1 2.16.0rc0 2.16.1 2.16.2
"""
METAL = "0.1.0 0.1.1 0.1.2 0.2.0 0.3.0 0.4.0 0.5.0 0.5.1 0.6.0 0.7.0 0.7.1 0.8.0 1.0.0 1.0.1 1.1.0 1.2.0"


class Published(dict[str, list[str]]):
    """Versions by project."""

    def __missing__(self, project: str) -> list[str]:
        script = "tests/support/published"
        pytest.fail(f"{script}.toml lacks {project}; `python {script}.py {project}` prints its entry")


PUBLISHED = Published(
    {
        "tensorflow": TENSORFLOW.split(),
        "tensorflow-cpu": [version for version in TENSORFLOW.split() if version not in ("1.5.1", "1.6.0")],
        "tensorflow-intel": INTEL.split(),
        "tensorflow-cpu-aws": AWS.split(),
        "tensorflow-macos": MACOS.split(),
        "tensorflow-metal": METAL.split(),
    }
)
"""What the index held on 2026-11-22 (of the oldest TensorFlows only some)."""

TENSORFLOWS = tuple(PUBLISHED)
HELD: dict[str, str] = tomllib.loads((Path(__file__).parents[1] / "support" / "published.toml").read_text("utf-8"))
PUBLISHED.update({project: versions.split() for project, versions in HELD.items()})


def between(project: str, first: str, last: str) -> set[str]:
    return {v for v in PUBLISHED[project] if Version(first) <= Version(v) <= Version(last)}


def without_numpy_limit(project: str) -> set[str]:
    """The versions whose METADATA on the index had no upper limit on numpy that excludes 2.x, read from the wheels."""
    return (
        between(project, "2.7.0rc1", "2.11.1")
        | between(project, "2.13.0rc0", "2.13.0rc2")
        | between(project, "2.14.0rc0", "2.14.0")
    )


def without_protobuf_limit(project: str) -> set[str]:
    """The versions before 2.10 whose METADATA on the index let protobuf 4 and newer in, read from the wheels."""
    limited = {"2.6.5", "2.7.3", "2.7.4", "2.8.2", "2.8.3", "2.8.4", "2.9.1", "2.9.2", "2.9.3"}
    return between(project, "0", "2.9.3") - limited


def target(text: str, *, translated: bool | None = None) -> Target:
    return replace(read_target(text), translated=translated)


def added(project: str, version: str, to: Target = LINUX) -> list[str]:
    return sorted({str(need) for _, need in curated().requiring(canonicalize_name(project), Version(version), to, {})})


def forbidden(project: str, version: str, to: Target) -> list[str]:
    return [rule.id for rule in curated().forbidding(canonicalize_name(project), Version(version), to)]


def broken(one: str, version: str, other: str, other_version: str, to: Target = MAC) -> list[str]:
    names = canonicalize_name(one), canonicalize_name(other)
    rules = curated().violated(names[0], Version(version), names[1], Version(other_version), to)
    return [rule.id for rule in rules]


ANY_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.sampled_from([">=1", "numpy<2"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)

ROW = """
project = "acme"
[[rule]]
id = "acme-1-needs-numpy-1"
versions = ">=1,<2"
effect = "requires"
requirements = ["numpy<2"]
why = "Acme 1 fails with NumPy 2."
evidence = "report"
confidence = "certain"
sources = [{ url = "https://example.org/1", date = "2026-11-22" }]
"""


def one(text: str = ROW, **changes: str) -> Rule:
    """The rule of a text, with lines of it exchanged: each change gives a key another TOML value."""
    (rule,) = load_rules([("a.toml", changed(text, **changes))])
    return rule


def changed(text: str = ROW, **changes: str) -> str:
    for key, value in changes.items():
        lines = [line for line in text.splitlines() if not line.startswith(f"{key} =")]
        text = "\n".join([*lines, f"{key} = {value}"] if value else lines)
    return text


class TestHostileFiles:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (b"\xff", "is not UTF-8"),
            (b"#" * 1_000_001, "is larger than"),
            (b"\n#" + b"a." * 50_000, "line 2 is longer than"),
            (b"project = " + b"[" * 3_900, "(is nested too deeply|is not a TOML file)"),
            (changed(versions=f'"""{(">=1," + chr(10)) * 5_000}"""').encode(), "is not a version specifier"),
        ],
    )
    def test_a_file_that_is_hard_to_read_is_refused(self, tmp_path: Path, text: bytes, said: str) -> None:
        (tmp_path / "own.toml").write_bytes(text)
        with pytest.raises(UsageError, match=rf"own\.toml.*{said}"):
            read_rules(tmp_path)

    @pytest.mark.parametrize("length", [70, 78, 79, 3_000])
    def test_a_long_value_is_quoted_as_far_as_a_line_can_show_it(self, length: int) -> None:
        with pytest.raises(UsageError) as caught:
            load_rules([("own.toml", changed(effect=f'"{"x" * length}"'))])
        quoted = repr("x" * length)
        assert (quoted if length <= 78 else f"{quoted[:77]}... is not one of") in str(caught.value)
        assert len(str(caught.value)) < 200

    def test_what_is_no_file_is_not_waited_for(self, tmp_path: Path) -> None:
        if hasattr(os, "mkfifo"):
            os.mkfifo(tmp_path / "fifo.toml")
            with pytest.raises(UsageError, match=r"fifo\.toml is not a file"):
                read_rules(tmp_path)
        for place in ("x" * 5_000, "a\0b", str(tmp_path / "nowhere")):
            with pytest.raises(UsageError, match="could not be read"):
                read_rules(place)

    @given(st.dictionaries(st.sampled_from([*module.ROW_KEYS, "other"]), ANY_VALUE, max_size=4), ANY_VALUE)
    def test_any_value_in_any_place_loads_or_is_refused(self, changes: dict[str, object], when: object) -> None:
        table = tomllib.loads(ROW)
        table["rule"][0] |= changes | ({"when": when} if when else {})
        with pytest.MonkeyPatch.context() as patch, suppress(UsageError):
            patch.setattr(module, "_toml", lambda place, text: table)
            load_rules([("a.toml", "")])


class TestTheCuratedRows:
    @pytest.mark.parametrize("project", [name for name in TENSORFLOWS if name != "tensorflow-metal"])
    def test_numpy_is_limited_exactly_where_metadata_forgot(self, project: str) -> None:
        limited = {version for version in PUBLISHED[project] if "numpy<2" in added(project, version)}
        harmless = {"2.7.0rc0"}  # says numpy~=1.19.2 itself, and is covered as a candidate of 2.7.0
        assert limited - harmless == without_numpy_limit(project)

    @pytest.mark.parametrize("project", ["tensorflow", "tensorflow-cpu", "tensorflow-macos"])
    def test_protobuf_is_limited_exactly_where_metadata_forgot(self, project: str) -> None:
        limited = {version for version in PUBLISHED[project] if "protobuf<4" in added(project, version)}
        assert limited == without_protobuf_limit(project)

    @pytest.mark.parametrize("project", ["tensorflow-intel", "tensorflow-cpu-aws"])
    def test_projects_that_began_after_the_protobuf_limit_need_no_row(self, project: str) -> None:
        assert not any("protobuf<4" in added(project, version) for version in PUBLISHED[project])

    @pytest.mark.parametrize("to", [MAC, LINUX, WINDOWS], ids=str)
    def test_nothing_is_added_to_current_releases(self, to: Target) -> None:
        for version in (
            "2.12.0",
            "2.13.1",
            "2.14.1",
            "2.15.0.post1",
            "2.16.2",
            "2.18.1",
            "2.20.0",
            "2.21.0",
            "2.22.0rc0",
        ):
            assert added("tensorflow", version, to) == []
            assert forbidden("tensorflow", version, to) == []

    @pytest.mark.parametrize("metal", METAL.split())
    @pytest.mark.parametrize("project", ["tensorflow", "tensorflow-macos"])
    def test_metal_stands_beside_the_releases_that_it_loads_into(self, metal: str, project: str) -> None:
        first, end = {
            "0.7": ("2.11", "2.18"),
            "0.8": ("2.12", "2.14"),
            "1.0": ("2.12", "2.14"),
            "1.1": ("2.12", "2.18"),
            "1.2": ("2.12", "2.20"),
        }.get(metal[:3], ("0", "2.11"))
        for version in PUBLISHED[project]:
            release = Version(Version(version).base_version)
            loads = Version(first) <= release < Version(end)
            first_candidate = release == Version(f"{first}.0") and Version(version).is_prerelease
            if not first_candidate:
                assert bool(broken("tensorflow-metal", metal, project, version)) is not loads, version
                assert bool(broken(project, version, "tensorflow-metal", metal)) is not loads, version

    def test_a_candidate_of_a_broken_series_is_broken_too(self) -> None:
        ids = ["tensorflow-metal-1.2-needs-tensorflow-below-2.20"]
        assert broken("tensorflow-metal", "1.2.0", "tensorflow", "2.20.0rc0") == ids
        assert broken("tensorflow-metal", "1.2.0", "tensorflow", "2.22.0rc0") == ids
        assert broken("tensorflow-metal", "1.2.0", "tensorflow", "2.19.0rc0") == []

    def test_metal_leaves_other_projects_alone(self) -> None:
        assert broken("tensorflow-metal", "1.2.0", "tensorflow-cpu", "2.21.0") == []
        assert "tensorflow-metal" in curated().partners(canonicalize_name("tensorflow"))
        assert "tensorflow-metal" not in curated().partners(canonicalize_name("tensorflow-cpu"))
        assert curated().partners(canonicalize_name("tensorflow-metal")) == {"tensorflow", "tensorflow-macos"}
        assert "tensorflow-metal" not in curated().partners(canonicalize_name("keras"))

    def test_empty_shells_are_forbidden_and_their_neighbours_are_not(self) -> None:
        assert forbidden("tensorflow-macos", "2.15.1", MAC) == ["tensorflow-macos-2.15.1-is-empty"]
        assert forbidden("tensorflow-intel", "0.0.1", LINUX) == ["tensorflow-intel-0.0.1-is-a-placeholder"]
        refused = [version for version in PUBLISHED["tensorflow-macos"] if forbidden("tensorflow-macos", version, MAC)]
        assert refused == ["2.15.1"]
        assert [v for v in PUBLISHED["tensorflow-intel"] if forbidden("tensorflow-intel", v, WINDOWS)] == ["0.0.1"]

    @pytest.mark.parametrize(
        ("macos", "metal", "refused"),
        [
            ("11.6", "0.4.0", True),
            ("11.6", "0.5.0", True),
            ("12.0", "0.4.0", False),
            ("12.0", "0.5.0", True),
            ("12.0", "1.2.0", True),
            ("12.1", "0.5.0", False),
            ("12.1", "1.2.0", False),
            ("26.0", "1.2.0", False),
        ],
    )
    def test_metal_needs_a_newer_macos_than_its_tag_says(self, macos: str, metal: str, refused: bool) -> None:
        assert bool(forbidden("tensorflow-metal", metal, target(f"macos-{macos}-arm64-cp310"))) is refused
        assert bool(forbidden("tensorflow-metal", metal, target(f"macos-{macos}-x86_64-cp310"))) is refused

    @pytest.mark.parametrize(
        ("project", "version", "macos", "translated", "refused"),
        [
            ("tensorflow", "1.5.1", "14.0", True, False),
            ("tensorflow", "1.6.0", "14.0", True, True),
            ("tensorflow", "2.16.2", "14.7", True, True),
            ("tensorflow", "2.16.2", "15.0", True, False),
            ("tensorflow", "2.16.2", "14.7", False, False),
            ("tensorflow", "2.16.2", "14.7", None, False),
            ("tensorflow-cpu", "2.16.2", "14.7", True, True),
            ("tensorflow-macos", "2.8.0", "12.6", True, False),
            ("tensorflow-macos", "2.9.0", "12.6", True, True),
            ("tensorflow-macos", "2.10.0", "12.6", True, True),
            ("tensorflow-macos", "2.11.0", "12.6", True, False),  # only predicted
        ],
    )
    def test_rosetta(self, project: str, version: str, macos: str, translated: bool | None, refused: bool) -> None:
        to = target(f"macos-{macos}-x86_64-cp310", translated=translated)
        assert bool(forbidden(project, version, to)) is refused

    def test_what_is_only_predicted_warns_and_binds_nothing(self) -> None:
        to = target("macos-13.0-x86_64-cp310", translated=True)
        name, version = canonicalize_name("tensorflow-macos"), Version("2.11.0")
        (rule,) = curated().predicted(name, version, to)
        assert rule.warns_only
        assert rule not in curated().forbidding(name, version, to)
        assert curated().predicted(name, version, target("macos-13.0-x86_64-cp310")) == ()


class TestTheTableAsAWhole:
    @pytest.mark.parametrize("rule", list(curated()), ids=lambda rule: rule.id)
    def test_each_row_says_what_it_stands_on(self, rule: Rule) -> None:
        assert rule.sources
        assert all((source.url is None) is not (source.fact is None) for source in rule.sources)
        assert all(source.date > "2020-01-01" for source in rule.sources)
        assert rule.id.startswith(f"{rule.project}-")
        assert rule.why.endswith(".")
        assert len(rule.why) < 250

    @pytest.mark.parametrize("rule", list(curated()), ids=lambda rule: rule.id)
    def test_no_row_is_dead(self, rule: Rule) -> None:
        covered = [version for version in PUBLISHED[rule.project] if rule.covers(Version(version))]
        assert covered, "it covers no version that was ever published"
        if rule.effect is Effect.CONSTRAINS:
            left = []
            for need in rule.requirements:
                published = PUBLISHED[canonicalize_name(need.name)]
                left.append([v for v in published if need.specifier.contains(v, prereleases=True)])
                assert len(left[-1]) < len(published), f"{need} refuses nothing that was ever published"
            assert any(left), "it refuses everything"

    def test_no_row_repeats_another(self) -> None:
        for one_rule, other in combinations(curated(), 2):
            together = told_twice(one_rule, other)
            assert not together, f"{one_rule.id} and {other.id} cover the same versions on {together[:3]}"

    def test_what_repeats_is_found_whatever_the_conditions_are(self) -> None:
        bare, old, later = one(), one(when='{ macos = "<12" }'), one(when='{ macos = ">=12" }')
        forbidding = ROW.replace('effect = "requires"', 'effect = "forbids"').replace(
            'requirements = ["numpy<2"]\n', ""
        )
        assert told_twice(bare, old)
        assert told_twice(old, one(forbidding))
        assert not told_twice(bare, one(forbidding, when='{ macos = "<12" }'))
        assert not told_twice(old, later)
        assert not told_twice(bare, one(versions='">=2"'))
        assert not told_twice(bare, one(requirements='["protobuf<4"]'))

    def test_ids_are_unique_and_files_are_named_after_their_project(self) -> None:
        ids = [rule.id for rule in curated()]
        assert len(set(ids)) == len(ids)
        assert {path.stem for path in folder().glob("*.toml")} == curated().projects

    def test_it_is_told_which_projects_are_constrained_from_elsewhere(self) -> None:
        found = Rules.of(curated()).constrainers
        told = {name: sorted(projects) for name, projects in sorted(found.items())}
        assert curated().constrainers == found, f"rules/constrainers.json should be {json.dumps(told, indent=2)}"

    def test_only_what_is_asked_about_is_read(self) -> None:
        """So a resolution pays for the projects in play only."""
        script = """
import sys
from packaging.version import Version
from wheelcheck.rules.load import curated
from wheelcheck.targets.target import read_target

opened = []
sys.addaudithook(lambda event, about: opened.append(str(about[0])) if event == "open" else None)
rules, target = curated(), read_target("macos-13-arm64-cp311")
assert rules.forbidding("tensorflow-macos", Version("2.15.1"), target)
assert not rules.forbidding("six", Version("1.0"), target)
assert {"pyarrow", "torch"} <= rules.partners("numpy")
print(*sorted(place.rpartition("/")[2] for place in opened if place.endswith(".toml")))
"""
        ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert ended.stdout.split() == ["tensorflow-macos.toml"]

    def test_it_is_read_without_the_slow_parsers(self) -> None:
        """packaging's parsers cost as much as all rows; `<1.0.post1` needs them, `<=1.0` says the same without."""
        script = "import sys; from wheelcheck.rules.load import curated; print(len(curated()), *sys.modules)"
        ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        count, *loaded = ended.stdout.split()
        assert int(count) == len(curated())
        assert not {"packaging.specifiers", "packaging.requirements", "packaging.markers"} & set(loaded)

    def test_it_is_read_once(self) -> None:
        assert curated() is curated()


def told_twice(one_rule: Rule, other: Rule) -> list[str]:
    """The targets on which one of two rules adds nothing to the other for some version."""
    about = [[target.name for target in TARGETS if rule.is_about(target)] for rule in (one_rule, other)]
    together = [name for name in about[0] if name in about[1]]
    ranges = one_rule.versions.to_range(), other.versions.to_range()
    if one_rule.project != other.project or (ranges[0] & ranges[1]).is_empty:
        return []
    if one_rule.effect == other.effect:
        return together if repeats(one_rule, other) else []
    shadowed = (
        rule.effect is Effect.FORBIDS and not rule.warns_only and names == together and (inner - outer).is_empty
        for rule, names, inner, outer in (
            (one_rule, about[1], ranges[1], ranges[0]),
            (other, about[0], ranges[0], ranges[1]),
        )
    )
    return together if any(shadowed) else []


def repeats(one_rule: Rule, other: Rule) -> bool:
    """Whether one of two rules of one effect adds nothing where both hold."""
    if one_rule.effect is Effect.FORBIDS:
        return True
    pairs = product(one_rule.requirements, other.requirements)
    return any(a.name == b.name and (within(a, b) or within(b, a)) for a, b in pairs)


def within(inner: Requirement, outer: Requirement) -> bool:
    return (inner.specifier.to_range() - outer.specifier.to_range()).is_empty


def folder() -> Path:
    return Path(module.__file__).parent / "data"


class TestVersions:
    @pytest.mark.parametrize(
        ("versions", "covered", "not_covered"),
        [
            (">=2.20", "2.20.0rc0 2.20.dev1 2.20 2.21.0rc1 2.20.post1", "2.19 2.19.1rc1"),
            ("<2.20", "2.19 2.19.1 2.19.1rc1 2.19.9.dev3", "2.20.0rc0 2.20.dev1 2.20"),
            ("<=2.20", "2.20 2.20rc1", "2.20.1rc1 2.20.1"),
            (">2.20", "2.21rc1 2.20.1rc1 2.20.1", "2.20 2.20rc1"),
            ("==2.14.0", "2.14.0 2.14.0rc1 2.14", "2.14.1rc0 2.14.1 2.14.0.post1"),
            ("==2.14.*", "2.14.0rc0 2.14.1 2.14.0.post1", "2.15.0rc0 2.13.9"),
            ("<2.9.1,!=2.8.2", "2.9.0rc2 2.9.0 2.8.1", "2.8.2 2.8.2rc0 2.9.1rc0"),
            (">=2.13.0rc0,<=2.13.0rc2", "2.13.0rc0 2.13.0rc2", "2.13.0 2.13.0.dev1 2.13.0rc3 2.12"),
            ("==1.0.post1", "1.0.post1 1.0.post1.dev2", "1.0 1.0rc1 1.0.post2.dev1"),
            (">=1", "1+local 1rc1+local", "0.9+local"),
            (">=1!1", "1!1rc1 1!2", "5 5rc1"),
        ],
    )
    def test_a_candidate_counts_as_the_release_that_it_leads_to(
        self, versions: str, covered: str, not_covered: str
    ) -> None:
        rule = one(versions=f'"{versions}"')
        assert [v for v in covered.split() if not rule.covers(Version(v))] == []
        assert [v for v in not_covered.split() if rule.covers(Version(v))] == []

    @given(
        operator=st.sampled_from([">=", "<", "<=", ">", "==", "!="]),
        bound=st.tuples(st.integers(1, 3), st.integers(0, 3), st.integers(0, 3)),
        release=st.tuples(*[st.integers(0, 3)] * 3),
        stage=st.sampled_from(["a1", "b2", "rc0", ".dev3", "rc1.dev2"]),
    )
    def test_around_any_bound(
        self, operator: str, bound: tuple[int, ...], release: tuple[int, ...], stage: str
    ) -> None:
        rule = one(versions=f'"{operator}{".".join(map(str, bound))}"')
        final = Version(".".join(map(str, release)))
        compared = {
            ">=": release >= bound, "<": release < bound, "<=": release <= bound,
            ">": release > bound, "==": release == bound, "!=": release != bound,
        }  # fmt: skip
        assert rule.covers(final) is compared[operator]
        assert rule.covers(Version(f"{final}{stage}")) is compared[operator]

    @given(st.sampled_from([rule for rule in curated() if not rule.versions.prereleases]), st.data())
    def test_curated_rows_treat_a_candidate_as_its_release(self, rule: Rule, data: st.DataObject) -> None:
        release = data.draw(st.sampled_from([v for v in PUBLISHED[rule.project] if "rc" not in v and "." in v]))
        final = Version(Version(release).base_version)
        assert rule.covers(Version(f"{final}rc9")) is rule.covers(final)


class TestWhen:
    @pytest.mark.parametrize(
        ("when", "fits", "not_fits"),
        [
            ({"macos": "<12"}, ["macos-11.7-arm64-cp310"], ["macos-12-arm64-cp310", "manylinux_2_17_x86_64-cp310"]),
            ({"macos": ">=12,<12.3"}, ["macos-12.2-x86_64-cp310"], ["macos-12.3-x86_64-cp310", "windows-amd64-cp310"]),
            ({"macos": "==14.*"}, ["macos-14.5-arm64-cp310"], ["macos-15.0-arm64-cp310"]),
            ({"marker": "sys_platform == 'win32'"}, ["windows-amd64-cp310"], ["macos-14-arm64-cp310"]),
            (
                {"marker": "python_version >= '3.12' and platform_machine == 'arm64'"},
                ["macos-14-arm64-cp312"],
                ["macos-14-arm64-cp311", "manylinux_2_28_x86_64-cp312"],
            ),
            ({"marker": "python_full_version < '3.11.4'"}, ["macos-14-arm64-3.11.3"], ["macos-14-arm64-3.11.4"]),
            (
                {"macos": "<15", "marker": "platform_machine == 'x86_64'"},
                ["macos-14-x86_64-cp310"],
                ["macos-14-arm64-cp310", "macos-15-x86_64-cp310"],
            ),
        ],
    )
    def test_all_that_is_stated_must_hold(self, when: dict[str, str], fits: list[str], not_fits: list[str]) -> None:
        table = ", ".join(f'{key} = "{value}"' for key, value in when.items())
        rule = one(when=f"{{ {table} }}")
        assert [text for text in fits if not rule.applies_to(Version("1.0"), read_target(text))] == []
        assert [text for text in not_fits if rule.applies_to(Version("1.0"), read_target(text))] == []

    @pytest.mark.parametrize(
        ("stated", "translated", "applies"),
        [
            ("true", True, True),
            ("true", False, False),
            ("true", None, False),
            ("false", True, False),
            ("false", False, True),
            ("false", None, True),
            ("", True, True),
            ("", None, True),
        ],
    )
    def test_a_target_of_which_nobody_knows_counts_as_native(
        self, stated: str, translated: bool | None, applies: bool
    ) -> None:
        rule = one(when=f"{{ translated = {stated} }}" if stated else "")
        assert rule.applies_to(Version("1.0"), target("macos-14-x86_64-cp310", translated=translated)) is applies

    def test_a_rule_for_another_version_does_not_apply(self) -> None:
        assert not one().applies_to(Version("2.0"), MAC)


class TestSelected:
    """What ``wheelcheck rules list`` shows."""

    @pytest.mark.parametrize(
        ("projects", "to", "projects_of_rows"),
        [
            (["Torch"], [], {"torch"}),
            (["jax_metal"], [], {"jax-metal"}),
            (["jaxlib"], [], {"jax", "jax-metal", "jaxlib"}),  # also those that require it
            (["torch"], ["manylinux_2_28_x86_64-cp312"], {"torch"}),
            ([], [], None),
        ],
    )
    def test_by_project(self, projects: list[str], to: list[str], projects_of_rows: set[str] | None) -> None:
        found = {rule.project for rule in curated().selected(projects, list(map(target, to)))}
        assert found == (projects_of_rows or curated().projects)

    def test_by_target(self) -> None:
        windows, linux = target("windows-x86_64-cp312"), target("manylinux_2_28_x86_64-cp312")
        on_windows, on_linux, on_both = (
            {rule.id for rule in curated().selected(["torch"], to)} for to in ([windows], [linux], [linux, windows])
        )
        assert on_windows - on_linux == {"torch-2.3-to-2.4.0-on-windows-needs-numpy-1"}
        assert on_both == on_windows

    def test_a_project_without_a_rule_is_refused_with_near_ones(self) -> None:
        with pytest.raises(UsageError, match=r"no rule about 'tensorflw'. Did you mean tensorflow"):
            curated().selected(["tensorflw"])


class TestRules:
    def test_without_leaves_the_others(self) -> None:
        rules = curated().without(["tensorflow-macos-2.15.1-is-empty"])
        assert len(rules) == len(curated()) - 1
        assert rules.forbidding(canonicalize_name("tensorflow-macos"), Version("2.15.1"), MAC) == ()

    def test_an_unknown_id_is_refused_with_near_ones(self) -> None:
        with pytest.raises(UsageError, match=r"no rule 'tensorflow-macos-is-empty'.*tensorflow-macos-2.15.1-is-empty"):
            curated().without(["tensorflow-macos-is-empty"])
        with pytest.raises(UsageError, match=r"no rule 'zzz'\. The command"):
            curated().without(["zzz"])

    def test_own_rules_count_where_both_have_an_id(self) -> None:
        own = load_rules(
            [
                (
                    "own.toml",
                    changed(requirements='["numpy<1.26"]') + "\n[[rule]]" + changed(id='"acme-9"').split("[[rule]]")[1],
                )
            ]
        )
        rules = load_rules([("a.toml", ROW)]).overridden_by(own)
        needs = [str(need) for _, need in rules.requiring(canonicalize_name("acme"), Version("1.0"), MAC, {})]
        assert needs == ["numpy<1.26", "numpy<2"]
        assert len(curated().overridden_by(own)) == len(curated()) + 2

    def test_a_predicted_constraint_links_nothing(self) -> None:
        rules = load_rules([("a.toml", changed(effect='"constrains"', confidence='"predicted"'))])
        acme, numpy = canonicalize_name("acme"), canonicalize_name("numpy")
        assert rules.partners(acme) == rules.partners(numpy) == frozenset()
        assert rules.violated(acme, Version("1.0"), numpy, Version("2.0"), MAC) == ()
        assert rules.constraining(acme, Version("1.0"), MAC) == ()
        assert rules.predicted(acme, Version("1.0"), MAC) == tuple(rules)

    def test_a_rule_is_a_fixed_value(self) -> None:
        assert one() == one()
        assert len({one(), one()}) == 1
        assert one() != one(why='"Another reason."')
        with pytest.raises(AttributeError):
            one().why = "Another reason."  # type: ignore[misc]

    def test_no_rules_say_nothing(self) -> None:
        assert len(NO_RULES) == 0
        assert not NO_RULES.projects
        assert NO_RULES.forbidding(canonicalize_name("tensorflow-macos"), Version("2.15.1"), MAC) == ()

    def test_the_form_in_documents_is_plain(self) -> None:
        (rule,) = (rule for rule in curated() if rule.id == "tensorflow-macos-under-rosetta-needs-avx")
        form = rule.to_dict()
        assert json.loads(json.dumps(form)) == form
        assert form["when"] == {"macos": "<15", "translated": True}
        assert form["versions"] in (">=2.9,<2.11", "<2.11,>=2.9")
        assert form["effect"] == "forbids"
        assert form["requirements"] == []
        assert form["sources"][0] == {  # type: ignore[call-overload, index]
            "url": "https://github.com/tensorflow/tensorflow/issues/58339",
            "fact": None,
            "date": "2026-11-22",
        }

    def test_markers_and_requirements_keep_their_text_in_documents(self) -> None:
        form = one(when="{ marker = \"python_version < '3.9'\" }").to_dict()
        assert form["when"] == {"marker": 'python_version < "3.9"'}
        assert form["requirements"] == ["numpy<2"]


SOURCE = 'url = "https://example.org/1", date = "2026-11-22"'
REFUSALS = [
    ({"colour": '"red"'}, r"a\.toml, rule acme-1-needs-numpy-1: the key 'colour' is not known; the keys are id, "),
    ({"id": '"Acme 1"'}, r"rule Acme 1, id: 'Acme 1' is not an id of lower-case letters, digits, dots and dashes"),
    ({"id": "7"}, r"rule number 1, id: 7 is not an id"),
    ({"id": ""}, r"rule number 1: the key id is missing"),
    ({"why": ""}, r"the key why is missing"),
    ({"why": '"  "'}, r"why: '  ' is not a sentence"),
    ({"sources": ""}, r"the key sources is missing"),
    ({"sources": "[]"}, r"sources: a rule needs at least one source, with url or fact, and date"),
    ({"sources": '"a book"'}, r"sources: 'a book' is not a list of tables"),
    ({"sources": '["a book"]'}, r"sources: 'a book' is not a table with the keys url, fact and date"),
    ({"sources": '[{ url = "https://example.org/1" }]'}, r"sources: the key date is missing"),
    ({"sources": '[{ date = "2026-11-22" }]'}, r"sources: a source has either url or fact"),
    ({"sources": f'[{{ fact = "Seen.", {SOURCE} }}]'}, r"sources: a source has either url or fact"),
    ({"sources": f"[{{ page = 3, {SOURCE} }}]"}, r"sources: the key 'page' is not known; the keys are url, fact"),
    ({"sources": '[{ url = "example.org", date = "2026-11-22" }]'}, r"sources, url: 'example\.org' is not an http"),
    ({"sources": '[{ url = "https:///x", date = "2026-11-22" }]'}, r"sources, url: 'https:///x' is not an http"),
    ({"sources": '[{ fact = "Seen.", date = "2026-13-01" }]'}, r"sources, date: '2026-13-01' is not a date"),
    ({"sources": '[{ fact = "Seen.", date = "20261122" }]'}, r"sources, date: '20261122' is not a date"),
    ({"sources": '[{ fact = "Seen.", date = 2026-11-22 }]'}, r"sources, date: .* is not a date in quotes"),
    ({"versions": '"around 2"'}, r"versions: 'around 2' is not a version specifier \(PEP 440\), such as \">=2\.7"),
    ({"versions": "2"}, r"versions: 2 is not a version specifier"),
    ({"versions": '""'}, r"versions: it is empty; write .* or \">=0\" for every version"),
    ({"versions": '">2,<1"'}, r"versions: no version fits '>2,<1'"),
    ({"effect": '"warns"'}, r"effect: 'warns' is not one of forbids, requires and constrains"),
    ({"effect": "[]"}, r"effect: \[\] is not one of"),
    ({"effect": '"forbids"'}, r"requirements: a rule that forbids a file has none"),
    ({"requirements": ""}, r"requirements: a rule that requires something must list it"),
    ({"requirements": "[]"}, r"requirements: a rule that requires something must list it"),
    ({"effect": '"constrains"', "requirements": ""}, r"requirements: a rule that constrains something must list it"),
    ({"requirements": '"numpy<2"'}, r"requirements: 'numpy<2' is not a list of strings"),
    ({"requirements": '["numpy<<2"]'}, r"requirements: 'numpy<<2' is not a requirement \(PEP 508\)"),
    ({"requirements": "[2]"}, r"requirements: 2 is not a requirement"),
    ({"requirements": '["numpy<1,>2"]'}, r"requirements: no version fits 'numpy<1,>2'"),
    ({"requirements": '["numpy @ https://example.org/n.whl"]'}, r"requirements: .* has a URL or a marker"),
    ({"requirements": "[\"numpy<2; sys_platform == 'win32'\"]"}, r"requirements: .* the marker under when\.marker"),
    ({"requirements": '["Acme<2"]'}, r"requirements: 'Acme<2' is about the rule's own project"),
    ({"effect": '"constrains"', "requirements": '["numpy"]'}, r"requirements: 'numpy' constrains nothing"),
    ({"effect": '"constrains"', "requirements": '["jax[x]<1"]'}, r"requirements: 'jax\[x\]<1' constrains nothing"),
    ({"evidence": '"rumour"'}, r"evidence: 'rumour' is not one of metadata, contents, import-run, static-link, "),
    ({"confidence": '"sure"'}, r"confidence: 'sure' is not one of certain, likely and predicted"),
    ({"when": '"always"'}, r"when: 'always' is not a table with the keys marker, macos, translated and beside"),
    (
        {"effect": '"forbids"', "requirements": "", "when": '{ beside = ["a<1"] }'},
        r"only a rule that requires something",
    ),
    ({"when": "{ beside = [] }"}, r'when.beside: it is empty; write \["tensorflow>=2.16"\]'),
    ({"when": '{ beside = ["jax"] }'}, r"when.beside: 'jax' constrains nothing: give versions"),
    ({"when": '{ beside = "jax<1" }'}, r"when.beside: 'jax<1' is not a list of strings"),
    ({"when": '{ glibc = "<2.28" }'}, r"when: the key 'glibc' is not known; the keys are marker, macos, "),
    ({"when": '{ macos = "12" }'}, r"when\.macos: '12' is not a version specifier \(PEP 440\), such as \"<12\.1\""),
    ({"when": "{ macos = 12 }"}, r"when\.macos: 12 is not a version specifier"),
    ({"when": '{ translated = "yes" }'}, r"when\.translated: 'yes' is neither true nor false"),
    ({"when": "{ translated = 1 }"}, r"when\.translated: 1 is neither true nor false"),
    ({"when": '{ marker = "on macs" }'}, r"when\.marker: 'on macs' is not an environment marker \(PEP 508\)"),
    ({"when": "{ marker = \"extra == 'gpu'\" }"}, r"when\.marker: .* names an extra, of which a rule knows nothing"),
    ({"when": "{ marker = \"platform_machine ~= 'x'\" }"}, r"when\.marker: .* compares what cannot be compared"),
    ({"project": '"..."'}, r"a\.toml, project: '\.\.\.' is not a project name"),
    ({"project": "1"}, r"a\.toml, project: 1 is not a project name"),
]


ODD_VALUES = """
    1 -0.5 true "" "x" "1.0" "\\u0000" [] [[]] [1] [""] {} [{}] {a=1} 2026-11-22 inf nan ">=1" "(((((" ["a"]
    [{date=1}] {marker=""} {marker="((((("} {macos="1.x"} ["numpy[]"] ["numpy>=1.x"] ["numpy==*"] "===x" "===1"
"""


class TestReading:
    @pytest.mark.parametrize(("changes", "message"), REFUSALS, ids=lambda value: str(value)[:60])
    def test_a_malformed_row_is_refused_with_its_place(self, changes: dict[str, str], message: str) -> None:
        text = changed(**changes)
        if "project" in changes:
            text = f"project = {changes['project']}\n" + changed(project="")
        with pytest.raises(UsageError, match=message) as refusal:
            load_rules([("a.toml", text)])
        assert str(refusal.value).startswith("a.toml, ")

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("project = acme", r"^a\.toml is not a TOML file: .*line 1"),
            ("", r"^a\.toml: the key project is missing"),
            ('project = "acme"', r"^a\.toml: the key rule is missing"),
            ('project = "acme"\nrules = []', r"^a\.toml: the key 'rules' is not known; the keys are project and rule"),
            ('project = "acme"\nrule = "all"', r"^a\.toml, rule: 'all' is not a list of \[\[rule\]\] tables"),
            ('project = "acme"\nrule = ["all"]', r"^a\.toml, rule number 1: 'all' is not a table with the keys id, "),
            ('project = "acme"\n[rule]\nid = "x"', r"^a\.toml, rule: .* is not a list of \[\[rule\]\] tables"),
            ("a = " + "[" * 3_900, r"^a\.toml is not a file of rules: it is nested"),
        ],
    )
    def test_a_malformed_file_is_refused(self, text: str, message: str) -> None:
        with pytest.raises(UsageError, match=message):
            load_rules([("a.toml", text)])

    def test_an_id_is_used_once_and_both_places_are_named(self) -> None:
        with pytest.raises(UsageError, match=r"^b\.toml, rule acme-1-needs-numpy-1: .* already used in a\.toml"):
            load_rules([("a.toml", ROW), ("b.toml", ROW)])

    def test_a_long_value_is_shown_short(self) -> None:
        with pytest.raises(UsageError) as refusal:
            one(versions='"' + "x" * 10_000 + '"')
        assert len(str(refusal.value)) < 300

    def test_project_names_are_normalised(self) -> None:
        assert one(changed(project="").replace("[[rule]]", 'project = "Acme_Tools"\n[[rule]]')).project == "acme-tools"

    @given(st.sampled_from([*module.ROW_KEYS, "unknown"]), st.sampled_from(ODD_VALUES.split()))
    def test_any_value_in_any_place_is_read_or_refused(self, key: str, value: str) -> None:
        try:
            said = str(len(load_rules([("a.toml", changed(**{key: value}))])))
        except UsageError as refusal:
            said = str(refusal)
        assert said == "1" or said.startswith("a.toml, ")


class TestTheSchema:
    schema = json.loads((folder() / "schema.json").read_text("utf-8"))

    @pytest.mark.parametrize(
        ("table", "keys"),
        [
            (schema, module.FILE_KEYS),
            (schema["definitions"]["rule"], module.ROW_KEYS),
            (schema["definitions"]["when"], module.WHEN_KEYS),
            (schema["definitions"]["source"], module.SOURCE_KEYS),
        ],
        ids=["file", "rule", "when", "source"],
    )
    def test_it_knows_the_keys_that_the_loader_knows(self, table: dict[str, object], keys: dict[str, bool]) -> None:
        assert set(table["properties"]) == set(keys)  # type: ignore[call-overload]
        assert set(table.get("required", [])) == {key for key, needed in keys.items() if needed}  # type: ignore[call-overload]
        assert table["additionalProperties"] is False

    def test_it_knows_the_words_that_the_loader_knows(self) -> None:
        properties = self.schema["definitions"]["rule"]["properties"]
        assert properties["effect"]["enum"] == [effect.value for effect in Effect]
        assert tuple(properties["evidence"]["enum"]) == EVIDENCE
        assert tuple(properties["confidence"]["enum"]) == CONFIDENCE

    def test_each_file_names_it_for_editors(self) -> None:
        for path in folder().glob("*.toml"):
            first = path.read_text("utf-8").partition("\n")[0]
            assert first == "#:schema schema.json", f"{path.name}: this must be its first line"


class TestTheRulebook:
    def test_a_file_and_a_directory_are_read(self, tmp_path: Path) -> None:
        (tmp_path / "b.toml").write_text(changed(id='"acme-2"'), "utf-8")
        (tmp_path / "a.toml").write_bytes(b"\xef\xbb\xbf" + ROW.encode())
        (tmp_path / "notes.txt").write_text("not a rule", "utf-8")
        assert [rule.id for rule in read_rules(tmp_path)] == ["acme-1-needs-numpy-1", "acme-2"]
        assert [rule.id for rule in read_rules(str(tmp_path / "b.toml"))] == ["acme-2"]

    def test_what_cannot_be_read_is_refused_with_its_path(self, tmp_path: Path) -> None:
        (tmp_path / "latin.toml").write_bytes(b'project = "caf\xe9"')
        with pytest.raises(UsageError, match=r"latin\.toml is not UTF-8 \(byte 14\)"):
            read_rules(tmp_path / "latin.toml")
        with pytest.raises(UsageError, match=r"The rules in .*missing\.toml could not be read: No such file"):
            read_rules(tmp_path / "missing.toml")
        (tmp_path / "empty").mkdir()
        with pytest.raises(UsageError, match=r"empty holds no file of rules"):
            read_rules(tmp_path / "empty")

    def test_an_error_names_the_file(self, tmp_path: Path) -> None:
        (tmp_path / "a.toml").write_text(changed(effect='"warns"'), "utf-8")
        with pytest.raises(UsageError, match=r"a\.toml, rule acme-1-needs-numpy-1, effect: "):
            read_rules(tmp_path)

    def test_the_curated_rules_read_as_a_user_would_read_them(self) -> None:
        assert isinstance(curated(), Rules)
        assert set(read_rules(folder())) == set(curated())

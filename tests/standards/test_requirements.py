"""What is read here without packaging's parser is what packaging reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name as packaging_name
from packaging.version import Version

from wheelcheck.standards import requirements as module
from wheelcheck.standards.markers import marker_of
from wheelcheck.standards.names import canonicalize_name
from wheelcheck.standards.project_page import ProjectPage, VersionFiles
from wheelcheck.standards.requirements import PlainRequirement, requirement_of
from wheelcheck.standards.specifiers import PlainSpecifiers, extent, specifiers_of
from wheelcheck.targets.target import read_target

if TYPE_CHECKING:
    from collections.abc import Callable

NUMBERS = st.integers(0, 3)
RELEASES = st.lists(NUMBERS, min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))
KINDS = ["", "a1", "b2", "rc1", ".dev1", ".post1", "rc1.dev2", ".post1.dev1", "+local", "+1.2", ".post2+x", "rc1+y"]
ENDINGS = st.sampled_from(KINDS)
VERSIONS = st.builds(
    lambda epoch, release, end: Version(f"{epoch}{release}{end}"), st.sampled_from(["", "", "1!"]), RELEASES, ENDINGS
)
COMPARISONS = ["==", "!=", "<=", ">=", "<", ">", "~="]
OPERATORS = st.sampled_from(COMPARISONS)
SPACES = st.sampled_from(["", " ", "  "])
CLAUSES = st.builds(
    lambda operator, one, release, end, other: f"{one}{operator}{other}{release}{end}",
    OPERATORS, SPACES, RELEASES, ENDINGS | st.sampled_from([".*", "", "dev", "rc1dev", "+x-y"]), SPACES,
)  # fmt: skip
SETS = st.lists(CLAUSES, max_size=3).map(",".join)
VALUES = st.sampled_from(
    [
        "3.11",
        "3",
        "3.11.4",
        "3.*",
        "linux",
        "darwin",
        "arm64",
        "x",
        "X_y",
        "CPython",
        "cpython",
        "",
        "posix",
        "rc",
        "3.12rc1",
    ]
)
QUOTES = st.sampled_from(["'", '"'])
VARIABLES = st.sampled_from(
    ["python_version", "python_full_version", "os_name", "sys_platform", "platform_machine", "platform_system", "extra",
     "platform_python_implementation", "implementation_name", "implementation_version", "platform_release"]
)  # fmt: skip
TERMS = st.builds(
    lambda variable, operator, value, quote, space: f"{variable}{space}{operator}{space}{quote}{value}{quote}",
    VARIABLES, OPERATORS | st.sampled_from(["in", "not in", "==="]), VALUES, QUOTES, SPACES.map(" {}".format),
)  # fmt: skip
MARKERS = st.recursive(
    TERMS,
    lambda inner: (
        st.builds("{} {} {}".format, inner, st.sampled_from(["and", "or"]), inner) | st.builds("({})".format, inner)
    ),
    max_leaves=3,
)
TARGETS = [read_target(text) for text in ("macos-14-arm64-cp311", "linux-cp313", "windows-amd64-cp39", "linux-pp310")]


def outcome(ask: Any) -> Any:
    try:
        return ask()
    except ValueError as error:
        return type(error)


@example("==0,==0.0", [], None)
@given(SETS, st.lists(VERSIONS, max_size=6), st.sampled_from([True, False, None]))
def test_specifiers_admit_what_packaging_admits(text: str, versions: list[Version], pre: bool | None) -> None:
    theirs = outcome(lambda: SpecifierSet(text))
    ours = outcome(lambda: specifiers_of(text))
    if not isinstance(theirs, SpecifierSet):
        assert ours == theirs
        return
    assert [ours.contains(version, prereleases=True) for version in versions] == [
        theirs.contains(version, prereleases=True) for version in versions
    ]
    assert [ours.contains(str(version), prereleases=pre) for version in versions] == [
        theirs.contains(str(version), prereleases=pre) for version in versions
    ]
    assert list(ours.filter(versions, prereleases=pre)) == list(theirs.filter(versions, prereleases=pre))
    assert (str(ours), bool(ours), bool(ours.prereleases)) == (str(theirs), bool(theirs), bool(theirs.prereleases))
    assert {(one.operator, one.version) for one in ours} == {(one.operator, one.version) for one in theirs}
    assert ours == theirs
    assert hash(ours) == hash(theirs)


@pytest.mark.parametrize("operator", COMPARISONS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_version_is_compared_with_every_other(operator: str, kind: str) -> None:
    versions = [Version(f"{release}{other}") for release in ("1.0", "1.1", "1") for other in [*KINDS, "rc2", ".post3"]]
    theirs = outcome(lambda: SpecifierSet(f"{operator}1.0{kind}"))
    ours = outcome(lambda: specifiers_of(f"{operator}1.0{kind}"))
    if isinstance(theirs, SpecifierSet):
        assert list(filter(ours.contains, versions)) == list(filter(theirs.contains, versions))
        assert list(ours.filter(versions, prereleases=True)) == list(theirs.filter(versions, prereleases=True))
    else:
        assert ours == theirs


@given(SETS, SETS, st.lists(VERSIONS, max_size=4))
def test_specifiers_combine(one: str, other: str, versions: list[Version]) -> None:
    try:
        theirs = SpecifierSet(one) & SpecifierSet(other)
    except ValueError:
        return
    for ours in (specifiers_of(one) & specifiers_of(other), specifiers_of(one) & SpecifierSet(other)):
        assert [ours.contains(v, prereleases=True) for v in versions] == [
            theirs.contains(v, prereleases=True) for v in versions
        ]


@given(MARKERS, st.sampled_from(TARGETS), st.sampled_from(["", "x", "x-y"]))
def test_markers_hold_where_packaging_says_so(text: str, target: Any, extra: str) -> None:
    environment = {**target.environment, "extra": extra}
    plain = module._plain_marker(text)
    if plain is not None:
        assert plain.evaluate(environment) is Marker(text).evaluate(environment)
        assert str(plain) == str(Marker(text))


NAMES = st.sampled_from(["numpy", "a", "A_b.c", "typing-extensions", "x1", "-x", "x-", "a b", ""])
EXTRAS = st.sampled_from(["", "[x]", "[x,Y_z]", "[ x , y ]", "[]", "[x,]", "[-]", " [x] "])
TAILS = st.sampled_from(["", ";", "; ", " ; "]) | MARKERS.map(lambda marker: f"; {marker}")


@given(NAMES, EXTRAS, SETS, st.booleans(), SPACES, TAILS)
def test_requirements_are_read_as_packaging_reads_them(
    name: str, extras: str, specifiers: str, bracketed: bool, space: str, tail: str
) -> None:
    text = f"{space}{name}{extras}{space}{f'({specifiers})' if bracketed else specifiers}{space}{tail}"
    ours, theirs = outcome(lambda: requirement_of(text)), outcome(lambda: Requirement(text))
    if not isinstance(theirs, Requirement):
        assert ours == theirs
        return
    assert (ours.name, ours.extras, ours.url, str(ours.specifier)) == (
        theirs.name, theirs.extras, theirs.url, str(theirs.specifier),
    )  # fmt: skip
    assert (ours.marker is None) == (theirs.marker is None)
    assert str(ours) == str(theirs)
    assert ours == theirs
    assert theirs == ours


@given(st.text(max_size=12) | st.text("aA_-. 1", max_size=8))
def test_names_are_normalised_as_packaging_does(text: str) -> None:
    assert canonicalize_name(text) == packaging_name(text)


@pytest.mark.parametrize(
    "text",
    ["numpy", "numpy<2,>=1.26", "h5py >=3.11.0", "numpy (<2)", "six; extra == 'dev'", "a[b,c]~=1.2", "x==2.15.*",
     'tensorflow-io-gcs-filesystem>=0.23.1; python_version < "3.12" and sys_platform != "darwin"',
     "protobuf (!=4.21.0,<5.0.0dev,>=3.20.3)", "psutil; (os_name == 'nt' or os_name == 'posix') and extra == 'tests'"],
)  # fmt: skip
def test_what_most_metadata_says_is_plain(text: str) -> None:
    assert isinstance(requirement_of(text), PlainRequirement)


@pytest.mark.parametrize("text", ["===1.0", "~=1", ">=1.0+x", ">=1.*", "==1!2.0", ",", ">=1,,<2", ">=1.0-1"])
def test_what_is_not_plain_is_left_to_packaging(text: str) -> None:
    assert not isinstance(outcome(lambda: specifiers_of(text)), PlainSpecifiers)


NEAR = st.builds("{}{}".format, st.sampled_from(["1.0", "1.1"]), ENDINGS)
ENDS = st.lists(st.builds("{}{}".format, OPERATORS, NEAR), min_size=1, max_size=2).map(",".join)


@example("<=1.1", [Version("1.1+local")])
@given(ENDS | SETS, st.lists(NEAR.map(Version) | VERSIONS, max_size=12, unique=True))
def test_a_page_finds_all_that_specifiers_admit_where_it_looks(text: str, versions: list[Version]) -> None:
    """It looks between the ends that they name only, and reads no other version."""
    try:
        specifier = specifiers_of(text)
    except ValueError:
        return
    order = sorted(versions, reverse=True)
    page = ProjectPage.from_files_of(canonicalize_name("a"), list(map(str, order)), lambda _: VersionFiles.of([]))
    found = list(page.between(*extent(specifier)))
    assert list(specifier.filter(found, prereleases=True)) == list(specifier.filter(order, prereleases=True))
    assert [version for version in order if version in found] == found
    assert list(page.versions) == order


DEEP = "(" * 3000 + "python_version > '3'" + ")" * 3000


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (requirement_of, f"foo ; {DEEP}"),
        (marker_of, DEEP),
        (requirement_of, "foo ; " + "(" * 3000),
        (requirement_of, "foo>=1,===" + "(" * 3000),
    ],
)
def test_parentheses_without_end_are_an_error_of_ours_with_every_release_of_packaging(
    parse: Callable[[str], object], text: str
) -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        parse(text)


def test_parentheses_that_people_write_are_read() -> None:
    text = "(" * 60 + "python_version > '3'" + ")" * 60
    assert marker_of(text).evaluate({"python_version": "3.12"})

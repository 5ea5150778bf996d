"""Verdicts: which reasons, in which order; that tags decide as the standard says; and how near a refused file came."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.tags import parse_tag

from wheelcheck.resolver.compatibility import (
    CHECK_ORDER,
    Compatible,
    Incompatible,
    Judge,
    NeverMatches,
    WrongPythonTag,
    judge,
    tag_reasons,
)
from wheelcheck.rules.model import load_rules
from wheelcheck.standards.project_page import UnreadableFile, read_file
from wheelcheck.targets.platform import Manylinux
from wheelcheck.targets.python import read_python
from wheelcheck.targets.target import Target, read_target, target_on

MAC14 = "macos-14-arm64-cp312"
INTEL = "macos-10.15-x86_64-cp312"
LINUX = "manylinux_2_28_x86_64-cp312"
OLD = "manylinux_2_17_x86_64-cp312"
MUSL = "musllinux_1_1_x86_64-cp312"
WIN = "windows-amd64-cp312"
T = "manylinux_2_28_x86_64-cp313t"
DEBUG = "manylinux_2_28_x86_64-cp312d"
PYPY = "manylinux_2_28_x86_64-pp310"


def verdict(filename: str, target: str | Target, **about: Any) -> Compatible | Incompatible:
    told = read_target(target) if isinstance(target, str) else target
    return judge(read_file(filename, url="", **about), told)


def kinds(found: Compatible | Incompatible) -> list[str]:
    return [reason.kind for reason in found.reasons] if isinstance(found, Incompatible) else []


# fmt: off
REASONS: list[tuple[str, str, Any]] = [
    # the operating system
    ("cp312-cp312-macosx_12_0_arm64", MAC14, []),
    ("cp312-cp312-macosx_14_0_arm64", MAC14, []),
    ("cp312-cp312-macosx_15_0_arm64", MAC14, ["OsTooOld"]),
    ("cp312-cp312-macosx_14_5_arm64", MAC14, ["NeverMatches"]),
    ("cp312-cp312-macosx_14_5_arm64", "macos-26-arm64-cp312", ["NeverMatches"]),
    ("cp312-cp312-macosx_11_1_arm64", "macos-11-arm64-cp312", ["NeverMatches"]),
    ("cp312-cp312-macosx_10_9_arm64", MAC14, ["NeverMatches"]),
    ("cp312-cp312-macosx_10_9_universal2", MAC14, []),
    ("cp312-cp312-macosx_10_9_universal2", INTEL, []),
    ("cp312-cp312-macosx_10_15_x86_64", MAC14, ["WrongPlatformTag"]),
    ("cp312-cp312-macosx_11_0_x86_64", INTEL, ["OsTooOld"]),
    ("cp312-cp312-macosx_10_16_x86_64", INTEL, ["OsTooOld"]),
    ("cp312-cp312-macosx_10_9_intel", INTEL, []),
    ("cp312-cp312-macosx_10_9_ppc", INTEL, ["WrongPlatformTag"]),
    ("cp312-cp312-manylinux_2_17_x86_64", MAC14, ["WrongPlatformTag"]),
    ("cp312-cp312-manylinux_2_28_x86_64", LINUX, []),
    ("cp312-cp312-manylinux_2_34_x86_64", LINUX, ["OsTooOld"]),
    ("cp312-cp312-manylinux_3_0_x86_64", LINUX, ["OsTooOld"]),
    ("cp312-cp312-manylinux_2_4_x86_64", LINUX, ["NeverMatches"]),
    ("cp312-cp312-manylinux_2_17_aarch64", LINUX, ["WrongPlatformTag"]),
    ("cp312-cp312-manylinux1_x86_64", OLD, []),
    ("cp312-cp312-manylinux2014_x86_64", OLD, []),
    ("cp312-cp312-manylinux2014_x86_64", "manylinux_2_12_x86_64-cp312", ["OsTooOld"]),
    ("cp312-cp312-manylinux2010_x86_64", "manylinux_2_11_x86_64-cp312", ["OsTooOld"]),
    ("cp312-cp312-musllinux_1_1_x86_64", LINUX, ["WrongPlatformTag"]),
    ("cp312-cp312-musllinux_1_1_x86_64", MUSL, []),
    ("cp312-cp312-musllinux_1_2_x86_64", MUSL, ["OsTooOld"]),
    ("cp312-cp312-musllinux_1_1_aarch64", MUSL, ["WrongPlatformTag"]),
    ("cp312-cp312-manylinux_2_17_x86_64", MUSL, ["WrongPlatformTag"]),
    ("cp312-cp312-linux_x86_64", LINUX, []),
    ("cp312-cp312-linux_x86_64", MUSL, []),
    ("cp312-cp312-linux_aarch64", LINUX, ["WrongPlatformTag"]),
    ("cp312-cp312-win_amd64", WIN, []),
    ("cp312-cp312-win32", WIN, ["WrongPlatformTag"]),
    ("cp312-cp312-win32", "windows-x86-cp312", []),
    ("cp312-cp312-win_arm64", WIN, ["WrongPlatformTag"]),
    ("cp312-cp312-win_amd64", LINUX, ["WrongPlatformTag"]),
    ("cp312-cp312-some_future_thing", LINUX, ["WrongPlatformTag"]),
    # the interpreter
    ("cp311-cp311-macosx_12_0_arm64", MAC14, ["WrongPythonTag"]),
    ("cp313-cp313-macosx_12_0_arm64", MAC14, ["WrongPythonTag"]),
    ("py313-none-any", LINUX, ["WrongPythonTag"]),
    ("py2-none-any", LINUX, ["WrongPythonTag"]),
    ("py2.py3-none-any", LINUX, []),
    ("py3-none-any", LINUX, []),
    ("py312-none-any", LINUX, []),
    ("cp312-none-any", LINUX, []),
    ("cp311-none-any", LINUX, ["WrongPythonTag"]),
    ("py3-none-macosx_11_0_arm64", LINUX, ["WrongPlatformTag"]),
    ("pp310-pypy310_pp73-manylinux_2_17_x86_64", LINUX, ["WrongPythonTag"]),
    ("pp310-pypy310_pp73-manylinux_2_17_x86_64", PYPY, []),
    ("pp310-pypy310_pp99-manylinux_2_17_x86_64", PYPY, ["WrongAbiTag"]),
    ("pp39-pypy39_pp73-manylinux_2_17_x86_64", PYPY, ["WrongPythonTag"]),
    ("cp310-cp310-manylinux_2_17_x86_64", PYPY, ["WrongPythonTag"]),
    ("cp310-abi3-manylinux_2_17_x86_64", PYPY, ["WrongPythonTag"]),
    ("py3-none-any", PYPY, []),
    # the ABI
    ("cp38-abi3-manylinux_2_17_x86_64", LINUX, []),
    ("cp312-abi3-manylinux_2_17_x86_64", LINUX, []),
    ("cp313-abi3-manylinux_2_17_x86_64", LINUX, ["WrongPythonTag"]),
    ("cp313-cp313t-manylinux_2_17_x86_64", T, []),
    ("cp313-cp313-manylinux_2_17_x86_64", T, ["WrongAbiTag"]),
    ("cp313-cp313t-manylinux_2_17_x86_64", "manylinux_2_28_x86_64-cp313", ["WrongAbiTag"]),
    ("cp39-abi3-manylinux_2_17_x86_64", T, ["WrongAbiTag"]),
    ("cp313-abi3-manylinux_2_17_x86_64", T, ["WrongAbiTag"]),
    ("cp314-abi3-manylinux_2_17_x86_64", T, ["WrongPythonTag"]),
    ("cp313-abi3t-manylinux_2_17_x86_64", T, []),
    ("cp313-abi3t-manylinux_2_17_x86_64", "manylinux_2_28_x86_64-cp313", ["WrongAbiTag"]),
    ("py3-none-any", T, []),
    ("cp312-cp312d-manylinux_2_17_x86_64", LINUX, ["WrongAbiTag"]),
    ("cp312-cp312d-manylinux_2_17_x86_64", DEBUG, []),
    ("cp312-cp312-manylinux_2_17_x86_64", DEBUG, []),
    ("cp37-cp37m-manylinux_2_17_x86_64", "manylinux_2_28_x86_64-cp37", []),
    ("cp37-cp37-manylinux_2_17_x86_64", "manylinux_2_28_x86_64-cp37", ["WrongAbiTag"]),
    # several parts at once, and the triple that came nearest
    ("cp311-cp311-win_amd64", LINUX, ["WrongPlatformTag", "WrongPythonTag"]),
    ("cp311-cp311-macosx_15_0_arm64", MAC14, ["OsTooOld", "WrongPythonTag"]),
    ("cp313-cp313-macosx_15_0_arm64", "macos-14-arm64-cp313t", ["OsTooOld", "WrongAbiTag"]),
    ("cp312-cp312-win_amd64.manylinux_2_34_x86_64", LINUX, ["OsTooOld"]),
    ("cp312-cp312-manylinux_2_34_x86_64.win_amd64", LINUX, ["OsTooOld"]),
    ("cp310.cp312-cp312-manylinux_2_34_x86_64", LINUX, ["OsTooOld"]),
    ("cp310.cp311-cp310.cp311-manylinux_2_17_x86_64.manylinux2014_x86_64", LINUX, ["WrongPythonTag"]),
    ("cp312-cp311-manylinux_2_17_x86_64", LINUX, ["WrongAbiTag"]),
    ("cp312-cp312-macosx_10_9_x86_64.macosx_15_0_arm64", MAC14, ["OsTooOld"]),
    ("cp312-cp312-macosx_15_0_arm64.macosx_13_3_arm64", MAC14, ["OsTooOld"]),
]
# fmt: on


@pytest.mark.parametrize(("tags", "target", "expected"), REASONS)
def test_reasons(tags: str, target: str, expected: list[str]) -> None:
    assert kinds(verdict(f"spam-1.0-{tags}.whl", target)) == expected


@pytest.mark.parametrize(
    ("specifier", "python", "ok"),
    [
        (None, "3.11.3", True),
        (">=3.11.4", "3.11.3", False),
        (">=3.11.4", "3.11.4", True),
        (">=3.9,<3.12", "3.12.0", False),
        ("==3.11.*", "3.11.3", True),
        ("!=3.11.3", "3.11.3", False),
        (">=3.12", "3.12.0rc1", True),
        (">=3.11", "3.12.0rc1", True),
        ("~=3.8", "3.11.3", True),
        (">=2.7, !=3.0.*", "3.11.3", True),
        ("three and above", "3.11.3", True),
        (">=3.6.*", "3.11.3", True),
        (">=" + "9" * 5000, "3.11.3", True),
        ("", "3.11.3", True),
    ],
)
def test_requires_python(specifier: str | None, python: str, ok: bool) -> None:
    target = read_target(f"manylinux_2_28_x86_64-{python}")
    found = verdict("spam-1.0-py3-none-any.whl", target, requires_python=specifier)
    assert found.ok is bool(found) is ok
    assert kinds(found) == ([] if ok else ["RequiresPython"])
    if isinstance(found, Incompatible):
        assert found.to_dict()["reasons"] == [{"kind": "RequiresPython", "specifier": specifier, "python": python}]


@pytest.mark.parametrize(
    ("filename", "about", "expected"),
    [
        ("spam-1.0.tar.gz", {}, ["SourceOnly"]),
        ("spam-1.0.zip", {"requires_python": "<3"}, ["RequiresPython", "SourceOnly"]),
        ("spam-1.0-cp312-cp312-win32.whl", {"requires_python": "<3"}, ["WrongPlatformTag", "RequiresPython"]),
        ("spam-1.0-py3-none-any.whl", {"yanked": "broken"}, []),
        ("spam-1.0rc1-py3-none-any.whl", {}, []),
        ("spam-1.0.egg", {}, ["UnreadableName"]),
        ("spam-1.0-cp312-cp312-manylinux_2_17_x86_64-x86_64_v3.whl", {}, ["VariantWheel"]),
    ],
)
def test_other_reasons(filename: str, about: dict[str, Any], expected: list[str]) -> None:
    assert kinds(verdict(filename, LINUX, **about)) == expected


# fmt: off
FACTS: list[tuple[str, str, Any]] = [
    ("cp312-cp312-macosx_15_0_arm64", "macos-14.5-arm64-cp312", {"system": "macOS", "have": "14.5", "need": "15.0"}),
    ("cp312-cp312-manylinux_2_34_x86_64", LINUX, {"system": "glibc", "have": "2.28", "need": "2.34"}),
    ("cp312-cp312-manylinux2014_x86_64", "manylinux_2_12_x86_64-cp312",
     {"system": "glibc", "have": "2.12", "need": "2.17"}),
    ("cp312-cp312-musllinux_1_2_x86_64", MUSL, {"system": "musl", "have": "1.1", "need": "1.2"}),
    ("cp312-cp312-macosx_14_5_arm64", MAC14, {"tag": "macosx_14_5_arm64"}),
    ("cp312-cp312-win32.win_arm64", WIN, {"have": ["win32", "win_arm64"], "want": "win_amd64"}),
    ("cp310.cp311-none-any", LINUX, {"have": ["cp310", "cp311"], "want": "cp312"}),
    ("cp313-cp313-any", T, {"have": ["cp313"], "want": "cp313t"}),
]
# fmt: on


@pytest.mark.parametrize(("tags", "target", "facts"), FACTS)
def test_reasons_carry_what_would_be_needed(tags: str, target: str, facts: dict[str, Any]) -> None:
    found = verdict(f"spam-1.0-{tags}.whl", target).to_dict()["reasons"]
    assert isinstance(found, list)
    assert len(found) == 1
    assert {key: value for key, value in found[0].items() if key != "kind"} == facts  # type: ignore[union-attr]


def test_a_tag_that_the_interpreter_turns_down_is_not_called_too_new() -> None:
    platform = Manylinux(major=2, minor=28, machine="x86_64", refused=("manylinux_2_28_x86_64",))
    target = target_on(platform, read_python("cp312"))
    assert kinds(verdict("spam-1.0-cp312-cp312-manylinux_2_28_x86_64.whl", target)) == ["WrongPlatformTag"]


RULES = """
project = "spam"
[[rule]]
id = "spam-empty"
versions = "==1.0"
effect = "forbids"
why = "It contains nothing."
evidence = "contents"
confidence = "certain"
[[rule.sources]]
fact = "Seen in a test."
date = "2025-01-01"
"""


def test_a_rule_forbids_whatever_the_tags_say() -> None:
    rules = load_rules([("mine.toml", RULES)])
    target = read_target(LINUX)
    found = judge(read_file("spam-1.0-py3-none-any.whl", url=""), target, rules)
    assert kinds(found) == ["ForbiddenByRule"]
    assert found.to_dict()["reasons"][0]["rule"]["id"] == "spam-empty"  # type: ignore[index,call-overload]
    assert judge(read_file("spam-2.0-py3-none-any.whl", url=""), target, rules).ok
    assert judge(read_file("ham-1.0-py3-none-any.whl", url=""), target, rules).ok
    old = judge(read_file("spam-1.0-cp39-cp39-win32.whl", url=""), target, rules)
    assert kinds(old) == ["WrongPlatformTag", "WrongPythonTag", "ForbiddenByRule"]


# -- properties

TARGETS = [
    *(MAC14, INTEL, LINUX, OLD, MUSL, WIN, T, DEBUG, PYPY),
    *("macos-26-x86_64-cp310", "windows-x86-cp39", "manylinux_2_17_aarch64-pp311", "manylinux_2_31_armv7l-3.11.2"),
    *("win_arm64-cp314t", "ios_17_0_arm64_iphoneos-cp314", "freebsd_14_0_amd64-cp311", "manylinux_2_28_x86_64-cp37"),
]
PYTHONS = [
    *("py2", "py3", "py39", "py312", "py313", "cp37", "cp39"),
    *("cp311", "cp312", "cp313", "cp314", "pp310", "pp311", "pp3", "xy1"),
]
ABIS = [
    *("none", "abi3", "abi3t", "cp37m", "cp311", "cp312"),
    *("cp312d", "cp313", "cp313t", "cp314t", "pypy310_pp73", "pypy311_pp73"),
]
PLATFORMS = [
    *("any", "win32", "win_amd64", "win_arm64", "linux_x86_64", "manylinux1_x86_64", "manylinux2014_aarch64"),
    *("manylinux_2_17_x86_64", "manylinux_2_28_x86_64", "manylinux_2_34_x86_64", "manylinux_2_4_x86_64"),
    *("musllinux_1_1_x86_64", "musllinux_1_2_x86_64", "musllinux_2_0_x86_64", "manylinux_2_31_armv7l"),
    *("macosx_10_9_x86_64", "macosx_10_9_universal2", "macosx_10_9_arm64", "macosx_11_0_arm64", "macosx_14_0_arm64"),
    *("macosx_14_5_arm64", "macosx_26_0_universal2", "ios_13_0_arm64_iphoneos", "freebsd_14_0_amd64", "nowhere_9"),
]


def some_of(words: list[str]) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(words), min_size=1, max_size=3).map(".".join)


TAGS = st.tuples(some_of(PYTHONS), some_of(ABIS), some_of(PLATFORMS)).map("-".join)
TARGET = st.sampled_from(TARGETS).map(read_target)


@given(TAGS, TARGET)
def test_a_wheel_is_compatible_exactly_where_one_of_its_tags_is_among_the_targets(tags: str, target: Target) -> None:
    matching = {str(tag) for tag in parse_tag(tags)} & set(target.tags)
    found = verdict(f"spam-1.0-{tags}.whl", target)
    assert found.ok == bool(matching)
    if isinstance(found, Compatible):
        assert found.rank == min(target.tags.index(tag) for tag in matching)
    else:
        assert found.reasons


@given(TAGS, TARGET)
def test_reasons_come_in_the_order_of_the_questions_each_once(tags: str, target: Target) -> None:
    found = verdict(f"spam-1.0-{tags}.whl", target, requires_python="<2")
    assert isinstance(found, Incompatible)
    order = [CHECK_ORDER.index(type(reason)) for reason in found.reasons]
    assert order == sorted(set(order))


@given(TAGS, TARGET)
def test_what_is_too_old_is_older_than_what_is_needed(tags: str, target: Target) -> None:
    for reason in tag_reasons(tags, target):
        if reason.kind == "OsTooOld":
            have, need = ([int(part) for part in text.split(".")] for text in (reason.have, reason.need))  # type: ignore[union-attr]
            assert have < need


@given(st.lists(TAGS, min_size=1, max_size=4), TARGET)
def test_what_a_judge_remembers_changes_no_verdict(sets: list[str], target: Target) -> None:
    one = Judge(target)
    for tags in (*sets, *sets):
        file = read_file(f"spam-1.0-{tags}.whl", url="", requires_python=">=3.9")
        assert one.verdict(file) == judge(file, target)


@pytest.mark.parametrize("target", TARGETS)
def test_every_tag_of_a_target_is_compatible_with_it_at_its_own_rank(target: str) -> None:
    told = read_target(target)
    found = Judge(told)
    first: dict[str, int] = {}
    for position, tag in enumerate(told.tags):
        assert found.rank(tag) == first.setdefault(tag, position)


# -- closeness

FROM_FAR_TO_NEAR = [
    ("spam-1.0.egg", {}),
    ("spam-1.0-cp312-cp312-manylinux_2_17_x86_64-v3.whl", {}),
    ("spam-1.0-cp311-cp311-win_amd64.whl", {}),
    ("spam-1.0-cp312-cp312-win_amd64.whl", {}),
    ("spam-1.0-cp312-cp312-macosx_14_5_arm64.whl", {}),
    ("spam-1.0-cp311-cp311-macosx_15_0_arm64.whl", {}),
    ("spam-1.0-cp312-cp312-macosx_15_0_arm64.whl", {}),
    ("spam-1.0-cp311-cp311-macosx_12_0_arm64.whl", {}),
    ("spam-1.0-cp312-cp312d-macosx_12_0_arm64.whl", {}),
    ("spam-1.0-py3-none-any.whl", {"requires_python": ">=3.13"}),
    ("spam-1.0.tar.gz", {}),
]


def test_the_later_the_question_that_failed_the_nearer_the_file() -> None:
    found = [verdict(filename, MAC14, **about) for filename, about in FROM_FAR_TO_NEAR]
    closeness = [one.closeness for one in found if isinstance(one, Incompatible)]
    assert len(closeness) == len(FROM_FAR_TO_NEAR)
    assert closeness == sorted(set(closeness))


@pytest.mark.parametrize(
    ("have", "want", "distance"),
    [
        (("cp311",), "cp312", 1),
        (("cp39", "cp314"), "cp312", 2),
        (("py313",), "cp312", 1),
        (("cp27",), "cp312", 1000),
        (("pp310",), "cp310", 1000),
        (("xy",), "cp312", 1000),
        (("pp39", "cp38"), "cp312", 4),
    ],
)
def test_how_far_pythons_are_apart(have: tuple[str, ...], want: str, distance: int) -> None:
    assert WrongPythonTag(have=have, want=want).distance == distance


def test_forms() -> None:
    good = verdict("spam-1.0-py3-none-any.whl", LINUX)
    assert good.to_dict() == {"compatible": True, "rank": read_target(LINUX).ranks["py3-none-any"], "reasons": []}
    bad = verdict("spam-1.0.tar.gz", LINUX)
    assert bad.to_dict() == {"compatible": False, "rank": None, "reasons": [{"kind": "SourceOnly", "no_binary": False}]}
    assert bool(good) is True
    assert bool(bad) is False


def test_an_unreadable_file_keeps_its_reason() -> None:
    file = read_file("spam-1.0-cp312.whl", url="")
    assert isinstance(file, UnreadableFile)
    assert judge(file, read_target(LINUX)).to_dict()["reasons"] == [{"kind": "UnreadableName", "why": file.why}]


def test_never_matches_names_the_tag() -> None:
    assert tag_reasons("cp312-cp312-macosx_14_5_arm64", read_target(MAC14)) == (NeverMatches(tag="macosx_14_5_arm64"),)

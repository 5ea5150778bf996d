"""Verdicts on many files for many targets: the same as on each file for itself, in order, and shared where they may."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import strategies
from wheelcheck.common.records import replace
from wheelcheck.resolver.compatibility import (
    Compatible,
    Incompatible,
    Judge,
    Verdict,
    Verdicts,
    judge,
    judge_all,
    judge_for,
)
from wheelcheck.rules.load import curated
from wheelcheck.rules.model import NO_RULES, load_rules
from wheelcheck.standards.project_page import Sdist, UnreadableFile, Wheel, read_file
from wheelcheck.targets.target import read_target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheelcheck.rules.model import Rules
    from wheelcheck.standards.project_page import Listed
    from wheelcheck.targets.target import Target

RULED = ("tensorflow", "tensorflow_macos", "tensorflow-metal", "tensorflow_cpu", "TensorFlow_Intel")
"""Projects that curated rules are about, as they are spelled in file names."""

# -- files as an index may list them

projects = st.sampled_from(["numpy", "Pillow", "ruamel.yaml", *RULED])
versions = st.sampled_from(
    ["1.0", "1.15.5", "2.9.1", "2.10.0", "2.13.0", "2.15.0", "2.15.1", "2.20.0rc0", "1!3", "4+x"]
)
builds = st.sampled_from(["", "", "", "1-", "12b-"])
python_tags = st.sampled_from(["py3", "py2.py3", "cp38", "cp310", "cp311", "cp312", "cp313", "pp310", "py314"])
abi_tags = st.sampled_from(["none", "abi3", "cp311", "cp312", "cp313", "cp313t", "cp312d", "abi3t", "pypy310_pp73"])
platform_tags = st.sampled_from(
    [
        *("any", "any", "macosx_11_0_arm64", "macosx_10_9_universal2", "macosx_14_5_arm64", "macosx_13_0_x86_64"),
        *("manylinux_2_17_x86_64.manylinux2014_x86_64", "manylinux_2_34_x86_64", "manylinux2014_aarch64"),
        *("musllinux_1_2_x86_64", "win_amd64", "win32", "win_arm64.win_amd64", "linux_armv7l", "any.any", "marsos"),
    ]
)
compiled_for = st.builds("{}-{}-{}".format, python_tags, abi_tags, platform_tags)
"""Mostly tags that fit no Python at all."""
fitting = st.sampled_from(["cp311-cp311-", "cp312-cp312-", "cp313-cp313t-", "cp38-abi3-", "py3-none-"]).flatmap(
    lambda tags: platform_tags.map(lambda platform: tags + platform)
)
wheel_names = st.builds("{}-{}-{}{}.whl".format, projects, versions, builds, st.one_of(fitting, compiled_for))
sdist_names = st.builds("{}-{}{}".format, projects, versions, st.sampled_from([".tar.gz", ".zip"]))
broken_names = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            *("numpy-1.0.whl", "numpy-one-py3-none-any.whl", "numpy-1.0-py3--any.whl", "numpy-1.0.exe", "a/b.whl"),
            *("numpy-1.0-cp312-cp312-win_amd64-x86_64_v3.whl", "tensorflow-2.15.0.egg"),
        ]
    ),
)
unusual = ["", ">=3.9,!=3.11.*", "~=3.10", "==3.12.*", ">=3.12.3", "any", ">3.x"]
specifiers = st.sampled_from([None, None, ">=3.8", ">=3.11", "<3.12", ">=4", *unusual])
files = st.builds(
    lambda filename, specifier: read_file(filename, url="", requires_python=specifier),
    st.one_of(wheel_names, wheel_names, sdist_names, broken_names),
    specifiers,
)
some_files = st.lists(files, max_size=12)
some_targets = st.lists(strategies.targets, max_size=4)
rule_sets = st.sampled_from([NO_RULES, curated()])

# fmt: off
PAGE = [
    read_file(name, url="", requires_python=specifier)
    for name, specifier in product(
        [
            "numpy-2.0-cp312-cp312-macosx_14_0_arm64.whl", "numpy-2.0-cp312-cp312-win_amd64.whl",
            "numpy-2.0-py3-none-any.whl", "numpy-2.0.tar.gz", "numpy-2.0.exe", "numpy-1.9-py3-none-any.whl",
            "tensorflow_macos-2.15.1-cp311-cp311-macosx_12_0_arm64.whl",
            "tensorflow_macos-2.15.0-cp311-cp311-macosx_12_0_arm64.whl", "tensorflow-macos-2.15.1.tar.gz",
            "tensorflow-2.15.1-cp311-cp311-macosx_12_0_arm64.whl", "tensorflow-2.15.1-cp311-cp311-win_amd64.whl",
        ],
        [None, ">=3.9", "<3.9"],
    )
]
# fmt: on
NAMED = ("macos-14-arm64-cp311", "macos-14-arm64-cp312", "windows-amd64-cp312", "musllinux_1_2_x86_64-pp310")
TARGETS = tuple(map(read_target, NAMED))


def one_by_one(
    listed: Sequence[Listed | UnreadableFile], targets: Sequence[Target], rules: Rules
) -> list[list[Verdict]]:
    """Each verdict by a judge of its own, who has seen no other file."""
    return [[Judge(target, rules).verdict(file) for file in listed] for target in targets]


def said(found: Sequence[Sequence[Verdict]]) -> list[list[Verdict]]:
    return [list(verdicts) for verdicts in found]


@given(some_files, some_targets, rule_sets)
@example(PAGE, list(TARGETS), curated())
@example(PAGE[::-1], list(TARGETS[::-1]), NO_RULES)
@example([], list(TARGETS), curated())
@example(PAGE, [], curated())
def test_each_verdict_is_that_of_the_file_for_itself(
    listed: list[Listed | UnreadableFile], targets: list[Target], rules: Rules
) -> None:
    found = judge_all(listed, targets, rules)
    assert said(found) == one_by_one(listed, targets, rules)
    assert said(judge_all(iter(listed), iter(targets), rules)) == said(found)


@given(st.permutations(PAGE), rule_sets)
def test_verdicts_come_in_the_order_of_the_files(listed: list[Listed | UnreadableFile], rules: Rules) -> None:
    by_file = [
        {id(file): verdict for file, verdict in zip(PAGE, verdicts, strict=True)}
        for verdicts in judge_all(PAGE, TARGETS, rules)
    ]
    for known, verdicts in zip(by_file, judge_all(listed, TARGETS, rules), strict=True):
        assert list(verdicts) == [known[id(file)] for file in listed]


def test_targets_keep_their_order_and_may_repeat() -> None:
    mac, windows = TARGETS[0], TARGETS[2]
    found = judge_all(PAGE, [windows, mac, windows])
    assert said(found) == one_by_one(PAGE, [windows, mac, windows], NO_RULES)
    assert list(found[0]) == list(found[2]) != list(found[1])


def test_no_files_and_no_targets() -> None:
    assert judge_all([], []) == []
    assert judge_all(PAGE, []) == []
    assert [len(verdicts) for verdicts in judge_all([], TARGETS)] == [0] * len(TARGETS)
    assert not judge_all([], TARGETS[:1])[0]


@given(some_files, strategies.targets)
def test_a_verdict_is_found_by_its_place(listed: list[Listed | UnreadableFile], target: Target) -> None:
    verdicts, expected = judge_all(listed, [target])[0], one_by_one(listed, [target], NO_RULES)[0]
    assert isinstance(verdicts, Verdicts)
    assert len(verdicts) == len(listed)
    assert [verdicts[place] for place in range(len(listed))] == expected
    assert [verdicts[place - len(listed)] for place in range(len(listed))] == expected
    assert list(reversed(verdicts)) == expected[::-1]
    for outside in (len(listed), -len(listed) - 1):
        with pytest.raises(IndexError):
            verdicts[outside]


# -- what a verdict depends on


def ok(found: Sequence[Verdict]) -> list[bool]:
    return [verdict.ok for verdict in found]


@pytest.mark.parametrize("rules", [NO_RULES, curated()], ids=["no rules", "curated"])
@pytest.mark.parametrize(
    ("names", "specifiers", "expected"),
    [
        (["numpy-2.0-py3-none-any.whl"], [None, ">=3.8", "<3.9", ">=3.8"], [True, True, False, True]),
        (["numpy-2.0-py3-none-any.whl", "numpy-2.0.tar.gz", "numpy-2.0.rpm"], [None], [True, False, False]),
        (["numpy-2.0-cp311-cp311-win32.whl", "numpy-2.0-py3-none-any.whl"], [None], [False, True]),
        (["numpy-2.0.tar.gz", "numpy-2.0-py3-none-any.whl"], ["<3.9", None], [False, False, False, True]),
    ],
)
def test_files_that_differ_in_what_counts_are_told_apart(
    rules: Rules, names: list[str], specifiers: list[str | None], expected: list[bool]
) -> None:
    listed = [read_file(name, url="", requires_python=one) for name, one in product(names, specifiers)]
    assert ok(judge_all(listed, [TARGETS[0]], rules)[0]) == expected


def test_a_rule_tells_versions_and_projects_apart() -> None:
    tags = "cp311-cp311-macosx_12_0_arm64"
    names = [f"{stem}-{tags}.whl" for stem in ("tensorflow_macos-2.15.1", "tensorflow_macos-2.15.0", "numpy-2.15.1")]
    listed = [read_file(name, url="") for name in names]
    assert ok(judge_all(listed, [TARGETS[0]], curated())[0]) == [False, True, True]
    assert ok(judge_all(listed, [TARGETS[0]], NO_RULES)[0]) == [True, True, True]
    assert ok(judge_all(listed, [TARGETS[0]], curated())[0]) == [False, True, True]


def test_a_target_under_rosetta_is_judged_for_itself() -> None:
    listed = [read_file("tensorflow-2.15.0-cp311-cp311-macosx_10_15_x86_64.whl", url="")]
    intel = read_target("macos-14-x86_64-cp311")
    targets = [intel, replace(intel, translated=True), replace(intel, translated=False)]
    assert [ok(found) for found in judge_all(listed, targets, curated())] == [[True], [False], [True]]


def test_a_sdist_tells_why_apart_from_a_wheel() -> None:
    wheel, sdist = (read_file(name, url="") for name in ("numpy-2.0-py3-none-any.whl", "numpy-2.0.zip"))
    assert isinstance(wheel, Wheel)
    assert isinstance(sdist, Sdist)
    [[of_wheel, of_sdist]] = judge_all([wheel, sdist], TARGETS[:1])
    assert isinstance(of_wheel, Compatible)
    assert isinstance(of_sdist, Incompatible)
    assert [reason.kind for reason in of_sdist.reasons] == ["SourceOnly"]


def test_unreadable_files_keep_their_own_reasons() -> None:
    listed = [
        read_file(name, url="") for name in ("numpy-2.0.exe", "numpy.whl", "numpy-1-cp312-cp312-win32-x86_64_v3.whl")
    ]
    assert all(isinstance(file, UnreadableFile) for file in listed)
    [found] = judge_all(listed, TARGETS[:1])
    kinds = [reason.kind for verdict in found if isinstance(verdict, Incompatible) for reason in verdict.reasons]
    assert kinds == ["UnreadableName", "UnreadableName", "VariantWheel"]
    assert len(set(found)) == 3


# -- what is shared


@given(some_files, strategies.targets, rule_sets)
def test_the_same_file_again_has_the_same_verdict_object(
    listed: list[Listed | UnreadableFile], target: Target, rules: Rules
) -> None:
    """Nor does it matter that it lies elsewhere, or is judged at another time."""
    elsewhere = [
        file if isinstance(file, UnreadableFile) else replace(file, url="https://example.org/x", size=7, hashes={})
        for file in listed
    ]
    [found] = judge_all([*listed, *elsewhere], [target], rules)
    [again] = judge_all(elsewhere, [target], rules)
    half = len(listed)
    for place in range(half):
        assert found[place] is found[half + place]
        assert found[place] is again[place]


def test_a_page_has_as_many_verdict_objects_as_matters() -> None:
    versions = [read_file(f"numpy-1.{minor}-py3-none-any.whl", url="", requires_python=">=3.8") for minor in range(50)]
    assert len(set(map(id, judge_all(versions, TARGETS[:1], curated())[0]))) == 1


def test_there_is_one_judge_for_equal_targets_and_rules() -> None:
    text = "macos-14-arm64-cp311"
    one, other = read_target(text), replace(read_target(text), interpreter="/usr/bin/python3")
    assert one == other
    assert one is not other
    assert judge_for(one) is judge_for(other)
    assert judge_for(one, curated()) is judge_for(other, curated())


def test_there_are_several_judges_for_different_targets_or_rules() -> None:
    mac = TARGETS[0]
    assert judge_for(mac) is not judge_for(mac, curated())
    assert len({id(judge_for(target)) for target in TARGETS}) == len(TARGETS)
    own = load_rules([("own.toml", OWN_RULE)])
    assert judge_for(mac, own) is not judge_for(mac, curated())
    wheel = read_file("numpy-2.0-py3-none-any.whl", url="")
    assert ok([judge_for(mac, rules).verdict(wheel) for rules in (NO_RULES, own, curated())]) == [True, False, True]


OWN_RULE = """
project = "numpy"
[[rule]]
id = "no-numpy-2"
versions = ">=2"
effect = "forbids"
why = "It is not wanted here."
evidence = "report"
confidence = "certain"
sources = [{ fact = "It was decided.", date = "2026-01-02" }]
"""


def test_a_judge_says_what_judging_a_file_alone_says() -> None:
    judge_of_all = judge_for(TARGETS[0], curated())
    for file in PAGE:
        assert judge_of_all.verdict(file) == judge(file, TARGETS[0], curated())

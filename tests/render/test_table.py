"""The text of `explain`: a line for each file, or like ones together where there are many."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from scenario import Scenario
from wheelcheck.commands.explain import Explanation
from wheelcheck.commands.report import Result
from wheelcheck.index.index import Counters
from wheelcheck.render import phrases
from wheelcheck.render.table import MAX_FILES, table
from wheelcheck.render.text import Style, render_explanation
from wheelcheck.resolver.compatibility import Compatible, Incompatible, UnreadableName, Yanked
from wheelcheck.resolver.model import Asked, Demand, RefusedFile
from wheelcheck.resolver.rejections import JudgedFile, every_file
from wheelcheck.resolver.resolve import resolve_with_state
from wheelcheck.standards.names import canonicalize_name
from wheelcheck.standards.project_page import UnreadableFile, read_file
from wheelcheck.standards.requirements import requirement_of
from wheelcheck.targets.target import read_target

MAC, LINUX = "macos-14-arm64-3.12.4", "manylinux_2_28_x86_64-3.12.4"


@pytest.mark.parametrize(
    ("axes", "target", "said"),
    [
        ("system architecture release", MAC, "fits macOS 14.0 arm64"),
        ("system architecture release interpreter abi", MAC, "fits macOS 14.0 arm64 and CPython 3.12"),
        ("system architecture release interpreter", MAC, "fits macOS 14.0 arm64 and CPython 3.12"),
        (
            "system architecture release requires-python",
            MAC,
            "fits macOS 14.0 arm64, and its publisher admits Python 3.12",
        ),
        ("system architecture release interpreter requires-python", MAC, "fits macOS 14.0 arm64 and CPython 3.12"),
        ("system architecture interpreter abi", MAC, "fits macOS on arm64 and CPython 3.12"),
        ("system architecture", LINUX, "fits Linux on x86_64"),
        ("system interpreter abi", LINUX, "fits Linux and CPython 3.12"),
        ("system", "musllinux_1_2_x86_64-3.12.4", "fits Linux"),
        ("system", "windows-amd64-3.12.4", "fits Windows"),
        ("interpreter abi", "windows-amd64-pp3.10.16_7.3.19", "fits PyPy 3.10"),
        ("requires-python", MAC, ""),
        ("", MAC, ""),
    ],
)
def test_what_fits_in_words(axes: str, target: str, said: str) -> None:
    assert phrases.fits(axes.split(), read_target(target)) == said


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ("macosx_10_9_x86_64 macosx_11_0_arm64 macosx_10_9_x86_64", "macOS arm64 and x86_64"),
        ("manylinux2014_x86_64 manylinux_2_17_x86_64 manylinux1_i686 linux_armv7l", "Linux armv7l, i686 and x86_64"),
        ("musllinux_1_2_aarch64", "Linux with musl aarch64"),
        ("win32 win_amd64 win_arm64", "Windows amd64, arm64 and x86"),
        (
            "macosx_10_6_intel win_amd64 ios_13_0_arm64_iphoneos",
            "Windows amd64, ios_13_0_arm64_iphoneos, macOS intel",
        ),
        ("macosx_14_arm64 manylinux", "macosx_14_arm64, manylinux"),
    ],
)
def test_systems_in_words(tags: str, said: str) -> None:
    assert phrases.systems(tags.split()) == said


def judged(told: dict[str, Any]) -> tuple[JudgedFile, ...]:
    scenario = Scenario("here", {"target": MAC, "asks": ["a"], "no_deps": True, **told})
    question = scenario.question(scenario.targets[0])
    _, ledger = resolve_with_state(question, scenario.shelf)
    return every_file(ledger, canonicalize_name("a"), question.demands)


def release(version: str, *pythons: str, sdist: bool = True, **about: Any) -> dict[str, Any]:
    systems = ("macosx_12_0_arm64", "manylinux_2_17_x86_64", "win_amd64")
    wheels = [f"a-{version}-{python}-{python}-{system}.whl" for python in pythons for system in systems]
    return {version: {"files": [*wheels, *([f"a-{version}.tar.gz"] if sdist else [])], **about}}


MANY = {
    **release("3.0rc1", "cp311", "cp312"),
    **release("2.2", "cp311", "cp312"),
    **release("2.1", "cp310", "cp311", "cp312", yanked="it was broken"),
    **release("2.0", "cp310", "cp311", "cp312"),
    **release("1.10", "cp39", "cp310", requires_python="<3.12"),
    **release("1.9", "cp38", "cp39", requires_python="<3.11"),
    **release("1.0", sdist=True),
}
STRAY = {"0.1": {"files": ["a-0.1-py3.whl", "a-0.1.exe"]}}
FOLDED = """\
2.2                         1 file    fits: a-2.2-cp312-cp312-macosx_12_0_arm64.whl
2.1                         1 file    yanked by its publisher: it was broken; pin it with == to use it anyway
2.0                         1 file    fits: a-2.0-cp312-cp312-macosx_12_0_arm64.whl
1.9 to 1.10 (2 versions)    4 files   built for CPython 3.8 to 3.10; this is CPython 3.12
1.0                         1 file    a source distribution, which would have to be built
Pre-releases, which are not used:
3.0rc1                      1 file    a pre-release, while final releases match; --pre accepts it
All other files of these versions:
2.0 to 3.0rc1 (4 versions)  4 files   a source distribution, which would have to be built
1.9 to 1.10 (2 versions)    2 files   requires Python <3.12; this is 3.12.4 (and the like)
2.0 to 3.0rc1 (4 versions)  6 files   built for CPython 3.10 and 3.11; this is CPython 3.12
1.9 to 3.0rc1 (6 versions)  28 files  built for Linux x86_64, Windows amd64
Files whose names cannot be read:
-                           2 files   its name cannot be read: a wheel name has five or six parts between dashes, \
this one 3 (and the like)"""


WIDE = 400
"""Cells in a line, so that no row is broken."""


def cells(line: str) -> list[str]:
    return re.split(r"  +", line.strip())


def test_many_files_are_folded() -> None:
    files = judged({"index": {"a": {**MANY, **STRAY}}})
    assert len(files) > MAX_FILES
    assert "\n".join(table(files, width=WIDE)) == FOLDED


def test_few_files_and_verbose_have_a_line_each() -> None:
    files = judged({"index": {"a": MANY}, "asks": ["a<2"]})
    assert [cells(line)[:2] for line in table(files, width=WIDE)] == [[str(one.version), one.filename] for one in files]
    many = judged({"index": {"a": MANY}})
    assert [cells(line)[1] for line in table(many, every=True, width=WIDE)] == [one.filename for one in many]
    (line,) = table([one for one in files if one.filename == "a-1.10-cp310-cp310-macosx_12_0_arm64.whl"], width=WIDE)
    assert line == (
        "1.10  a-1.10-cp310-cp310-macosx_12_0_arm64.whl  built for CPython 3.10; this is CPython 3.12; "
        "also requires Python <3.12; this is 3.12.4"
    )


def test_a_reason_of_several_lines_stands_in_one() -> None:
    (line,) = table(judged({"index": {"a": {"1.0": {"yanked": "broken\nand gone"}}}}), width=WIDE)
    assert "broken and gone" in line


_PYTHONS = st.lists(st.sampled_from(["cp310", "cp311", "cp312", "cp312t", "py3"]), unique=True, max_size=4)
_ABOUT = st.fixed_dictionaries(
    {}, optional={"yanked": st.just("gone"), "requires_python": st.sampled_from([">=3.13", ">=3.9"])}
)


@given(
    page=st.dictionaries(
        st.sampled_from([f"{major}.{minor}{rest}" for major in (1, 2) for minor in range(9) for rest in ("", "rc1")]),
        st.tuples(_PYTHONS, st.booleans(), _ABOUT),
        min_size=8,
    )
)
def test_each_file_is_counted_once(page: dict[str, tuple[list[str], bool, dict[str, Any]]]) -> None:
    index: dict[str, Any] = {}
    for version, (pythons, sdist, about) in page.items():
        index |= release(version, *pythons, sdist=sdist, **about)
    files = judged({"index": {"a": index}})
    rows = [cells(line) for line in table(files, width=WIDE)]
    if len(files) > MAX_FILES:
        rows = [row for row in rows if len(row) > 1]
        assert sum(int(row[1].split()[0]) for row in rows) == len(files)
    else:
        assert len(rows) == len(files)


# -- text from elsewhere

HOSTILE = st.text(st.characters(codec=None), min_size=1, max_size=40)
TARGET = read_target(MAC)


@given(HOSTILE)
def test_no_text_from_elsewhere_steers_a_terminal(text: str) -> None:
    file = read_file("a-1.0-py3-none-any.whl", url=text, yanked=text)
    reasons = (Yanked(why=text),)
    files = (
        JudgedFile(file=file, verdict=Compatible(rank=1)),
        JudgedFile(file=file, verdict=Incompatible(reasons=reasons)),
        JudgedFile(
            file=UnreadableFile(filename=text, why=text), verdict=Incompatible(reasons=(UnreadableName(why=text),))
        ),
    )
    told = Explanation(
        demands=(Demand(requirement=requirement_of("a>=1"), origin=Asked(place=text)),),
        result=Result(target=TARGET),
        files=files * 20,
        nearest=RefusedFile(filename=text, version=Version("1"), reasons=reasons, fits=("system",)),
        counters=Counters(0, 0, 0),
        sources=(text,),
    )
    for verbose in (False, True):
        plainly = render_explanation(told, verbose=verbose)
        assert all(character.isprintable() or character == "\n" for character in plainly)
        coloured = render_explanation(told, verbose=verbose, style=Style(True))
        assert re.sub("\033\\[[0-9]+m", "", coloured) == plainly

"""Pages are cut into their files without being decoded; that changes nothing of what they say."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from wheelcheck.common.errors import IndexNonsense
from wheelcheck.standards import simple_api as listings
from wheelcheck.standards.project_page import ProjectPage
from wheelcheck.standards.simple_api import listing_of, page_of, parse_page

JSON = "application/vnd.pypi.simple.v1+json"
SPAM = canonicalize_name("spam")
URL = "https://index.example/simple/spam/"

SNARES = [
    '"}, {"filename": "spam-9.whl',
    '},{"filename":"spam-9-py3-none-any.whl"',
    "}]",
    '"files":[{',
    "\\",
    "é\u2028",
    "]}",
]
NAMES = [
    *(f"spam-{version}-py3-none-{tag}.whl" for version in ("1.0", "1", "1.0.0", "2rc1") for tag in ("any", "win32")),
    *("spam-1.0.tar.gz", "Spam-2.zip", "spam-1.0-py2.7.egg", "spam.whl", "spam-x-py3-none-any.whl", "é-1.whl"),
]  # fmt: skip
TEXTS = st.sampled_from(SNARES) | st.text(max_size=8)
HASHES = st.dictionaries(st.sampled_from(["sha256", "filename", "}"]), TEXTS, max_size=2)
ENTRIES = st.fixed_dictionaries(
    {"filename": st.sampled_from(NAMES) | TEXTS},
    optional={
        "url": TEXTS,
        "hashes": HASHES,
        "yanked": st.booleans() | TEXTS,
        "core-metadata": st.booleans() | HASHES,
        "requires-python": TEXTS,
        "provenance": st.none() | st.lists(st.fixed_dictionaries({"filename": TEXTS}), max_size=2),
    },
)
ODDITIES = st.sampled_from([{}, {"url": "x"}, [], None, 3, {"filename": 3}])
FORMS = st.sampled_from([(",", ":"), (", ", ": "), (" ,", " :"), (",\n\t", ":")])


def text_of(page: dict[str, Any], form: tuple[str, str], *, ascii_only: bool, indent: int | None) -> bytes:
    return json.dumps(page, separators=form, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "surrogatepass")


@example(
    entries=[{"provenance": [{"filename": "}]"}], "url": SNARES[0], "filename": "spam-1.0-py2.7.egg"}],
    odd=[], form=(",", ":"), ascii_only=False, indent=None, files_last=False,
)  # fmt: skip
@given(
    entries=st.lists(ENTRIES.flatmap(lambda entry: st.permutations(list(entry.items())).map(dict)), max_size=6),
    odd=st.lists(ODDITIES, max_size=1),
    form=FORMS,
    ascii_only=st.booleans(),
    indent=st.none() | st.just(1),
    files_last=st.booleans(),
)
def test_a_page_that_is_cut_says_what_it_says_when_it_is_decoded(
    entries: list[Any], odd: list[Any], form: tuple[str, str], ascii_only: bool, indent: int | None, files_last: bool
) -> None:
    about = {"meta": {"api-version": "1.1"}, "name": "spam", "versions": ["1.0", "}]"], "note": SNARES[1]}
    files = {"files": entries + odd}
    body = text_of(about | files if files_last else files | about, form, ascii_only=ascii_only, indent=indent)
    if odd:
        with pytest.raises(IndexNonsense, match="its files lacks a name, or has values of the wrong types"):
            parse_page(body, JSON, name=SPAM, url=URL, index="x")
        return
    cut, whole = listings._cut(body), listings._files(entries)
    if cut is None:
        return
    try:
        assert entries_of(cut) == entries_of(whole)
    except (ValueError, AssertionError):  # a page made to be cut wrongly: no file comes of it that is not there
        expected = page_of(listings._listing(SPAM, URL, whole, None, None), name=SPAM, url=URL, index="x")
        with suppress(IndexNonsense):
            page = parse_page(body, JSON, name=SPAM, url=URL, index="x")
            assert page.files == expected.files
            assert len(page.unreadable) == len(expected.unreadable)


def entries_of(files: Any) -> list[Any]:
    runs = [json.loads(b"[{%s}]" % files.text[run.begin : run.end]) for run in files.runs]
    assert [run.filename for run in files.runs] == [run[0]["filename"] for run in runs]
    return [entry for run in runs for entry in run]


def test_an_honest_page_is_cut() -> None:
    entry = {"core-metadata": {"sha256": "0"}, "filename": "spam-1.0-py3-none-any.whl", "hashes": {}, "url": "spam"}
    other = entry | {"filename": "spam-2.0.tar.gz", "yanked": "it said } and {"}
    for page in ({"files": [entry]}, {"files": [entry, other], "meta": {"api-version": "1.4"}}):
        for form in (None, (",", ":")):
            assert listings._cut(json.dumps(page, separators=form).encode()) is not None


@given(cut_at=st.integers(0, 400), flip=st.integers(0, 255), damaged=st.booleans())
@example(cut_at=0, flip=0, damaged=False)
def test_a_damaged_page_is_nonsense_or_is_read(cut_at: int, flip: int, damaged: bool) -> None:
    entries = [{"filename": f"spam-{n}-py3-none-any.whl", "url": "spam.whl", "hashes": {}} for n in range(3)]
    body = bytearray(json.dumps({"meta": {}, "files": entries, "name": "spam"}).encode())
    if damaged:
        body[cut_at % len(body)] = flip
    else:
        del body[cut_at % len(body) :]
    with suppress(IndexNonsense):
        page = parse_page(bytes(body), JSON, name=SPAM, url=URL, index="x")
        assert len(page.files) + len(page.unreadable) <= 3


ENTRY, LATER, SPACED, NEXT = (
    f'{{"filename"{gap}:{gap}"spam-{version}-py3-none-any.whl","url":"spam-{version}-py3-none-any.whl"}}'.replace(
        ": ", ":"
    )
    for version, gap in (("1.0", ""), ("2.0", ""), ("2.0", " "), ("3.0", ""))
)
NAMED_TWICE = '{"filename":"spam-1.0-py2-none-any.whl","filename":"spam-1.0-py3-none-any.whl"}'
UNCERTAIN = {
    "spaces in one entry only": f'{{"files":[{ENTRY},{SPACED},{NEXT}]}}',
    "spaces in the first entry only": f'{{"files":[{SPACED},{ENTRY},{NEXT}]}}',
    "an entry without a name": f'{{"files":[{ENTRY},{{"url":"x"}},{ENTRY}]}}',
    "one with two names and one with none": f'{{"files":[{NAMED_TWICE},{{"url":"x"}},{LATER}]}}',
    "an escaped name": '{"files":[{"filename":"spam-\\u0031.0-py3-none-any.whl","url":"spam"}]}',
    "an escaped name behind another": f'{{"files":[{ENTRY},{{"filename":"spam-\\u0032.0-py3-none-any.whl"}}]}}',
    "a filename": '{"files":[{"filename":"spam-1.0-py3-none-any.whl","filename":"spam-\\u0032-py3-none-any.whl"}]}',
    "the files, then others": f'{{"files":[{ENTRY}],"files":[{{"url":"spam"}}]}}',
    "the files, then none": f'{{"files":[{ENTRY}],"files":{{}}}}',
}


@pytest.mark.parametrize("case", UNCERTAIN)
def test_what_cannot_be_cut_for_certain_is_decoded_whole(case: str) -> None:
    """Of a key that is there twice the last counts (RFC 8259 leaves it open; the standard library has it so)."""
    assert listings._cut(UNCERTAIN[case].encode()) is None


@pytest.mark.parametrize("gaps", [("},{", "}, {"), ("}, {", "},{"), ("},{", "} ,{"), ("},\n{", "},{")])
@pytest.mark.parametrize("case", [case for case in UNCERTAIN if "spaces" in case])
def test_a_page_with_mixed_spacing_says_all_that_it_says(case: str, gaps: tuple[str, str]) -> None:
    text = UNCERTAIN[case].replace("},{", "\0", 1).replace("},{", gaps[1]).replace("\0", gaps[0])
    page = parse_page(text.encode(), JSON, name=SPAM, url=URL, index="x")
    assert [file.filename for file in page.files] == [f"spam-{n}.0-py3-none-any.whl" for n in (3, 2, 1)]


def test_a_file_that_was_put_with_another_version_is_not_believed() -> None:
    listing = listings.Listing(versions=("1.0",), shelves=[b'"filename":"spam-2.0-py3-none-any.whl","url":"x"'])
    page = page_of(listing, name=SPAM, url=URL, index="x")
    with pytest.raises(IndexNonsense):
        page.files  # noqa: B018


STRAYS = [" .whl", " x-1.0.whl", "-.whl", "", "spam-1.0-1.tar.gz", "spam-1.0-x.tar.gz", "spam.whl"]


@given(st.lists(st.sampled_from([*NAMES, *STRAYS]), max_size=6))
def test_no_file_is_lost_and_each_stands_with_its_version(names: list[str]) -> None:
    body = json.dumps({"files": [{"filename": name, "url": "x"} for name in names]}).encode()
    page = parse_page(body, JSON, name=SPAM, url=URL, index="x")
    listed = [(file.filename, version) for version, files in page.versions.items() for file in files]
    assert sorted([name for name, _ in listed] + [file.filename for file in page.unreadable]) == sorted(names)
    alone = [parse_page(body_of(name), JSON, name=SPAM, url=URL, index="x") for name, _ in listed]
    assert [version for _, version in listed] == [next(iter(page.versions)) for page in alone]


def body_of(name: str) -> bytes:
    return json.dumps({"files": [{"filename": name, "url": "x"}]}).encode()


def test_versions_are_newest_first_and_equal_ones_together() -> None:
    names = [f"spam-{version}-py3-none-any.whl" for version in ("1.0", "2.0rc1", "1", "2.0", "1.0.0")]
    body = json.dumps({"files": [{"filename": name, "url": name} for name in names]}).encode()
    listing = listing_of(body, JSON, name=SPAM, url=URL)
    assert listing.versions == ("2.0", "2.0rc1", "1.0")
    page: ProjectPage = page_of(listing, name=SPAM, url=URL, index="x")
    assert [len(files) for files in page.versions.values()] == [1, 1, 3]

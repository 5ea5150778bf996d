"""Names, pages and metadata: what is read, what is kept with a reason, and that nothing else ever happens."""

from __future__ import annotations

import html
import json
import string
from contextlib import suppress
from email.message import Message
from typing import Any
from urllib.parse import quote, urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.metadata import parse_email
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from wheelcheck.common.errors import IndexNonsense
from wheelcheck.standards.core_metadata import Metadata, MetadataError, parse_metadata
from wheelcheck.standards.filenames import MAX_TAGS, UnreadableName, read_wheel_name, tag_set
from wheelcheck.standards.project_page import ProjectPage, Sdist, UnreadableFile, Wheel, merged, read_file
from wheelcheck.standards.requirements import requirement_of
from wheelcheck.standards.simple_api import parse_page
from wheelcheck.standards.specifiers import specifiers_of, version_of

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "text/html; charset=utf-8"
URL = "https://index.example/simple/spam/"

# -- names of wheels

REAL_NAMES = [
    "tensorflow-2.19.1-cp312-cp312-macosx_12_0_arm64.whl",
    "tensorflow_cpu_aws-2.15.1-cp311-cp311-manylinux_2_17_aarch64.manylinux2014_aarch64.whl",
    "tensorflow_metal-1.2.0-cp312-cp312-macosx_12_0_arm64.whl",
    "numpy-2.2.0-cp313-cp313t-musllinux_1_2_x86_64.whl",
    "numpy-1.26.4-pp39-pypy39_pp73-macosx_10_9_x86_64.whl",
    "six-1.16.0-py2.py3-none-any.whl",
    "cryptography-43.0.3-cp39-abi3-manylinux_2_28_x86_64.whl",
    "torch-2.1.0+cpu-cp311-cp311-linux_x86_64.whl",
    "torch-2.1.0%2Bcpu-cp311-cp311-linux_x86_64.whl",
    "pip-18.0-1-py2.py3-none-any.whl",
    "tf_nightly-2.22.0.dev20251101-cp312-cp312-macosx_12_0_arm64.whl",
    "Pillow-10.0.0-2abc-CP311-cp311-win_amd64.whl",
    "zope.interface-5.4.0-cp27-cp27mu-manylinux2010_x86_64.whl",
    "foo-1!2.0.post1-py3-none-any.whl",
    "foo-1.0-py3-none.whl",
    "foo-1.0-x-py3-none-any.whl",
    "foo__bar-1.0-py3-none-any.whl",
    "foo-bar-1.0-py3-none-any.whl",
    "foo-not.a.version-py3-none-any.whl",
    "foo-1.0-py3.-none-any.whl",
    "-1.0-py3-none-any.whl",
    "foo--py3-none-any.whl",
    "foo-1.0-1-2-py3-none-any.whl",
]

PARTS = st.sampled_from(
    ["py3", "cp312", "pp310", "abi3", "none", "any", "win32", "macosx_11_0_arm64", "CP39", "x_y", ""]
)
SETS = st.lists(PARTS, min_size=1, max_size=3).map(".".join)
PROJECTS = st.sampled_from(["spam", "Spam", "spam_eggs", "zope.interface", "a1", "_", "sp__am", "späm", "sp am", ""])
VERSIONS = st.sampled_from(
    ["1.0", "1", "2.0rc1", "1!3.4.post5.dev6", "1.0+cpu", "1.0+a_b", "1.0_1", "v1", "x", "", "1.0 "]
)
BUILDS = st.sampled_from(["", "-1", "-22abc", "-abc", "-0_x", "-٣"])
WHEEL_NAMES = st.tuples(PROJECTS, VERSIONS, BUILDS, SETS, SETS, SETS).map(
    lambda p: f"{p[0]}-{p[1]}{p[2]}-{p[3]}-{p[4]}-{p[5]}.whl"
)


def agree(filename: str) -> None:
    """Where both take a name, both read the same in it."""
    try:
        name, version, build, tags = read_wheel_name(filename)
        theirs = parse_wheel_filename(filename)
    except (UnreadableName, InvalidWheelFilename):
        return
    assert (name, version, build) == theirs[:3]
    assert set(tag_set(tags)) == set(map(str, theirs[3]))


@given(WHEEL_NAMES)
def test_generated_wheel_names_are_read_as_packaging_reads_them(filename: str) -> None:
    agree(filename)


@pytest.mark.parametrize("filename", REAL_NAMES)
def test_real_wheel_names_are_read_as_packaging_reads_them(filename: str) -> None:
    agree(filename)


@pytest.mark.parametrize("filename", [name for name in REAL_NAMES[:14] if "%" not in name])
def test_honest_wheel_names_are_taken(filename: str) -> None:
    parse_wheel_filename(filename)
    read_wheel_name(filename)


@pytest.mark.parametrize(
    ("filename", "why"),
    [
        ("foo-1.0-py3-none.whl", "five or six parts"),
        ("foo-1.0-1-2-py3-none-any.whl", "five or six parts"),
        ("foo.whl", "five or six parts"),
        (".whl", "five or six parts"),
        ("foo-1.0-x-py3-none-any.whl", "build number 'x'"),
        ("foo__bar-1.0-py3-none-any.whl", "'foo__bar' is not a project name"),
        ("-1.0-py3-none-any.whl", "'' is not a project name"),
        ("foo-abc-py3-none-any.whl", "'abc' is not a version"),
        ("foo-1.0-py3.-none-any.whl", "python-abi-platform"),
        ("foo-1.0-py3--any.whl", "python-abi-platform"),
        ("foo-1.0-cp312-cp312-linux_x86_64-x86_64_v3.whl", "wheel variant (x86_64_v3)"),
        ("foo-1.0-1-cp312-cp312-linux_x86_64-cu128.whl", "wheel variant (cu128)"),
        ("bar-1.0-py3-none-any.whl", "belongs to the project bar"),
        ("", "empty"),
        ("..", "path"),
        ("../foo-1.0-py3-none-any.whl", "path"),
        ("..\\foo-1.0-py3-none-any.whl", "path"),
        ("C:foo\\foo-1.0-py3-none-any.whl", "path"),
        ("foo-1.0-py3-none-any\x1b[31m.whl", "cannot be printed"),
        ("foo-1.0-py3-none-any.whl\n", "cannot be printed"),
        ("foo-1.0-py3-none-any\u202e.whl", "cannot be printed"),
        ("foo-1.0-py3-none-\ud800.whl", "cannot be printed"),
        ("foo-1.0-" + "1" * 5000 + "-py3-none-any.whl", "more than 255 characters"),
        ("foo-1.0-py3-none-manylinux_2_" + "9" * 300 + "_x86_64.whl", "more than 255 characters"),
        ("foo-" + ".".join(["py3"] * 40) + "-none-any.whl", "five or six parts"),
        ("foo-1-" + "-".join([".".join("abcdefghijk")] * 3) + ".whl", f"more than {MAX_TAGS} triples"),
        ("foo-1.0.egg", "neither a wheel nor a source distribution"),
        ("foo.tar.gz", "does not begin with the project name foo"),
        ("foo-.tar.gz", "'' is not a version"),
        ("foo-x.tar.gz", "'x' is not a version"),
        ("bar-1.0.tar.gz", "does not begin with the project name foo"),
        ("-1.0.tar.gz", "does not begin with the project name foo"),
    ],
)
def test_refused_names_say_why(filename: str, why: str) -> None:
    file = read_file(filename, canonicalize_name("foo"), url="")
    assert isinstance(file, UnreadableFile), file
    assert file.filename == filename
    assert why in file.why


@pytest.mark.parametrize(
    ("filename", "label"),
    [
        ("foo-1.0-cp312-cp312-linux_x86_64-x86_64_v3.whl", "x86_64_v3"),
        ("foo-1.0-1-py2.py3-none-any-null.whl", "null"),
        ("foo-1.0-1-cp312-cp312-linux_x86_64.whl", None),
        ("foo-1.0-x-cp312-cp312-linux_x86_64.whl", None),
    ],
)
def test_a_variant_is_told_from_a_build_number(filename: str, label: str | None) -> None:
    file = read_file(filename, url="")
    assert getattr(file, "label", None) == label


@given(st.text(max_size=40), st.sampled_from([".whl", ".tar.gz", ".zip", ""]))
def test_any_text_is_a_file_or_says_why_not(text: str, ending: str) -> None:
    file = read_file(text + ending, url="")
    assert file.filename == text + ending
    assert isinstance(file, Wheel | Sdist) or file.why


@pytest.mark.parametrize(
    ("filename", "project", "name", "version"),
    [
        ("tensorflow-2.19.1.tar.gz", None, "tensorflow", "2.19.1"),
        ("zope.interface-5.4.0.tar.gz", "zope-interface", "zope-interface", "5.4.0"),
        ("python-dateutil-2.9.0.post0.tar.gz", "python-dateutil", "python-dateutil", "2.9.0.post0"),
        ("foo-bar-1.0-1.zip", "foo-bar", "foo-bar", "1.0.post1"),
        ("foo-1.0-beta1.tar.bz2", "foo", "foo", "1.0b1"),
        ("Foo_Bar-1.0.tgz", "foo-bar", "foo-bar", "1.0"),
    ],
)
def test_source_distributions_old_and_new(filename: str, project: Any, name: str, version: str) -> None:
    file = read_file(filename, project, url="")
    assert isinstance(file, Sdist), file
    assert (file.name, file.version) == (name, Version(version))


def test_what_older_tools_wrote_into_wheel_names() -> None:
    name = canonicalize_name("foo-bar")
    assert read_wheel_name("Foo.Bar-1.0-CP312-cp312-Win_AMD64.whl") == (
        name,
        Version("1.0"),
        (),
        "cp312-cp312-win_amd64",
    )


@pytest.mark.parametrize(
    "name", ["foo-1.0_1-py3-none-any.whl", "foo-2_0-py3-none-any.whl", "foo-1.0-\u0661-py3-none-any.whl"]
)
def test_a_wheel_name_that_pip_passes_over(name: str) -> None:
    assert isinstance(read_file(name, url=""), UnreadableFile)


@pytest.mark.parametrize("filename", ["-1.0.tar.gz", "1.0.tar.gz"])
def test_a_source_distribution_of_no_project_is_refused(filename: str) -> None:
    assert isinstance(read_file(filename, url=""), UnreadableFile)


def test_triples_of_a_compressed_tag_set() -> None:
    assert tag_set("py2.py3-none-any") == ("py2-none-any", "py3-none-any")
    assert len(tag_set("-".join([".".join("abcdefghij")] * 3))) == 1000


@pytest.mark.parametrize(
    ("read", "text", "error"),
    [
        (version_of, "1" * 5000, InvalidVersion),
        (specifiers_of, ">=" + "1" * 5000, InvalidSpecifier),
        (requirement_of, "a>=" + "1" * 5000, InvalidRequirement),
        (requirement_of, f"a; {'(' * 5000}os_name == 'x'{')' * 5000}", InvalidRequirement),
    ],
)
def test_numbers_and_parentheses_without_an_end(read: Any, text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        read(text)


# -- pages


def page_of(body: bytes | str, content_type: str = JSON, name: str = "spam", url: str = URL) -> ProjectPage:
    raw = body.encode() if isinstance(body, str) else body
    return parse_page(raw, content_type, name=canonicalize_name(name), url=url, index="the index")


def json_page(*files: Any, **about: Any) -> ProjectPage:
    return page_of(json.dumps({"meta": {"api-version": "1.1"}, "name": "spam", "files": files} | about))


def why_nonsense(body: bytes | str, content_type: str = JSON) -> str:
    with pytest.raises(IndexNonsense) as caught:
        page_of(body, content_type)
    assert URL in str(caught.value)
    return caught.value.why


DIGESTS = st.text("0123456789abcdef", min_size=8, max_size=64)
HASHES = st.dictionaries(st.sampled_from(["sha256", "md5", "blake2b", "sha512"]), DIGESTS, max_size=1)
WORDS = st.text(st.sampled_from(string.ascii_letters + string.digits + " <>&\"'=,.;!+%äλ"), max_size=20)
CORE = st.none() | st.booleans() | DIGESTS.map(lambda digest: {"sha256": digest})
FILENAMES = st.tuples(
    st.sampled_from(["1.0", "1.1+cpu.2", "2.0rc1", "not.a.version"]),
    st.sampled_from(
        ["-py3-none-any.whl", "-cp312-cp312-win_amd64.whl", "-cp312-cp312-linux_x86_64-v3.whl", ".tar.gz", ".egg"]
    ),
).map(lambda pair: f"spam-{pair[0]}{pair[1]}")
FILES = st.lists(
    st.fixed_dictionaries(
        {
            "filename": FILENAMES,
            "url": st.sampled_from(["", "files/", "../../packages/aa/", "https://files.example/p/"]),
        },
        optional={
            "hashes": HASHES,
            "requires-python": WORDS.filter(str.strip),
            "yanked": st.booleans() | WORDS.filter(bool),
            "core-metadata": CORE.filter(lambda core: core is not None),
            "upload-time": st.just("2024-01-02T03:04:05Z"),
        },
    ),
    unique_by=lambda file: file["filename"],
    min_size=1,
    max_size=5,
)


def anchor(file: dict[str, Any], core_key: str) -> str:
    link = file["url"] + "".join(f"#{algorithm}={digest}" for algorithm, digest in file.get("hashes", {}).items())
    attributes: dict[str, str | None] = {"href": link}
    if "requires-python" in file:
        attributes["data-requires-python"] = file["requires-python"]
    if file.get("yanked"):
        attributes["data-yanked"] = None if file["yanked"] is True else file["yanked"]
    if "upload-time" in file:
        attributes["data-upload-time"] = file["upload-time"]
    core = file.get("core-metadata")
    if core:
        attributes[f"data-{core_key}"] = "true" if core is True else f"sha256={core['sha256']}"
    texts = (key if value is None else f'{key}="{html.escape(value)}"' for key, value in attributes.items())
    return f"<a {' '.join(texts)}>{html.escape(file['filename'])}</a><br/>"


@given(
    FILES,
    st.sampled_from(["core-metadata", "dist-info-metadata"]),
    st.sampled_from(["", "https://files.example/deep/"]),
    st.sampled_from([None, "active", "archived", "quarantined"]),
)
def test_json_and_html_of_one_page_say_the_same(
    files: list[dict[str, Any]], core_key: str, base: str, status: str | None
) -> None:
    files = [file | {"url": file["url"] + quote(file["filename"])} for file in files]
    as_json = [{core_key if key == "core-metadata" else key: value for key, value in f.items()} for f in files]
    about = {"project-status": {"status": status}} if status else {}
    one = page_of(
        json.dumps({"meta": {"api-version": "1.4"}, "name": "Spam", "files": as_json} | about), url=urljoin(URL, base)
    )
    metas = f'<meta name="pypi:project-status" content="{status}">' if status else ""
    metas += f'<base href="{base}">' if base else ""
    head = f'<head><meta name="pypi:repository-version" content="1.4">{metas}</head>'
    body = "\n".join(anchor(file, core_key) for file in files)
    other = page_of(f"<!DOCTYPE html><html>{head}<body>{body}</body></html>", HTML)
    assert sorted(one.files, key=str) == sorted(other.files, key=str)
    assert sorted(one.unreadable, key=str) == sorted(other.unreadable, key=str)
    assert list(one.versions) == list(other.versions)
    assert one.status == other.status == (None if status == "active" else status)
    told = {file["filename"]: file for file in files}
    assert set(told) == {file.filename for file in (*other.files, *other.unreadable)}
    for file in other.files:
        about = told[file.filename]
        assert file.url == urljoin(urljoin(URL, base), about["url"])
        assert file.hashes == about.get("hashes", {})
        assert file.requires_python == about.get("requires-python")
        assert file.core_metadata == about.get("core-metadata", False)
        assert file.upload_time == about.get("upload-time")
        assert (file.yanked is not None) == bool(about.get("yanked"))


WHEEL = "spam-1.0-py3-none-any.whl"


@pytest.mark.parametrize("key", ["core-metadata", "dist-info-metadata"])
@pytest.mark.parametrize(
    ("stated", "read"),
    [(True, True), (False, False), ({"sha256": "AB"}, {"sha256": "ab"}), ({}, False), ("yes", True), (None, False)],
)
def test_core_metadata_under_its_two_names(key: str, stated: object, read: object) -> None:
    page = json_page({"filename": WHEEL, "url": WHEEL, key: stated})
    assert page.files[0].core_metadata == read


def test_the_newest_name_of_core_metadata_counts() -> None:
    page = json_page(
        {"filename": WHEEL, "url": WHEEL, "core-metadata": {"sha256": "aa"}, "dist-info-metadata": {"sha256": "bb"}}
    )
    assert page.files[0].core_metadata == {"sha256": "aa"}
    link = f'<a href="{WHEEL}" data-core-metadata="sha256=aa" data-dist-info-metadata="sha256=bb">x</a>'
    assert page_of(link, HTML).files[0].core_metadata == {"sha256": "aa"}


@pytest.mark.parametrize(
    ("yanked", "read"), [(True, ""), (False, None), ("broken", "broken"), ("", None), (None, None), (1, ""), ([], None)]
)
def test_yanked_in_json(yanked: object, read: str | None) -> None:
    assert json_page({"filename": WHEEL, "url": WHEEL, "yanked": yanked}).files[0].yanked == read


@pytest.mark.parametrize(("attribute", "read"), [("", None), ("data-yanked", ""), ('data-yanked="why"', "why")])
def test_yanked_in_html(attribute: str, read: str | None) -> None:
    assert page_of(f'<a href="{WHEEL}" {attribute}>x</a>', HTML).files[0].yanked == read


@pytest.mark.parametrize(("size", "read"), [(5, 5), (0, 0), (-1, None), (True, None), ("5", None), (5.5, None)])
def test_sizes(size: object, read: int | None) -> None:
    assert json_page({"filename": WHEEL, "url": WHEEL, "size": size}).files[0].size == read


@pytest.mark.parametrize(
    ("href", "filename", "url"),
    [
        ("spam-1.0%2Bcpu-py3-none-any.whl", "spam-1.0+cpu-py3-none-any.whl", URL + "spam-1.0%2Bcpu-py3-none-any.whl"),
        (
            "../x/spam-1.0.tar.gz?token=1#md5=ab",
            "spam-1.0.tar.gz",
            "https://index.example/simple/x/spam-1.0.tar.gz?token=1",
        ),
        ("//files.example/spam-1.0.zip", "spam-1.0.zip", "https://files.example/spam-1.0.zip"),
        ("/p/spam-1.0.zip?x=/y.whl", "spam-1.0.zip", "https://index.example/p/spam-1.0.zip?x=/y.whl"),
        ("file:///srv/spam-1.0.zip", "spam-1.0.zip", "file:///srv/spam-1.0.zip"),
    ],
)
def test_links(href: str, filename: str, url: str) -> None:
    file = page_of(f'<a href="{html.escape(href)}">another text</a>', HTML).files[0]
    assert (file.filename, file.url) == (filename, url)


@pytest.mark.parametrize("link", ["http://[::1/spam-1.0.zip", "//[/spam-1.0.zip", "https://ex℀mple/spam-1.0.zip"])
def test_a_link_that_is_no_url_is_a_fault_of_its_file_and_of_no_other(link: str) -> None:
    good = {"filename": WHEEL, "url": WHEEL}
    pages = [
        json_page({"filename": "spam-1.0.zip", "url": link}, good),
        page_of(f'<a href="{link}">x</a><a href="{WHEEL}">y</a>', HTML),
    ]
    for page in pages:
        faults = {file.filename: file.fault for file in page.files}
        assert faults == {"spam-1.0.zip": "its URL cannot be parsed", WHEEL: None}


@pytest.mark.parametrize(
    ("body", "content_type", "why"),
    [
        ('{"meta": {"api-version": "2.0"}, "name": "spam", "files": []}', JSON, "version 2.0"),
        ('<meta name="pypi:repository-version" content="2.0"><a href="spam-1.0.zip">x</a>', HTML, "version 2.0"),
        ('{"meta": {"api-version": "²"}, "files": []}', JSON, "version ²"),
        ('{"meta": {"api-version": [1]}, "files": []}', JSON, "version [1]"),
        (json.dumps({"meta": {"api-version": "1" * 5000}, "files": []}), JSON, "version 111"),
        ('{"name": "eggs", "files": []}', JSON, "describes the project eggs, not spam"),
        ('{"name": "spam"}', JSON, "no list of files"),
        ('{"files": {}}', JSON, "no list of files"),
        ("[]", JSON, "no list of files"),
        ("null", JSON, "no list of files"),
        ('{"files": [', JSON, "cannot be parsed"),
        ("", JSON, "cannot be parsed"),
        (b"\xff\xfe\xff", JSON, "cannot be parsed"),
        ("[" * 100_000, JSON, "cannot be parsed"),
        ("<form><input name=password></form>", HTML, "web page that lists no distribution files"),
        ('<html><script>go()</script><a href="/login">Log in</a></html>', HTML, "web page that lists no"),
        ('<a href="/docs/">Docs</a>', HTML, "web page that lists no distribution files"),
        ('{"files": []}', "application/json", "its content type is application/json"),
        ("", "", "its content type is not stated"),
        ("%PDF-1.7", "application/pdf", "content type is application/pdf"),
        ('{"files": []}', "text/plain", "content type is text/plain"),
    ],
)
def test_nonsense(body: bytes | str, content_type: str, why: str) -> None:
    assert why in why_nonsense(body, content_type)


def test_markup_that_some_parsers_give_up_on() -> None:
    assert why_nonsense("<![spam[ ]]><form></form>", HTML)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ('{"meta": {"api-version": "1.0"}, "name": "Spam", "files": []}', JSON),
        ('{"files": []}', JSON),
        ("<!DOCTYPE html><html><head><title>Links for spam</title></head><body></body></html>", HTML),
        ("", "text/html"),
    ],
)
def test_an_empty_page_is_a_page(body: str, content_type: str) -> None:
    page = page_of(body, content_type)
    assert (page.files, page.unreadable, dict(page.versions), page.status) == ((), (), {}, None)


def test_the_content_type_decides() -> None:
    link = f'<a href="{WHEEL}">x</a>'
    for kind in (
        "text/html",
        "TEXT/HTML; charset=UTF-8",
        "application/vnd.pypi.simple.v1+html",
    ):
        assert page_of(link, kind).files[0].filename == WHEEL
    assert "cannot be parsed" in why_nonsense(link, JSON)


def test_nothing_that_is_listed_is_dropped() -> None:
    names = [WHEEL, "spam-1.0.egg", "eggs-1.0-py3-none-any.whl", "spam-2.0.tar.gz", "spam-x-py3-none-any.whl"]
    page = json_page(*({"filename": name, "url": name} for name in names))
    assert {file.filename for file in (*page.files, *page.unreadable)} == {*names}
    assert all(file.why for file in page.unreadable)
    assert list(page.versions) == [Version("2.0"), Version("1.0")]


@pytest.mark.parametrize("status", ["archived", "deprecated", "quarantined"])
def test_project_status(status: str) -> None:
    assert json_page(**{"project-status": {"status": status, "reason": "x"}}).status == status
    assert page_of(f'<meta name="pypi:project-status" content="{status}">', HTML).status == status


@pytest.mark.parametrize("stated", ["active", None, 3, {"status": 3}, {"status": "active"}, []])
def test_no_status_worth_telling(stated: object) -> None:
    assert json_page(**{"project-status": stated}).status is None


def test_pages_of_several_indexes_merge_in_their_order() -> None:
    first = json_page({"filename": WHEEL, "url": "https://one.example/" + WHEEL}, {"filename": "x", "url": "x"})
    second = json_page(
        {"filename": WHEEL, "url": "https://two.example/" + WHEEL},
        {"filename": "spam-3.0.zip", "url": "spam-3.0.zip"},
        **{"project-status": {"status": "archived"}},
    )
    both = merged(canonicalize_name("spam"), [first, second])
    assert list(both.versions) == [Version("3.0"), Version("1.0")]
    assert [file.url for file in both.versions[Version("1.0")]] == [
        "https://one.example/" + WHEEL,
        "https://two.example/" + WHEEL,
    ]
    assert [file.filename for file in both.unreadable] == ["x"]
    assert both.status == "archived"


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([WHEEL, "spam-1.0.zip", "1.1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
CORE_KEYS = ["core-metadata", "dist-info-metadata", "data-dist-info-metadata"]
KEYS = [*CORE_KEYS, "filename", "url", "hashes", "requires-python", "yanked", "size", "upload-time"]
ENTRIES = st.fixed_dictionaries({}, optional=dict.fromkeys(KEYS, ANYTHING)) | ANYTHING
PAGES = st.fixed_dictionaries(
    {},
    optional={
        "files": st.lists(ENTRIES, max_size=4) | ANYTHING,
        "name": ANYTHING,
        "meta": ANYTHING,
        "project-status": ANYTHING,
    },
)


def consume(body: bytes, content_type: str) -> None:
    """Reads a whole page, or meets `IndexNonsense`."""
    try:
        page = page_of(body, content_type)
    except IndexNonsense:
        return
    for file in page.files:
        assert isinstance(file, Wheel | Sdist)
        assert file.size is None or file.size >= 0
        assert isinstance(file.core_metadata, bool | dict)
        assert all(isinstance(digest, str) for digest in file.hashes.values())
    assert all(file.why for file in page.unreadable)
    assert page.status is None or isinstance(page.status, str)


@given(PAGES | ANYTHING)
def test_json_of_nonsense_types_is_a_page_or_nonsense(page: object) -> None:
    consume(json.dumps(page).encode(), JSON)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_page_or_nonsense(body: bytes) -> None:
    consume(body, JSON)
    consume(body, HTML)


MARKUP = "<a |href=|\"|'|>|</a>|<base |<meta name=|pypi:repository-version |content=|<![|<!--|<!|]]>|<?|&#0;|&#x110000;"
TOKENS = st.sampled_from(
    [*MARKUP.split("|"), "http://[", "//", "spam-1.0.zip", "#sha256=", "\0", "é", "data-yanked", " "]
)


@given(st.lists(TOKENS, max_size=15).map("".join))
def test_any_markup_is_a_page_or_nonsense(text: str) -> None:
    consume(text.encode(), HTML)


# -- core metadata

HEAD = b"Metadata-Version: 2.1\nName: Spam.Eggs\nVersion: 1.0\n"


def test_metadata() -> None:
    body = HEAD + (
        b"requires-python: >=3.9\nProvides-Extra: Big_One\nProvides-Extra: dev\nDynamic: Requires-Dist\n"
        b"Requires-Dist: numpy (<2,>=1.26)\nRequires-Dist: six ; extra == 'dev'\nRequires-Dist: a[b]==1\n"
        b"\nRequires-Dist: not-this-one\n"
    )
    assert parse_metadata(body) == Metadata(
        name=canonicalize_name("spam-eggs"),
        version="1.0",
        requires_dist=(Requirement("numpy<2,>=1.26"), Requirement("six; extra == 'dev'"), Requirement("a[b]==1")),
        requires_python=">=3.9",
        extras=frozenset({canonicalize_name("big-one"), canonicalize_name("dev")}),
        dynamic=frozenset({"requires-dist"}),
    )


@pytest.mark.parametrize(
    "body",
    [
        HEAD + b"Requires-Dist: six\n",
        HEAD + b"Requires-Dist:six",
        (HEAD + b"Requires-Dist: six\n\nbody: x\n").replace(b"\n", b"\r\n"),
        (HEAD + b"Requires-Dist: six\n\nRequires-Dist: x\n").replace(b"\n", b"\r"),
        HEAD + b"Description: one\n  two: three\n\tName: four\n  Requires-Dist: five\nRequires-Dist: six\n",
        HEAD + b"Requires-Dist: six\nno field\nRequires-Dist: eggs\n",
        HEAD + b"Requires-Dist: six\nRequires-Dist : eggs\n",
        HEAD + b"Requires-Dist: six\n\n" + b"Requires-Dist: eggs\n" * 500_000,
        HEAD + "Summary: a\u2028Requires-Dist: eggs\x85Name: x\x0bVersion: 3\nRequires-Dist: six\n".encode(),
    ],
    ids=[
        "plain",
        "no-newline",
        "crlf",
        "cr",
        "folded-description",
        "no-field",
        "space-before-colon",
        "huge",
        "u2028",
    ],
)
def test_the_same_requirement_in_every_form(body: bytes) -> None:
    found = parse_metadata(body)
    assert [str(requirement) for requirement in found.requires_dist] == ["six"]
    assert (found.name, found.version) == ("spam-eggs", "1.0")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "no name fields"),
        (b"Name: x\n", "no version fields"),
        (b"Name: x\nName: y\nVersion: 1\n", "2 name fields"),
        (b"Name:\nVersion: 1\n", "name is empty"),
        (b"Name: x\nVersion: 1\nVersion: 1\n", "2 version fields"),
        (b"Name: x\nVersion: 1\nAuthor: J\xf6rg\n", "not UTF-8 (byte 28)"),
        (b"Name: x\nVersion: 1\n\nBy J\xf6rg\n", "not UTF-8 (byte 24)"),
        (b"\xef\xbb\xbfName: x\nVersion: 1\n", "no name fields"),
        (b"Name: x\nVersion: 1\nRequires-Dist: a b\n", "requirement that cannot be parsed"),
        (b"Name: x\nVersion: 1\nRequires-Dist: a>=2.0.dev*\n", "requirement that cannot be parsed"),
        (b"Name: x\nVersion: 1\nRequires-Dist:\n", "requirement that cannot be parsed"),
        (b"Name: x\nVersion: 1\nRequires-Dist: a; " + b"(" * 5000 + b"\n", "requirement that cannot be parsed"),
    ],
)  # fmt: skip
def test_metadata_that_cannot_be_used(body: bytes, why: str) -> None:
    with pytest.raises(MetadataError) as caught:
        parse_metadata(body)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.binary(max_size=80), st.booleans())
def test_any_bytes_are_metadata_or_say_why_not(body: bytes, after_head: bool) -> None:
    with suppress(MetadataError):
        assert isinstance(parse_metadata(HEAD * after_head + body), Metadata)


LINES = st.sampled_from(
    [
        "Name: x",
        "Version: 1",
        "Requires-Dist: a",
        "Requires-Dist: ",
        "Requires-Python: >3",
        " b>=1",
        "\t",
        "",
        "x",
        "; extra == 'y'",
    ]
)


@given(st.lists(LINES, max_size=8), st.sampled_from(["\n", "\r\n", "\r"]))
def test_any_lines_are_metadata_or_say_why_not(lines: list[str], end: str) -> None:
    with suppress(MetadataError):
        assert isinstance(parse_metadata(end.join(lines).encode()), Metadata)


REQUIREMENTS = st.sampled_from(
    [
        "numpy (<2,>=1.23.5)",
        "numpy<2.2.0,>=1.26.0",
        "h5py >=3.11.0",
        "tensorflow-io-gcs-filesystem>=0.23.1; python_version < '3.12'",
        'nvidia-cublas-cu12==12.5.3.2; extra == "and-cuda"',
        "protobuf!=4.21.0,!=4.21.1,<6.0.0dev,>=3.20.3",
        "pkg[extra-one,two] @ https://files.example/pkg.whl ; os_name == 'nt'",
        "typing_extensions",
    ]
)  # fmt: skip
DESCRIPTIONS = st.text(st.characters(codec="utf-8"), max_size=40)


@given(st.lists(REQUIREMENTS, max_size=6), DESCRIPTIONS, st.text("ab:é \u2028", max_size=12), st.booleans())
def test_requirements_are_read_as_packaging_reads_them(
    requires: list[str], description: str, summary: str, folded: bool
) -> None:
    fields = ["Metadata-Version: 2.1", "Name: spam", "Version: 1.0", f"Summary: x{summary}"]
    fields += [f"Requires-Dist: {text}" for text in requires]
    body = "\n".join([*fields, "", description]).encode()
    theirs, _ = parse_email(body)
    ours = parse_metadata(body)
    assert list(ours.requires_dist) == [Requirement(text.strip()) for text in theirs.get("requires_dist", [])]
    assert (ours.name, ours.version) == (theirs["name"], theirs["version"])


@pytest.mark.parametrize(
    "line",
    ["Requires-Dist:\n six", "Requires-Dist: six\n >=1", "Requires-Dist: six\x0c>=1", "Requires-Dist: six\xa0>=1"],
)
def test_a_requirement_that_only_other_spaces_divide_is_none(line: str) -> None:
    """As for packaging, to which a line break within a field is no space."""
    with pytest.raises(MetadataError, match="cannot be parsed"):
        parse_metadata(HEAD + f"{line}\n".encode())


@pytest.mark.parametrize("name", ["Name:\n demo", "Name: demo\t", "Name: demo\x1f", "Name: demo\xa0"])
def test_a_name_with_other_spaces_is_another_name(name: str) -> None:
    found = parse_metadata(f"Metadata-Version: 2.1\n{name}\nVersion: 1.0\n".encode())
    assert found.name != "demo"


def test_headers_are_those_that_the_standard_library_writes() -> None:
    message = Message()
    for key, value in [("Name", "spam"), ("Version", "1"), ("Requires-Dist", "six"), ("Requires-Python", ">=3.9")]:
        message[key] = value
    message.set_payload("Name: eggs\n")
    assert parse_metadata(message.as_bytes()).requires_dist == (Requirement("six"),)

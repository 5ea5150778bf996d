"""What the user asks: tables of lines and files, sentences for what cannot be read, and pip's own reader beside it."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import sys
import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement

from wheelcheck.common.errors import UsageError
from wheelcheck.inputs.read import MAX_BYTES, Inputs, read_inputs
from wheelcheck.inputs.requirement import Place
from wheelcheck.inputs.requirements_txt import FileOptions

DIGEST = "0123456789abcdef" * 4
WHEEL = "Some_Project-1.0-py3-none-any.whl"
PYPROJECT = '[project]\nname = "Some.Project"\nversion = "1.0"\n'


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory in which each test runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(name: str, data: str | bytes) -> str:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return name


def read(data: str | bytes) -> Inputs:
    return read_inputs([], [written("r.txt", data)], [])


def summary(inputs: Inputs) -> list[tuple[str, int | None]]:
    return [(str(ask.requirement), ask.place.line) for ask in inputs.asks]


def failure(*requirements: str, files: tuple[str, ...] = (), constraints: tuple[str, ...] = ()) -> str:
    with pytest.raises(UsageError) as caught:
        read_inputs(requirements, files, constraints)
    return str(caught.value)


def failure_of(data: str | bytes) -> str:
    return failure(files=(written("r.txt", data),))


# -- lines


LINES = [
    ("", []),
    ("\n  \n\t\n# only a comment\n", []),
    ("numpy\n", [("numpy", 1)]),
    ("\n\nnumpy>=2,<3  \n", [("numpy<3,>=2", 3)]),
    ("a\r\nb\r\n", [("a", 1), ("b", 2)]),
    ("a # b\n#c\n\t# d\ne\t# f\n", [("a", 1), ("e", 4)]),
    ("a \\\n  >= 1 \\\n  , < 2\nb", [("a<2,>=1", 1), ("b", 4)]),
    ("a \\\n# the end of it\nb", [("a", 1), ("b", 3)]),
    ("a # continued \\\nb", [("a", 1)]),
    ("# not continued \\\nb", [("b", 2)]),
    ("a==1\\", [("a==1", 1)]),
    ("a\na>1\na<2\n", [("a", 1), ("a>1", 2), ("a<2", 3)]),
    ("a;python_version<'3'\n", [('a; python_version < "3"', 1)]),
    ("a==1 ;\n", [("a==1", 1)]),
    ("A_b.C[X,y] (>=1)\n", [("A_b.C[X,y]>=1", 1)]),
    ("tensorflow\\\n[and-cuda]\n", [("tensorflow[and-cuda]", 1)]),
    ("a @ https://h/a-1-py3-none-any.whl#sha256=0a\n", [("a @ https://h/a-1-py3-none-any.whl#sha256=0a", 1)]),
    (
        "a @ https://h/a-1-py3-none-any.whl;os_name=='nt'\n",
        [('a @ https://h/a-1-py3-none-any.whl ; os_name == "nt"', 1)],
    ),
    (
        "https://h/x/Some_Project-1.0%2Bcpu-py3-none-any.whl\n",
        [("some-project @ https://h/x/Some_Project-1.0%2Bcpu-py3-none-any.whl", 1)],
    ),
    (
        "https://h/Some_Project-1.0-py3-none-any.whl ; os_name=='nt'\n",
        [('some-project @ https://h/Some_Project-1.0-py3-none-any.whl ; os_name == "nt"', 1)],
    ),
    ("a @ https://h/a-1.0.tar.gz\n", [("a @ https://h/a-1.0.tar.gz", 1)]),
    ("a[x] @ https://h/v1.0.zip#sha256=0a\n", [("a[x] @ https://h/v1.0.zip#sha256=0a", 1)]),
    ("a @ https://h/other-2.0.zip", [("a @ https://h/other-2.0.zip", 1)]),
    ("https://h/Some.Project-1.0.tar.gz\n", [("some-project @ https://h/Some.Project-1.0.tar.gz", 1)]),
    (
        "file:///w/Some_Project-1.0-py3-none-any.whl",
        [("some-project @ file:///w/Some_Project-1.0-py3-none-any.whl", 1)],
    ),
    ("a==${WHEELCHECK_TEST_VERSION}\n", [("a==1.5", 1)]),
    ("a[${WHEELCHECK_TEST_EXTRA}]\n", [("a[b]", 1)]),
]


@pytest.mark.parametrize(("text", "expected"), LINES)
def test_lines_become_requirements_with_their_place(
    text: str, expected: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHEELCHECK_TEST_VERSION", "1.5")
    monkeypatch.setenv("WHEELCHECK_TEST_EXTRA", "b")
    inputs = read(text)
    assert summary(inputs) == expected
    assert {ask.place.file for ask in inputs.asks} <= {"r.txt"}
    assert inputs.options == FileOptions()


def test_no_marker_is_evaluated() -> None:
    inputs = read("a; python_version < '2'\nb; sys_platform == 'nowhere'\n")
    assert [ask.requirement.name for ask in inputs.asks] == ["a", "b"]


def test_a_variable_without_a_value_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHEELCHECK_EMPTY", "")
    for text in ("a==${WHEELCHECK_EMPTY}", "a==${wheelcheck}", "a==$HOME"):
        assert text in failure_of(text)


def test_arguments_have_the_command_line_as_their_place() -> None:
    inputs = read_inputs(["a>1", " b "], [], [])
    assert [(str(ask.requirement), str(ask.place), ask.place.line) for ask in inputs.asks] == [
        ("a>1", "the command line", 1),
        ("b", "the command line", 2),
    ]


def test_places_read_as_text() -> None:
    assert str(Place(file="requirements.txt", line=3)) == "requirements.txt, line 3"
    assert str(Place(file="requirements.txt")) == "requirements.txt"


def test_a_dash_reads_the_standard_input() -> None:
    written("n.txt", "nested\n")
    inputs = read_inputs([], ["-"], [], stdin=io.BytesIO(b"a\n-r n.txt\n"))
    assert [str(ask.place) for ask in inputs.asks] == ["standard input, line 1", "n.txt, line 1"]


# -- wheels by path


@pytest.mark.parametrize("text", [WHEEL, f"./{WHEEL}", f"wheels/../{WHEEL}"])
def test_a_wheel_by_its_path_is_a_requirement_with_a_url(here: Path, text: str) -> None:
    written(WHEEL, b"")
    (ask,) = read_inputs([text], [], []).asks
    assert (ask.requirement.name, ask.requirement.url) == ("some-project", (here / WHEEL).as_uri())


def test_a_path_in_a_file_is_taken_from_the_working_directory(here: Path) -> None:
    written(f"with space/{WHEEL}", b"")
    written("deep/r.txt", f"./with space/{WHEEL}[x,y] ; os_name == 'nt'\n")
    (ask,) = read_inputs([], ["deep/r.txt"], []).asks
    assert ask.requirement.url == (here / "with space" / WHEEL).as_uri()
    assert ask.requirement.extras == {"x", "y"}
    assert str(ask.requirement.marker) == 'os_name == "nt"'


def test_a_wheel_that_a_marker_may_exclude_need_not_be_there() -> None:
    assert summary(read(f"./{WHEEL} ; os_name == 'nt'\n"))
    assert "is not there" in failure_of(f"./{WHEEL}\n")


def test_a_path_with_an_at_sign_is_a_path_where_it_leads_to_a_file(here: Path) -> None:
    written(f"at@home/{WHEEL}", b"")
    assert summary(read(f"at@home/{WHEEL}\n")) == [(f"some-project @ {(here / 'at@home' / WHEEL).as_uri()}", 1)]


# -- source archives and directories


@pytest.mark.parametrize("text", [".", "./", "../here", "file:.", "file:../here", "Some_project @ file:."])
@pytest.mark.parametrize("in_a_file", [True, False])
def test_a_directory_with_a_static_project_is_a_requirement(tmp_path: Path, text: str, in_a_file: bool) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    os.chdir(folder)
    written("pyproject.toml", PYPROJECT)
    inputs = read(f"{text}\n") if in_a_file else read_inputs([text])
    (ask,) = inputs.asks
    assert (ask.requirement.name.lower().replace("_", "-"), ask.requirement.url) == ("some-project", folder.as_uri())


def test_a_directory_can_have_extras_and_a_marker(here: Path) -> None:
    written("with space/pyproject.toml", PYPROJECT)
    for text in ("./with space[dev,test] ; os_name == 'nt'", f"{here}/with space[dev, test];os_name=='nt'"):
        (ask,) = read_inputs([text]).asks
        assert ask.requirement.url == (here / "with space").as_uri()
        assert ask.requirement.extras == {"dev", "test"}
        assert str(ask.requirement.marker) == 'os_name == "nt"'


def test_what_is_dynamic_is_no_concern_of_the_question(here: Path) -> None:
    written("pyproject.toml", '[project]\nname = "some-project"\ndynamic = ["version", "dependencies"]\n')
    assert summary(read_inputs(["."])) == [(f"some-project @ {here.as_uri()}", 1)]


DIRECTORIES = [
    ({"setup.py": ""}, "it has a setup.py and no pyproject.toml"),
    ({"pyproject.toml": "[build-system]\n"}, "its pyproject.toml has no [project] table"),
    (
        {"pyproject.toml": "[tool.poetry]\nname = 'a'\n"},
        "has no [project] table, and the tables of Poetry are not read",
    ),
    ({"pyproject.toml": "[project\n"}, "its pyproject.toml cannot be parsed"),
    ({"pyproject.toml": "[project]\nname = 'a'\n"}, "version is missing"),
    ({"pyproject.toml/x": ""}, "cannot be read"),
]


@pytest.mark.parametrize(("files", "part"), DIRECTORIES)
def test_a_directory_without_a_static_project_is_refused_with_what_to_do(files: dict[str, str], part: str) -> None:
    for name, data in files.items():
        written(name, data)
    sentence = failure("./")
    assert sentence.startswith("'./' is a directory")
    assert part in sentence


def test_a_directory_of_another_project_is_refused() -> None:
    written("pyproject.toml", PYPROJECT)
    assert "names the project other, but its URL a directory of some-project" in failure("other @ file:.")


def test_the_home_directory_is_found_on_the_command_line_only(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(here / "home"))
    monkeypatch.setenv("USERPROFILE", str(here / "home"))
    written(f"home/{WHEEL}", b"")
    assert summary(read_inputs([f"~/{WHEEL}"])) == [(f"some-project @ {(here / 'home' / WHEEL).as_uri()}", 1)]
    assert "write the home directory out" in failure_of(f"~/{WHEEL}\n")


@pytest.mark.parametrize("path", [r"C:\\dists\\a-1-py3-none-any.whl", "C:/dists/a-1-py3-none-any.whl", r".\\a-1.zip"])
def test_paths_of_windows_are_paths(path: str) -> None:
    for text in (path, f"{path}[x]"):
        assert "that is not there: paths are taken from" in failure(text)


EDITABLE = [
    (".", "write '.' without -e, and its pyproject.toml is read"),
    ("./project[dev]", "write './project[dev]' without -e"),
    ("git+https://h/x#egg=a", "clone the repository and name the directory"),
    ("a @ git+https://h/x", "clone the repository and name the directory"),
]


@pytest.mark.parametrize(("text", "part"), EDITABLE)
def test_what_is_editable_is_refused_with_what_to_do_instead(text: str, part: str) -> None:
    for sentence in (failure_of(f"-e '{text}'\n"), failure_of(f"--editable='{text}'"), failure(f"-e {text}")):
        assert "is an editable project (-e), which would have to be built" in sentence
        assert part in sentence


def test_a_directory_has_no_hash() -> None:
    written("pyproject.toml", PYPROJECT)
    assert "is a directory, which has no hash" in failure_of(f". --hash=sha256:{DIGEST}\n")


# -- hashes and options


def test_hashes_are_kept_with_their_requirement() -> None:
    inputs = read(f"a==1 --hash=sha256:{DIGEST} \\\n    --hash sha512:{DIGEST.upper()}{DIGEST}\nb\n")
    assert inputs.asks[0].hashes == (f"sha256:{DIGEST}", f"sha512:{DIGEST}{DIGEST}")
    assert inputs.asks[1].hashes == ()


OPTIONS = [
    ("-i https://a", {"index_url": "https://a"}),
    ("-ihttps://a", {"index_url": "https://a"}),
    ("--index-url=https://a\n--index-url https://b", {"index_url": "https://b"}),
    ("--pypi-url https://a", {"index_url": "https://a"}),
    ("--extra-index-url https://a\n--extra-index-url 'https://b'", {"extra_index_urls": ("https://a", "https://b")}),
    ("--extra-index https://a", {"extra_index_urls": ("https://a",)}),
    ("--extra-index-url https://a\n-i https://b\n--extra-index-url https://c", {"extra_index_urls": ("https://c",)}),
    ("--extra-index-url https://a --index-url https://b", {"extra_index_urls": ("https://a",)}),
    ("--no-index", {"no_index": True}),
    ("--pre", {"pre": True}),
    ("--prefer-binary", {"prefer_binary": True}),
    ("--require-hashes", {"require_hashes": True}),
    ("--require-hashes\n--no-require-hashes", {"require_hashes": False, "no_require_hashes": True}),
    ("--no-require-hashes", {"require_hashes": False, "no_require_hashes": True}),
    ("--trusted-host a\n--trusted-host=b:80", {"trusted_hosts": ("a", "b:80")}),
    ("--only-binary :all:", {"only_binary": (":all:",)}),
    ("--only-binary=A_b,c\n--no-binary=c", {"only_binary": ("a-b",), "no_binary": ("c",)}),
    ("--all-releases a\n--only-final b", {"all_releases": ("a",), "only_final": ("b",)}),
    ("-f https://a/links.html\n-f file:///links", {"find_links": ("https://a/links.html", "file:///links")}),
]


@pytest.mark.parametrize(("text", "expected"), OPTIONS)
def test_options_are_read(text: str, expected: dict[str, object]) -> None:
    options = read(text + "\n").options
    assert {name: getattr(options, name) for name in expected} == expected


def test_find_links_are_taken_from_the_directory_of_the_file(here: Path) -> None:
    Path("deep/wheels").mkdir(parents=True)
    Path("shared").mkdir()
    written("deep/r.txt", "-f wheels\n--find-links ./shared\n-f nowhere\n")
    options = read_inputs([], ["deep/r.txt"], []).options
    assert options.find_links == (str(Path("deep/wheels")), "./shared", str(Path("deep/nowhere")))


IGNORED = [
    ("--use-feature fast-deps", ["--use-feature"]),
    ("a --config-settings x=y", ["--config-settings"]),
    ("a --global-option=x --install-option=y", ["--global-option", "--install-option"]),
    ("a --pre", ["--pre"]),
    (f"--hash=sha256:{DIGEST}", ["--hash"]),
    ("-r n.txt --pre", ["--pre"]),
    ("--extra-index-url https://a\n-i https://b", ["--extra-index-url"]),
]


@pytest.mark.parametrize(("text", "expected"), IGNORED)
def test_options_that_do_not_count_are_named(text: str, expected: list[str]) -> None:
    written("n.txt", "")
    options = read(text).options
    assert [ignored.option for ignored in options.ignored] == expected
    assert {ignored.place.file for ignored in options.ignored} == {"r.txt"}
    assert options.pre is False


def test_credentials_are_in_no_text_about_options() -> None:
    options = read("--extra-index-url https://u:hunter2@a\n-i https://u:hunter2@b\n-f https://hunter2@c\n").options
    assert "hunter2" in str(options.index_url)
    assert "hunter2" not in repr(options)


# -- files within files


def test_nested_files_are_read_in_place_and_relative_to_their_file() -> None:
    written("r.txt", "a\n-r deep/one.txt\nb\n--constraint=deep/c.txt\n")
    written("deep/one.txt", "one\n-r ../two.txt\n")
    written("two.txt", "two\n")
    written("deep/c.txt", "c<1\n")
    inputs = read_inputs(["zero"], ["r.txt"], [])
    assert [(ask.requirement.name, str(ask.place)) for ask in inputs.asks] == [
        ("zero", "the command line"),
        ("a", "r.txt, line 1"),
        ("one", f"{Path('deep/one.txt')}, line 1"),
        ("two", "two.txt, line 1"),
        ("b", "r.txt, line 3"),
    ]
    assert [(str(ask.requirement), ask.constraint) for ask in inputs.constraints] == [("c<1", True)]


def test_constraint_files_bound_only() -> None:
    written("c.txt", "c<1\n-r r.txt\n--pre\n")
    written("r.txt", "asked\n")
    inputs = read_inputs([], [], ["c.txt"])
    assert [str(ask.requirement) for ask in inputs.constraints] == ["c<1"]
    assert [str(ask.requirement) for ask in inputs.asks] == ["asked"]
    assert inputs.options.pre


def test_a_file_url_names_a_file(here: Path) -> None:
    written("deep er/n.txt", "-r m.txt\n")
    written("deep er/m.txt", "nested\n")
    assert summary(read(f"-r {(here / 'deep er' / 'n.txt').as_uri()}\n")) == [("nested", 1)]


def test_no_depth_is_too_deep() -> None:
    for number in range(1500):
        written(f"{number}.txt", f"-r {number + 1}.txt\n")
    written("1500.txt", "deep\n")
    assert summary(read_inputs([], ["0.txt"], [])) == [("deep", 1)]


def test_a_file_that_many_include_is_read_once() -> None:
    for number in range(40):
        written(f"{number}.txt", f"-r {number + 1}.txt\n-r ./{number + 1}.txt\n")
    written("40.txt", "deep\n")
    assert summary(read_inputs([], ["0.txt", "0.txt"], [])) == [("deep", 1)]


def test_a_loop_is_shown() -> None:
    written("a.txt", "x\n-r b.txt\n")
    written("b.txt", "-c c.txt\n")
    written("c.txt", "y\n\n-r ./b.txt\n")
    sentence = failure(files=("a.txt",))
    assert sentence.startswith("c.txt, line 3 closes a loop")
    assert "b.txt -> c.txt -> b.txt" in sentence
    assert "a.txt" not in sentence


# -- encodings


ENCODED = [
    codecs.BOM_UTF8 + "a # é".encode(),
    "# é\na".encode(),
    "a # é".encode("utf-16"),
    codecs.BOM_UTF16_BE + "a # é".encode("utf-16-be"),
    "a # é".encode("utf-32"),
    b"# -*- coding: latin-1 -*-\na # \xe9",
    b"#\n# vim: set fileencoding=cp1252 :\na # \xe9",
]


@pytest.mark.parametrize("data", ENCODED)
def test_encodings_that_a_file_declares_are_honoured(data: bytes) -> None:
    assert [ask.requirement.name for ask in read(data).asks] == ["a"]


UNDECODABLE = [
    (b"a\nb # caf\xe9\n", "r.txt, line 2 is not UTF-8 (byte 9, 0xe9): save it as UTF-8."),
    (codecs.BOM_UTF8 + b"\n\xff", "r.txt, line 2 is not UTF-8 (byte 4, 0xff): save it as UTF-8."),
    (b"#\n#\n# coding: latin-1\n\xe9", "line 4 is not UTF-8"),
    (codecs.BOM_UTF16_LE + b"a", "is not UTF-16-LE"),
    (b"# coding: klingon\na", "the encoding klingon, which is not known"),
    (b"# coding: rot13\na", "the encoding rot13"),
    (b"# coding: unicode_escape\na\\d", "the encoding unicode_escape"),
    (b"a\nb\0\n", "r.txt, line 2 has a zero byte"),
]


@pytest.mark.parametrize(("data", "part"), UNDECODABLE)
def test_bytes_that_are_no_text_are_named_with_their_place(data: bytes, part: str) -> None:
    assert part in failure_of(data)


# -- what is refused


MALFORMED = [
    ("foo==1.0.*-dev", "wildcard"),
    ("foo>=1.0.*", "'>=1.0.*'"),
    ("foo==2004d", "'==2004d' has no version of PEP 440"),
    ("foo>=1,<abc", "'<abc'"),
    ("foo~=1", "such as ~=1.0"),
    ("foo>=", "version after >= is missing"),
    ("foo>=1,2", "'2' has no operator"),
    ("foo=1.0", "two equals signs"),
    ("foo=1.0=py38_0", "conda's form"),
    ("foo=>1", "written >= and <="),
    ("foo 1.0", "no operator between name and version"),
    ("foo bar", "only one requirement"),
    ("foo, bar", "only one requirement"),
    ("'foo'", "quotation marks"),
    ("pip install foo", "leave out the command"),
    (">=1.0", "name of the project is missing"),
    ("foo[a", "bracket of the extras is not closed"),
    ("foo[a b]", "NAME[EXTRA,EXTRA]"),
    ("foo==1#comment", "needs a space before it"),
    ("foo @ ", "URL is missing"),
    ("f\u00f6\u00f6", "write it as NAME"),
    ("foo; python_version", "its marker 'python_version' cannot be parsed ("),
    ("foo; platform == 'x'", "its marker"),
    ("foo; " + "(" * 3000, "too many nested parentheses"),
    ("foo==" + "1" * 5000, "has more than 4000 characters"),
    ("git+https://h/foo", "source repository"),
    ("git@h:foo/bar", "source repository"),
    ("foo @ git+https://h/foo@main", "source repository"),
    ("foo @ foo.whl", "names no URL after the @"),
    ("https://h/main.zip", "write NAME @ URL"),
    ("foo @ https://h/main.zip#subdirectory=b", "directory within an archive"),
    ("foo @ https://h/foo", "not that of a wheel"),
    ("./foo-1.0.tar.gz", "names a source archive that is not there: paths are taken from"),
    ("foo-1.0.tar.gz", "names a source archive that is not there"),
    ("./nowhere ; os_name == 'nt'", "names a file or directory that is not there"),
    (".", "only a build could tell more: it has no pyproject.toml"),
    ("./project[extra]", "only a build could tell more: it has no pyproject.toml"),
    ("foo @ file:project", "only a build could tell more: it has no pyproject.toml"),
    ("foo @ file:///nowhere/project", "not that of a wheel"),
    ("file://elsewhere/foo-1.0.zip", "names nothing on this machine"),
    ("./foo-1-py3-none-any.whl#sha256=0a", "only a URL has: state the digest with --hash"),
    ("foo @ https://h/bar-1-py3-none-any.whl", "but its URL a wheel of bar"),
    ("foo @ https://h/foo.whl", "file name cannot be read"),
    ("https://[h/foo-1-py3-none-any.whl", "URL that cannot be used"),
    ("./foo-1-py3-none-any.whl", "not there"),
    ("foo-1.0.exe", "pip does not install"),
    ("x" * 3000 + ".txt.whl", "not there"),
]


@pytest.mark.parametrize(("text", "part"), MALFORMED)
def test_a_malformed_requirement_is_named_with_its_place_and_fault(text: str, part: str) -> None:
    Path("project").mkdir()
    shown = text.strip()[:190]
    for place, sentence in (("", failure(text)), ("in r.txt, line 2", failure_of(f"\n{text}\n"))):
        assert place in sentence
        assert part in sentence
        assert repr(shown).strip("'\"") in sentence
        assert "\n" not in sentence


def test_credentials_are_in_no_sentence() -> None:
    for text in (
        "https://u:hunter2@h/x.zip",
        "a @ git+https://hunter2@h/x",
        "https://u:hunter2@h/x.whl",
        "a=https://u:hunter2@h",
    ):
        assert "hunter2" not in failure(text)
        assert "****" in failure_of(text)
    assert "hunter2" not in failure(files=("https://u:hunter2@h/r.txt",))


LINES_REFUSED = [
    ("-e .", "editable project"),
    ("--editable=git+https://h/x", "editable project"),
    ("--target x", "'--target' in r.txt, line 1 is not one that a requirements file can hold"),
    ("--req x", "could be --require-hashes or --requirement"),
    ("-x", "'-x'"),
    ("--", "'--'"),
    ("--pre=yes", "takes no value"),
    ("--index-url", "lacks its value"),
    ("--index-url=", "lacks its value"),
    ("--pre foo", "'foo' in r.txt, line 1 follows an option"),
    ("foo --hash=sha256:abc", "64 hexadecimal digits"),
    ("foo --hash=md5:abc", "known algorithm"),
    ("foo --hash 'sha256", "quotation mark"),
    ("-r a.txt -r b.txt", "more than one"),
    ("-f a -f b", "more than one --find-links"),
    ("-r https://h/r.txt", "download the file first"),
    ("-r missing.txt", "There is no file missing.txt (named in r.txt, line 1)"),
    ("-r directory", "is a directory"),
    ("-r file://[", "not the URL of a file"),
    ("a" * 70_000, "more than 65536 characters"),
]


@pytest.mark.parametrize(("text", "part"), LINES_REFUSED)
def test_a_line_that_cannot_be_answered_is_refused_with_its_place(text: str, part: str) -> None:
    Path("directory").mkdir()
    sentence = failure_of(text)
    assert part in sentence
    assert "r.txt, line 1" in sentence


def test_a_constraint_has_no_extras_and_is_not_editable() -> None:
    assert "a constraint has no extras" in failure(constraints=(written("c.txt", "a[b]<1\n"),))
    assert "editable" in failure(constraints=(written("c.txt", "-e .\n"),))
    written("pyproject.toml", PYPROJECT)
    for text in (".", "https://h/a-1.0.tar.gz"):
        assert "a constraint has a name" in failure(constraints=(written("c.txt", f"{text}\n"),))
    for text in (f"./{WHEEL} ; os_name == 'nt'", "a @ https://h/a-1.0.tar.gz"):
        assert read_inputs([], [], [written("c.txt", f"{text}\n")]).constraints


def test_an_empty_argument_is_counted() -> None:
    assert "Argument 2" in failure("a", " ")


def test_a_requirements_file_given_as_a_requirement_is_noticed() -> None:
    assert "-r requirements.txt" in failure(written("requirements.txt", "a\n"))


OTHER_FILES = [
    ("sub/poetry.lock", b"", "a lock file"),
    ("pylock.a.b.toml", b"", "a lock file"),
    ("Pipfile", b"", "a Pipfile"),
    ("environment.yml", b"", "a conda environment"),
    (WHEEL, b"PK\x03\x04", "without -r"),
    ("renamed.txt", b"PK\x03\x04....", "a wheel"),
    ("renamed.txt", b"\x1f\x8b\x08", "archive"),
    ("renamed.txt", b"# x\n\n[[package]]\nname = 'a'\n", "TOML or INI"),
    ("renamed.txt", b"version = 1\n\n[options]\r\na = 1\r\n", "TOML or INI"),
    ("renamed.txt", b"name: x\nchannels:\n  - defaults\n", "a conda environment"),
    ("renamed.txt", b"\n<!DOCTYPE html><html>", "a web page"),
    ("renamed.txt", b'{"a": 1}', "a JSON file"),
]


@pytest.mark.parametrize(("name", "data", "part"), OTHER_FILES)
def test_a_file_of_another_kind_is_recognised(name: str, data: bytes, part: str) -> None:
    sentence = failure(files=(written(name, data),))
    assert sentence.startswith(name)
    assert part in sentence


def test_a_file_that_cannot_be_read_is_named() -> None:
    assert failure(files=("missing.txt",)) == "There is no file missing.txt: check the path."
    assert "is a directory" in failure(files=(".",))
    assert "cannot be read" in failure(files=("a\0b",))
    assert "cannot be read" in failure(files=("x" * 5000,))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="every file is readable for this user")
def test_a_file_without_permission_is_named() -> None:
    Path(written("r.txt", "a\n")).chmod(0)
    assert "cannot be read" in failure(files=("r.txt",))


def test_an_endless_file_is_refused() -> None:
    with pytest.raises(UsageError, match="16 MiB"):
        read_inputs([], ["-"], [], stdin=io.BytesIO(b"#" * (MAX_BYTES + 1)))


# -- properties


FRAGMENTS = (
    "a,b==1,foo>=1, ,\t,\n,\\\n,#, #,-,--,-r ,-c,r.txt,--hash=,sha256:,;,',\",[,],@,https://,file:,u:p@,.whl,==,*,(,),"
    "/,\\,python_version,<,'3',${HOME},\x0c,\u2028,é,--pre,--index-url,=,-e,git+,.tar.gz,name-1-py3-none-any.whl,"
    "coding: utf-16,\ufeff,[[x]],\r"
)
PIECES = st.sampled_from(FRAGMENTS.split(","))


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60) | st.lists(PIECES, max_size=14).map(lambda pieces: "".join(pieces).encode()))
def test_any_bytes_are_requirements_or_a_usage_error(data: bytes) -> None:
    with contextlib.suppress(UsageError):
        read(data)
    with contextlib.suppress(UsageError):
        read(b"# coding: " + data)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=()), max_size=40) | st.lists(PIECES, max_size=14).map("".join))
def test_any_argument_is_a_requirement_or_a_usage_error(text: str) -> None:
    with contextlib.suppress(UsageError):
        read_inputs([text], [], [])


SAME_AS_PIP = [
    *[text.encode() for text, _ in LINES if "file:///" not in text and "h/Some.Project-1.0.tar.gz" not in text],
    *[data for data in ENCODED if not data.startswith(codecs.BOM_UTF32)],  # older pips take it for UTF-16
    b"-r n.txt\nb\n-c n.txt\n",
    b"-rn.txt",
    b"-r 'n.txt'",
    b"--requirement=n.txt",
    f"a --hash=sha256:{DIGEST} \\\n  --hash=sha512:{DIGEST}{DIGEST} # c\nb\n".encode(),
    b"a \\\n \\\n ==1",
    b"a\\\\\n==1",
    b"a # x \\\nb",
    b"a\x0cb",
    b"a   ==   1   # x # y",
]


@pytest.mark.parametrize("data", SAME_AS_PIP)
def test_pip_itself_reads_the_same(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        req_file = pytest.importorskip("pip._internal.req.req_file")
        session = pytest.importorskip("pip._internal.network.session").PipSession()
    monkeypatch.setenv("WHEELCHECK_TEST_VERSION", "1.5")
    monkeypatch.setenv("WHEELCHECK_TEST_EXTRA", "b")
    written("n.txt", "nested==1\n")
    theirs = []
    for line in req_file.parse_requirements(written("r.txt", data), session=session):
        hashes = [f"{name}:{digest}" for name, many in line.options.get("hashes", {}).items() for digest in many]
        number = int(line.line_source.split()[1])
        theirs.append((line.requirement.rstrip("; "), number, line.constraint, sorted(hashes)))
    inputs = read_inputs([], ["r.txt"], [])
    ours = [(a.requirement, a.place.line, a.constraint, sorted(a.hashes)) for a in (*inputs.asks, *inputs.constraints)]
    assert len(ours) == len(theirs)
    for (requirement, *rest), (text, *expected) in zip(ours, sorted(theirs, key=lambda line: line[2]), strict=True):
        assert rest == expected
        assert (
            requirement.url == text.split(" ;")[0]
            if text.startswith("http")
            else requirement == Requirement(spaced(text))
        )


def spaced(text: str) -> str:
    """pip parts a marker from a URL at the first semicolon; the standard asks for a space before it."""
    return text.replace(";", " ;", 1)


def test_a_dash_inside_a_file_is_the_name_of_a_file() -> None:
    written("r.txt", "-r -\n")
    with pytest.raises(UsageError, match=r"no file \./- \(named in r\.txt, line 1\)"):
        read_inputs([], ["r.txt"])
    written("-", "six\n")
    assert [str(ask.requirement) for ask in read_inputs([], ["r.txt"]).asks] == ["six"]


@pytest.mark.parametrize("closed", [True, False])
def test_a_standard_input_that_is_closed(monkeypatch: pytest.MonkeyPatch, closed: bool) -> None:
    stream = io.TextIOWrapper(io.BytesIO())
    stream.close()
    monkeypatch.setattr(sys, "stdin", stream if closed else None)
    with pytest.raises(UsageError, match="standard input cannot be read"):
        read_inputs([], ["-"])

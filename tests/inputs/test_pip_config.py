"""What pip is configured for: tables of files and variables, and the same held against the real pip."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheelcheck.common.errors import UsageError
from wheelcheck.inputs.pip_config import (
    Applied,
    Configuration,
    configuration_files,
    default_index_url,
    read_configuration,
    selections,
)

NO_FILES = {"PIP_CONFIG_FILE": os.devnull}
SOURCE = Path(__file__).parents[2] / "src"


def written(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def from_file(tmp_path: Path, text: str | bytes, **variables: str) -> Configuration:
    return read_configuration(environ={"PIP_CONFIG_FILE": str(written(tmp_path / "chosen.conf", text)), **variables})


# -- values


VARIABLES = [
    ({}, {"index_url": None, "extra_index_urls": (), "timeout": 15.0, "retries": 5, "no_index": False, "applied": ()}),
    ({"PIP_INDEX_URL": " https://one/simple "}, {"index_url": "https://one/simple"}),
    ({"PIP_PYPI_URL": "https://one/simple"}, {"index_url": "https://one/simple"}),
    (
        {"PIP_EXTRA_INDEX_URL": "https://a https://b\n\thttps://c"},
        {"extra_index_urls": ("https://a", "https://b", "https://c")},
    ),
    ({"PIP_FIND_LINKS": "/a /b"}, {"find_links": ("/a", "/b")}),
    ({"PIP_TRUSTED_HOST": "a b:8080"}, {"trusted_hosts": ("a", "b:8080")}),
    ({"PIP_CONSTRAINT": "a.txt b.txt"}, {"constraints": ("a.txt", "b.txt")}),
    ({"PIP_PROXY": "http://u:p@proxy:80"}, {"proxy": "http://u:p@proxy:80"}),
    ({"PIP_TIMEOUT": "2.5"}, {"timeout": 2.5}),
    ({"PIP_DEFAULT_TIMEOUT": "3", "PIP_TIMEOUT": "4"}, {"timeout": 4.0}),
    ({"PIP_TIMEOUT": "4", "PIP_DEFAULT_TIMEOUT": "3"}, {"timeout": 3.0}),
    ({"PIP_RETRIES": "0"}, {"retries": 0}),
    ({"PIP_INDEX_URL": ""}, {"index_url": None, "applied": ()}),
    ({"PIP_ONLY_BINARY": "NumPy,foo_bar"}, {"only_binary": ("foo-bar", "numpy"), "no_binary": ()}),
    ({"PIP_ONLY_BINARY": ":all:", "PIP_NO_BINARY": "a"}, {"only_binary": (":all:",), "no_binary": ("a",)}),
    ({"PIP_ALL_RELEASES": "a,b", "PIP_ONLY_FINAL": "b"}, {"all_releases": ("a",), "only_final": ("b",)}),
    ({"PIP_NO_SUCH_OPTION": "x", "OTHER_INDEX_URL": "y"}, {"applied": ()}),
    *[({"PIP_NO_INDEX": yes}, {"no_index": True}) for yes in ("y", "YES", "t", "True", "on", "1")],
    *[({"PIP_NO_INDEX": no}, {"no_index": False}) for no in ("n", "No", "f", "false", "off", "0")],
    ({"PIP_PRE": "1", "PIP_PREFER_BINARY": "1"}, {"pre": True, "prefer_binary": True, "require_hashes": False}),
    ({"PIP_REQUIRE_HASHES": "1"}, {"require_hashes": True}),
    ({"PIP_IGNORE_REQUIRES_PYTHON": "yes"}, {"ignore_requires_python": True}),
    ({}, {"keyring_provider": "auto", "no_input": False, "keyring": "auto"}),
    ({"PIP_KEYRING_PROVIDER": "subprocess"}, {"keyring_provider": "subprocess", "keyring": "subprocess"}),
    ({"PIP_KEYRING_PROVIDER": "disabled"}, {"keyring": "disabled"}),
    ({"PIP_NO_INPUT": "1"}, {"keyring_provider": "auto", "no_input": True, "keyring": "disabled"}),
    ({"PIP_NO_INPUT": "1", "PIP_KEYRING_PROVIDER": "import"}, {"no_input": True, "keyring": "import"}),
]


@pytest.mark.parametrize(("variables", "expected"), VARIABLES)
def test_variables_are_read_as_pip_reads_them(variables: dict[str, str], expected: dict[str, object]) -> None:
    configuration = read_configuration(environ=NO_FILES | variables)
    assert {name: getattr(configuration, name) for name in expected} == expected


FILES = [
    ("[global]\nindex-url = https://a\n", {"index_url": "https://a"}),
    ("[global]\nindex_url: https://a\n", {"index_url": "https://a"}),
    ("[global]\n--index-url = https://a\n", {"index_url": "https://a"}),
    ("\ufeff[global]\r\nindex-url = https://a\r\n", {"index_url": "https://a"}),
    ("[install]\ntimeout = 1\n[global]\ntimeout = 2\n", {"timeout": 1.0}),
    ("[global]\ntimeout = 2\n[install]\ntimeout =\n", {"timeout": 2.0}),
    ("[download]\ntimeout = 2\n[global]\ntimeout = 3\n", {"timeout": 3.0}),
    (
        "[global]\nextra-index-url =\n    https://a\n    https://b%20c\n",
        {"extra_index_urls": ("https://a", "https://b%20c")},
    ),
    ("[global]\nonly-binary = a\n[install]\nonly-binary = b\n", {"only_binary": ("a", "b")}),
    ("# nothing\n", {"index_url": None}),
]


@pytest.mark.parametrize(("text", "expected"), FILES)
def test_a_file_is_read_as_pip_reads_it(tmp_path: Path, text: str, expected: dict[str, object]) -> None:
    configuration = from_file(tmp_path, text)
    assert {name: getattr(configuration, name) for name in expected} == expected


def test_the_section_of_the_command_counts(tmp_path: Path) -> None:
    path = written(tmp_path / "pip.conf", "[download]\nretries = 1\n[install]\nretries = 2\n")
    environ = {"PIP_CONFIG_FILE": str(path)}
    assert read_configuration(environ=environ, command="download").retries == 1
    assert read_configuration(environ=environ).retries == 2


def test_a_later_source_replaces_a_list_and_is_named(tmp_path: Path) -> None:
    home = tmp_path / "home"
    written(tmp_path / "xdg" / "pip" / "pip.conf", "[global]\nfind-links = /xdg\nretries = 1\n")
    written(home / ".pip" / "pip.conf", "[global]\nfind-links = /legacy\nretries = 2\ntimeout = 2\n")
    user = written(home / ".config" / "pip" / "pip.conf", "[global]\nfind-links = /user\nretries = 3\n")
    environ = {"HOME": str(home), "XDG_CONFIG_DIRS": str(tmp_path / "xdg"), "PIP_FIND_LINKS": "/variable /two"}
    if sys.platform not in ("darwin", "win32"):
        configuration = read_configuration(environ=environ)
        assert (configuration.find_links, configuration.retries, configuration.timeout) == (
            ("/variable", "/two"),
            3,
            2.0,
        )
        assert Applied(option="find-links", value="/variable /two", source="PIP_FIND_LINKS") in configuration.applied
        assert Applied(option="retries", value="3", source=str(user)) in configuration.applied
        assert [applied.option for applied in configuration.applied].count("retries") == 1


def test_a_chosen_file_leaves_out_the_users_own(tmp_path: Path) -> None:
    home = tmp_path / "home"
    written(home / ".config" / "pip" / "pip.conf", "[install]\nproxy = http://user\n")
    chosen = written(tmp_path / "chosen.conf", "[install]\nretries = 9\n")
    configuration = read_configuration(environ={"HOME": str(home), "PIP_CONFIG_FILE": str(chosen)})
    assert (configuration.retries, configuration.proxy) == (9, None)


def test_isolated_ignores_files_and_variables(tmp_path: Path) -> None:
    environ = {"PIP_CONFIG_FILE": str(written(tmp_path / "p.conf", "nonsense")), "PIP_TIMEOUT": "x"}
    assert read_configuration(isolated=True, environ=environ) == Configuration()


def test_a_certificate_is_a_path_that_exists(tmp_path: Path) -> None:
    certificate = written(tmp_path / "ca.pem", "")
    assert read_configuration(environ=NO_FILES | {"PIP_CERT": str(certificate)}).cert == str(certificate)


def test_credentials_are_in_no_text_about_the_configuration() -> None:
    secrets = {
        "PIP_INDEX_URL": "https://user:hunter2@a/simple",
        "PIP_EXTRA_INDEX_URL": "https://hunter2@b/simple https://u:hunter2@c/",
        "PIP_FIND_LINKS": "https://d/links?sig=hunter2",
        "PIP_PROXY": "u:hunter2@proxy:80",
    }
    configuration = read_configuration(environ=NO_FILES | secrets)
    assert "hunter2" in str(configuration.index_url)
    assert "hunter2" not in repr(configuration)
    assert {applied.option: applied.value for applied in configuration.applied}[
        "index-url"
    ] == "https://user:****@a/simple"


# -- what is wrong


WRONG_VALUES = [
    ("PIP_TIMEOUT", "soon", "timeout"),
    ("PIP_TIMEOUT", "nan", "seconds"),
    ("PIP_TIMEOUT", "0", "above 0"),
    ("PIP_TIMEOUT", "-1", "timeout"),
    ("PIP_RETRIES", "2.5", "whole number"),
    ("PIP_NO_INDEX", "maybe", "true or false"),
    ("PIP_CERT", "/no/such/ca.pem", "/no/such/ca.pem"),
    ("PIP_CLIENT_CERT", "/no/such/key.pem", "client-cert"),
    ("PIP_KEYRING_PROVIDER", "magic", "auto, disabled, import, subprocess"),
    ("PIP_NO_INPUT", "maybe", "true or false"),
]


@pytest.mark.parametrize(("variable", "value", "part"), WRONG_VALUES)
def test_a_value_that_its_option_cannot_take_is_named_with_its_source(variable: str, value: str, part: str) -> None:
    with pytest.raises(UsageError) as failure:
        read_configuration(environ=NO_FILES | {variable: value})
    assert variable in str(failure.value)
    assert repr(value) in str(failure.value)
    assert part in str(failure.value)


UV = [
    ({"UV_DEFAULT_INDEX": "https://a"}, "https://a", ()),
    ({"UV_INDEX_URL": " https://a "}, "https://a", ()),
    ({"UV_DEFAULT_INDEX": "https://a", "UV_INDEX_URL": "https://b"}, "https://a", ()),
    ({"UV_DEFAULT_INDEX": "", "UV_INDEX_URL": "https://b"}, "https://b", ()),
    ({"UV_DEFAULT_INDEX": "corp-1.x_y=https://a"}, "https://a", ()),
    ({"UV_INDEX_URL": "https://a/?b=c"}, "https://a/?b=c", ()),
    ({"UV_DEFAULT_INDEX": "https://a/?b=c"}, "https://a/?b=c", ()),
    ({"UV_EXTRA_INDEX_URL": "https://a  https://b"}, None, ("https://a", "https://b")),
    (
        {"UV_INDEX": "x=https://a https://b\n", "UV_EXTRA_INDEX_URL": "https://c"},
        None,
        ("https://a", "https://b", "https://c"),
    ),
    ({"UV_INDEX": "x=https://a", "UV_INDEX_URL": "https://b"}, "https://b", ("https://a",)),
    ({"UV_INDEX": "", "UV_EXTRA_INDEX_URL": " "}, None, ()),
    ({"UV_DEFAULT_INDEX": "x.y=https://a/b", "UV_INDEX_X_Y_PASSWORD": "p@/"}, "https://:p%40%2F@a/b", ()),
    (
        {"UV_INDEX": "corp=https://a", "UV_INDEX_CORP_USERNAME": "u", "UV_INDEX_CORP_PASSWORD": "p"},
        None,
        ("https://u:p@a",),
    ),
    ({"UV_INDEX": "corp=https://v:q@a", "UV_INDEX_CORP_USERNAME": "u"}, None, ("https://v:q@a",)),
    ({"UV_INDEX": "corp=./wheels", "UV_INDEX_CORP_USERNAME": "u"}, None, ("./wheels",)),
    # pip's own setting is the anchor
    ({"UV_INDEX_URL": "https://b", "PIP_INDEX_URL": "https://a"}, "https://a", ()),
    ({"UV_EXTRA_INDEX_URL": "https://b", "PIP_INDEX_URL": "https://a"}, "https://a", ()),
    ({"UV_INDEX_URL": "https://b", "PIP_EXTRA_INDEX_URL": "https://a"}, None, ("https://a",)),
    ({"UV_INDEX_URL": "https://b", "PIP_NO_INDEX": "1"}, None, ()),
    ({"UV_INDEX_URL": "https://b", "PIP_NO_INDEX": "0"}, "https://b", ()),
    ({"UV_INDEX_URL": "https://b", "PIP_INDEX_URL": ""}, "https://b", ()),
    ({"UV_INDEX_URL": "https://b", "PIP_FIND_LINKS": "/a"}, "https://b", ()),
]


@pytest.mark.parametrize(("variables", "index", "extra"), UV)
def test_the_indexes_of_uv_count_where_pip_names_none(
    variables: dict[str, str], index: str | None, extra: tuple[str, ...]
) -> None:
    configuration = read_configuration(environ=NO_FILES | variables)
    assert (configuration.index_url, configuration.extra_index_urls) == (index, extra)


def test_what_is_of_uv_is_said_to_be_and_shows_no_password() -> None:
    variables = {
        "UV_DEFAULT_INDEX": "https://u:hunter2@a",
        "UV_INDEX": "x=https://b",
        "UV_EXTRA_INDEX_URL": "https://c",
    }
    variables |= {"UV_INDEX_X_USERNAME": "u", "UV_INDEX_X_PASSWORD": "hunter2"}
    configuration = read_configuration(environ=NO_FILES | variables)
    assert configuration.applied == (
        Applied(option="index-url", value="https://u:****@a", source="UV_DEFAULT_INDEX"),
        Applied(option="extra-index-url", value="https://u:****@b https://c", source="UV_INDEX, UV_EXTRA_INDEX_URL"),
    )
    assert "hunter2" not in repr(configuration)
    assert read_configuration(environ=NO_FILES | variables, isolated=True) == Configuration()
    assert read_configuration(environ=NO_FILES | variables | {"PIP_INDEX_URL": "https://d"}).applied == (
        Applied(option="index-url", value="https://d", source="PIP_INDEX_URL"),
    )


def test_a_file_of_pip_goes_before_a_variable_of_uv(tmp_path: Path) -> None:
    found = from_file(tmp_path, "[install]\nindex-url = https://a\n", UV_DEFAULT_INDEX="https://b")
    assert (found.index_url, found.extra_index_urls) == ("https://a", ())


WRONG_FILES = [
    (b"index-url = https://u:hunter2@a\n", "precedes the first section"),
    (b"[global]\nindex-url = https://u:hunter2@a\nindex_url = b\n", "index-url is set twice"),
    (b"[global]\n[global]\n", "[global] is there twice"),
    (b"[global]\nhunter2\n", "line 2"),
    (b"[global]\n# caf\xe9\n", "not UTF-8 (line 2)"),
    (b"[global]\n" + b"#" * (1 << 20), "larger than 1 MiB"),
]


@pytest.mark.parametrize(("text", "part"), WRONG_FILES, ids=[part for _, part in WRONG_FILES])
def test_a_file_that_cannot_be_parsed_is_named_and_its_text_not_shown(tmp_path: Path, text: bytes, part: str) -> None:
    with pytest.raises(UsageError) as failure:
        from_file(tmp_path, text)
    assert str(tmp_path / "chosen.conf") in str(failure.value)
    assert part in str(failure.value)
    assert "hunter2" not in str(failure.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_configuration(environ={"PIP_CONFIG_FILE": str(tmp_path)})


@given(st.binary(max_size=200))
def test_any_bytes_are_a_configuration_or_a_usage_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    with contextlib.suppress(UsageError):
        from_file(tmp_path_factory.getbasetemp(), data)
    with contextlib.suppress(UsageError):
        from_file(tmp_path_factory.getbasetemp(), b"[global]\n" + data)


# -- which files


def test_the_files_of_linux_in_order() -> None:
    environ = {
        "HOME": "/home/me",
        "XDG_CONFIG_DIRS": f"/one{os.pathsep}relative{os.pathsep}/two",
        "PIP_CONFIG_FILE": "/no/such",
    }
    files = configuration_files(environ, system="linux", prefix="/venv")
    expected = ["/one/pip/pip.conf", "/two/pip/pip.conf", "/etc/pip.conf", "/home/me/.pip/pip.conf"]
    expected += ["/home/me/.config/pip/pip.conf", "/venv/pip.conf", "/no/such"]
    assert [Path(file) for file in files] == [Path(file) for file in expected]


def test_the_users_directory_can_be_moved() -> None:
    files = configuration_files({"HOME": "/home/me", "XDG_CONFIG_HOME": "/moved"}, system="linux")
    assert str(Path("/moved/pip/pip.conf")) in files
    assert str(Path("/home/me/.config/pip/pip.conf")) not in files


@pytest.mark.parametrize("exists", [True, False])
def test_the_files_of_macos_in_order(tmp_path: Path, exists: bool) -> None:
    support = tmp_path / "Library" / "Application Support" / "pip"
    if exists:
        support.mkdir(parents=True)
    base = "/opt/homebrew/opt/python@3.13/Frameworks/Python.framework/Versions/3.13"
    files = configuration_files({"HOME": str(tmp_path)}, system="darwin", prefix="/venv", base_prefix=base)
    own = support if exists else tmp_path / ".config" / "pip"
    shared = [Path("/opt/homebrew/share/pip/pip.conf"), Path("/Library/Application Support/pip/pip.conf")]
    assert [Path(f) for f in files] == [*shared, tmp_path / ".pip/pip.conf", own / "pip.conf", Path("/venv/pip.conf")]


def test_the_files_of_windows_in_order() -> None:
    environ = {"USERPROFILE": "/Users/me", "APPDATA": "/Users/me/Roaming", "PROGRAMDATA": "/ProgramData"}
    files = configuration_files(environ, system="win32", prefix="/venv")
    expected = ["/ProgramData/pip/pip.ini", "/Users/me/pip/pip.ini", "/Users/me/Roaming/pip/pip.ini", "/venv/pip.ini"]
    assert [Path(file) for file in files] == [Path(file) for file in expected]


def test_the_null_device_switches_all_files_off() -> None:
    assert configuration_files({"PIP_CONFIG_FILE": os.devnull}) == ()


# -- the same as pip


ASK_PIP = """
import json, os, sys
from pip._internal.commands import create_command
answers = []
for environ in json.load(sys.stdin):
    os.environ.clear()
    os.environ.update(environ)
    options = create_command("install").parser.get_default_values()
    answers.append({name: getattr(options, name, None) for name in sys.argv[1:]} | {
        "only_binary": sorted(options.format_control.only_binary),
        "no_binary": sorted(options.format_control.no_binary),
    })
print(json.dumps(answers))
"""
SAME_NAMES = [
    "index_url",
    "extra_index_urls",
    "find_links",
    "trusted_hosts",
    "constraints",
    "proxy",
    "timeout",
    "retries",
    "keyring_provider",
]
SAME_TRUTHS = ["no_index", "pre", "prefer_binary", "require_hashes", "no_input"]


def test_pip_itself_reads_the_same(tmp_path: Path) -> None:
    environments = []
    for number, (text, _) in enumerate(FILES[:3] + FILES[4:]):
        path = written(tmp_path / f"{number}.conf", text)
        environments += [
            {"PIP_CONFIG_FILE": str(path)},
            {"PIP_CONFIG_FILE": str(path), "PIP_EXTRA_INDEX_URL": "https://env"},
        ]
    environments += [
        NO_FILES | {name: value.strip() for name, value in variables.items()} for variables, _ in VARIABLES
    ]
    home = written(
        tmp_path / "home" / ".config" / "pip" / "pip.conf", "[global]\nretries=1\n[install]\ntimeout=2\n"
    ).parents[2]
    written(home / ".pip" / "pip.conf", "[install]\nretries=3\n[global]\nproxy=http://p\n")
    environments += [{"HOME": str(home)}, {"HOME": str(home), "PIP_CONFIG_FILE": str(tmp_path / "0.conf")}]
    asked = subprocess.run(
        [sys.executable, "-c", ASK_PIP, *SAME_NAMES, *SAME_TRUTHS],
        input=json.dumps(environments),
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode:
        pytest.skip(f"this pip cannot be asked: {asked.stderr[-300:]}")
    for environ, theirs in zip(environments, json.loads(asked.stdout), strict=True):
        ours = read_configuration(environ=environ)
        same = {name: getattr(ours, name) for name in SAME_NAMES} | {
            "only_binary": ours.only_binary,
            "no_binary": ours.no_binary,
        }
        same["index_url"] = same["index_url"] or default_index_url()
        theirs["proxy"] = theirs["proxy"] or None
        expected = {name: theirs[name] for name in same}
        assert {name: list(v) if isinstance(v, tuple) else v for name, v in same.items()} == expected, environ
        assert {name: getattr(ours, name) for name in SAME_TRUTHS} == {
            name: bool(theirs[name]) for name in SAME_TRUTHS
        }, environ


ITEMS = st.sampled_from([":all:", ":none:", "a", "b", "A_b"])
CHANGES = st.lists(st.tuples(st.sampled_from(["only-binary", "no-binary"]), st.lists(ITEMS, min_size=1).map(",".join)))


@given(CHANGES)
def test_selections_add_up_as_in_pip(changes: list[tuple[str, str]]) -> None:
    control = pytest.importorskip("pip._internal.models.format_control").FormatControl()
    pairs = {
        "only-binary": (control.only_binary, control.no_binary),
        "no-binary": (control.no_binary, control.only_binary),
    }
    for option, value in changes:
        control.handle_mutual_excludes(value, *pairs[option])
    ours = selections(changes)
    assert (set(ours["only_binary"]), set(ours["no_binary"])) == (control.only_binary, control.no_binary)


# -- the default index


def asked_alone(*lines: str) -> str:
    """What a Python without site-packages prints; wheelcheck comes from the source tree."""
    program = "\n".join(["import sys", f"sys.path.append({str(SOURCE)!r})", *lines])
    run = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True, check=True)
    return run.stdout.strip()


def test_the_default_index_is_that_of_the_installed_pip() -> None:
    index = pytest.importorskip("pip._internal.models.index")
    assert default_index_url() == index.PyPI.simple_url


def test_the_default_index_comes_from_the_bundled_pip_where_none_is_installed() -> None:
    pytest.importorskip("ensurepip")
    printed = asked_alone(
        "before = list(sys.path)",
        "from wheelcheck.inputs.pip_config import default_index_url",
        "url = default_index_url()",
        "assert sys.path == before and not any(name.startswith('pip') for name in sys.modules)",
        "print(url)",
    )
    assert printed == default_index_url()


def test_without_any_pip_an_index_must_be_named() -> None:
    printed = asked_alone(
        "import importlib.util, importlib.machinery, sysconfig, zipimport",
        "from wheelcheck.inputs.pip_config import default_index_url",
        "from wheelcheck.common.errors import UsageError",
        "sysconfig.get_config_vars().pop('WHEEL_PKG_DIR', None)",
        "sys.path[:] = []",
        "try:",
        "    print(default_index_url())",
        "except UsageError as error:",
        "    print(error)",
    )
    assert "--index-url" in printed

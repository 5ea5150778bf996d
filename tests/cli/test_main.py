"""The command line as a user meets it: exit codes, what goes where, and one sentence for every mistake."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

import wheelcheck
from doors import LINUX, MAC, PROJECTS, stand_alone
from loopback import Server, free_port, simple_index, stall, status
from wheelcheck.cli.main import main, read_arguments
from wheelcheck.cli.parser import EXAMPLES, build_parser, commands_of
from wheelcheck.inputs.options import DEFAULTS
from wheelcheck.interpreters.find import load, target_of

if TYPE_CHECKING:
    from collections.abc import Iterator

OTHER = "windows-amd64-3.11.9"
ESCAPE = "\033["


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stand_alone(monkeypatch, tmp_path)
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with simple_index(PROJECTS) as server:
        monkeypatch.setenv("PIP_INDEX_URL", server.index)
        yield server


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs the command line; gives its exit code, standard output and standard error."""

    def run(*arguments: str) -> tuple[int, str, str]:
        try:
            code: Any = main(arguments)
        except SystemExit as stop:
            code = stop.code
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return run


def sentence(err: str) -> str:
    """The one line of a refusal."""
    (line,) = err.splitlines()
    assert line.startswith("wheelcheck: ")
    return line.removeprefix("wheelcheck: ")


# -- answers


def test_yes_no_and_could_not_tell(index: Server, run: Any) -> None:
    code, out, err = run("check", "spam", "-t", LINUX)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "manylinux_2_28_x86_64-3.12.4: compatible",
        "  CPython 3.12.4 (cp312) on Linux x86_64, glibc 2.28",
        "",
        "Pins",
        "  spam  1.0  requested",
        "  eggs  1.5  required by spam",
        "",
        "Install it",
        "  python3.12 -m pip install spam==1.0",
    ]
    code, out, err = run("check", "onlymac", "-t", LINUX)
    assert (code, err) == (1, "")
    assert "not compatible" in out
    assert "built for macOS arm64; this is Linux x86_64" in out
    index.fault("/simple/alone/", status(503))
    code, out, err = run("check", "alone", "-t", LINUX)
    assert (code, err) == (2, "")
    assert "unknown" in out
    assert "HTTP 503" in out


@pytest.mark.parametrize(
    ("asks", "broken", "code"),
    [("alone", "", 0), ("onlymac", "", 1), ("alone", "alone", 2), ("onlymac ham", "spam", 1)],
)
def test_exit_codes_of_several_targets(index: Server, run: Any, asks: str, broken: str, code: int) -> None:
    index.fault(f"/simple/{broken}/", status(500))
    assert run("check", *asks.split(), "-t", LINUX, "-t", MAC)[0] == code


def test_a_definite_no_outweighs_what_could_not_be_told(index: Server, run: Any) -> None:
    index.fault("/simple/ham/", status(500))
    asks = ("onlymac; python_version < '3.12'", "ham; python_version >= '3.12'")
    code, out, _ = run("check", *asks, "-t", LINUX, "-t", OTHER)
    assert code == 1
    assert "unknown" in out
    assert "not compatible" in out


def test_json(index: Server, run: Any) -> None:
    code, out, err = run("check", "candidate", "-t", LINUX, "-t", MAC, "--format", "json")
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert document["schema"] == "wheelcheck/report/1"
    expected = wheelcheck.check(["candidate"], targets=[LINUX, MAC]).to_dict()
    assert document["results"] == expected["results"]
    assert run("check", "candidate", "-t", LINUX, "--format", "json", "--strict")[0] == 1


def test_output_goes_to_a_file(index: Server, run: Any, tmp_path: Path) -> None:
    place = tmp_path / "answer.txt"
    assert run("check", "onlymac", "-t", LINUX, "-o", str(place)) == (1, "", "")
    text = place.read_text("utf-8")
    assert text.split() == run("check", "onlymac", "-t", LINUX)[1].split()
    assert max(map(len, text.splitlines())) <= 80
    assert run("check", "spam", "-t", LINUX, "--format", "json", "--output", str(place)) == (0, "", "")
    assert json.loads(place.read_bytes())["ok"] is True


@pytest.mark.parametrize("place", ["nowhere/answer.txt", "."])
def test_output_that_cannot_be_written(index: Server, run: Any, place: str) -> None:
    code, out, err = run("check", "spam", "-t", LINUX, "-o", place)
    assert (code, out) == (2, "")
    assert f"could not be written to {place}" in sentence(err)


def test_quiet_and_verbose(index: Server, run: Any) -> None:
    plain = run("check", "spam", "-t", LINUX)[1]
    quiet = run("check", "spam", "-t", LINUX, "-q")[1]
    verbose = run("check", "spam", "-t", LINUX, "-v")[1]
    assert "  spam  1.0  requested" in plain
    assert "spam" not in quiet.partition("\n")[2]
    assert "  spam  1.0  spam-1.0-py3-none-any.whl requested" in verbose
    assert index.index not in plain
    assert f"index: {index.index}" in verbose
    assert "index-url" in verbose


def test_strict(index: Server, run: Any) -> None:
    assert run("check", "candidate", "-t", LINUX)[0] == 0
    code, out, _ = run("check", "candidate", "-t", LINUX, "--strict")
    assert code == 1
    assert "not compatible" in out
    assert "warning: candidate 1.0rc1 is an unrequested pre-release" in out


def test_an_import_elsewhere_is_never_passed_over_in_silence(index: Server, run: Any) -> None:
    code, out, _ = run("check", "alone", "-t", MAC, "--confirm")
    assert code == 0
    assert "No import was tried" in out
    assert run("check", "alone", "-t", MAC, "--confirm", "--strict")[0] == 1


def test_options_reach_the_question(index: Server, run: Any, tmp_path: Path) -> None:
    assert "spam  2.0rc1" in run("check", "spam", "-t", LINUX, "--pre")[1]
    assert "eggs" not in run("check", "spam", "-t", LINUX, "--no-deps")[1]
    assert "eggs  1.5" in run("check", "eggs", "-t", LINUX, "--resolution", "lowest")[1]
    bounds = tmp_path / "bounds.txt"
    bounds.write_text("eggs<2\n")
    assert "eggs  1.5" in run("check", "eggs", "-t", LINUX, "-c", str(bounds))[1]
    assert run("check", "spam", "-t", LINUX, "-i", f"http://127.0.0.1:{free_port()}/")[0] == 2
    code, _, error = run("check", "spam", "-t", LINUX, "--no-index")
    assert code == 2
    assert "--no-index leaves no source" in error
    assert run("check", "spam", "-t", "manylinux_2_28_x86_64", "--python", "3.12.1")[0] == 0


def test_offline_and_refresh(index: Server, run: Any) -> None:
    code, out, _ = run("check", "alone", "-t", LINUX, "--offline")
    assert code == 2
    assert "--offline forbids requests" in out
    assert run("check", "alone", "-t", LINUX)[0] == 0
    index.forget()
    assert run("check", "alone", "-t", LINUX, "--offline")[0] == 0
    assert index.paths == []
    assert run("check", "alone", "-t", LINUX, "--refresh")[0] == 0
    assert "/simple/alone/" in index.paths


def test_requirements_from_files_and_standard_input(
    index: Server, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "requirements.txt").write_text("eggs<2\n")
    code, out, _ = run("check", "alone", "-r", "requirements.txt", "-t", LINUX)
    assert code == 0
    assert [line.split()[:2] for line in out.splitlines()[4:6]] == [["alone", "1.0"], ["eggs", "1.5"]]
    assert out.endswith("Install it\n  python3.12 -m pip install -r requirements.txt alone==1.0\n")
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"ham\nonlymac\n")))
    code, out, _ = run("check", "-r", "-", "-t", LINUX)
    assert code == 1
    assert "onlymac" in out


def test_a_requirement_that_is_not_for_the_target(index: Server, run: Any) -> None:
    code, out, _ = run("check", "onlymac; sys_platform == 'darwin'", "alone", "-t", LINUX)
    assert code == 0
    assert 'onlymac; sys_platform == "darwin" is left out' in out
    code, out, _ = run("check", "onlymac; sys_platform == 'darwin'", "alone", "-t", LINUX, "--format", "json")
    (result,) = json.loads(out)["results"]
    assert [pin["name"] for pin in result["pins"]] == ["alone"]
    assert [demand["requirement"] for demand in result["skipped"]] == ['onlymac; sys_platform == "darwin"']


def test_rules_and_their_options(index: Server, run: Any, tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(
        'project = "spam"\n[[rule]]\nid = "spam-1"\nversions = "==1.0"\neffect = "forbids"\n'
        'why = "spam 1.0 is empty."\nevidence = "contents"\nconfidence = "certain"\n'
        'sources = [{ fact = "Seen.", date = "2025-01-01" }]\n'
    )
    code, out, _ = run("check", "spam==1.0", "-t", LINUX, "--rules", str(mine))
    assert code == 1
    assert "spam 1.0 is empty (rule spam-1)" in " ".join(out.split())
    assert "--ignore ID leaves one out)\n  spam-1\n" in out
    assert run("check", "spam==1.0", "-t", LINUX, "--rules", str(mine), "--ignore", "spam-1")[0] == 0
    assert run("check", "spam==1.0", "-t", LINUX, "--rules", str(mine), "--no-rules")[0] == 0


# -- targets


@pytest.mark.parametrize("name", [LINUX, MAC, OTHER, "musllinux_1_2_aarch64-3.13.1t", "running"])
def test_a_saved_target_is_the_same_target(run: Any, tmp_path: Path, name: str) -> None:
    place = tmp_path / "target.json"
    assert run("targets", "show", name, "--format", "json", "-o", str(place)) == (0, "", "")
    document = json.loads(place.read_bytes())
    assert document["schema"] == "wheelcheck/target/1"
    assert load(place) == target_of(name)
    assert run("targets", "show", str(place))[1] == run("targets", "show", name)[1]


def test_a_saved_target_is_asked_about(index: Server, run: Any, tmp_path: Path) -> None:
    place = tmp_path / "mac.json"
    run("targets", "show", MAC, "--format", "json", "-o", str(place))
    code, out, _ = run("check", "onlymac", "-t", str(place))
    assert code == 0
    assert out.startswith(MAC)


def test_show_a_target(run: Any) -> None:
    code, out, err = run("targets", "show", "macos-14-arm64", "--python", "3.12.4")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == MAC
    assert "    platform_machine = 'arm64'" in lines
    assert "    cp312-cp312-macosx_14_0_arm64" in lines


# -- bad usage


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("check", "Nothing to check: name a requirement, or a requirements file with -r."),
        ("check spam==", "'spam==' is not a requirement: the version after == is missing."),
        ("check sp@m", "'sp@m' names no URL"),
        ("check spam -t nowhere", "'nowhere' is not a target."),
        ("check spam -t linux-cp299", "cp299"),
        ("check spam -t nowhere.json", "nowhere.json could not be read"),
        ("check spam -t /no/python", "/no/python"),
        (f"check spam -t {LINUX} --python 3.11", "so --python 3.11 cannot be combined with it."),
        ("check spam -t linux --python three", "three"),
        ("check spam --fresh", "--fresh says where to import, so it goes with --confirm."),
        ("check -r nowhere.txt", "There is no file nowhere.txt: check the path."),
        ("check spam -c nowhere.txt", "There is no file nowhere.txt: check the path."),
        (f"check spam -t {LINUX} --ignore nope", "There is no rule 'nope'."),
        (f"check spam -t {LINUX} --rules nowhere", "The rules in nowhere could not be read"),
        (f"check spam -t {LINUX} -i gopher://host/", "gopher://host/ is not an index"),
        ("targets show nowhere", "'nowhere' is not a target."),
        ("targets show linux-cp312 --python 3.11", "cannot be combined"),
        ("check spam\x1b[31m", "spam\\x1b[31m"),
        (f"targets show {LINUX} -o nowhere/\x1b[31m", "nowhere/\\x1b[31m"),
    ],
)
def test_a_mistake_gets_one_sentence(run: Any, arguments: str, said: str) -> None:
    code, out, err = run(*arguments.split(" "))
    assert (code, out) == (2, "")
    assert said in sentence(err)
    assert err.rstrip("\n").isprintable()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("check --nope spam", "--nope"),
        ("check spam --format xml", "invalid choice: 'xml'"),
        ("check spam --resolution best", "invalid choice: 'best'"),
        ("check spam --timeout soon", "invalid float value: 'soon'"),
        ("check spam -t", "expected one argument"),
        ("chekc spam", "invalid choice: 'chekc'"),
        ("targets", "ACTION"),
    ],
)
def test_the_parser_refuses(run: Any, arguments: str, said: str) -> None:
    code, out, err = run(*arguments.split())
    assert (code, out) == (2, "")
    assert said in err.splitlines()[-1]


def test_a_malformed_requirement_in_a_file_is_named_with_its_line(run: Any, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("spam\n\neggs>=>=1\n")
    code, _, err = run("check", "-r", "requirements.txt", "-t", LINUX)
    assert code == 2
    assert "'eggs>=>=1' in requirements.txt, line 3 is not a requirement" in sentence(err)


def test_no_command_shows_the_help(run: Any) -> None:
    code, out, err = run()
    assert (code, err) == (2, "")
    assert out.startswith("usage: wheelcheck")


@pytest.mark.parametrize("command", EXAMPLES)
def test_help_is_a_screen_and_ends_in_examples(run: Any, command: str) -> None:
    code, out, err = run(*command.split(), "--help")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith(f"wheelcheck {command} [OPTIONS]")
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 24
    assert lines[-1] == f"  wheelcheck {EXAMPLES[command][-1]}"
    whole = run(*command.split(), "--help-all")[1]
    assert "--format" in whole
    assert whole.count("\n") > out.count("\n")


def test_every_command_has_examples_that_can_be_read() -> None:
    def names(parser: Any, above: str = "") -> list[str]:
        below = commands_of(parser)
        return [name for part, sub in below.items() for name in names(sub, f"{above} {part}")] or [above.strip()]

    assert set(names(build_parser())) == EXAMPLES.keys()
    for command, examples in EXAMPLES.items():
        for example in examples:
            assert example.startswith(command)
            if command not in ("pip", "hook"):
                assert read_arguments(shlex.split(example)).command == command


def test_the_help_of_all(run: Any) -> None:
    code, out, err = run("--help")
    assert (code, err) == (0, "")
    assert out.startswith("usage: wheelcheck")


def test_version(run: Any) -> None:
    assert run("--version") == (0, f"wheelcheck {wheelcheck.__version__}\n", "")


# -- the environment


@pytest.mark.parametrize(
    ("variable", "value", "arguments"),
    [
        ("WHEELCHECK_TARGET", MAC, ""),
        ("WHEELCHECK_STRICT", "1", f"-t {LINUX}"),
        ("WHEELCHECK_STRICT", "Yes", f"-t {LINUX}"),
        ("WHEELCHECK_CONSTRAINT", "none.txt", f"-t {LINUX}"),
    ],
)
def test_a_variable_stands_for_an_option(
    index: Server, run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, value: str, arguments: str
) -> None:
    (tmp_path / "none.txt").write_text("ham==7\ncandidate==7\n")
    asks = ["ham"] if variable == "WHEELCHECK_TARGET" else ["candidate"]
    assert run("check", *asks, "-t", LINUX)[0] == 0
    monkeypatch.setenv(variable, value)
    assert run("check", *asks, *arguments.split())[0] == 1


def test_variables_of_other_kinds(index: Server, run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("alone\n")
    (tmp_path / "two.txt").write_text("eggs\n")
    monkeypatch.setenv("WHEELCHECK_REQUIREMENT", "one.txt two.txt")
    monkeypatch.setenv("WHEELCHECK_FORMAT", "json")
    monkeypatch.setenv("WHEELCHECK_PYTHON", "3.12.7")
    monkeypatch.setenv("WHEELCHECK_STRICT", "0")
    code, out, _ = run("check", "candidate", "-t", "macos-14-arm64")
    (result,) = json.loads(out)["results"]
    assert code == 0
    assert [pin["name"] for pin in result["pins"]] == ["alone", "candidate", "eggs"]
    assert result["target"]["python"] == "3.12.7"
    assert run("check", "alone", "-t", "linux", "--format", "text", "--python", "3.11.1")[1].startswith("manylinux")


def test_a_variable_decides_where_the_cache_is(
    index: Server, run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WHEELCHECK_CACHE_DIR", str(tmp_path / "here"))
    run("check", "alone", "-t", LINUX)
    assert any(path.is_file() for path in (tmp_path / "here").rglob("*"))
    monkeypatch.setenv("WHEELCHECK_CACHE_DIR", str(tmp_path / "there"))
    run("check", "alone", "-t", LINUX, "--no-cache")
    assert not (tmp_path / "there").exists()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("WHEELCHECK_STRICT", "maybe"),
        ("WHEELCHECK_NO_DEPS", "2"),
        ("WHEELCHECK_FORMAT", "xml"),
        ("WHEELCHECK_RESOLUTION", "best"),
        ("WHEELCHECK_TIMEOUT", "soon"),
    ],
)
def test_a_bad_value_names_its_variable(run: Any, monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    code, out, err = run("check", "spam", "-t", LINUX)
    assert (code, out) == (2, "")
    assert f"The environment variable {variable} is {value!r}" in sentence(err)


def test_an_empty_variable_is_none(index: Server, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STRICT", "FORMAT", "TIMEOUT", "TARGET", "INDEX_URL"):
        monkeypatch.setenv(f"WHEELCHECK_{name}", "")
    assert run("check", "candidate", "-t", LINUX)[0] == 0


def test_the_defaults_of_the_command_line_are_those_of_the_library() -> None:
    given = vars(build_parser().parse_args(["check", "spam"]))
    assert {name: given[name] or None for name in DEFAULTS} == {name: value or None for name, value in DEFAULTS.items()}


def test_options_may_stand_between_requirements(index: Server, run: Any) -> None:
    code, out, _ = run("check", "spam", "-q", "-t", LINUX, "eggs", "--format", "json", "alone")
    assert code == 0
    assert {pin["name"] for pin in json.loads(out)["results"][0]["pins"]} == {"spam", "eggs", "alone"}


@pytest.mark.parametrize("command", ["check", "explain", "snapshot", "rules list", "targets show", "cache info"])
def test_an_unknown_option_shows_the_usage_of_its_command(run: Any, command: str) -> None:
    code, out, err = run(*command.split(), "--bogus", "spam", "more")
    assert (code, out) == (2, "")
    assert err.startswith(f"usage: wheelcheck {command} ")
    assert "--bogus" in err


# Where each option is read from, one row a source. `text` is given to the environment, `value` to the library.
SOURCES = [
    ("allow_sdists", "yes", True),
    ("exclude_newer", "2024-01-01", "2024-01-01"),
    ("ignore", "one two", ["one", "two"]),
    ("ignore_requires_python", "1", True),
    ("index_strategy", "first-index", "first-index"),
    ("no_remedies", "on", True),
    ("no_rules", "true", True),
    ("no_upload_time", "allow", "allow"),
    ("pre", "1", True),
    ("resolution", "lowest", "lowest"),
    ("strict", "1", True),
]


@pytest.mark.parametrize(("name", "text", "value"), SOURCES)
def test_an_option_has_one_name_and_meaning_everywhere(
    name: str, text: str, value: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The command line, the environment, [tool.wheelcheck] and the library take the same option, in that order."""
    monkeypatch.chdir(tmp_path)

    def read(*arguments: str) -> Any:
        return getattr(read_arguments(["check", "spam", *arguments]), name)

    words = value if isinstance(value, list) else [] if value is True else [value]
    flag = f"--{name.replace('_', '-')}"
    default = read()
    assert (default or None) == (DEFAULTS[name] or None)  # type: ignore[literal-required]
    assert read(*(part for word in words for part in (flag, word)) if words else [flag]) == value
    (tmp_path / "pyproject.toml").write_text(f"[tool.wheelcheck]\n{flag[2:]} = {json.dumps(value)}\n")
    assert read() == value
    if value is True:
        monkeypatch.setenv(f"WHEELCHECK_{name.upper()}", "0")
        assert read() is False
    (tmp_path / "pyproject.toml").unlink()
    monkeypatch.setenv(f"WHEELCHECK_{name.upper()}", text)
    assert read() == value


# -- colour


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ({"NO_COLOR": "1"}, False),
        ({"FORCE_COLOR": ""}, False),
        ({"FORCE_COLOR": "0"}, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": ""}, True),
    ],
)
def test_colour_is_for_who_wants_it(
    index: Server, run: Any, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], coloured: bool
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    out = run("check", "alone", "-t", LINUX)[1]
    assert (ESCAPE in out) is coloured
    assert re.sub(r"\033\[\d+m", "", out).startswith(f"{LINUX}: compatible\n")


def test_a_terminal_is_coloured(index: Server, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert ESCAPE in run("check", "alone", "-t", LINUX)[1]
    monkeypatch.setenv("NO_COLOR", "1")
    assert ESCAPE not in run("check", "alone", "-t", LINUX)[1]


def test_neither_a_file_nor_json_is_coloured(
    index: Server, run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    run("check", "alone", "-t", LINUX, "-o", str(tmp_path / "a.txt"))
    assert ESCAPE not in (tmp_path / "a.txt").read_text("utf-8")
    json.loads(run("check", "alone", "-t", LINUX, "--format", "json")[1])


# -- as a process

COMMAND = [sys.executable, "-m", "wheelcheck"]


def test_as_a_module(index: Server) -> None:
    done = subprocess.run([*COMMAND, "check", "spam", "-t", LINUX], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{LINUX}: compatible\n")


def test_requirements_are_piped_in(index: Server) -> None:
    command = [*COMMAND, "check", "-r", "-", "-t", LINUX]
    done = subprocess.run(command, input="spam==\n", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "line 1" in sentence(done.stderr)


def test_an_output_that_knows_ascii_only(index: Server) -> None:
    index.fault("/simple/alone/", stall())
    about = os.environ | {
        "PYTHONIOENCODING": "ascii",
        "PIP_INDEX_URL": f"http://127.0.0.1:{free_port()}/d\u00e9j\u00e0/",
    }
    done = subprocess.run([*COMMAND, "check", "alone", "-t", LINUX, "-v"], env=about, capture_output=True, check=False)
    assert done.returncode == 2
    assert done.stderr == b""
    assert b"d\\xe9j\\xe0" in done.stdout or b"d%C3%A9j%C3%A0" in done.stdout


@pytest.mark.skipif(os.name == "nt", reason="closed pipes and signals are told otherwise there")
def test_a_closed_pipe_ends_quietly() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [*COMMAND, "targets", "show", LINUX]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (130, b"")


@pytest.mark.skipif(os.name == "nt", reason="closed pipes and signals are told otherwise there")
@pytest.mark.parametrize(
    ("asked", "path", "said"),
    [
        ("alone", "/simple/alone/", "the page of alone"),
        ("eggs==0", "/files/eggs-2.0-py3-none-any.whl.metadata", f"what would fix the answer for {LINUX}"),
    ],
)
def test_an_interrupt_tells_what_it_ended(index: Server, asked: str, path: str, said: str) -> None:
    released = index.released
    index.fault(path, stall())
    command = [*COMMAND, "check", asked, "-t", LINUX]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while path not in index.paths:
        assert process.poll() is None
        released.wait(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, b"")
    assert said in sentence(err.decode())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_an_output_that_takes_nothing(index: Server) -> None:
    command = [sys.executable, "-m", "wheelcheck", "check", "alone", "-t", LINUX, "-i", index.index, "--isolated"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("wheelcheck: The answer could not be written to standard output: ")
    assert "Traceback" not in done.stderr


def test_an_empty_index_url_is_not_the_default_index(run: Any) -> None:
    code, _, error = run("check", "alone", "-t", LINUX, "-i", "")
    assert code == 2
    assert "The index URL is empty" in error


# -- the installed command, which ends its process without taking the interpreter down

STARTS = {
    "command": "import sys; from wheelcheck.__main__ import command; sys.exit(command())",
    "module": "import runpy; runpy.run_module('wheelcheck', run_name='__main__')",
}
AT_EXIT = "import atexit; atexit.register(print, 'tidied up')\n"
ENDS: dict[str, tuple[list[str], dict[str, Any]]] = {
    "an answer": (["targets", "show", "macos-14-arm64-cp312", "--format", "json"], {}),
    "an error": (["targets", "show", "nowhere"], {}),
    "no command": ([], {}),
    "a reader that has gone": (["targets", "show", "macos-14-arm64-cp312"], {"stdout": "gone"}),
    "help": (["check", "--help"], {}),
}


@pytest.mark.parametrize("case", ENDS)
def test_the_installed_command_ends_as_the_module_does(case: str) -> None:
    arguments, streams = ENDS[case]
    assert ended("command", arguments, **streams) == ended("module", arguments, **streams)


def test_what_is_due_at_the_end_of_a_process_is_done() -> None:
    code, out, _ = ended("command", ["targets", "show", "macos-14-arm64-cp312"], before=AT_EXIT)
    assert code == 0
    assert out.endswith(b"tidied up\n")


def ended(start: str, arguments: list[str], *, before: str = "", stdout: str = "read") -> tuple[int, bytes, bytes]:
    """Exit code, standard output and standard error of a process of its own."""
    command = [sys.executable, "-c", before + STARTS[start], *arguments]
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    process = subprocess.Popen(command, env=buffered, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if stdout == "gone":
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None
    out, err = process.communicate()
    return process.returncode, out or b"", err

"""The examples for CI: each is parsed, and the commands of wheelcheck in it are run as a runner would run them."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from doors import PROJECTS, stand_alone
from formats import verdict_in
from loopback import simple_index
from wheels import make_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(os.name != "posix", reason="the runners' shell is bash")


def examples(page: str) -> list[Any]:
    blocks = re.findall(r"^```yaml\n(.*?)^```$", (ROOT / "docs" / page).read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return [yaml.safe_load(block) for block in blocks]


def commands_in(node: Any) -> Iterator[str]:
    """The commands of an example that run wheelcheck."""
    if isinstance(node, dict):
        for key, value in node.items():
            lines = value if isinstance(value, list) else [value]
            if key in ("run", "script"):
                yield from (line for line in lines if line.startswith(("wheelcheck ", "pytest ")))
            else:
                yield from commands_in(value)
    elif isinstance(node, list):
        for value in node:
            yield from commands_in(value)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project with requirements and built wheels, and the commands on PATH."""
    place = tmp_path / "project"
    (place / "dist").mkdir(parents=True)
    stand_alone(monkeypatch, place)
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("wheelcheck", "pytest"):
        (tools / name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m {name} "$@"\n')
        (tools / name).chmod(0o755)
    (place / "requirements.txt").write_text("alone\n")
    for python in ("cp312", "cp313"):
        wheel = make_wheel("mine", "1.0", f"{python}-{python}-manylinux_2_17_x86_64", requires=["alone"])
        (place / "dist" / wheel.filename).write_bytes(wheel.content)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    with simple_index({**PROJECTS, "mine": []}) as server:
        monkeypatch.setenv("PIP_INDEX_URL", server.index)
        yield place


def bash(script: str, place: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """What a runner makes of a script."""
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(
        command,
        cwd=place,
        env={**os.environ, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


COMMANDS = [command for example in examples("ci.md") for command in commands_in(example)]


def test_there_are_examples() -> None:
    assert len(COMMANDS) == 5


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_pass_where_all_is_well_and_fail_where_it_is_not(command: str, project: Path) -> None:
    well = bash(command, project)
    assert well.returncode == 0, well.stdout + well.stderr
    (project / "requirements.txt").write_text("nosuchproject\n")
    for wheel in (project / "dist").glob("*cp313*"):
        wheel.rename(wheel.with_name(wheel.name.replace("manylinux", "musllinux")))
    assert bash(command, project).returncode == 1


def test_the_files_are_in_their_formats(project: Path) -> None:
    for command in COMMANDS:
        bash(command, project)
    assert verdict_in((project / "wheelcheck.sarif").read_text(), "sarif") == "compatible"
    assert verdict_in((project / "wheelcheck.xml").read_text(), "junit") == "compatible"
    assert (project.parent / "summary.md").read_text().startswith("## wheelcheck\n")


@pytest.mark.parametrize(
    ("requirements", "targets", "options", "code"),
    [
        ("requirements.txt", "macos-14-arm64-cp313\nlinux-glibc2.28-x86_64-cp313\n", "", 0),
        ("requirements.txt", "", "", 0),
        ("requirements.txt\nmore wheels.txt", "macos-14-arm64-cp312", "", 0),
        ("requirements.txt\nmore wheels.txt", "linux-glibc2.28-x86_64-cp312", "", 1),
        ("warns.txt", "linux-glibc2.28-x86_64-cp312", "", 0),
        ("warns.txt", "linux-glibc2.28-x86_64-cp312", "--strict --no-rules", 1),
        ("nowhere.txt", "linux-glibc2.28-x86_64-cp312", "", 2),
        ("requirements.txt; touch hacked", "$(touch hacked)", "", 2),
    ],
)
def test_the_action(project: Path, requirements: str, targets: str, options: str, code: int) -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    assert {name for name, about in action["inputs"].items() if "description" in about} == set(action["inputs"])
    step = action["runs"]["steps"][-1]
    assert set(step["env"]) == {"INPUT_REQUIREMENTS", "INPUT_TARGETS", "INPUT_OPTIONS", "INPUT_PYTHON"}
    assert "${{" not in step["run"]  # what a user writes there would be run
    (project / "more wheels.txt").write_text("onlymac\n")
    (project / "warns.txt").write_text("candidate\n")
    inputs = {"INPUT_REQUIREMENTS": requirements, "INPUT_TARGETS": targets, "INPUT_OPTIONS": options}
    ended = bash(step["run"], project, **inputs, INPUT_PYTHON=sys.executable)
    assert ended.returncode == code, ended.stdout + ended.stderr
    assert (project.parent / "output").read_text() == f"exit-code={code}\n"
    if code < 2:
        assert verdict_in(ended.stdout, "github") == ("not compatible" if code else "compatible")
        assert "| target | verdict | reason |" in (project.parent / "summary.md").read_text()
    assert not (project / "hacked").exists()


def test_the_pre_commit_hook(project: Path) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    (used,) = [example for example in examples("ci.md") if "repos" in example]
    (configured,) = used["repos"][0]["hooks"]
    assert configured["id"] == hook["id"]
    assert hook["pass_filenames"] is False
    for file in ("requirements.txt", "requirements/dev.txt", "sub/pyproject.toml", "pylock.toml", "pylock.mac.toml"):
        assert re.search(hook["files"], file)
    assert not re.search(hook["files"], "README.txt")
    for arguments in (hook["args"], configured["args"]):
        (project / "requirements.txt").write_text("alone\n")
        assert bash(shlex.join([*shlex.split(hook["entry"]), *arguments]), project).returncode == 0
        (project / "requirements.txt").write_text("nosuchproject\n")
        assert bash(shlex.join([*shlex.split(hook["entry"]), *arguments]), project).returncode == 1


def test_bash_completes_commands_and_targets(project: Path) -> None:
    register = Path(sys.executable).with_name("register-python-argcomplete")
    if not register.exists():
        pytest.skip("argcomplete's script is not beside this Python")
    script = f"""
eval "$({shlex.quote(str(register))} wheelcheck)"
ask() {{
  COMP_LINE=$1 COMP_POINT=${{#1}} COMP_TYPE=9
  COMP_WORDS=($1) COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
  _python_argcomplete wheelcheck "${{COMP_WORDS[COMP_CWORD]}}" "${{COMP_WORDS[COMP_CWORD-1]}}"
  echo "${{COMPREPLY[@]}}"
}}
ask "wheelcheck conf"
ask "wheelcheck check -t macos-14-r"
ask "wheelcheck check --exclude-n"
"""
    ended = bash(script, project)
    assert [line.strip() for line in ended.stdout.splitlines()] == ["confirm", "macos-14-rosetta", "--exclude-newer"]

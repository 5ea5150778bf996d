"""Ask pip and the hook the argument lists of tests/hook/arguments.toml in six environments; print where they differ.

    python tests/support/run_hook.py [FOLDER] [--only ENVIRONMENT,CASE]

The index is the one that pip is configured for. Environments are made in FOLDER, or in a temporary one, and kept there.
Exit code 1 where a difference has no reason in the file, or a reason no difference.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

from wheels import make_wheel

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
ARGUMENTS = ROOT / "tests" / "hook" / "arguments.toml"


class Case(NamedTuple):
    """An argument list, with the reasons for known differences by environment; "" is any."""

    name: str
    arguments: tuple[str, ...]
    reasons: Mapping[str, str]

    def reason(self, environment: str) -> str:
        return self.reasons.get(environment, self.reasons.get("", ""))


def cases() -> Iterator[Case]:
    told = tomllib.loads(ARGUMENTS.read_text("utf-8"))
    for name, arguments in told["cases"].items():
        reasons = told.get("differs", {}).get(name, {})
        yield Case(name, tuple(arguments), {"": reasons} if isinstance(reasons, str) else reasons)


# -- environments


def python_in(environment: Path) -> Path:
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def run(*command: str | Path) -> None:
    subprocess.run([*map(str, command)], check=True, stdout=subprocess.DEVNULL)


def site_packages(environment: Path) -> Path:
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return Path(subprocess.check_output([python_in(environment), "-c", code], text=True).strip())


def made(place: Path, *requirements: str) -> Path:
    """A virtual environment with the newest pip and some requirements."""
    run(sys.executable, "-m", "venv", place)
    run(python_in(place), "-m", "pip", "install", "-q", "-U", "pip")
    if requirements:
        run(python_in(place), "-m", "pip", "install", "-q", *requirements)
    return place


def broken(place: Path) -> Path:
    """What interrupted installations leave: no METADATA, no name, a bad requirement, a tilde, a version of no form."""
    made(place, "six==1.15.0", "idna==3.4")
    folder = site_packages(place)
    for name, text in {
        "attrs-23.1.0.dist-info": None,
        "nameless-1.0.dist-info": "Metadata-Version: 2.1\nVersion: 1.0\n",
        "badneeds-1.0.dist-info": "Metadata-Version: 2.1\nName: badneeds\nVersion: 1.0\nRequires-Dist: six (>>1)\n",
        "~ytz-2023.3.dist-info": "Metadata-Version: 2.1\nName: pytz\nVersion: 2023.3\n",
    }.items():
        (folder / name).mkdir()
        if text is not None:
            (folder / name / "METADATA").write_text(text)
    return place


def with_editable(place: Path, files: Path) -> Path:
    made(place, "setuptools", "six==1.15.0")
    run(python_in(place), "-m", "pip", "install", "-q", "-e", files / "project")
    return place


def externally_managed(place: Path) -> Path:
    """A whole Python of its own, no virtual environment, whose distributor forbids pip to install (PEP 668)."""
    leave_out = shutil.ignore_patterns("test", "__pycache__", "site-packages", "idlelib", "*.a")
    shutil.copytree(sys.base_prefix, place, symlinks=True, ignore=leave_out)
    if not python_in(place).exists():
        python_in(place).symlink_to("python3")
    run(python_in(place), "-m", "ensurepip")
    run(
        python_in(place),
        "-m",
        "pip",
        "install",
        "-q",
        "-U",
        "pip",
        "six==1.15.0",
        "requests==2.28.0",
        "urllib3==1.26.0",
    )
    code = "import sysconfig; print(sysconfig.get_path('stdlib'))"
    stdlib = subprocess.check_output([python_in(place), "-c", code], text=True).strip()
    Path(stdlib, "EXTERNALLY-MANAGED").write_text("[externally-managed]\nError=Ask the distributor.\n")
    return place


ENVIRONMENTS: Mapping[str, Callable[[Path, Path], Path]] = {
    "empty": lambda place, _: made(place),
    "old": lambda place, _: made(place, "numpy==1.24.4", "pandas==2.0.3", "urllib3==1.26.5", "requests==2.28.0"),
    "tensorflow": lambda place, _: made(place, "tensorflow-cpu==2.15.0", "numpy==1.26.4"),
    "broken": lambda place, _: broken(place),
    "editable": with_editable,
    "managed": lambda place, _: externally_managed(place),
}


def write_files(folder: Path) -> None:
    """The small projects, wheels and requirements files that the argument lists name."""
    project = folder / "project" / "src" / "ham"
    project.mkdir(parents=True, exist_ok=True)
    (project / "__init__.py").write_text("")
    (folder / "project" / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "ham"\nversion = "1.0"\ndependencies = ["six>=1.15"]\n'
        '[dependency-groups]\ntest = ["idna>=3", {include-group = "more"}]\nmore = ["six"]\n'
    )
    for dist in (
        make_wheel("wheelcheck_spam", "1.0", requires=["wheelcheck-eggs"]),
        *(make_wheel("wheelcheck_eggs", v) for v in ("1.0", "2.0")),
    ):
        (folder / dist.filename).write_bytes(dist.content)
    spam, eggs = (
        (folder / name).read_bytes()
        for name in ("wheelcheck_spam-1.0-py3-none-any.whl", "wheelcheck_eggs-2.0-py3-none-any.whl")
    )
    lines = [
        f"{folder}/wheelcheck_spam-1.0-py3-none-any.whl --hash=sha256:{hashlib.sha256(spam).hexdigest()}",
        f"{folder}/wheelcheck_eggs-2.0-py3-none-any.whl --hash=sha256:{hashlib.sha256(eggs).hexdigest()}",
    ]
    (folder / "hashes.txt").write_text("\n".join(lines) + "\n")
    (folder / "requirements.txt").write_text("idna>=3.4  # a comment\nurllib3<3\nsix; python_version >= '3.8'\n")
    (folder / "constraints.txt").write_text("urllib3<2\nidna!=3.5\n")


# -- both answers


def chosen_by_pip(python: Path, arguments: Sequence[str]) -> set[str] | None:
    """What pip would install, as NAME==VERSION; None where it refuses."""
    with TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        command = [python, "-m", "pip", "install", "--dry-run", "--report", report, *arguments]
        done = subprocess.run([*map(str, command)], capture_output=True, check=False, text=True)
        if done.returncode or not report.exists():
            return None
        told = json.loads(report.read_text("utf-8"))
    return {f"{canonical(one['metadata']['name'])}=={one['metadata']['version']}" for one in told["install"]}


def canonical(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def answer_of_the_hook(python: Path, arguments: Sequence[str]) -> tuple[int, dict[str, Any]]:
    """The exit code of the hook, and its document; empty where it gave none."""
    options = ["--format", "json", "--no-remedies", "--python", str(python)]
    command = [sys.executable, "-m", "wheelcheck", "hook", *options, "install", "--dry-run", *arguments]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout) if done.stdout else {"told": done.stderr.strip()}


def chosen_by_the_hook(code: int, document: Mapping[str, Any]) -> set[str] | str | None:
    """What pip would install according to the hook; None where it would refuse, and a text where that is unknown."""
    if not document.get("results"):
        return str(document.get("told", ""))
    [result] = document["results"]
    if result["error"] is not None:
        return str(result["error"]["message"])
    is_judged = result["conflict"] is None or any(
        demand["origin"].get("place") == "what pip would choose" for demand in result["conflict"]["demands"]
    )
    return {f"{pin['name']}=={pin['version']}" for pin in result["pins"]} if is_judged else None


def difference(environment: Path, case: Case, files: Path) -> str:
    """Where pip and the hook differ in one environment; empty where they do not."""
    arguments = [text.replace("{files}", str(files)) for text in case.arguments]
    theirs = chosen_by_pip(python_in(environment), arguments)
    ours = chosen_by_the_hook(*answer_of_the_hook(python_in(environment), arguments))
    if ours == theirs:
        return ""
    if isinstance(ours, str):
        return f"unknown to the hook: {ours}"
    if ours is None or theirs is None:
        return f"only pip: {sorted(theirs - ours)}, only the hook: {sorted(ours - theirs)}"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    with TemporaryDirectory() as temporary:
        folder = (given.folder or Path(temporary)).resolve()
        return compare(folder, given.only)


def compare(folder: Path, only: str) -> int:
    wanted = set(filter(None, only.split(",")))
    files = folder / "files"
    files.mkdir(parents=True, exist_ok=True)
    write_files(files)
    every = list(cases())
    counted = {"equal": 0, "different with a reason": 0, "different": 0, "reason without a difference": 0}
    for name, make in ENVIRONMENTS.items():
        if wanted and not wanted & {name} and wanted & set(ENVIRONMENTS):
            continue
        place = folder / name
        if not python_in(place).exists():
            make(place, files)
        for case in every:
            if wanted - set(ENVIRONMENTS) and case.name not in wanted:
                continue
            found, reason = difference(place, case, files), case.reason(name)
            kind = "equal" if not found else "different with a reason" if reason else "different"
            kind = "reason without a difference" if reason and not found else kind
            counted[kind] += 1
            if kind != "equal":
                print(f"{name:12}{case.name:28}{kind}: {reason or found}", flush=True)
    print("; ".join(f"{kind}: {number}" for kind, number in counted.items()))
    return int(bool(counted["different"] + counted["reason without a difference"]))


if __name__ == "__main__":
    sys.exit(main())

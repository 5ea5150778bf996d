"""Installs what tests/support/imports.toml asks for, imports it, and writes down what came of it.

Each run asks wheelcheck for the newest files that fit a Python of this machine, once by metadata alone and once with
the curated rules. The pins of each answer are installed in a fresh virtual environment, deleted afterwards, and
imported in a process of its own. What came of it goes to fixtures/imports.jsonl, a line at once, so that a stopped run
goes on where it was; `--write` makes docs/imports.md and rules/data/runs.json of these lines.

    python tests/support/run_imports.py [PART]...     runs whose name has a part, or all, without a result yet
    python tests/support/run_imports.py --again PART  as before, and those with a result too
    python tests/support/run_imports.py --write       sorts the results and writes both

uv installs where it is there (beside this Python or on PATH), else pip. Pythons are those of pyenv, else those on PATH.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement
from packaging.version import Version

import wheelcheck

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ROOT = Path(__file__).resolve().parents[2]
RUNS = ROOT / "tests" / "support" / "imports.toml"
RESULTS = ROOT / "fixtures" / "imports.jsonl"
PAGE = ROOT / "docs" / "imports.md"
IMPORTED = ROOT / "src" / "wheelcheck" / "rules" / "data" / "runs.json"

PATIENCE = 300
FAILED = "what came of it: "
CHILD = f"""
import sys, traceback
try:
    exec(sys.argv[1], {{}})
except BaseException as error:
    told = "".join(traceback.format_exception_only(type(error), error)).strip().splitlines()
    print("\\n{FAILED}" + (told[0] if told else type(error).__name__))
    sys.exit(1)
"""

Result = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """One combination on one Python, answered by metadata alone or with the curated rules."""

    python: str
    asks: tuple[str, ...]
    code: str
    rules: bool

    @property
    def key(self) -> str:
        return f"{self.python} {' '.join(self.asks)} {'with rules' if self.rules else 'by metadata'}"


def every_run() -> Iterator[Run]:
    """The runs of tests/support/imports.toml, those of one Python side by side."""
    told = tomllib.loads(RUNS.read_text("utf-8"))
    for table in told["runs"]:
        project = table["project"]
        for version, python, rules in product(table["versions"], table["pythons"], (False, True)):
            asks = (f"{project}=={version}", *(text.format(version=version) for text in table.get("with", ())))
            yield Run(python, asks, table.get("code") or told["code"][project], rules)


# -- running


def outcome_of(run: Run, known: Mapping[str, Result]) -> Result:
    """What comes of a run; where the rules change no pin, nothing is installed a second time."""
    python = python_of(run.python)
    if python is None:
        return {"outcome": "no Python"}
    pins = pins_of(run, python)
    if not pins:
        return {"outcome": "no answer"}
    plain = known.get(Run(run.python, run.asks, run.code, False).key)
    if run.rules and plain and plain.get("pins") == pins:
        return {**plain, "same": True}
    with tempfile.TemporaryDirectory(prefix="imports-") as folder:
        return {"pins": pins, **installed_and_imported(Path(folder), python, pins, run.code)}


def pins_of(run: Run, python: str) -> dict[str, str]:
    """What wheelcheck would install, or nothing where there is no answer."""
    report = wheelcheck.check(list(run.asks), targets=[python], no_rules=not run.rules, isolated=True)
    (result,) = report.results
    if result.error is not None:
        raise SystemExit(f"{run.key}: {result.error}")
    return {pin.name: str(pin.version) for pin in result.pins}


def installed_and_imported(folder: Path, python: str, pins: Mapping[str, str], code: str) -> Result:
    install(folder / "venv", python, [f"{name}=={version}" for name, version in pins.items()])
    (folder / "empty").mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = [str(folder / "venv" / "bin" / "python"), "-c", CHILD, code]
    try:
        done = subprocess.run(
            command,
            cwd=folder / "empty",
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"outcome": "hangs", "error": f"no end after {PATIENCE} seconds"}
    if not done.returncode:
        return {"outcome": "imports"}
    said = [line for line in done.stdout.splitlines() if line.startswith(FAILED)]
    error = said[-1].removeprefix(FAILED)[:400] if said else ended(done)
    return {"outcome": "fails", "error": error.replace(f"{folder}/", "")[:200]}


def ended(done: subprocess.CompletedProcess[str]) -> str:
    """How a process that told nothing came to its end."""
    last = (done.stderr.strip().splitlines() or [""])[-1][:160]
    return f"ended by signal {-done.returncode}" if done.returncode < 0 else f"exit code {done.returncode}: {last}"


def install(venv: Path, python: str, pins: list[str]) -> None:
    """A fresh environment with exactly these pins, from wheels only."""
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if uv:
        run_quietly(uv, "venv", "-q", "--no-project", "-p", python, str(venv))
        run_quietly(uv, "pip", "install", "-q", "-p", str(venv), "--no-deps", "--only-binary", ":all:", *pins)
    else:
        run_quietly(python, "-m", "venv", str(venv))
        pip = (str(venv / "bin" / "python"), "-m", "pip", "install", "-q", "--no-deps", "--only-binary", ":all:")
        run_quietly(*pip, *pins)


def run_quietly(*command: str) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:4])} failed: {done.stderr.strip()[-500:]}")


@cache
def python_of(minor: str) -> str | None:
    """The newest Python of a minor version: pyenv's, else the one on PATH."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    pythons = versions.glob(f"{minor}.*/bin/python")
    found = [path for path in pythons if re.fullmatch(r"[\d.]+", path.parent.parent.name)]
    newest = max(found, key=lambda path: Version(path.parent.parent.name), default=None)
    return str(newest) if newest else shutil.which(f"python{minor}")


# -- keeping


def results() -> dict[str, Result]:
    """What is known, the last word on each run."""
    lines = RESULTS.read_text("utf-8").splitlines() if RESULTS.exists() else []
    return {entry["run"]: entry for entry in map(json.loads, lines)}


def keep(entry: Result) -> None:
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")


def entry_of(run: Run, about: Result) -> Result:
    today = datetime.now(timezone.utc).date().isoformat()
    return {**about, "run": run.key, "python": run.python, "asks": list(run.asks), "rules": run.rules, "date": today}


def go_through(parts: Iterable[str], *, again: bool) -> None:
    known = results()
    for run in every_run():
        if parts and not any(part in run.key for part in parts):
            continue
        if run.key in known and not again:
            continue
        about = known[run.key] = entry_of(run, outcome_of(run, known))
        keep(about)
        print(run.key, "->", about["outcome"], about.get("error", ""), flush=True)


# -- telling

HEAD = """# Imports that were run

What happens when the files that metadata admits are installed and imported, and when those of the curated rules are.
This page is made by `python tests/support/run_imports.py --write` from `fixtures/imports.jsonl`, where every pin and
the error of every run is; `tests/support/imports.toml` says what is run. All runs were made on Linux (x86_64,
glibc), on the newest releases of their day. They say nothing of macOS and Windows, whose wheels are other files of the
same source.

"By metadata" is the answer of `--no-rules`. Where the rules change nothing, the last column says so. A result stands
until its run is made again.
"""


def write_page() -> None:
    wanted = {run.key: number for number, run in enumerate(every_run())}
    kept = sorted((entry for entry in results().values() if entry["run"] in wanted), key=lambda e: wanted[e["run"]])
    RESULTS.write_text("".join(json.dumps(entry, sort_keys=True) + "\n" for entry in kept), "utf-8")
    PAGE.write_text(page_of(kept), "utf-8")
    IMPORTED.write_text(imported_of(kept), "utf-8")


def imported_of(entries: Iterable[Result]) -> str:
    """The versions of each project that were installed and imported, for `wheelcheck rules verify`."""
    versions: dict[str, set[Version]] = {}
    for entry in entries:
        if "pins" in entry:
            name = Requirement(entry["asks"][0]).name
            versions.setdefault(name, set()).add(Version(entry["pins"][name]))
    found = {name: list(map(str, sorted(versions[name]))) for name in sorted(versions)}
    return "{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(told)}" for name, told in found.items()) + "\n}\n"


def page_of(entries: list[Result]) -> str:
    projects: dict[str, list[Result]] = {}
    for entry in entries:
        projects.setdefault(Requirement(entry["asks"][0]).name, []).append(entry)
    parts = [HEAD, *summary(entries)]
    for project in sorted(projects):
        rows = list(rows_of(projects[project]))
        if rows:
            head = [
                f"## {project}",
                "",
                "| version | beside | Python | by metadata | with the rules |",
                "|---|---|---|---|---|",
            ]
            parts.append("\n".join([*head, *rows]))
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def summary(entries: list[Result]) -> Iterator[str]:
    """How many runs came out how, and each failure that the rules leave, with its reason."""
    made = [entry for entry in entries if "pins" in entry and not entry.get("same")]
    counts = Counter(entry["outcome"] for entry in made)
    told = ", ".join(f"{number} {outcome}" for outcome, number in counts.most_common())
    answers = [entry for entry in entries if "pins" in entry and entry["rules"]]
    bad = sum(entry["outcome"] != "imports" for entry in answers)
    yield "## Summary"
    yield (
        f"{len(made)} environments were made: {told}. Of the {len(answers)} answers with the rules, "
        f"{len(answers) - bad} import and {bad} fail, for these reasons:"
    )
    open_ones: dict[str, list[str]] = {}
    for entry in failing(entries):
        open_ones.setdefault(reason_of(entry) or "no reason is known", []).append(shown(entry))
    rows = [f"| {', '.join(dict.fromkeys(asks))} | {why} |" for why, asks in open_ones.items()]
    yield "\n".join(["| asked for | why it fails |", "|---|---|", *rows])


def failing(entries: Iterable[Result]) -> list[Result]:
    """The answers with the rules that do not import."""
    return [entry for entry in entries if entry["rules"] and "pins" in entry and entry["outcome"] != "imports"]


def reason_of(entry: Result) -> str | None:
    """Why no rule keeps an answer from failing, as tests/support/imports.toml has it."""
    asks = " ".join(entry["asks"])
    told = tomllib.loads(RUNS.read_text("utf-8")).get("reasons", [])
    return next((one["why"] for one in told if any(asks.startswith(start) for start in one["asks"])), None)


def shown(entry: Result) -> str:
    return f"{' '.join(entry['asks'])} ({entry['python']})"


def rows_of(entries: list[Result]) -> Iterator[str]:
    """A row for each outcome; versions and Pythons that share one stand together."""
    both: dict[tuple[str, str], dict[bool, Result]] = {}
    for entry in entries:
        both.setdefault((" ".join(entry["asks"]), entry["python"]), {})[entry["rules"]] = entry
    by_version: dict[tuple[str, str, str, str], list[str]] = {}
    for (asks, python), pair in both.items():
        if any("pins" in entry for entry in pair.values()):
            first, _, beside = asks.partition(" ")
            version = Requirement(first).specifier
            key = (beside, cell(pair.get(False)), cell(pair.get(True)), str(version).removeprefix("=="))
            by_version.setdefault(key, []).append(python)
    told: dict[tuple[str, str, str, str], list[str]] = {}
    for (beside, plain, ruled, version), pythons in by_version.items():
        told.setdefault((beside, ", ".join(dict.fromkeys(pythons)), plain, ruled), []).append(version)
    for (beside, pythons, plain, ruled), versions in told.items():
        listed = ", ".join(sorted(dict.fromkeys(versions), key=Version))
        yield f"| {listed} | {beside.replace('|', '')} | {pythons} | {plain} | {ruled} |"


def cell(entry: Result | None) -> str:
    if entry is None:
        return "not run"
    if "pins" not in entry:
        return str(entry["outcome"])
    if entry.get("same"):
        return "the same"
    if entry["outcome"] == "imports":
        return "imports"
    return f"**{entry['outcome']}**: `{plainly(entry['error'])}`".replace("|", "\\|")


def plainly(error: str) -> str:
    """An error as far as it tells of its kind, without places and numbers of this one run."""
    short = re.split(r" \(auto-generated|, may indicate| \(/|; Detected|\. Please", error)[0]
    return short if len(short) <= 90 else f"{short[:87]}..."


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    if arguments.write:
        write_page()
    else:
        go_through(arguments.parts, again=arguments.again)


if __name__ == "__main__":
    main()

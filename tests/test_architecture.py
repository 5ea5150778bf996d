"""The import map of docs/architecture.md against the imports that the source really has, and what start-up may load.

``python tests/test_architecture.py`` prints the rows of the map as the source asks for them, new modules last.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import wheelcheck

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "wheelcheck"
PAGE = ROOT / "docs" / "architecture.md"

STOREYS = ("core", "shell", "child", "door")
STANDARD = sys.stdlib_module_names | {"tomllib"}
"""Python 3.10 does not know tomllib yet; the map is the same on every Python."""

CORE_MAY_IMPORT = {
    "distributions": {"packaging"},
    "provider": {"packaging", "resolvelib"},
    "search": {"packaging", "resolvelib"},
    "projects": {"packaging", "tomli"},
    "rules": {"packaging", "tomli"},
}
FILES = {"glob", "os", "pathlib", "shutil", "sqlite3", "tempfile"}
PROCESSES = {"asyncio", "concurrent", "ctypes", "multiprocessing", "signal", "subprocess", "threading"}
NETWORK = {"http", "socket", "ssl", "urllib.error", "urllib.request"}
SURROUNDINGS = {"getpass", "importlib", "locale", "logging", "platform", "random", "site", "sysconfig", "time"}
THE_WORLD = FILES | PROCESSES | NETWORK | SURROUNDINGS
"""What the core may not import: it reads no file, starts nothing, asks no network, environment or clock."""
WORLDLY_CALLS = {"print", "open", "input", "now", "today", "utcnow"}
MAY_IMPORT_BY_NAME = {"__init__", "_probe"}
"""The lazy public names, and the child script that imports what it is told to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the map. `here` are modules of wheelcheck, `elsewhere` those of other distributions."""

    module: str
    storey: str
    what: str
    here: frozenset[str]
    elsewhere: frozenset[str]

    def __str__(self) -> str:
        cells = (f"`{self.module}`", self.storey, self.what, cell_of(self.here), cell_of(self.elsewhere))
        return f"| {' | '.join(cells)} |"


def cell_of(names: frozenset[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)) or "-"


def names_in(cell: str) -> frozenset[str]:
    return frozenset(re.findall(r"`([^`]+)`", cell))


@cache
def written() -> dict[str, Row]:
    """The rows of the map, in its order."""
    section = PAGE.read_text("utf-8").partition("\n## The import map\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    rows = [
        Row(module=module.strip("`"), storey=storey, what=what, here=names_in(here), elsewhere=names_in(elsewhere))
        for module, storey, what, here, elsewhere in cells
    ]
    assert len({row.module for row in rows}) == len(rows), "a module has two rows in the import map"
    return {row.module: row for row in rows}


# -- what the source imports


@cache
def sources() -> dict[str, Path]:
    """Every module: `verdicts`, `render.text`, `render` for a package inside, `__init__` for wheelcheck itself."""
    return {name_of(path): path for path in SOURCE.rglob("*.py")}


def name_of(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(sources()[module].read_text("utf-8"), module)


def runs(node: ast.AST) -> Iterator[ast.AST]:
    """Every node below that runs: all but the blocks for type checkers only."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and is_type_checking(child.test):
            for other in child.orelse:
                yield other
                yield from runs(other)
        else:
            yield child
            yield from runs(child)


def is_type_checking(test: ast.expr) -> bool:
    return "TYPE_CHECKING" in (getattr(test, "id", ""), getattr(test, "attr", ""))


@cache
def imported_by(module: str) -> frozenset[str]:
    """The full dotted names that a module imports, at its top or in its functions."""
    return frozenset(name for node in runs(tree_of(module)) for name in imported_at(node, module))


def imported_at(node: ast.AST, module: str) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(names=names):
            origin = origin_of(node, module)
            return [f"{origin}.{alias.name}" for alias in names]
        case ast.Call(args=[ast.Constant(value=str(name)), *_]) if called(node) in ("import_module", "__import__"):
            return [name]
    return []


def origin_of(node: ast.ImportFrom, module: str) -> str:
    if not node.level:
        return node.module or ""
    package = ["wheelcheck", *([] if module == "__init__" else module.split("."))]
    is_package = sources()[module].name == "__init__.py"
    stem = package[: len(package) - node.level + is_package]
    return ".".join([*stem, *([node.module] if node.module else [])])


def called(node: ast.Call) -> str:
    return str(getattr(node.func, "id", getattr(node.func, "attr", "")))


def here_of(module: str) -> frozenset[str]:
    """The modules of wheelcheck among them. Reading the literal `__version__` is no arrow."""
    names = {name for name in imported_by(module) if name.split(".")[0] == "wheelcheck"} - {"wheelcheck.__version__"}
    return frozenset(map(module_of, names)) - {module}


def module_of(dotted: str) -> str:
    parts = dotted.split(".")[1:]
    stems = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((stem for stem in stems if stem in sources() or stem in written()), "__init__")


def elsewhere_of(module: str) -> frozenset[str]:
    return frozenset({name.split(".")[0] for name in imported_by(module)} - STANDARD - {"wheelcheck"})


def found(module: str) -> Row:
    """The row that the source of a module asks for; its words are those of the map."""
    row = written().get(module)
    return Row(
        module=module,
        storey=row.storey if row else "STOREY",
        what=row.what if row else "WHAT IT IS",
        here=here_of(module),
        elsewhere=elsewhere_of(module),
    )


# -- the map is true


@pytest.mark.parametrize("module", sorted(sources().keys() | written().keys()))
def test_the_import_map_is_what_the_source_imports(module: str) -> None:
    if module not in sources():
        pytest.fail(f"docs/architecture.md has a row for {module}, which is no module: remove it")
    assert written().get(module) == found(module), f"the row of docs/architecture.md should read\n\n{found(module)}\n"


def test_arrows_only_go_up_the_list() -> None:
    order = list(written())
    down = [
        f"{module} imports {other}, which is not above it"
        for place, module in enumerate(order)
        if module in sources()
        for other in sorted(here_of(module))
        if other not in order[:place]
    ]
    assert not down


def test_storeys_stand_in_order() -> None:
    storeys = [row.storey for row in written().values() if row.storey != "child"]
    assert set(storeys) <= set(STOREYS)
    assert storeys == sorted(storeys, key=STOREYS.index)


def of_storey(storey: str) -> list[str]:
    return [module for module, row in written().items() if row.storey == storey and module in sources()]


@pytest.mark.parametrize("module", of_storey("core"))
def test_the_core_imports_no_more_than_packaging(module: str) -> None:
    assert elsewhere_of(module) <= CORE_MAY_IMPORT.get(module, {"packaging"})


@pytest.mark.parametrize("module", of_storey("core"))
def test_the_core_touches_nothing_of_the_world(module: str) -> None:
    assert [name for name in imported_by(module) if any(f"{name}.".startswith(f"{part}.") for part in THE_WORLD)] == []
    assert {called(node) for node in runs(tree_of(module)) if isinstance(node, ast.Call)} & WORLDLY_CALLS == set()


@pytest.mark.parametrize("module", of_storey("child"))
def test_child_scripts_need_nothing_but_the_standard_library(module: str) -> None:
    """Inside a function they may import what they are there to find; they are run as files, without wheelcheck."""
    tops = {name.split(".")[0] for node in tree_of(module).body for name in imported_at(node, module)}
    assert tops <= STANDARD
    assert here_of(module) == frozenset()


def test_only_one_module_speaks_http() -> None:
    assert [module for module in sources() if "httpx" in elsewhere_of(module)] == ["transport"]


@pytest.mark.parametrize("module", sorted(sources().keys() - MAY_IMPORT_BY_NAME))
def test_no_import_hides_behind_a_computed_name(module: str) -> None:
    calls = [node for node in runs(tree_of(module)) if isinstance(node, ast.Call)]
    dynamic = [node for node in calls if called(node) in ("import_module", "__import__")]
    assert all(imported_at(node, module) for node in dynamic), "an import that the map cannot see"


def test_no_module_bears_the_name_of_a_public_name() -> None:
    assert set(wheelcheck.__all__) & {module.split(".")[0] for module in sources()} - {"__init__"} == set()


# -- start-up loads little

HEAVY = {"httpx", "resolvelib", "packaging", "rich"}
WATCH = """
import contextlib, io, json, runpy, sys
{before}
known = set(sys.modules)
code = 0
with contextlib.redirect_stdout(io.StringIO()):
    try:
        {act}
    except SystemExit as end:
        code = end.code or 0
print(json.dumps(sorted({{name.partition(".")[0] for name in set(sys.modules) - known}})))
sys.exit(code)
"""
VERSION = 'sys.argv = ["wheelcheck", "--version"]; runpy.run_module("wheelcheck", run_name="__main__")'
STARTS = {
    "import wheelcheck": ("", "import wheelcheck"),
    "wheelcheck --version": ("", VERSION),
    "the pytest plugin": ("import pytest", "import wheelcheck.pytest_plugin"),
}


def loaded(before: str, act: str) -> set[str]:
    """The packages that an act loads in a Python of its own, beyond what was there before."""
    script = WATCH.format(before=before, act=act)
    command = [sys.executable, "-W", "ignore", "-c", script]
    answer = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    assert answer.returncode == 0, answer.stderr
    return set(json.loads(answer.stdout))


@pytest.mark.parametrize("start", STARTS)
def test_starting_loads_nothing_heavy(start: str) -> None:
    names = loaded(*STARTS[start])
    assert "wheelcheck" in names
    assert names & HEAVY == set()


if __name__ == "__main__":
    modules = [*written(), *sorted(sources().keys() - written().keys())]
    print(*(found(module) for module in modules if module in sources()), sep="\n")

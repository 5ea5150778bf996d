"""The table of rooms in docs/architecture.md against the imports of the source, and what start-up may load."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

import wheelcheck

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "wheelcheck"
PAGE = ROOT / "docs" / "architecture.md"

AT_THE_TOP = {"__init__", "__main__", "_version", "py", "pytest_plugin"}
"""The only modules outside the rooms; `py.typed` is a marker file."""
FOR_ALL = {"_version"}
"""What any module may import, since it imports nothing itself."""
CHILDREN = {f"interpreters.{name}" for name in ("_describe", "_distributions", "_pip", "_probe")}
"""Scripts that another Python runs, which need its standard library only."""

STANDARD = sys.stdlib_module_names | {"tomllib"}
CORE_MAY_IMPORT = {"packaging", "resolvelib", "tomli"}
ONLY_IN = {
    "httpx": "index.http",
    "resolvelib": "resolver",
    "rich": "render",
    "platformdirs": "index.cache",
}
"""Libraries that one room, or one part of it, knows."""
THE_WORLD = {
    *("glob", "os", "pathlib", "shutil", "sqlite3", "tempfile"),  # files
    *("asyncio", "concurrent", "ctypes", "threading", "multiprocessing", "signal", "subprocess"),  # processes
    *("http", "socket", "ssl", "urllib.error", "urllib.request"),  # the network
    *(
        "getpass",
        "importlib",
        "locale",
        "logging",
        "platform",
        "random",
        "site",
        "sysconfig",
        "time",
    ),  # the environment
}
"""What the core may not import: it reads no file, starts nothing, asks no network, environment or clock."""
WORLDLY_CALLS = {"print", "open", "input", "now", "today", "utcnow"}
WITH_A_DOOR = {"common.threads", "diagnosis.diagnose", "rules.load", "targets.presets"}
"""Modules of core rooms that do touch the world: thread helpers, and the readers of the package's own data."""
MAY_IMPORT_BY_NAME = {"__init__", "interpreters._probe"}
"""The lazy public names, and the child script that imports what it is told to."""


class Room(NamedTuple):
    """One row of the table: a package, what it is for, and its layer."""

    name: str
    purpose: str
    layer: str


@cache
def rooms() -> dict[str, Room]:
    """The rows of the table, in its order."""
    section = PAGE.read_text("utf-8").partition("\n## Rooms\n")[2].partition("\n## ")[0]
    rows = [Room(*row) for row in re.findall(r"^\| `(\w+)/?` \| (.+?) \| (\w+) \|$", section, re.MULTILINE)]
    return {row.name: row for row in rows}


@cache
def sources() -> dict[str, Path]:
    """Every module by its dotted name: `resolver.resolve`, `render` for a package itself, `__init__` for wheelcheck."""
    return {name_of(path): path for path in SOURCE.rglob("*.py")}


def name_of(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def room_of(module: str) -> str:
    return module.partition(".")[0]


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(sources()[module].read_text("utf-8"), module)


def runs(node: ast.AST) -> Iterator[ast.AST]:
    """Every node below that runs: all but the blocks for type checkers only."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for other in child.orelse:
                yield other
                yield from runs(other)
        else:
            yield child
            yield from runs(child)


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
    stem = package[: len(package) - node.level + (sources()[module].name == "__init__.py")]
    return ".".join([*stem, *([node.module] if node.module else [])])


def called(node: ast.Call) -> str:
    return str(getattr(node.func, "id", getattr(node.func, "attr", "")))


def here_of(module: str) -> frozenset[str]:
    """The modules of wheelcheck among them."""
    names = {name for name in imported_by(module) if room_of(name) == "wheelcheck"}
    return frozenset(map(module_of, names)) - {module} - FOR_ALL


def module_of(dotted: str) -> str:
    parts = dotted.split(".")[1:]
    stems = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((stem for stem in stems if stem in sources()), "__init__")


def elsewhere_of(module: str) -> frozenset[str]:
    return frozenset({room_of(name) for name in imported_by(module)} - STANDARD - {"wheelcheck"})


# -- the table is true


def test_the_package_holds_the_rooms_of_the_table_and_the_named_files() -> None:
    found = {path.name.partition(".")[0] for path in SOURCE.iterdir()} - {"__pycache__"}
    assert found == rooms().keys() - {"pytest_plugin"} | AT_THE_TOP


def test_layers_are_in_order() -> None:
    layers = [room.layer for room in rooms().values()]
    assert layers == sorted(layers, key=("core", "shell", "door").index)


@pytest.mark.parametrize("module", sorted(module for module in sources() if room_of(module) in rooms()))
def test_a_room_imports_only_from_the_rooms_above_it(module: str) -> None:
    order = list(rooms())
    above = {*order[: order.index(room_of(module)) + 1]}
    assert [other for other in sorted(here_of(module)) if room_of(other) not in above] == []


def test_no_module_imports_itself_through_others() -> None:
    """Imports inside functions count; they postpone a circle and do not remove it."""
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, f"a circle of imports: {' -> '.join((*path[path.index(module) :], module))}"
        if module not in done:
            for other in sorted(here_of(module)):
                visit(other, (*path, module))
            done.add(module)

    for module in sorted(sources().keys() - {"__init__"}):
        visit(module, ())


def of_layer(layer: str) -> list[str]:
    return sorted(
        module for module in sources() if room_of(module) in rooms() and rooms()[room_of(module)].layer == layer
    )


@pytest.mark.parametrize("module", of_layer("core"))
def test_the_core_touches_nothing_of_the_world(module: str) -> None:
    assert elsewhere_of(module) <= CORE_MAY_IMPORT
    if module not in WITH_A_DOOR:
        worldly = [name for name in imported_by(module) if any(f"{name}.".startswith(f"{part}.") for part in THE_WORLD)]
        assert worldly == []
        calls = {called(node) for node in runs(tree_of(module)) if isinstance(node, ast.Call)}
        assert calls & WORLDLY_CALLS == set()


@pytest.mark.parametrize("module", sorted(CHILDREN))
def test_child_scripts_need_nothing_but_the_standard_library(module: str) -> None:
    """Inside a function they may import what they are there to find; they are run as files, without wheelcheck."""
    tops = {room_of(name) for node in tree_of(module).body for name in imported_at(node, module)}
    assert tops <= STANDARD
    assert here_of(module) == frozenset()


@pytest.mark.parametrize("library", sorted(ONLY_IN))
def test_a_library_is_known_in_one_place(library: str) -> None:
    users = [module for module in sources() if library in elsewhere_of(module)]
    assert users
    assert [module for module in users if not f"{module}.".startswith(f"{ONLY_IN[library]}.")] == []


@pytest.mark.parametrize("module", sorted(sources().keys() - MAY_IMPORT_BY_NAME))
def test_no_import_hides_behind_a_computed_name(module: str) -> None:
    calls = [node for node in runs(tree_of(module)) if isinstance(node, ast.Call)]
    dynamic = [node for node in calls if called(node) in ("import_module", "__import__")]
    assert all(imported_at(node, module) for node in dynamic), "an import that this test cannot see"


@pytest.mark.parametrize(
    "room", sorted(path.parent.relative_to(SOURCE).as_posix() for path in SOURCE.glob("*/**/__init__.py"))
)
def test_the_init_of_a_room_holds_a_docstring_and_nothing_else(room: str) -> None:
    (statement,) = ast.parse((SOURCE / room / "__init__.py").read_text("utf-8")).body
    assert isinstance(statement, ast.Expr)


def test_no_module_bears_the_name_of_a_public_name() -> None:
    assert set(wheelcheck.__all__) & {room_of(module) for module in sources()} - {"__init__"} == set()


# -- start-up loads little

HEAVY = {"httpx", "resolvelib", "packaging", "rich", "typing"}
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
    answer = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    return set(json.loads(answer.stdout))


@pytest.mark.parametrize("start", STARTS)
def test_starting_loads_nothing_heavy(start: str) -> None:
    names = loaded(*STARTS[start])
    assert "wheelcheck" in names
    assert names & HEAVY == set()

"""The child of a confirmation: find the modules of projects, import them, and run a small operation on them.

Runs on Python 3.8 and newer with the standard library only: ``python _probe.py QUESTION ANSWER``. QUESTION is a JSON
file ``{"projects": [], "modules": [[module, project or null]], "versions": [], "search": path or null}``. ANSWER
receives one JSON object a line, each before the next step begins, so that a crash loses nothing.
"""

from __future__ import annotations

import sys

STARTED = frozenset(sys.modules)

import csv  # noqa: E402
import faulthandler  # noqa: E402
import importlib  # noqa: E402
import importlib.machinery  # noqa: E402
import importlib.metadata  # noqa: E402
import importlib.util  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import re  # noqa: E402
import signal  # noqa: E402
import time  # noqa: E402
import traceback  # noqa: E402
from typing import Any  # noqa: E402

TENSORFLOWS = (
    "tensorflow",
    "tensorflow-aarch64",
    "tensorflow-cpu",
    "tensorflow-cpu-aws",
    "tensorflow-gpu",
    "tensorflow-intel",
    "tensorflow-macos",
    "tensorflow-metal",
    "tensorflow-rocm",
    "tf-nightly",
    "tf-nightly-cpu",
)
"""Projects that are tested by importing tensorflow: some are stubs, some plugins without a module of their own."""

NEVER_MODULES = frozenset(
    [
        "bench",
        "benchmark",
        "benchmarks",
        "conftest",
        "doc",
        "docs",
        "example",
        "examples",
        "sample",
        "samples",
        "setup",
        "test",
        "tests",
    ]
)
"""Names that wheels contain by mistake; importing them proves nothing and may run scripts."""

MAX_TEXT = 32768


class WrongResultError(Exception):
    """An operation gave a result that differs from NumPy's."""

    def __init__(self, operation: str, expected: Any, got: Any) -> None:
        super().__init__(operation)
        self.facts = {"operation": operation, "expected": str(expected), "got": str(got)}


# -- operations: what a module must be able to do beyond being imported


def run_numpy(numpy: Any) -> dict[str, Any]:
    column = numpy.arange(1.0, 5.0)
    compare(numpy, "dot", 30.0, numpy.dot(column, column))
    return {"devices": [], "facts": {}}


def run_tensorflow(tensorflow: Any) -> dict[str, Any]:
    numpy = importlib.import_module("numpy")
    rows = numpy.arange(12, dtype="float32").reshape(3, 4)
    product = tensorflow.linalg.matmul(tensorflow.constant(rows), tensorflow.constant(rows.T)).numpy()
    compare(numpy, "matmul", rows @ rows.T, product)
    devices = [device.name for device in tensorflow.config.list_physical_devices()]
    return {"devices": devices, "facts": {"tensorflow": tensorflow.__version__, "numpy": numpy.__version__}}


def compare(numpy: Any, operation: str, expected: Any, got: Any) -> None:
    if numpy.shape(expected) != numpy.shape(got) or not numpy.allclose(expected, got, rtol=1e-3, atol=1e-5):
        raise WrongResultError(operation, expected, got)


OPERATIONS = {"numpy": run_numpy, "tensorflow": run_tensorflow}


# -- distributions and their modules


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


class Installed:
    """Installed distributions by normalized name; Pythons before 3.10 look names up less leniently."""

    def __init__(self) -> None:
        self.scanned: dict[str, Any] | None = None

    def find(self, project: str) -> Any:
        try:
            return importlib.metadata.distribution(project)
        except importlib.metadata.PackageNotFoundError:
            return self.scan().get(normalized(project))

    def scan(self) -> dict[str, Any]:
        if self.scanned is None:
            self.scanned = {}
            for distribution in importlib.metadata.distributions():
                self.scanned.setdefault(name_of(distribution), distribution)
        return self.scanned

    def version(self, project: str) -> str | None:
        try:
            distribution = self.find(project)
            return None if distribution is None else str(distribution.version)
        except Exception:
            return None


def name_of(distribution: Any) -> str:
    try:
        return normalized(distribution.metadata["Name"] or "")
    except Exception:
        return ""


def modules_of(project: str, distribution: Any) -> list[str]:
    """Return the importable modules of a distribution: stated (PEP 794), listed by its build, or packaged."""
    if normalized(project) in TENSORFLOWS:
        return ["tensorflow"]
    stated = distribution.metadata.get_all("Import-Name")
    if stated is not None:
        names = (value.partition(";") for value in stated)
        return [name.strip() for name, _, flag in names if name.strip() and flag.strip() != "private"]
    packaged = packaged_modules(paths_of(distribution))
    listed = (distribution.read_text("top_level.txt") or "").split()
    chosen = [name for name in packaged if name.partition(".")[0] in listed]
    return public(chosen or packaged or sorted(listed) or guessed(project))


def guessed(project: str) -> list[str]:
    """Return the module with the project's own name, if there is one; an editable distribution lists no files."""
    name = normalized(project).replace("-", "_")
    return [name] if importlib.util.find_spec(name) else []


def paths_of(distribution: Any) -> list[str]:
    """Return the files of a distribution, read from RECORD, since ``files`` is slow for large ones."""
    record = distribution.read_text("RECORD")
    if record is None:
        return [str(file) for file in distribution.files or []]
    return [row[0] for row in csv.reader(record.splitlines()) if row]


def packaged_modules(files: list[str]) -> list[str]:
    """Return top-level modules and packages, and for a namespace the first packages below it."""
    names = {name for name in map(module_parts, files) if name}
    first = [name for name in names if not any(name[:depth] in names for depth in range(1, len(name)))]
    return sorted(".".join(name) for name in first)


def module_parts(file: str) -> tuple[str, ...]:
    parts = tuple(file.replace("\\", "/").split("/"))
    if parts[0] == ".." or parts[0].endswith((".dist-info", ".egg-info", ".data")):
        return ()
    stem, dot, ending = parts[-1].partition(".")
    if not dot or not ending.endswith(("py", "so", "pyd")) or stem.startswith("__editable__"):
        return ()
    if stem == "__init__" and len(parts) > 1:
        return parts[:-1]
    return (stem,) if len(parts) == 1 else ()


def public(names: list[str]) -> list[str]:
    """Return the names without private ones and those that no user imports, unless there are no others."""
    usable = [name for name in names if all(part.isidentifier() for part in name.split("."))]
    meant = [name for name in usable if not NEVER_MODULES.intersection(name.split("."))] or usable
    return [name for name in meant if "._" not in "." + name] or meant


def files_of(module: str, distribution: Any) -> list[str]:
    """Return the files that importing a module must read; empty where the distribution lists none (editable)."""
    if distribution is None:
        return []
    stem = module.replace(".", "/")
    starts = (stem + ".", stem + "/__init__.")
    mine = (
        file for file in paths_of(distribution) if file.startswith(starts) and file.endswith((".py", ".so", ".pyd"))
    )
    return [str(distribution.locate_file(file)) for file in mine]


# -- names in the caller's directory that would be found first


class Search:
    """The caller's directory, which ``python`` would search before all others."""

    def __init__(self, directory: str | None) -> None:
        self.directory = directory or ""
        try:
            self.names = frozenset(os.listdir(directory)) if directory else frozenset()
        except OSError:
            self.names = frozenset()

    def shadow(self, name: str) -> str | None:
        """Return the file that would be imported under this top-level name instead, if there is one."""
        package = os.path.join(self.directory, name, "__init__.py")
        if name in self.names and os.path.isfile(package):
            return package
        endings = [*importlib.machinery.EXTENSION_SUFFIXES, ".py"]
        return next((os.path.join(self.directory, name + end) for end in endings if name + end in self.names), None)

    def shadows(self) -> dict[str, str]:
        """Return, for each imported module, the file in the directory that would have replaced it."""
        names = {name for name in list(sys.modules) if name not in STARTED and "." not in name and name != "__main__"}
        found = {name: self.shadow(name) for name in sorted(names) if not is_built_in(name)}
        return {name: path for name, path in found.items() if path and not same(path, file_of(sys.modules.get(name)))}


def is_built_in(name: str) -> bool:
    return getattr(getattr(sys.modules.get(name), "__spec__", None), "origin", None) in ("built-in", "frozen")


def file_of(module: Any) -> str | None:
    try:
        path = module.__file__
    except Exception:
        return None
    return path if isinstance(path, str) else None


def same(one: str, other: str | None) -> bool:
    return other is not None and os.path.normcase(os.path.realpath(one)) == os.path.normcase(os.path.realpath(other))


# -- the steps


class Answer:
    """The answer file; reopened for each line, because an import may close every descriptor of its process."""

    def __init__(self, path: str) -> None:
        self.path = path

    def say(self, event: str, **facts: Any) -> None:
        line = json.dumps(dict(facts, event=event)) + "\n"
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line.encode("ascii"))
        finally:
            os.close(descriptor)


class Trial:
    """Find, import and run one module, reporting each step before the next begins."""

    def __init__(self, module: str, distribution: Any, answer: Answer, search: Search) -> None:
        self.module = module
        self.distribution = distribution
        self.answer = answer
        self.search = search
        self.stage = "find"

    def say(self, event: str, **facts: Any) -> None:
        self.answer.say(event, module=self.module, **facts)

    def make(self) -> None:
        try:
            if self.find():
                self.run(self.load())
        except WrongResultError as error:
            self.say("differs", **error.facts)
        except BaseException as error:
            self.say("raised", stage=self.stage, **described(error))

    def find(self) -> bool:
        top = self.module.partition(".")[0]
        spec = importlib.util.find_spec(top)
        if spec is None:
            self.say("missing", name=top)
            return False
        self.say("found", origin=origin_of(spec), shadowed_by=shadow_of(self.search, top, spec))
        return True

    def load(self) -> Any:
        self.stage = "import"
        began = time.perf_counter()
        imported = importlib.import_module(self.module)
        seconds = time.perf_counter() - began
        origin = file_of(imported) or origin_of(getattr(imported, "__spec__", None))
        self.say("imported", seconds=seconds, origin=origin, version=version_of(imported, self.distribution))
        expected = files_of(self.module, self.distribution)
        if expected and origin and not any(same(origin, path) for path in expected):
            self.say("elsewhere", expected=expected[0])
        return imported

    def run(self, imported: Any) -> None:
        if self.module in OPERATIONS:
            self.stage = "run"
            began = time.perf_counter()
            result = OPERATIONS[self.module](imported)
            self.say("ran", operation_seconds=time.perf_counter() - began, **result)


def origin_of(spec: Any) -> str | None:
    """Return the file of a module, or the first directory of a namespace."""
    origin = getattr(spec, "origin", None)
    places = list(getattr(spec, "submodule_search_locations", None) or [])
    return str(origin) if origin else str(places[0]) if places else None


def shadow_of(search: Search, top: str, spec: Any) -> str | None:
    shadow = search.shadow(top)
    return None if shadow is None or same(shadow, origin_of(spec)) else shadow


def version_of(imported: Any, distribution: Any) -> str | None:
    """Return the module's own version, or that of its distribution."""
    try:
        version = imported.__version__
        if isinstance(version, str):
            return version
    except Exception:
        version = None
    try:
        return None if distribution is None else str(distribution.version)
    except Exception:
        return None


def described(error: BaseException) -> dict[str, Any]:
    """Return type, message, frame and traceback of an exception, shortened."""
    kind = type(error)
    frames = traceback.extract_tb(error.__traceback__)
    where = "%s:%s in %s" % (frames[-1].filename, frames[-1].lineno, frames[-1].name) if frames else None
    try:
        message = str(error)
        text = "".join(traceback.format_exception(kind, error, error.__traceback__))
    except Exception:
        message, text = "", ""
    name = kind.__name__ if kind.__module__ == "builtins" else "%s.%s" % (kind.__module__, kind.__name__)
    return {"type": name, "message": message[:MAX_TEXT], "where": where, "traceback": text[-MAX_TEXT:]}


def plan(question: dict[str, Any], installed: Installed, answer: Answer) -> list[tuple[str, str | None]]:
    """Return the pairs of module and project to try: requested modules, then those of the projects, each once."""
    pairs: dict[str, str | None] = dict(question["modules"])
    for project in question["projects"]:
        distribution, modules, error = None, [], None
        try:
            distribution = installed.find(project)
            modules = [] if distribution is None else modules_of(project, distribution)
        except Exception as problem:
            error = "%s: %s" % (type(problem).__name__, problem)
        there = distribution is not None
        answer.say("project", project=project, installed=there, modules=modules, error=error)
        for module in modules:
            pairs.setdefault(module, project)
    return list(pairs.items())


def prepare() -> None:
    """Remove this file's directory from the path; have the stack printed on a crash or on request."""
    here = os.path.dirname(os.path.abspath(__file__))
    if sys.path and same(sys.path[0], here):
        del sys.path[0]
    try:
        faulthandler.enable()
        faulthandler.register(signal.SIGUSR1, all_threads=True)
    except (AttributeError, OSError, RuntimeError, ValueError):
        return


def main(question_path: str, answer_path: str) -> None:
    prepare()
    with open(question_path, encoding="utf-8") as file:
        question = json.load(file)
    answer, installed, search = Answer(answer_path), Installed(), Search(question["search"])
    answer.say("started", executable=sys.executable, python="%d.%d.%d" % sys.version_info[:3])
    answer.say("installed", versions={name: installed.version(name) for name in question["versions"]})
    pairs = plan(question, installed, answer)
    answer.say("planned", modules=pairs)
    for module, project in pairs:
        answer.say("began", module=module, project=project)
        Trial(module, installed.find(project) if project else None, answer, search).make()
        answer.say("finished", module=module)
        answer.say("shadows", names=search.shadows())
    answer.say("ended")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])

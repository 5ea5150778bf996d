"""The child of a confirmation: find the modules of projects, import them, and run operations on them.

Runs on Python 3.8 and newer with the standard library only: ``python _probe.py QUESTION ANSWER [DESCRIPTOR]``. QUESTION
is a JSON file, and each of its keys may be absent:

- ``names``: each a module where it can be found, otherwise a project,
- ``projects``: projects whose modules are imported,
- ``modules``: pairs of a module and its project, or null,
- ``owners``: modules whose projects are looked up, without an import,
- ``versions``: projects whose installed versions are reported,
- ``search``: the caller's directory, or null,
- ``run``: false where modules are only imported.

ANSWER receives one JSON object a line, each before the next step begins, so that a crash loses nothing. DESCRIPTOR is
an end of a pipe whose other end the parent holds while it lives.
"""

from __future__ import annotations

import sys

STARTED = frozenset(sys.modules)

import os  # noqa: E402 -- imported by site anyway

if sys.version_info < (3, 8):
    sys.exit("Python 3.8 or newer is needed")

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHONPATH = [] if sys.flags.ignore_environment else os.environ.get("PYTHONPATH", "").split(os.pathsep)
PYTHONPATH = [place for place in PYTHONPATH if place and not place.startswith(os.path.dirname(os.__file__))]
SEARCHED = [place for place in sys.path if os.path.realpath(place) != os.path.realpath(HERE)]
OWN = [place for place in SEARCHED if place not in PYTHONPATH]
"""Where Python looks without the caller's directories, which may hold anything under the name of a standard module."""
sys.path[:] = OWN

import csv  # noqa: E402
import faulthandler  # noqa: E402
import importlib  # noqa: E402
import importlib.machinery  # noqa: E402
import importlib.util  # noqa: E402
import json  # noqa: E402
import signal  # noqa: E402
import time  # noqa: E402
import traceback  # noqa: E402

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

TOOLS = {name: module for name, module in list(sys.modules.items()) if name not in STARTED}
"""The modules that this file uses."""
LATE: dict[str, Any] = {}
"""Those that it loads when they are needed."""

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
    """An operation gave a result that differs from what NumPy gives."""

    def __init__(self, operation: str, expected: Any, got: Any) -> None:
        super().__init__(operation)
        self.facts = {"operation": operation, "expected": str(expected), "got": str(got)}


# -- operations: what a module must be able to do beyond being imported
#
# Each takes its module and returns devices and facts. Results are compared with NumPy's, since a wrong number is worse
# than an exception.


def run_numpy(numpy: Any) -> dict[str, Any]:
    column = numpy.arange(1.0, 5.0)
    compare(numpy, "dot", 30.0, numpy.dot(column, column))
    compare(numpy, "linalg.solve", [2.0, 3.0], numpy.linalg.solve([[2.0, 0.0], [0.0, 1.0]], [4.0, 3.0]))
    return {"devices": [], "facts": {}}


def run_scipy(_: Any) -> dict[str, Any]:
    numpy = importlib.import_module("numpy")
    linalg, sparse = (importlib.import_module("scipy." + name) for name in ("linalg", "sparse"))
    rows = numpy.array([[4.0, 1.0], [1.0, 3.0]])
    compare(numpy, "linalg.inv", numpy.linalg.inv(rows), linalg.inv(rows))
    compare(numpy, "sparse product", rows @ rows, (sparse.csr_matrix(rows) @ sparse.csr_matrix(rows)).toarray())
    return {"devices": [], "facts": {"numpy": numpy.__version__}}


def run_tensorflow(tensorflow: Any) -> dict[str, Any]:
    numpy = importlib.import_module("numpy")
    listed = tensorflow.config.list_physical_devices()
    plugins = plugins_of(tensorflow)
    kinds = [device.device_type for device in listed]
    if plugins and kinds and not [kind for kind in kinds if kind not in ("CPU", "XLA_CPU")]:
        raise WrongResultError("list_physical_devices", "a GPU, for %s" % ", ".join(plugins), ", ".join(kinds))
    device = "/GPU:0" if "GPU" in kinds else "/CPU:0"
    with tensorflow.device(device):
        rows = numpy.arange(12, dtype="float32").reshape(3, 4)
        constant = tensorflow.constant(rows)
        compare(numpy, "constant", rows, constant.numpy())
        product = tensorflow.linalg.matmul(constant, tensorflow.constant(rows.T))
        compare(numpy, "matmul", rows @ rows.T, product.numpy())
        if not product.device.endswith(device[1:]):
            raise WrongResultError("matmul", "on %s" % device, "on %s" % product.device)
        variable = tensorflow.Variable(rows)
        with tensorflow.GradientTape() as tape:
            loss = tensorflow.reduce_sum(variable * variable)
        compare(numpy, "gradient", 2 * rows, tape.gradient(loss, variable).numpy())
        train_with_keras(tensorflow, numpy, rows)
    facts = {"tensorflow": tensorflow.__version__, "numpy": numpy.__version__, "device": product.device}
    facts.update(("plugin " + name, place) for name, place in plugins.items())
    build: Any = getattr(tensorflow.sysconfig, "get_build_info", dict)()
    facts.update((name, str(build[name])) for name in ("cuda_version", "cudnn_version") if build.get(name))
    return {"devices": [device.name for device in listed], "facts": facts}


def train_with_keras(tensorflow: Any, numpy: Any, rows: Any) -> None:
    """Make one training step of a linear model; Keras is a project of its own, whose version may not match."""
    keras = tensorflow.keras
    layer = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    model = keras.Sequential([layer])
    model.compile(optimizer=keras.optimizers.SGD(0.5), loss="mse")
    wanted = numpy.ones((3, 1), dtype="float32")
    model.train_on_batch(rows / 10, wanted)
    # the gradient of the mean squared error at zero weights is -2/n X'y
    compare(numpy, "training step", (rows / 10).T @ wanted / 3, layer.get_weights()[0])


def plugins_of(tensorflow: Any) -> dict[str, str]:
    """Return the pluggable devices beside TensorFlow, such as Metal, with their places."""
    folder = os.path.join(os.path.dirname(os.path.dirname(tensorflow.__file__)), "tensorflow-plugins")
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    found = {name: os.path.join(folder, name) for name in names if name.endswith((".so", ".dylib", ".dll"))}
    version = Installed().version("tensorflow-metal") if found else None
    return {("%s of tensorflow-metal %s" % (n, version) if version else n): place for n, place in found.items()}


def run_torch(torch: Any) -> dict[str, Any]:
    mps = getattr(torch.backends, "mps", None)
    device = "cuda" if torch.cuda.is_available() else "mps" if mps and mps.is_available() else "cpu"
    if importlib.util.find_spec("numpy") is None:  # an option of torch
        numpy = None
        rows = torch.arange(12, dtype=torch.float32).reshape(3, 4).to(device)
    else:
        numpy = importlib.import_module("numpy")
        rows = torch.from_numpy(numpy.arange(12, dtype="float32").reshape(3, 4)).to(device)
    compare(numpy, "matmul", [[14, 38, 62], [38, 126, 214], [62, 214, 366]], (rows @ rows.T).cpu().tolist())
    weights = torch.zeros(4, 1, device=device, requires_grad=True)
    ((rows @ weights - 1) ** 2).sum().backward()
    compare(numpy, "gradient", [[-24], [-30], [-36], [-42]], weights.grad.cpu().tolist())
    torch.optim.SGD([weights], lr=0.5).step()
    compare(numpy, "training step", [[12], [15], [18], [21]], weights.detach().cpu().tolist())
    facts = {"torch": torch.__version__, "device": str(rows.device)}
    facts.update({"cuda": str(torch.version.cuda)} if torch.version.cuda else {})
    devices = ["cuda:%d" % number for number in range(torch.cuda.device_count())]
    return {"devices": [*devices, *(["mps"] if device == "mps" else []), "cpu"], "facts": facts}


def run_jax(_: Any) -> dict[str, Any]:
    numpy, jax, jax_numpy = (importlib.import_module(name) for name in ("numpy", "jax", "jax.numpy"))
    rows = numpy.arange(12, dtype="float32").reshape(3, 4)
    product = jax.jit(jax_numpy.matmul)(jax_numpy.asarray(rows), jax_numpy.asarray(rows.T))
    compare(numpy, "matmul", rows @ rows.T, numpy.asarray(product))
    compare(numpy, "gradient", 2 * rows, numpy.asarray(jax.grad(lambda x: (x * x).sum())(jax_numpy.asarray(rows))))
    facts = {"jax": jax.__version__, "numpy": numpy.__version__, "device": str(jax.devices()[0])}
    return {"devices": [str(device) for device in jax.devices()], "facts": facts}


def run_onnxruntime(onnxruntime: Any) -> dict[str, Any]:
    numpy = importlib.import_module("numpy")
    providers = onnxruntime.get_available_providers()
    session = onnxruntime.InferenceSession(onnx_model(), providers=providers)
    rows = numpy.arange(12, dtype="float32").reshape(3, 4)
    compare(numpy, "Add", rows + rows, session.run(None, {"x": rows})[0])
    facts = {"numpy": numpy.__version__, "device": str(onnxruntime.get_device())}
    return {"devices": list(session.get_providers()), "facts": facts}


def onnx_model() -> bytes:
    """Return a model that adds a matrix to itself, as ONNX's protobuf message: IR version 7, operator set 13."""

    def part(number: int, content: bytes) -> bytes:
        return bytes([number << 3 | 2, len(content)]) + content

    shape = part(2, part(1, b"\x08\x03") + part(1, b"\x08\x04"))
    kind = part(2, part(1, b"\x08\x01" + shape))
    node = part(1, b"x") + part(1, b"x") + part(2, b"y") + part(4, b"Add")
    graph = part(1, node) + part(2, b"g") + part(11, part(1, b"x") + kind) + part(12, part(1, b"y") + kind)
    return b"\x08\x07" + part(7, graph) + part(8, part(1, b"") + b"\x10\x0d")


def compare(numpy: Any, operation: str, expected: Any, got: Any) -> None:
    if numpy is None:
        is_same = expected == got
    else:
        is_same = numpy.shape(expected) == numpy.shape(got) and numpy.allclose(expected, got, rtol=1e-3, atol=1e-5)
    if not is_same:
        raise WrongResultError(operation, expected, got)


OPERATIONS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "jax": run_jax,
    "jaxlib": run_jax,
    "numpy": run_numpy,
    "onnxruntime": run_onnxruntime,
    "scipy": run_scipy,
    "tensorflow": run_tensorflow,
    "torch": run_torch,
}


# -- distributions and their modules


def normalized(name: str) -> str:
    return "-".join(filter(None, name.lower().replace("_", "-").replace(".", "-").split("-")))


def metadata() -> Any:
    """Return importlib.metadata, which is loaded late: it takes longer than all else here."""
    if "importlib.metadata" in LATE:
        return LATE["importlib.metadata"]
    path, sys.path[:] = sys.path[:], OWN
    callers = {name: module for name, module in list(sys.modules.items()) if is_callers(module)}
    for name in callers:  # it may have the name of one that importlib.metadata needs
        del sys.modules[name]
    before = set(sys.modules)
    try:
        LATE["importlib.metadata"] = importlib.import_module("importlib.metadata")
        TOOLS.update((name, sys.modules[name]) for name in set(sys.modules) - before)
        return LATE["importlib.metadata"]
    finally:
        sys.path[:] = path
        sys.modules.update(callers)


def ours(work: Callable[..., Any], *arguments: Any) -> Any:
    """Return what this file's own work gives; the modules that it imports are not those of the import in question."""
    before = dict(sys.modules)
    try:
        return work(*arguments)
    finally:
        TOOLS.update((name, module) for name, module in list(sys.modules.items()) if before.get(name) is not module)


def is_callers(module: Any) -> bool:
    """Return whether a module is from a directory on PYTHONPATH."""
    path = file_of(module) or ""
    return any(path.startswith(os.path.join(place, "")) for place in PYTHONPATH)


class Installed:
    """Installed distributions by normalized name; Pythons before 3.10 look names up less leniently."""

    def __init__(self) -> None:
        self.scanned: dict[str, Any] | None = None

    def find(self, project: str) -> Any:
        try:
            return metadata().distribution(project)
        except metadata().PackageNotFoundError:
            return self.scan().get(normalized(project))

    def scan(self) -> dict[str, Any]:
        if self.scanned is None:
            self.scanned = {}
            for distribution in metadata().distributions():
                self.scanned.setdefault(name_of(distribution), distribution)
        return self.scanned

    def owner(self, module: str) -> Any:
        """Return the distribution that a module belongs to, or None."""
        top = module.partition(".")[0]
        named = self.find(top)
        if named is not None and has_module(named, module):
            return named
        return next((found for found in self.scan().values() if has_module(found, module)), None)

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


def has_module(distribution: Any, module: str) -> bool:
    stem = module.replace(".", "/")
    try:
        return any(path.startswith((stem + "/", stem + ".")) for path in paths_of(distribution))
    except Exception:
        return False


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


# -- files of the caller that are found first


class Search:
    """The caller's directory, which ``python`` would search before all others, and those on PYTHONPATH."""

    def __init__(self, directory: str | None) -> None:
        self.directory = directory
        self.listed = {place: listing(place) for place in [directory, *PYTHONPATH] if place}

    def find(self, name: str, place: str) -> str | None:
        """Return the file in a directory that would be imported under this top-level name, if there is one."""
        names = self.listed[place]
        package = os.path.join(place, name, "__init__.py")
        if name in names and os.path.isfile(package):
            return package
        endings = [*importlib.machinery.EXTENSION_SUFFIXES, ".py", ".pyc"]
        files = (os.path.join(place, name + end) for end in endings if name + end in names)
        return next(filter(os.path.isfile, files), None)

    def would_shadow(self, name: str, origin: str | None) -> str | None:
        """Return the file in the caller's directory that would be imported instead of this one."""
        shadow = self.find(name, self.directory) if self.directory else None
        return None if shadow is None or same(shadow, origin) else shadow

    def shadows(self, name: str, origin: str | None) -> str | None:
        """Return the file on PYTHONPATH that is imported although Python has, or someone installed, such a module."""
        for place in PYTHONPATH:
            found = self.find(name, place)
            if found is not None:
                is_taken = origin is None or same(found, origin)
                return found if is_taken and has_other(name) and not is_installed(name, place) else None
        return None

    def of(self, names: set[str]) -> dict[str, str]:
        """Return, for each module, the file of the caller that is or would be imported in its place."""
        found = {}
        for name in sorted(names):
            origin = file_of(sys.modules.get(name))
            path = self.shadows(name, origin) or (self.would_shadow(name, origin) if name in sys.modules else None)
            if path is not None and not is_built_in(name):
                found[name] = path
        return found

    def release(self) -> None:
        """Have modules that this file uses imported again, as far as files of the caller have their names.

        Otherwise nobody could see whether they are imported, or which one.
        """
        tops = {name.partition(".")[0] for name in TOOLS}
        if any(self.find(top, place) for top in tops for place in self.listed):
            for name, module in list(TOOLS.items()):  # all of them, since one imports another
                if sys.modules.get(name) is module:
                    del sys.modules[name]

    def suspects(self, text: str) -> set[str]:
        """Return the names of modules on PYTHONPATH that a traceback mentions."""
        listed = {name.partition(".")[0] for place in PYTHONPATH for name in self.listed[place]}
        return {name for name in listed if name in text}


def listing(place: str) -> frozenset[str]:
    try:
        return frozenset(os.listdir(place))
    except OSError:
        return frozenset()


def has_other(name: str) -> bool:
    """Return whether Python has a module of this name without the caller's directories."""
    try:
        spec = importlib.machinery.PathFinder.find_spec(name, OWN)
    except Exception:
        return False
    return spec is not None and spec.loader is not None


def is_installed(name: str, place: str) -> bool:
    """Return whether a directory holds a module as part of a distribution, as ``pip install --target`` leaves it."""
    return any(has_module(distribution, name) for distribution in metadata().distributions(path=[place]))


def imported_names() -> set[str]:
    """Return the top-level modules that were imported since this file began."""
    tops = {name.partition(".")[0] for name in list(sys.modules) if name not in STARTED}
    return tops - {name for name in TOOLS if sys.modules.get(name) is TOOLS[name]} - {"__main__"}


def origins() -> dict[str, str]:
    """Return the files of the imported top-level modules that are not part of Python."""
    python = tuple({os.path.dirname(os.__file__), os.path.dirname(getattr(csv, "__file__", "") or os.__file__)})
    found = {name: file_of(sys.modules.get(name)) for name in sorted(imported_names())}
    sites = ("site-packages", "dist-packages")
    return {
        name: path
        for name, path in found.items()
        if path and (not path.startswith(python) or any(site in path for site in sites))
    }


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

    def __init__(self, module: str, distribution: Any, version: str | None, answer: Answer, search: Search) -> None:
        self.module = module
        self.distribution = distribution
        self.version = version
        self.answer = answer
        self.search = search
        self.stage = "find"

    def say(self, event: str, **facts: Any) -> None:
        self.answer.say(event, module=self.module, **facts)

    def make(self, run: bool) -> None:
        before, suspects = imported_names(), {self.module.partition(".")[0]}
        try:
            if self.find():
                imported = self.load()
                if run and self.module in OPERATIONS:
                    self.run(imported)
        except WrongResultError as error:
            self.say("differs", **error.facts)
        except BaseException as error:
            about = described(error)
            suspects |= self.search.suspects(about["traceback"])
            self.say("raised", stage=self.stage, **about)
        names = (imported_names() - before) | suspects
        self.say("shadows", shadows=ours(self.search.of, names))

    def find(self) -> bool:
        top = self.module.partition(".")[0]
        spec = importlib.util.find_spec(top)
        if spec is None or is_hollow(spec):
            nearby = self.search.find(top, self.search.directory) if self.search.directory else None
            self.say("missing", name=top, shadowed_by=nearby)
            return False
        self.say("found", origin=origin_of(spec), shadowed_by=self.search.would_shadow(top, origin_of(spec)))
        return True

    def load(self) -> Any:
        self.stage = "import"
        began = time.perf_counter()
        imported = importlib.import_module(self.module)
        seconds = time.perf_counter() - began
        origin = file_of(imported) or origin_of(getattr(imported, "__spec__", None))
        self.say("imported", seconds=seconds, origin=origin, version=version_of(imported, None) or self.version)
        expected = ours(files_of, self.module, self.distribution)
        if expected and origin and not any(same(origin, path) for path in expected):
            self.say("elsewhere", expected=expected[0])
        return imported

    def run(self, imported: Any) -> None:
        self.stage = "run"
        began = time.perf_counter()
        result = OPERATIONS[self.module](imported)
        self.say("ran", operation_seconds=time.perf_counter() - began, **result)


def is_hollow(spec: Any) -> bool:
    """Return whether a namespace holds no module at all, as what an interrupted uninstallation leaves behind."""
    if spec.origin is not None or (spec.loader is not None and not spec.submodule_search_locations):
        return False
    endings = (".py", ".pyc", *importlib.machinery.EXTENSION_SUFFIXES)
    for place in spec.submodule_search_locations or ():
        for _, folders, names in os.walk(place):
            folders[:] = [name for name in folders if name != "__pycache__"]
            if any(name.endswith(endings) for name in names):
                return False
    return True


def origin_of(spec: Any) -> str | None:
    """Return the file of a module, or the first directory of a namespace."""
    origin = getattr(spec, "origin", None)
    places = list(getattr(spec, "submodule_search_locations", None) or [])
    return str(origin) if origin else str(places[0]) if places else None


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
    pairs: dict[str, str | None] = dict(question.get("modules", ()))
    named = [(name, True) for name in question.get("names", ())]
    for project, is_name in [*named, *((project, False) for project in question.get("projects", ()))]:
        if is_name and is_importable(project):
            pairs.setdefault(project, None)
            continue
        distribution, modules, error = None, [], None
        try:
            distribution = installed.find(project)
            modules = [] if distribution is None else modules_of(project, distribution)
        except Exception as problem:
            error = "%s: %s" % (type(problem).__name__, problem)
        there = distribution is not None
        if is_name and not there and error is None:
            pairs.setdefault(project, None)  # which is then not found
            continue
        answer.say("project", project=project, installed=there, modules=modules, error=error)
        for module in modules:
            pairs.setdefault(module, project)
    return list(pairs.items())


def is_importable(name: str) -> bool:
    try:
        return (
            all(map(str.isidentifier, name.split(".")))
            and importlib.util.find_spec(name.split(".", maxsplit=1)[0]) is not None
        )
    except Exception:
        return True  # whatever it is, its import will tell


def loaded(projects: list[str], installed: Installed) -> dict[str, str]:
    """Return the projects of which a module was imported, with its file."""
    found = {}
    for project in projects:
        try:
            distribution = installed.find(project)
            modules = [] if distribution is None else modules_of(project, distribution)
        except Exception:
            modules = []
        path = next((file_of(sys.modules[module]) for module in modules if module in sys.modules), None)
        if path is not None:
            found[project] = path
    return found


def prepare(descriptor: str | None) -> None:
    """Have the stack printed on a crash or on request, and this process group ended with its parent (Linux)."""
    try:
        faulthandler.enable()
        faulthandler.register(signal.SIGUSR1, all_threads=True)
    except (AttributeError, OSError, RuntimeError, ValueError):
        pass
    if descriptor is not None and sys.platform == "linux":
        import fcntl

        # a pipe whose other end is closed makes the kernel send SIGIO, which ends a process that does not handle it
        fcntl.fcntl(int(descriptor), fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(int(descriptor), fcntl.F_SETFL, os.O_ASYNC)


def main(question_path: str, answer_path: str, descriptor: str | None = None) -> None:
    prepare(descriptor)
    with open(question_path, encoding="utf-8") as file:
        question = json.load(file)
    answer, installed, search = Answer(answer_path), Installed(), Search(question.get("search"))
    answer.say("started", executable=sys.executable, python="%d.%d.%d" % sys.version_info[:3])
    sys.path[:] = SEARCHED
    versions = question.get("versions", [])
    if versions:
        answer.say("installed", versions={name: installed.version(name) for name in versions})
    pairs = plan(question, installed, answer)
    answer.say("planned", modules=pairs)
    for module, project in pairs:
        distribution = ours(installed.find, project) if project else None
        version = ours(version_of, None, distribution)
        answer.say("began", module=module, project=project, version=version)
        search.release()
        Trial(module, distribution, version, answer, search).make(question.get("run", True))
        answer.say("finished", module=module)
        answer.say("origins", origins=origins())
    if versions:
        answer.say("loaded", loaded=loaded(versions, installed))
    for module in question.get("owners", ()):
        owner = installed.owner(module)
        if owner is not None:
            answer.say("owner", module=module, project=name_of(owner), version=version_of(None, owner))
    answer.say("ended")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A real TensorFlow, installed from the answer and imported. Slow: see the marker in conftest.py."""

from __future__ import annotations

import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import wheelcheck
from wheelcheck.interpreters.installed import installed_python
from wheelcheck.targets.python import read_python

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.imports,
    pytest.mark.skipif(sys.platform != "linux", reason="tensorflow-cpu is published for Linux and Windows"),
]


def test_tensorflow_is_installed_aside_imported_and_run() -> None:
    report = wheelcheck.check(["tensorflow-cpu"], confirm=True, fresh=True)
    (result,) = report.results
    assert result.ok, report.to_dict()
    (module,) = result.confirmation.modules
    assert (module.module, module.level) == ("tensorflow", "ran")
    assert any("CPU" in device for device in module.devices)
    pins = {pin.name: str(pin.version) for pin in result.pins}
    assert module.version == pins["tensorflow-cpu"]
    assert result.confirmation.installed == pins
    assert not any(concern.kind == "InstalledDiffers" for concern in result.concerns)


def test_numpy_2_beside_tensorflow_2_14_fails_without_the_rule_and_imports_with_it() -> None:
    target = sys.executable
    if sys.version_info[:2] not in ((3, 9), (3, 10), (3, 11)):
        pytest.skip("TensorFlow 2.14 has wheels for CPython 3.9 to 3.11")
    without = wheelcheck.check(["tensorflow-cpu==2.14.0"], targets=[target], confirm=True, fresh=True, no_rules=True)
    with_rules = wheelcheck.check(["tensorflow-cpu==2.14.0"], targets=[target], confirm=True, fresh=True)
    assert not without.ok
    assert without.results[0].conflict is None
    assert with_rules.ok, with_rules.to_dict()


BROKEN = [
    # Python, what pip installs, what then replaces it, the module, how far it comes, the cause, the first fix
    (
        "3.10",
        ["tensorflow-cpu==2.9.1", "numpy<2"],
        ["protobuf==4.25.3"],
        ("tensorflow", "found", "protobuf-descriptors", "protobuf==3.19.6"),
    ),
    (
        "3.11",
        ["jax==0.4.25", "jaxlib==0.4.25", "scipy==1.13.1", "ml-dtypes==0.5.4"],
        ["numpy==2.0.2"],
        ("jax", "imported", "numpy-abi", "numpy==1.26.4"),
    ),
]


@pytest.mark.parametrize(("version", "first", "then", "expected"), BROKEN, ids=["protobuf", "jaxlib"])
def test_a_broken_environment_is_explained_and_the_fix_works(
    version: str, first: list[str], then: list[str], expected: tuple[str, str, str, str], tmp_path: Path
) -> None:
    base = installed_python(read_python(version))
    if base is None:
        pytest.skip(f"no Python {version} here")
    subprocess.run([str(base.interpreter or sys.executable), "-m", "venv", tmp_path / "venv"], check=True)
    python = str(tmp_path / "venv" / "bin" / "python")
    for wanted in ([*first], ["--no-deps", *then]):
        subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True)
    module, level, cause, fix = expected
    (failed,) = wheelcheck.confirm([module], python=python).modules
    assert failed.diagnosis is not None
    assert (failed.ok, failed.level, failed.diagnosis.cause) == (False, level, cause)
    assert failed.diagnosis.fixes[0] == f"{shlex.quote(python)} -m pip install {fix}"
    subprocess.run(failed.diagnosis.fixes[0], shell=True, check=True)
    (mended,) = wheelcheck.confirm([module], python=python).modules
    assert (mended.ok, mended.level) == (True, "ran"), mended
    assert mended.devices


@pytest.mark.parametrize("names", [["numpy", "scipy", "onnxruntime", "jax"]])
def test_what_runs_operations_runs_them_as_released_today(names: list[str], tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = str(tmp_path / "venv" / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", *names], check=True)
    confirmation = wheelcheck.confirm(names, python=python)
    assert [(one.module, one.level) for one in confirmation.modules] == [(name, "ran") for name in names]


POPULAR = [
    "aiohttp",
    "anyio",
    "attrs",
    "beautifulsoup4",
    "boto3",
    "certifi",
    "cffi",
    "charset-normalizer",
    "click",
    "cryptography",
    "debugpy",
    "fastapi",
    "filelock",
    "fsspec",
    "google-api-core",
    "google-auth",
    "greenlet",
    "grpcio",
    "h11",
    "httpx",
    "idna",
    "importlib-metadata",
    "ipython",
    "jinja2",
    "jmespath",
    "joblib",
    "jsonschema",
    "lxml",
    "markupsafe",
    "matplotlib",
    "multidict",
    "numpy",
    "opencv-python-headless",
    "packaging",
    "pandas",
    "pillow",
    "platformdirs",
    "pluggy",
    "protobuf",
    "psutil",
    "pyarrow",
    "pyasn1",
    "pydantic",
    "pygments",
    "pytest",
    "python-dateutil",
    "pytz",
    "pyyaml",
    "requests",
    "rich",
    "scikit-learn",
    "scipy",
    "setuptools",
    "six",
    "sqlalchemy",
    "tqdm",
    "typing-extensions",
    "urllib3",
    "uvicorn",
    "virtualenv",
    "wheel",
    "wrapt",
    "yarl",
]


def test_a_doctor_finds_nothing_in_a_healthy_environment_of_popular_packages(tmp_path: Path) -> None:
    assert len(POPULAR) >= 60
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = str(tmp_path / "venv" / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", *POPULAR], check=True)
    found = wheelcheck.audit(python=python, hashes=True)
    assert found.findings == ()
    assert len(found.environment.distributions) > len(POPULAR)

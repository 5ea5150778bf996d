"""Why an import failed: a table of outcomes with their causes, as values; real imports are in tests/commands."""

from __future__ import annotations

import pytest

from wheelcheck.diagnosis.confirmation import (
    Confirmation,
    Died,
    Failure,
    Hung,
    ImportedElsewhere,
    ModuleResult,
    NotFound,
    Raised,
    Shadowed,
    WrongResult,
)
from wheelcheck.diagnosis.diagnose import Diagnosis
from wheelcheck.diagnosis.of_import import diagnosed, for_interpreter


def raised(message: str, error: str = "ImportError", traceback: str = "") -> Raised:
    return Raised(
        stage="import", error=error, message=message, where=None, traceback=traceback or f"{error}: {message}\n"
    )


def diagnosis_of(
    failure: Failure, *, module: str = "tensorflow", interpreter: str | None = None, **more: object
) -> Diagnosis:
    result = ModuleResult(module=module, level="found", failure=failure, **more)  # type: ignore[arg-type]
    (found,) = diagnosed(Confirmation(interpreter=interpreter, modules=(result,))).modules
    assert found.diagnosis is not None
    return found.diagnosis


NUMPY = "module 'numpy' has no attribute 'ndarray'"
SHADOWS = {"numpy": "/pp/numpy.py"}

CAUSES: list[tuple[str, Failure, dict[str, object], str]] = [
    ("not found", NotFound(name="tensorflow"), {}, "module-missing"),
    ("not found, and installed", NotFound(name="tensorflow"), {"project": "tensorflow"}, "corrupted-install"),
    ("not found, and here", NotFound(name="mine"), {"shadowed_by": "/here/mine/__init__.py"}, "module-missing"),
    ("a file of the caller", Shadowed(name="tensorflow", path="/here/tensorflow.py"), {}, "module-shadowed"),
    ("elsewhere", ImportedElsewhere(origin="/a/tensorflow.py", expected="/b"), {}, "module-shadowed"),
    ("a file on the path", raised(NUMPY, "AttributeError"), {"shadows": SHADOWS}, "module-shadowed"),
    (
        "a file on the path that has no part in it",
        raised("AttributeError: _ARRAY_API not found"),
        {"shadows": {"six": "/pp/six.py"}},
        "numpy-abi",
    ),
    ("told by what was printed", raised("no"), {"stderr": ("AttributeError: _ARRAY_API not found",)}, "numpy-abi"),
    ("unknown", raised("the moon is full", "RuntimeError"), {}, "unrecognised"),
    ("a crash", Died(stage="import", returncode=-11, signal="SIGSEGV"), {}, "crash-undetermined"),
    ("an exit", Died(stage="import", returncode=3, signal=None), {}, "unrecognised"),
    ("a hang", Hung(stage="import", seconds=5, where="File x"), {}, "unrecognised"),
    ("wrong numbers", WrongResult(operation="matmul", expected="1", got="2"), {}, "unrecognised"),
    ("no GPU", WrongResult(operation="list", expected="a GPU, for x", got="CPU"), {}, "gpu-plugin-failure"),
    (
        "noise alone",
        Died(stage="exit", returncode=1, signal=None),
        {"stderr": ("oneDNN custom operations are on",)},
        "unrecognised",
    ),
]


@pytest.mark.parametrize(("failure", "more", "cause"), [row[1:] for row in CAUSES], ids=[row[0] for row in CAUSES])
def test_the_cause_of_an_outcome(failure: Failure, more: dict[str, object], cause: str) -> None:
    found = diagnosis_of(failure, **more)
    assert found.cause == cause
    assert found.explanation
    assert found.facts["module"]


def test_what_is_well_has_no_diagnosis() -> None:
    (result,) = diagnosed(Confirmation(modules=(ModuleResult(module="numpy", level="ran"),))).modules
    assert result.diagnosis is None


def test_a_file_on_the_path_that_had_no_part_is_still_mentioned() -> None:
    found = diagnosis_of(raised("AttributeError: _ARRAY_API not found"), shadows={"six": "/pp/six.py"})
    assert "module-shadowed" in found.also


def test_what_else_a_hang_could_be() -> None:
    assert diagnosis_of(Hung(stage="import", seconds=5, where="File x")).also == ()
    assert diagnosis_of(Hung(stage="import", seconds=5, where=None)).also == ("native-library-clash",)


@pytest.mark.parametrize(
    ("path", "fix"),
    [
        ("/pp/numpy.py", "mv /pp/numpy.py /pp/my_numpy.py"),
        ("/pp/numpy/__init__.py", "mv /pp/numpy /pp/my_numpy"),
        ("/p p/numpy.py", "mv '/p p/numpy.py' '/p p/my_numpy.py'"),
        ("/pp/$(reboot)/numpy.py", "mv '/pp/$(reboot)/numpy.py' '/pp/$(reboot)/my_numpy.py'"),
        ("numpy.py", "mv numpy.py my_numpy.py"),
    ],
)
def test_a_shadowing_file_is_moved_aside(path: str, fix: str) -> None:
    assert diagnosis_of(Shadowed(name="numpy", path=path)).fixes == (fix,)


def test_fixes_are_for_the_interpreter_in_question() -> None:
    found = diagnosis_of(NotFound(name="cv2"), module="cv2", interpreter="/my env/bin/python")
    assert found.fixes == ("'/my env/bin/python' -m pip install opencv-python",)
    assert found.facts["project"] == "opencv-python"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("pip install six", "/v/python -m pip install six"),
        ("python -m pip install six", "/v/python -m pip install six"),
        ("python -c 'import six'", "/v/python -c 'import six'"),
        ("pipx run six", "pipx run six"),
        ("conda install six", "conda install six"),
    ],
)
def test_a_command_for_an_interpreter(command: str, expected: str) -> None:
    assert for_interpreter(command, "/v/python") == expected
    assert for_interpreter(command, None) == command

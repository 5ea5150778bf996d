"""What importing for real has shown, as values: what a confirmation amounts to, and a module for each way to fail."""

from __future__ import annotations

import pytest

from wheelcheck.diagnosis.confirmation import (
    Confirmation,
    Died,
    Failure,
    Hung,
    ModuleResult,
    NoAnswer,
    NoModules,
    NotFound,
    NotInstalled,
    NotTried,
    OtherMachine,
    not_tried_elsewhere,
)

WELL = ModuleResult(module="alpha", level="imported")
BROKEN = ModuleResult(module="beta", failure=NotFound(name="beta"))
STUBS = NoModules(project="types-alpha")
GONE = NotInstalled(project="gamma")
SILENT = NoAnswer(project="delta")

AMOUNTS: list[tuple[tuple[ModuleResult, ...], tuple[NotTried, ...], bool | None, NotTried | None]] = [
    ((), (), None, None),
    ((), (STUBS, GONE), None, STUBS),
    ((), (GONE,), None, GONE),
    ((WELL,), (), True, None),
    ((WELL,), (STUBS,), True, None),
    ((WELL,), (STUBS, GONE, SILENT), None, GONE),
    ((WELL, BROKEN), (), False, None),
    ((BROKEN,), (GONE,), False, GONE),
]


@pytest.mark.parametrize(("modules", "not_tried", "ok", "why"), AMOUNTS)
def test_what_a_confirmation_amounts_to(
    modules: tuple[ModuleResult, ...], not_tried: tuple[NotTried, ...], ok: bool | None, why: NotTried | None
) -> None:
    confirmation = Confirmation(modules=modules, not_tried=not_tried)
    assert (confirmation.ok, confirmation.why, confirmation.tried) == (ok, why, bool(modules))
    assert bool(confirmation) is (ok is True)


ENDS: list[tuple[Failure | None, int | None, str | None]] = [
    (None, 0, None),
    (NotFound(name="alpha"), 1, None),
    (Died(stage="import", returncode=-11, signal="SIGSEGV"), -11, "SIGSEGV"),
    (Died(stage="exit", returncode=3, signal=None), 3, None),
    (Hung(stage="run", seconds=300.0, where=None), None, None),
]


@pytest.mark.parametrize(("failure", "returncode", "signal"), ENDS)
def test_what_a_process_that_does_just_this_ends_with(
    failure: Failure | None, returncode: int | None, signal: str | None
) -> None:
    result = ModuleResult(module="alpha", failure=failure)
    assert (result.returncode, result.signal, bool(result)) == (returncode, signal, failure is None)


def test_another_machine() -> None:
    confirmation = not_tried_elsewhere("macos-14-arm64-cp312")
    assert (confirmation.ok, confirmation.tried, confirmation.interpreter) == (None, False, None)
    assert confirmation.why == OtherMachine(target="macos-14-arm64-cp312")
    assert not confirmation

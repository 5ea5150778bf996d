"""A real TensorFlow, installed from the answer and imported. Slow: see the marker in conftest.py."""

from __future__ import annotations

import sys

import pytest

import wheelcheck

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

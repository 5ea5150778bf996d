"""Which wheels are compatible with this interpreter, or with that one; why not the others; do they really import?

Public names are loaded on first use (PEP 562), so that importing this package costs next to nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers take it for True; importing typing would cost more than all else here
if TYPE_CHECKING:
    from wheelcheck._version import __version__
    from wheelcheck.commands.check import check, judge
    from wheelcheck.commands.check_pip import check_pip
    from wheelcheck.commands.confirm import confirm
    from wheelcheck.commands.diagnose import diagnose
    from wheelcheck.commands.doctor import Audit, audit
    from wheelcheck.commands.explain import Explanation, explain
    from wheelcheck.commands.report import Report, Result
    from wheelcheck.common.errors import UndeterminedError, UsageError
    from wheelcheck.diagnosis.confirmation import Confirmation
    from wheelcheck.diagnosis.diagnose import Diagnosis
    from wheelcheck.interpreters.find import describe
    from wheelcheck.resolver.compatibility import Verdict
    from wheelcheck.targets.target import Target

_HOMES = {
    "check": "commands.check",
    "check_pip": "commands.check_pip",
    "confirm": "commands.confirm",
    "audit": "commands.doctor",
    "diagnose": "commands.diagnose",
    "explain": "commands.explain",
    "judge": "commands.check",
    "Report": "commands.report",
    "Result": "commands.report",
    "Explanation": "commands.explain",
    "Confirmation": "diagnosis.confirmation",
    "Audit": "commands.doctor",
    "Diagnosis": "diagnosis.diagnose",
    "Target": "targets.target",
    "describe": "interpreters.find",
    "Verdict": "resolver.compatibility",
    "UndeterminedError": "common.errors",
    "UsageError": "common.errors",
    "__version__": "_version",
}

__all__ = [
    "check",
    "check_pip",
    "audit",
    "confirm",
    "diagnose",
    "explain",
    "judge",
    "describe",
    "Report",
    "Result",
    "Explanation",
    "Audit",
    "Confirmation",
    "Diagnosis",
    "Target",
    "Verdict",
    "UndeterminedError",
    "UsageError",
    "__version__",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

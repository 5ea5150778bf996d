"""Which wheels are valid for this interpreter, or that one; why not; and do they really import?

Public names are loaded on first use (PEP 562), so that importing this package costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0.dev0"

if TYPE_CHECKING:
    from wheelcheck.checker import Report, Result, check, judge
    from wheelcheck.explanations import Explanation, explain
    from wheelcheck.failures import CannotTell, UsageError
    from wheelcheck.targets import Target
    from wheelcheck.verdicts import Verdict

_HOMES = {
    "check": "checker",
    "explain": "explanations",
    "judge": "checker",
    "Report": "checker",
    "Result": "checker",
    "Explanation": "explanations",
    "Target": "interpreters",
    "Verdict": "verdicts",
    "CannotTell": "failures",
    "UsageError": "failures",
}

__all__ = [
    "check",
    "explain",
    "judge",
    "Report",
    "Result",
    "Explanation",
    "Target",
    "Verdict",
    "CannotTell",
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

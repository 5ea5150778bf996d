"""Which wheels are valid for this interpreter, or that one; why not; and do they really import?

Public names are loaded on first use (PEP 562), so that importing this package costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelcheck._version import __version__

if TYPE_CHECKING:
    from wheelcheck.commands.check import Report, Result, check, judge
    from wheelcheck.commands.explain import Explanation, explain
    from wheelcheck.common.errors import CannotTell, UsageError
    from wheelcheck.resolver.compatibility import Verdict
    from wheelcheck.targets.target import Target

_HOMES = {
    "check": "commands.check",
    "explain": "commands.explain",
    "judge": "commands.check",
    "Report": "commands.check",
    "Result": "commands.check",
    "Explanation": "commands.explain",
    "Target": "interpreters.find",
    "Verdict": "resolver.compatibility",
    "CannotTell": "common.errors",
    "UsageError": "common.errors",
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

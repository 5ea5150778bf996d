"""Whether a requirement holds for a target (PEP 508)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName

if TYPE_CHECKING:
    from packaging.requirements import Requirement

    from wheelcheck.targets import Target

UNDEFINED = (UndefinedComparison, UndefinedEnvironmentName)


def applies(requirement: Requirement, target: Target, extra: str | None = None) -> bool:
    """Whether a requirement holds for a target; with an extra, whether it holds on account of that extra.

    Raises:
        UndefinedComparison, UndefinedEnvironmentName: its marker cannot be evaluated (`UNDEFINED`).
    """
    if requirement.marker is None:
        return extra is None
    return requirement.marker.evaluate({**target.environment, "extra": extra or ""})

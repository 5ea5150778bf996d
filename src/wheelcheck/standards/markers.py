"""Whether a requirement holds for a target (PEP 508)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.requirements import Requirement

    from wheelcheck.targets.target import Target


class UndecidableMarker(ValueError):
    """A marker that compares what cannot be compared, or reads a variable that a target does not have."""


def applies(requirement: Requirement, target: Target, extra: str | None = None) -> bool:
    """Whether a requirement holds for a target; with an extra, whether it holds on account of that extra.

    Raises:
        UndecidableMarker: its marker cannot be evaluated.
    """
    if requirement.marker is None:
        return extra is None
    try:
        return requirement.marker.evaluate({**target.environment, "extra": extra or ""})
    except (ValueError, LookupError) as error:  # UndefinedComparison, UndefinedEnvironmentName
        raise UndecidableMarker(str(error)) from None

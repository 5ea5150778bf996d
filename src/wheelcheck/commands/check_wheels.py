"""Check built wheels: is there one for each target, and do its dependencies have wheels there?"""

from __future__ import annotations

from collections.abc import Sequence
from glob import glob, has_magic
from pathlib import Path
from typing import TYPE_CHECKING

from wheelcheck.commands.check import check
from wheelcheck.commands.report import Result
from wheelcheck.common.errors import UsageError
from wheelcheck.common.records import Truthful, record
from wheelcheck.inputs.options import Options, complete
from wheelcheck.inputs.request import rules_of, target_named
from wheelcheck.resolver.compatibility import Compatible, judge
from wheelcheck.resolver.rejections import JudgedFile, closeness
from wheelcheck.standards.project_page import Wheel, read_file

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from wheelcheck.standards.names import NormalizedName
    from wheelcheck.targets.target import Target


@record
class WheelResult(Truthful):
    """The built wheels of one project for one target.

    Attributes:
        project: its name.
        target: the target.
        files: the verdict on each wheel, the nearest first.
        best: the path of the wheel that would be installed, or None where none fits.
        result: what its dependencies resolve to; None where no wheel fits.
    """

    project: NormalizedName
    target: Target
    files: tuple[JudgedFile, ...]
    best: Path | None = None
    result: Result | None = None

    @property
    def ok(self) -> bool:
        return self.result is not None and self.result.ok


def find_wheels(pattern: str, root: Path) -> list[Path]:
    """Return the wheels that a pattern such as ``dist/*.whl`` names; a directory stands for those in it.

    Raises:
        UsageError: there are none.
    """
    place = root / pattern
    if place.is_dir():
        found = sorted(place.glob("*.whl"))
    else:
        found = sorted(Path(path) for path in (glob(str(place)) if has_magic(pattern) else [str(place)]))  # noqa: PTH207
    missing = next((path for path in found if not path.is_file()), None)
    if missing is not None:
        raise UsageError(f"There is no wheel {missing}: build it, or correct wheelcheck_wheels.")
    if not found:
        raise UsageError(f"No wheel matches {pattern} in {root}: build the wheels first, or correct wheelcheck_wheels.")
    return found


def check_wheels(paths: Sequence[Path], target: str | Target, **options: Unpack[Options]) -> tuple[WheelResult, ...]:
    """Check built wheels for one target: the best wheel of each project, and its dependencies.

    Args:
        paths: wheels, of one or several projects.
        target: a target or its text.
        options: as `wheelcheck.check` takes them.

    Raises:
        UsageError: a file has not the name of a wheel, or the target is unknown.
    """
    completed = complete(options)
    rules, chosen = rules_of(completed), target_named(target, completed["python"])
    projects: dict[NormalizedName, list[tuple[Path, JudgedFile]]] = {}
    for path in paths:
        file = read_file(path.name, url=path.absolute().as_uri())
        if not isinstance(file, Wheel):
            raise UsageError(f"{path} is not named as a wheel is (PEP 427): rename or remove it.")
        projects.setdefault(file.name, []).append((path, JudgedFile(file=file, verdict=judge(file, chosen, rules))))
    return tuple(_checked(name, files, chosen, options) for name, files in sorted(projects.items()))


def _checked(
    name: NormalizedName, files: Sequence[tuple[Path, JudgedFile]], target: Target, options: Options
) -> WheelResult:
    fitting = [(path, one, one.verdict.rank) for path, one in files if isinstance(one.verdict, Compatible)]
    others = sorted((one for _, one in files if not one.verdict), key=closeness, reverse=True)
    if not fitting:
        return WheelResult(project=name, target=target, files=tuple(others))
    fitting.sort(key=lambda each: (each[1].file.version, -each[2]), reverse=True)  # type: ignore[union-attr]
    best = fitting[0][0]
    (result,) = check([str(best.absolute())], targets=[target], **options).results
    judged = (*(one for _, one, _ in fitting), *others)
    return WheelResult(project=name, target=target, files=judged, best=best, result=result)

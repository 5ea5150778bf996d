"""Describe environments of other machines, from the contents of real wheels, as ``wheelcheck doctor --record`` would.

python tests/support/describe_wheels.py [NAME...] writes fixtures/environments/NAME.json. Nothing is installed: a wheel
says what it would install. The wheels are downloaded from the index that pip is configured for.
"""

from __future__ import annotations

import io
import json
import re
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import wheelcheck
from wheelcheck.advice.environment import DescribedEnvironment, InstalledFile, InstalledProject
from wheelcheck.binaries.headers import BadHeaderError, read_image
from wheelcheck.common.records import replace
from wheelcheck.inputs.options import complete
from wheelcheck.inputs.request import Request
from wheelcheck.interpreters import _distributions, examine
from wheelcheck.resolver.model import Pin

FOLDER = Path(__file__).parents[2] / "fixtures" / "environments"


class Machine(NamedTuple):
    """An environment to describe.

    Attributes:
        target: its interpreter.
        requires: what was installed, by metadata alone.
        others: what was installed for another target, with that target.
        path: where the interpreter is.
        conda: what conda had installed before.
    """

    target: str
    requires: list[str]
    others: dict[str, str] = {}  # noqa: RUF012 -- a default that nothing changes
    path: str = "/Users/me/.venv/bin/python"
    conda: dict[str, str] = {}  # noqa: RUF012


WINDOWS = "C:\\Users\\me\\.venv\\Scripts\\python.exe"
MACHINES = {
    "mac-healthy": Machine("macos-14-arm64-cp312", ["tensorflow==2.19.1", "tensorflow-metal==1.2.0", "numpy==2.1.3"]),
    "mac-metal": Machine("macos-14-arm64-cp312", ["tensorflow==2.20.0", "tensorflow-metal==1.2.0"]),
    "mac-rosetta": Machine("macos-14-rosetta-cp311", ["tensorflow==2.16.2", "numpy<2"]),
    "mac-with-an-intel-wheel": Machine("macos-14-arm64-cp312", ["six"], {"numpy==2.1.3": "macos-14-x86_64-cp312"}),
    "mac-that-is-too-old": Machine("macos-12-arm64-cp312", ["six"], {"numpy==2.1.3": "macos-14-arm64-cp312"}),
    "mac-with-cuda": Machine(
        "macos-14-arm64-cp312", ["six"], {"nvidia-cuda-runtime-cu12==12.9.79": "manylinux_2_28_x86_64-cp312"}
    ),
    "windows-with-a-32-bit-wheel": Machine(
        "windows-amd64-cp312", ["jinja2==3.1.6"], {"markupsafe==3.0.2": "win32-cp312"}, path=WINDOWS
    ),
    "windows-with-two-of-a-kind": Machine(
        "windows-amd64-cp312", ["psycopg2==2.9.10", "psycopg2-binary==2.9.10"], path=WINDOWS
    ),
    "conda": Machine(
        "macos-14-arm64-cp312", ["numpy==2.2.6"], path="/Users/me/miniforge3/bin/python", conda={"numpy": "1.26.4"}
    ),
}


def projects_of(requirements: Iterable[str], target: str) -> list[InstalledProject]:
    """What installing requirements leaves on a target."""
    options = complete({"no_rules": True, "no_remedies": True})
    (result,) = wheelcheck.check(requirements, targets=[target], no_rules=True, no_remedies=True).results
    assert result.pins, result.to_dict()
    request = Request.read(list(requirements), [target], options)
    with request.opened_index(print) as index, tempfile.TemporaryDirectory() as folder:
        found = []
        for pin in result.pins:
            path = Path(folder, pin.file.filename)
            index.download(pin.file, path)
            found.append(project_of(pin, path))
            path.unlink()
        return found


def project_of(pin: Pin, path: Path) -> InstalledProject:
    """What a wheel leaves."""
    with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
        names = archive.namelist()
        info = next(name for name in names if re.fullmatch(r"[^/]+\.dist-info/METADATA", name)).partition("/")[0]
        for name in ("METADATA", "WHEEL"):
            archive.extract(f"{info}/{name}", folder)
        one = _distributions.distribution(str(Path(folder, info)), folder)  # type: ignore[no-untyped-call]
        files = []
        for name in names:
            if examine._is_compiled(name):
                with archive.open(name) as stream:
                    head = io.BytesIO(stream.read(1 << 20))
                try:
                    image = read_image(head)
                except BadHeaderError:  # what is needed lies beyond the first part of it
                    continue
                if image is not None:
                    files.append(InstalledFile(path=name, image=image))
        return InstalledProject(
            name=pin.name,
            version=str(pin.version),
            head=one["head"],
            info=f"site-packages/{info}",
            location="site-packages",
            installer="pip",
            tags=tuple(examine._tags(Path(folder, info))),
            modules=tuple(sorted({module for name in names for module in examine._module(name)})),
            files=tuple(files),
        )


def described(machine: Machine) -> DescribedEnvironment:
    """The environment of a machine."""
    found = projects_of(machine.requires, machine.target)
    for requirement, target in machine.others.items():
        others = projects_of([requirement], target)
        found = [one for one in found if one.name not in {other.name for other in others}] + others
    target = replace(wheelcheck.Target.parse(machine.target), interpreter=machine.path)
    prefix = machine.path.rpartition("bin/python")[0].rstrip("/") or "C:\\Users\\me\\.venv"
    return DescribedEnvironment(
        target=target,
        prefix=prefix,
        base_prefix=prefix if machine.conda else "/usr",
        native_arm64="macos" in machine.target,
        is_conda=bool(machine.conda),
        distributions=tuple(sorted(found, key=lambda one: one.name)),
        conda=machine.conda,
    )


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in sys.argv[1:] or MACHINES:
        text = json.dumps(described(MACHINES[name]).to_dict(), indent=1)
        (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")
        print(name, len(text))

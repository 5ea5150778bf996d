"""Environments that are broken in one way each, made for real: with pip, from a small index, on Linux."""

from __future__ import annotations

import base64
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from doors import PROJECTS
from images import elf
from wheels import Dist, make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MACHINES = {"x86_64": 62, "aarch64": 183}
HERE = MACHINES.get(platform.machine(), 62)
OTHER = next(number for number in MACHINES.values() if number != HERE)
EXTENSION = "native/fast.abi3.so"
PYTHON = f"cp{sys.version_info[0]}{sys.version_info[1]}"
TAG = f"{PYTHON}-{PYTHON}-manylinux_2_17_{platform.machine()}"

INDEX: dict[str, list[Dist]] = {
    **PROJECTS,
    "numpy": [make_wheel("numpy", version, files={"numpy/__init__.py": ""}) for version in ("1.26.4", "2.2.6")],
    "tensorflow-cpu": [
        make_wheel("tensorflow-cpu", "2.14.0", requires=["numpy>=1.23"], files={"tensorflow/__init__.py": ""})
    ],
    "native": [
        make_wheel("native", version, TAG, files={"native/__init__.py": "", EXTENSION: elf(HERE, "GLIBC_2.17")})
        for version in ("0.9", "1.0")
    ],
    "user": [make_wheel("user", "1.0", requires=["eggs<2", "eggs[dev]"])],
    "same-one": [make_wheel("same-one", "1.0", files={"shared/__init__.py": "1"})],
    "same-two": [make_wheel("same-two", "1.0", files={"shared/__init__.py": "22"})],
    "eggs": [
        make_wheel("eggs", "1.5", extras=("dev",), requires=["alone; extra == 'dev'"], files={"eggs/__init__.py": ""}),
        make_wheel("eggs", "2.0", files={"eggs/__init__.py": ""}),
    ],
}


class Place:
    """An environment with pip, in which a test installs and breaks something."""

    def __init__(self, python: Path) -> None:
        self.python = python
        (self.site,) = python.parent.parent.glob("lib/*/site-packages")

    def pip(self, *arguments: str) -> None:
        subprocess.run([self.python, "-m", "pip", "install", "-q", *arguments], check=True)
        for record in self.site.glob("*.dist-info/RECORD"):  # as in wheels of today, with hashes and sizes
            record.write_text("".join(map(self.row, record.read_text().splitlines())))

    def row(self, line: str) -> str:
        name, digest, size = line.rsplit(",", 2)
        path = self.site / name
        if digest or name.endswith("RECORD") or not path.is_file():
            return f"{name},{digest},{size}\n"
        content = path.read_bytes()
        encoded = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
        return f"{name},sha256={encoded},{len(content)}\n"

    def info(self, name: str) -> Path:
        (found,) = self.site.glob(f"{name.replace('-', '_')}-*.dist-info")
        return found

    def write(self, name: str, text: str) -> None:
        path = self.site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def edit(self, path: Path, old: str, new: str) -> None:
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))


def numpy_2_beside_an_old_tensorflow(place: Place) -> None:
    place.pip("tensorflow-cpu", "numpy<2")
    place.pip("--no-deps", "numpy==2.2.6")


def a_requirement_that_is_not_there(place: Place) -> None:
    place.pip("--no-deps", "user")


def a_requirement_of_another_version(place: Place) -> None:
    place.pip("user")
    place.pip("--no-deps", "eggs==2.0")


def an_extra_whose_requirement_is_not_there(place: Place) -> None:
    place.pip("user")
    subprocess.run([place.python, "-m", "pip", "uninstall", "-qy", "alone"], check=True)


def a_file_that_is_missing(place: Place) -> None:
    place.pip("native")
    (place.site / "native" / "__init__.py").unlink()


def a_file_that_has_grown(place: Place) -> None:
    place.pip("native")
    place.write("native/__init__.py", "import os")


def a_file_with_other_bytes(place: Place) -> None:
    place.pip("native")
    content = bytearray((place.site / EXTENSION).read_bytes())
    content[-1] ^= 1
    (place.site / EXTENSION).write_bytes(content)


def a_library_that_is_cut_off(place: Place) -> None:
    place.pip("native")
    content = (place.site / EXTENSION).read_bytes()
    (place.site / EXTENSION).write_bytes(content[:70])


def two_metadata_directories(place: Place) -> None:
    place.pip("eggs==1.5")
    shutil.copytree(place.info("eggs"), place.site / "eggs-2.0.dist-info")
    place.edit(place.site / "eggs-2.0.dist-info" / "METADATA", "Version: 1.5", "Version: 2.0")


def a_leftover(place: Place) -> None:
    place.write("~ensorflow/__init__.py", "")


def a_wheel_for_another_python(place: Place) -> None:
    place.pip("native")
    place.edit(place.info("native") / "WHEEL", "cp3", "cp2")


def a_wheel_for_a_newer_system(place: Place) -> None:
    place.pip("native")
    place.edit(place.info("native") / "WHEEL", "manylinux_2_17", "manylinux_2_99")


def a_library_for_another_processor(place: Place) -> None:
    place.pip("native")
    (place.site / EXTENSION).write_bytes(elf(OTHER, "GLIBC_2.17"))


def a_library_for_a_newer_system(place: Place) -> None:
    place.pip("native")
    (place.site / EXTENSION).write_bytes(elf(HERE, "GLIBC_2.99"))


def two_projects_with_one_module(place: Place) -> None:
    place.pip("same-one")
    place.pip("same-two")


def metadata_that_is_empty(place: Place) -> None:
    place.pip("alone")
    (place.info("alone") / "METADATA").write_text("")


def a_file_that_hides_a_module(place: Place) -> None:
    place.pip("native")
    hiding = place.python.parent.parent / "hiding"
    hiding.mkdir()
    (hiding / "native.py").write_text("")
    os.environ["PYTHONPATH"] = str(hiding)


def a_file_that_hides_a_module_of_python(place: Place) -> None:
    hiding = place.python.parent.parent / "hiding"
    hiding.mkdir()
    (hiding / "json.py").write_text("")
    os.environ["PYTHONPATH"] = str(hiding)


BROKEN: list[tuple[Callable[[Place], None], set[str]]] = [
    (numpy_2_beside_an_old_tensorflow, {"RuleBroken"}),
    (a_requirement_that_is_not_there, {"UnmetRequirement"}),
    (a_requirement_of_another_version, {"UnmetRequirement"}),
    (an_extra_whose_requirement_is_not_there, {"UnmetRequirement"}),
    (a_file_that_is_missing, {"FileMissing"}),
    (a_file_that_has_grown, {"FileAltered"}),
    (a_file_with_other_bytes, {"FileAltered"}),
    (a_library_that_is_cut_off, {"FileAltered"}),
    (two_metadata_directories, {"DuplicateDistInfo"}),
    (a_leftover, {"Leftover"}),
    (a_wheel_for_another_python, {"WrongTags"}),
    (a_wheel_for_a_newer_system, {"OsTooOld"}),
    (a_library_for_another_processor, {"WrongArchitecture"}),
    (a_library_for_a_newer_system, {"OsTooOld"}),
    (two_projects_with_one_module, {"SameModule"}),
    (metadata_that_is_empty, {"BadMetadata"}),
    (a_file_that_hides_a_module, {"Shadowed"}),
    (a_file_that_hides_a_module_of_python, {"Shadowed"}),
]

"""List what is installed in the interpreter that runs this, as pip sees it. Standard library only, from Python 2.7.

As a script it writes JSON to the file named by its first argument: the facts of ``_describe.py``, and under
``distributions`` what is installed.
"""
# mypy: ignore-errors

import os
import sys

if __name__ == "__main__":
    # Files beside this one, or on PYTHONPATH, must not stand in for modules of the standard library.
    HERE = os.path.dirname(os.path.realpath(__file__))
    SEARCHED = [path for path in sys.path if path and os.path.realpath(path) != HERE]
    CALLERS = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:] = [path for path in SEARCHED if path not in CALLERS]

import json
import re

FIELDS = ("metadata-version", "name", "version", "requires-dist", "requires-python", "provides-extra")
"""The fields of core metadata that are passed on."""
NOT_INSTALLED = {"python", "wsgiref", "argparse"}
"""Names of the standard library that pip leaves out."""
MAX_HEAD = 1 << 20
"""The size after which the headers of a METADATA file are cut off."""


def distributions(paths=None):
    """Return every distribution on the path, the first of each name, as dictionaries.

    ``fault`` says why one cannot be used, where that is so. ``location`` is the directory on the path.
    """
    found = {}
    for path in sys.path if paths is None else paths:
        for info, location in information_in(path or os.curdir):
            one = distribution(info, location)
            if one is not None:
                found.setdefault(one["name"], one)
        for one in legacy_editables(path or os.curdir):
            found.setdefault(one["name"], one)
    return [one for name, one in sorted(found.items()) if name not in NOT_INSTALLED]


def information_in(path):
    """Yield the paths of metadata directories and files in a directory of the path."""
    try:
        names = sorted(os.listdir(path))
    except (OSError, IOError):
        return
    for name in names:
        if name.lower().endswith((".dist-info", ".egg-info")) or (
            name.lower() == "egg-info" and os.path.basename(path).lower().endswith(".egg")
        ):
            yield os.path.join(path, name), path


def distribution(info, location):
    head = head_of(info)
    fields = dict(head)
    name, version = fields.get("name", ""), fields.get("version", "")
    stem = re.match(r"(.+?)-([^-]+?)(?:-py[0-9.]+)?\.(?:dist|egg)-info$", os.path.basename(info))
    if os.path.basename(info).startswith("~") or (stem is None and not (name and version)):
        return None  # a leftover of an interrupted uninstallation, such as ~umpy, or nothing that pip can read
    one = {
        "name": re.sub(r"[-_.]+", "-", name or stem.group(1)).lower(),
        "version": version or stem.group(2),
        "head": "".join("%s: %s\n" % (key, value) for key, value in head),
        "location": location,
        "editable": is_editable(info),
    }
    if not re.match(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$", one["name"]):
        return None
    if not (name and version):
        one["fault"] = "it has no name or version in its metadata"
    return one


def head_of(info):
    """Return the fields that count in METADATA or PKG-INFO, in order, with the requirements of an egg."""
    if os.path.isfile(info):
        return fields_in(info)
    for name in ("METADATA", "PKG-INFO"):
        fields = fields_in(os.path.join(info, name))
        if fields:
            break
    if not any(key == "requires-dist" for key, _ in fields):
        fields += requirements_of_egg(os.path.join(info, "requires.txt"))
    return fields


def fields_in(path):
    try:
        with open(path, "rb") as stream:
            text = stream.read(MAX_HEAD).decode("utf-8", "surrogateescape")
    except (OSError, IOError):
        return []
    head = re.split(r"\r?\n\r?\n", text, maxsplit=1)[0]
    lines = re.split(r"\r\n|\r|\n", re.sub(r"(?:\r\n|\r|\n)[ \t]+", " ", head))
    pairs = [line.partition(":") for line in lines]
    return [[key.strip().lower(), value.strip()] for key, _, value in pairs if key.strip().lower() in FIELDS]


def requirements_of_egg(path):
    """Return the requirements in the requires.txt of an egg as fields of core metadata."""
    try:
        with open(path, "rb") as stream:
            lines = stream.read(MAX_HEAD).decode("utf-8", "replace").splitlines()
    except (OSError, IOError):
        return []
    fields, extra, marker = [], "", ""
    for line in map(str.strip, lines):
        section = re.match(r"\[([^:\]]*)(?::(.*))?\]$", line)
        if section:
            extra, marker = section.group(1), section.group(2) or ""
            fields += [["provides-extra", extra]] if extra else []
        elif line and not line.startswith("#"):
            conditions = ["(%s)" % marker] if marker else []
            conditions += ['extra == "%s"' % extra] if extra else []
            fields.append(["requires-dist", "; ".join([line] + [" and ".join(conditions)] * bool(conditions))])
    return fields


def is_editable(info):
    """Return whether direct_url.json says that it is an editable installation (PEP 610)."""
    try:
        with open(os.path.join(info, "direct_url.json")) as stream:
            return bool(json.load(stream).get("dir_info", {}).get("editable"))
    except (OSError, IOError, ValueError, AttributeError):
        return False


def legacy_editables(path):
    """Yield the distributions that ``.egg-link`` files point to."""
    try:
        names = sorted(name for name in os.listdir(path) if name.endswith(".egg-link"))
    except (OSError, IOError):
        return
    for name in names:
        try:
            with open(os.path.join(path, name)) as stream:
                target = next((line.strip() for line in stream if line.strip()), "")
        except (OSError, IOError, ValueError):
            continue
        for info, _ in information_in(os.path.join(path, target)):
            one = distribution(info, path)
            if one is not None:
                one["editable"] = True
                yield one


def main(arguments):
    script = os.path.join(os.path.dirname(os.path.realpath(__file__)), "_describe.py")
    namespace = {"__name__": "_describe", "__file__": script}
    with open(script, "rb") as stream:
        exec(compile(stream.read(), script, "exec"), namespace)

    facts = namespace["describe"]()
    sys.path[:] = SEARCHED
    facts["path"] = [path for path in sys.path if path]
    facts["distributions"] = distributions()
    with open(arguments[0], "w") as stream:
        json.dump(facts, stream)


if __name__ == "__main__":
    main(sys.argv[1:])

"""Describe the interpreter that runs this, as JSON. Runs on Python 2.7 and newer with the standard library only.

As a script it writes the facts to the file named by its first argument, never to a stream, since an interpreter may
print things of its own. With ``--installed`` as its second argument, the facts include what is installed.
"""
# mypy: ignore-errors

import os
import sys

if __name__ == "__main__":
    # The names of files beside this one must not stand in for modules of the standard library.
    HERE = os.path.dirname(os.path.realpath(__file__))
    sys.path[:] = [path for path in sys.path if path and os.path.realpath(path) != HERE]

import json
import platform
import re
import struct
import subprocess
import sysconfig


def describe():
    """Return the facts about the running interpreter."""
    facts = {
        "version": list(sys.version_info[:3]),
        "environment": environment(),
        "executable": sys.executable or "",
        "prefix": sys.prefix,
        "base_prefix": getattr(sys, "base_prefix", sys.prefix),
        "platform": sysconfig.get_platform(),
        "bits": struct.calcsize("P") * 8,
        "has_pip": has_pip(),
        "conda": os.path.isdir(os.path.join(sys.prefix, "conda-meta")),
        "externally_managed": os.path.isfile(os.path.join(stdlib(), "EXTERNALLY-MANAGED")),
        "site_packages": site_packages(),
    }
    facts.update(abi_facts())
    facts.update(system_facts(facts))
    return facts


def environment():
    """Return the marker variables, computed as packaging does."""
    implementation = getattr(sys, "implementation", None)
    if implementation is None:
        name, version = platform.python_implementation().lower(), platform.python_version()
    else:
        name, version = implementation.name, implementation_version(implementation.version)
    return {
        "implementation_name": name,
        "implementation_version": version,
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
    }


def implementation_version(info):
    text = "%d.%d.%d" % (info.major, info.minor, info.micro)
    return text if info.releaselevel == "final" else text + info.releaselevel[0] + str(info.serial)


def abi_facts():
    variable = sysconfig.get_config_var
    gil = getattr(sys, "_is_gil_enabled", None)
    return {
        "ext_suffix": variable("EXT_SUFFIX") or variable("SO") or "",
        "py_debug": variable("Py_DEBUG"),
        "gil_disabled": variable("Py_GIL_DISABLED"),
        "gil_enabled": gil() if gil else True,
        "with_pymalloc": variable("WITH_PYMALLOC"),
        "counts_references": hasattr(sys, "gettotalrefcount"),
        "debug_suffix": "_d.pyd" in extension_suffixes(),
    }


def extension_suffixes():
    try:
        from importlib.machinery import EXTENSION_SUFFIXES
    except ImportError:
        return []
    return EXTENSION_SUFFIXES


def system_facts(facts):
    system = facts["environment"]["platform_system"]
    if system == "Darwin":
        return {"mac": mac()}
    if system == "Linux":
        return linux(facts)
    if system == "iOS":
        multiarch = sys.implementation._multiarch  # noqa: SLF001
        return {"ios": {"release": platform.ios_ver().release, "multiarch": multiarch}}
    if system == "Android":
        return {"android": platform.android_ver().api_level}
    if system == "Emscripten":
        return {"emscripten": sysconfig.get_config_var("PYEMSCRIPTEN_PLATFORM_VERSION")}
    return {}


# -- macOS


def mac():
    version, _, machine = platform.mac_ver()
    if machine != "arm64" and struct.calcsize("P") == 4:
        machine = "ppc" if machine.startswith("ppc") else "i386"
    return {
        "version": true_mac_version() or version if version.startswith("10.16") else version,
        "machine": machine,
        "translated": sysctl("sysctl.proc_translated") == 1,
        "native_arm64": sysctl("hw.optional.arm64") == 1,
    }


def true_mac_version():
    """Return the true macOS version; macOS 11 and newer report 10.16 to programs built with an older SDK."""
    command = [sys.executable, "-sS", "-c", "import platform; print(platform.mac_ver()[0])"]
    try:
        child = subprocess.Popen(command, stdout=subprocess.PIPE, env=dict(os.environ, SYSTEM_VERSION_COMPAT="0"))
        answer = child.communicate()[0].decode("ascii", "replace").strip()
    except OSError:
        return ""
    return answer if re.match(r"[0-9]+\.[0-9]+", answer) else ""


def sysctl(name):
    """Return an integer of the macOS kernel; None where it has none of that name."""
    try:
        import ctypes

        value = ctypes.c_int(0)
        size = ctypes.c_size_t(ctypes.sizeof(value))
        failed = ctypes.CDLL(None).sysctlbyname(
            name.encode("ascii"), ctypes.byref(value), ctypes.byref(size), None, ctypes.c_size_t(0)
        )
    except (ImportError, OSError, AttributeError):
        return None
    return None if failed else value.value


# -- Linux


def linux(facts):
    elf = read_elf(sys.executable)
    glibc = glibc_version()
    return {
        "elf": elf,
        "glibc": glibc,
        "musl": musl_version(elf),
        "refused": refused(glibc, facts["platform"], facts["bits"]) if glibc else [],
    }


def glibc_version():
    try:
        return os.confstr("CS_GNU_LIBC_VERSION").split()[1]
    except (AttributeError, ValueError, OSError, IndexError):
        return glibc_version_by_call()


def glibc_version_by_call():
    try:
        import ctypes

        ask = ctypes.CDLL(None).gnu_get_libc_version
    except (ImportError, OSError, AttributeError):
        return None
    ask.restype = ctypes.c_char_p
    return ask().decode("ascii", "replace")


def musl_version(elf):
    """Return the version that the executable's musl loader prints; None where the loader is another one."""
    loader = (elf or {}).get("loader") or ""
    if "musl" not in loader:
        return None
    try:
        child = subprocess.Popen([loader], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        lines = child.communicate()[1].decode("utf-8", "replace").split("\n")
    except OSError:
        return None
    found = re.match(r"\s*Version ([0-9]+\.[0-9]+)", lines[1]) if len(lines) > 1 and lines[0][:4] == "musl" else None
    return found.group(1) if found else None


LAYOUTS = {
    (1, 1): ("<HHIIIIIHHH", "<IIIIIIII", (0, 1, 4)),
    (1, 2): (">HHIIIIIHHH", ">IIIIIIII", (0, 1, 4)),
    (2, 1): ("<HHIQQQIHHH", "<IIQQQQQQ", (0, 2, 5)),
    (2, 2): (">HHIQQQIHHH", ">IIQQQQQQ", (0, 2, 5)),
}


def read_elf(path):
    """Return class, byte order, machine, flags and loader of an ELF file; None if it is none."""
    try:
        with open(path, "rb") as stream:
            return parse_elf(stream)
    except (OSError, IOError, TypeError, ValueError, LookupError, struct.error):
        return None


def parse_elf(stream):
    ident = bytearray(stream.read(16))
    if ident[:4] != b"\x7fELF":
        return None
    header, program, indexes = LAYOUTS[ident[4], ident[5]]
    fields = struct.unpack(header, stream.read(struct.calcsize(header)))
    offset, entry_size, entries = fields[4], fields[8], fields[9]
    return {
        "bits": 32 if ident[4] == 1 else 64,
        "little": ident[5] == 1,
        "machine": fields[1],
        "flags": fields[6],
        "loader": find_loader(stream, program, indexes, [offset + entry_size * number for number in range(entries)]),
    }


def find_loader(stream, program, indexes, offsets):
    for offset in offsets:
        stream.seek(offset)
        fields = struct.unpack(program, stream.read(struct.calcsize(program)))
        if fields[indexes[0]] == 3:
            stream.seek(fields[indexes[1]])
            return stream.read(fields[indexes[2]]).decode("utf-8", "replace").strip("\0")
    return None


def refused(glibc, native, bits):
    """Return the manylinux tags that a ``_manylinux`` module rejects (PEP 513, PEP 600)."""
    module = manylinux_module()
    version = re.match(r"([0-9]+)\.([0-9]+)", glibc)
    if module is None or version is None:
        return []
    machine = native.partition("-")[2].replace("-", "_").replace(".", "_")
    if bits == 32:
        machine = {"x86_64": "i686", "aarch64": "armv8l"}.get(machine, machine)
    machines = ["armv8l", "armv7l"] if machine == "armv8l" else [machine]
    major, newest = int(version.group(1)), int(version.group(2))
    asked = [(major, minor, machine) for machine in machines for minor in range(newest, -1, -1)]
    return ["manylinux_%d_%d_%s" % release for release in asked if not allows(module, *release)]


def manylinux_module():
    try:
        from importlib.util import find_spec, module_from_spec
    except ImportError:
        return None
    spec = find_spec("_manylinux")
    if spec is None or spec.loader is None:
        return None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LEGACY = {(2, 5): "manylinux1_compatible", (2, 12): "manylinux2010_compatible", (2, 17): "manylinux2014_compatible"}


def allows(module, major, minor, machine):
    if hasattr(module, "manylinux_compatible"):
        answer = module.manylinux_compatible(major, minor, machine)
        return True if answer is None else bool(answer)
    return bool(getattr(module, LEGACY.get((major, minor), ""), True))


# -- what is installed


def stdlib():
    return os.path.dirname(os.__file__)


def has_pip():
    try:
        from importlib.util import find_spec as find
    except ImportError:
        from pkgutil import find_loader as find
    return find("pip") is not None


def site_packages():
    paths = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    paths += [path for path in sys.path if os.path.basename(path) in ("site-packages", "dist-packages")]
    return [path for number, path in enumerate(paths) if path and path not in paths[:number] and os.path.isdir(path)]


def installed():
    """Return name and version of every distribution that the interpreter can import, in path order."""
    try:
        from importlib.metadata import distributions
    except ImportError:
        return by_directory_names()
    found = [distribution.metadata for distribution in distributions()]
    return [[fields.get("Name"), fields.get("Version")] for fields in found if fields and fields.get("Version")]


def by_directory_names():
    names = [name for path in site_packages() for name in sorted(os.listdir(path))]
    found = [re.match(r"([A-Za-z0-9._]+)-([^-]+)(?:-py[0-9.]+)?\.(?:dist|egg)-info$", name) for name in names]
    return [[match.group(1), match.group(2)] for match in found if match]


def main(arguments):
    facts = describe()
    if "--installed" in arguments[1:]:
        facts["installed"] = installed()
    with open(arguments[0], "w") as stream:
        json.dump(facts, stream)


if __name__ == "__main__":
    main(sys.argv[1:])

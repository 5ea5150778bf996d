"""``python -m wheelcheck``, and the command ``wheelcheck``."""

from __future__ import annotations

import sys


def command() -> int:
    """Run the installed command: as `main`, but the process ends at once.

    Tearing an interpreter down, object by object, takes about a sixth of a short answer, and the system reclaims
    everything anyway. ``python -m wheelcheck`` ends normally, for profilers and debuggers.
    """
    import atexit
    import os

    code = main()
    atexit._run_exitfuncs()  # noqa: SLF001 -- what is due at the end, such as the removal of temporary files
    try:
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
    except (OSError, ValueError):
        return code  # the interpreter says what could not be written
    os._exit(code)


def _search_python_first(callers: list[str]) -> None:
    """Have directories on PYTHONPATH searched last: a file there may have the name of a module that this needs."""
    import os

    own = [place for place in sys.path if place not in map(os.path.abspath, filter(None, callers))]
    sys.path[:] = [*own, *(place for place in sys.path if place not in own)]


def main() -> int:
    """Run the command of this process and return its exit code."""
    if sys.argv[1:] == ["--version"]:
        from wheelcheck._version import __version__

        print(f"wheelcheck {__version__}")  # noqa: T201 -- before anything that answers is loaded
        return 0
    import gc
    import os

    if os.environ.get("PYTHONPATH"):
        _search_python_first(os.environ["PYTHONPATH"].split(os.pathsep))
    if "_ARGCOMPLETE" in os.environ:
        from wheelcheck.cli.completion import complete

        complete()
    from wheelcheck.cli.answer_cache import recalled
    from wheelcheck.render.console import ended

    gc.set_threshold(100_000, 50, 50)  # a command is over before there is much to collect
    if sys.argv[1:2] in (["hook"], ["pip"]):
        from wheelcheck.hook.guard import guard

        return ended(lambda: guard(sys.argv[1:]))
    code = ended(lambda: recalled(sys.argv[1:]))
    if code is not None:
        return code
    from wheelcheck.cli.main import main as answer

    return answer()


if __name__ == "__main__":
    sys.exit(main())

"""Ask the pip of the interpreter that runs this for its options, or for the tags that it accepts.

As a script it reads a JSON document from its second argument and writes one to the file named by its first. pip has no
public API for either (pip's user guide, "Using pip from your program"), so what it lacks is left out of the answer.
"""
# mypy: ignore-errors

import os
import sys

if __name__ == "__main__":
    # The names of files beside this one must not stand in for modules of the standard library.
    HERE = os.path.dirname(os.path.realpath(__file__))
    sys.path[:] = [path for path in sys.path if path and os.path.realpath(path) != HERE]

import json


def options(command):
    """Return the options of a pip command: spellings, destination, action, and whether they take a value."""
    parser = command_of(command).parser
    listed = list(parser.option_list)
    for group in parser.option_groups:
        listed += group.option_list
    return [
        {
            "spellings": option._short_opts + option._long_opts,  # noqa: SLF001 -- optparse has no other way
            "dest": option.dest or "",
            "action": option.action,
            "takes_value": bool(option.takes_value()),
        }
        for option in listed
    ]


def command_of(name):
    try:
        from pip._internal.commands import create_command
    except ImportError:  # before pip 19.3
        from pip._internal.commands import commands_dict

        return commands_dict[name]()
    return create_command(name)


def guarded(names):
    """Return the table of each command that this pip has."""
    table = {}
    for name in names:
        try:
            table[name] = options(name)
        except KeyError:
            continue
    return table


def tags(version, platforms, implementation, abis):
    """Return the tags for which pip would download, best first, as ``--platform`` and its companions say."""
    try:
        from pip._internal.utils.compatibility_tags import get_supported
    except ImportError:  # before pip 20.0
        from pip._internal.pep425tags import get_supported
    found = get_supported(version, platforms, implementation, abis)
    return [str(tag) if not isinstance(tag, tuple) else "-".join(tag) for tag in found]


def main(arguments):
    question = json.loads(arguments[1])
    if "tags" in question:
        answer = {"tags": tags(*question["tags"])}
    else:
        answer = {"options": guarded(question["commands"])}
    with open(arguments[0], "w") as stream:
        json.dump(answer, stream)


if __name__ == "__main__":
    main(sys.argv[1:])

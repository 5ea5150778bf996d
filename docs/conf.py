"""Sphinx: MyST pages, the reference from docstrings, the command line from its own parser. Nothing is fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import wheelcheck

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "wheelcheck"
author = "The wheelcheck contributors"
copyright = author
release = version = wheelcheck.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_argparse_cli"]
exclude_patterns = ["_build"]
default_role = "code"

myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_type_aliases = {"Plain": "Plain"}
napoleon_use_ivar = True
python_maximum_signature_line_length = 88

html_theme = "furo"
html_title = "wheelcheck"
html_copy_source = False


def setup(app: Sphinx) -> None:
    app.connect("autodoc-process-signature", _with_plain_names)
    app.connect("autodoc-process-docstring", _with_options)


def _with_options(_: Sphinx, what: str, name: str, __: object, ___: object, lines: list[str]) -> None:
    """Document the keyword options of the library from the table that defines them."""
    from wheelcheck.inputs.options import LIBRARY, Options

    if what == "class" and name.endswith(f".{Options.__name__}"):
        for entry in LIBRARY.values():
            default = f"; default {entry.default!r}" if entry.default not in (None, (), False) else ""
            choices = f" ({', '.join(entry.about.choices)})" if entry.about.choices else ""
            lines += ["", f"``{entry.name}``: {entry.about.help}{choices}{default}."]


def _with_plain_names(*event: Any) -> tuple[str | None, str | None]:
    """Name the alias instead of expanding it, which would fill a page."""
    arguments, returns = event[-2:]
    return arguments, returns and returns.replace("TypeAliasForwardRef('Plain')", "Plain")

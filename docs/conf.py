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


def _with_plain_names(*event: Any) -> tuple[str | None, str | None]:
    """The alias by its name: expanded, it would fill a page."""
    arguments, returns = event[-2:]
    return arguments, returns and returns.replace("TypeAliasForwardRef('Plain')", "Plain")

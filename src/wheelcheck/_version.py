"""The version of the package, alone, so that nothing has to import the package for it."""

__version__ = "0.1.0.dev0"

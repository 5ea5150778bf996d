"""Pythons on this machine: find, describe, list what is installed, create environments, run the probe."""

"""Compatibility verdicts on files, the resolution of a question for one target, and why it has no answer."""

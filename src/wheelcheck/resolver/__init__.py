"""Compatibility verdicts, the resolution of a question for one target, and conflicts explained."""

"""The pre-install hook for pip; wrapper scripts run ``python -m wheelcheck.hook``."""

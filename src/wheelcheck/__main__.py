"""``python -m wheelcheck``: the command line."""

import sys

from wheelcheck.cli import main

sys.exit(main())

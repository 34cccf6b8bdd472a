"""Long sets run in two sizes: a small one in CI, the full one with ``make full``. What they assert is the same."""

import os

FULL = "STEGVIS_FULL" in os.environ

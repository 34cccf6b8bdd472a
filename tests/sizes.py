"""Long sets run in two sizes, and what they assert is the same.

The longest have a small size, which CI runs, and a full one with ``make full``. Tests over drawn examples (Hypothesis)
draw few in ``make test``, and all of them in ``make test-slow``, which CI runs.
"""

import os

FULL = "STEGVIS_FULL" in os.environ
# Mutated files and drops; ``make fuzz`` gives 100,000 and 200.
FUZZ_FILES = int(os.environ.get("STEGVIS_FUZZ_FILES", "5000"))
FUZZ_DROPS = int(os.environ.get("STEGVIS_FUZZ_DROPS", "10"))
ALL_EXAMPLES = FULL or "STEGVIS_EXAMPLES" in os.environ
FEWEST = 5


def examples(number: int) -> int:
    """How many examples a test draws: this number, or a quarter of it in the fast tests."""
    return number if ALL_EXAMPLES else max(number // 4, min(number, FEWEST))

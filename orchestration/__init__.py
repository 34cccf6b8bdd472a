"""When and where it runs: definitions, plan, refresh, status, command line.

Nothing imports this package but the entry points and the tests.
"""

import os

# Before numpy is loaded: its products of matrices are small here, and threads that wait for each other take twice the
# processor time. On one thread sums are also added in the same order on every machine. Who sets the variable keeps it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

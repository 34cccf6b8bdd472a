"""Processes whose arithmetic does not depend on the number of processors.

Matrix products that are split over threads add up in a different order, so a model fitted to them differs in its last
digits. Numerical libraries read their number of threads when they are loaded, so new processes are started.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

THREAD_COUNTS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@contextmanager
def single_thread_processes() -> Iterator[ProcessPoolExecutor]:
    """One single-threaded process per processor; functions submitted to it must be importable and picklable."""
    before = {name: os.environ.get(name) for name in THREAD_COUNTS}
    os.environ.update(dict.fromkeys(THREAD_COUNTS, "1"))
    try:
        with ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("spawn")) as pool:
            yield pool
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

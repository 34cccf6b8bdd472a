"""Processes whose arithmetic does not depend on how many processors the machine has.

Matrix products split over threads add up in another order, and a model fitted to their results differs in its last
digits. A library reads how many threads it may use when it is loaded, so the processes are new ones.

Belongs here: starting them. Does not belong here: what is computed.
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
    """One process per processor, each of one thread; what is submitted must be importable and picklable."""
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

"""Products of tall matrices.

A'B and Xb of matrices with many rows and few columns.
"""

from __future__ import annotations

import numpy as np

# Products below this size run on one thread: on a busy machine the threads of a larger product wait for each other,
# which took hundreds of times longer than the product itself.
LARGEST_PRODUCT = 200_000
LARGEST_VECTOR_PRODUCT = 8_000


def cross_product(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """A'B, summed over blocks of rows.

    Args:
        A: n x k.
        B: n x m.

    Returns:
        k x m.
    """
    rows = max(1, LARGEST_PRODUCT // (A.shape[1] * B.shape[1]))
    of_a, of_b = _blocks(A, rows), _blocks(B, rows)
    whole = len(of_a) * rows
    return (of_a.transpose(0, 2, 1) @ of_b).sum(axis=0) + A[whole:].T @ B[whole:]


def linear_predictor(X: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """X b, computed by blocks of rows: n x k times k gives n, and times k x m gives n x m."""
    largest = LARGEST_VECTOR_PRODUCT if coefficients.ndim == 1 else LARGEST_PRODUCT // coefficients.shape[1]
    rows = max(1, largest // X.shape[1])
    blocks = _blocks(X, rows)
    whole = len(blocks) * rows
    found = np.empty((len(X), *coefficients.shape[1:]))
    np.matmul(blocks, coefficients, out=found[:whole].reshape(len(blocks), rows, *coefficients.shape[1:]))
    found[whole:] = X[whole:] @ coefficients
    return found


def _blocks(X: np.ndarray, rows: int) -> np.ndarray:
    """A view of the rows of a matrix in blocks: blocks x rows x k; what is left over at its end is not in it."""
    return X[: len(X) // rows * rows].reshape(-1, rows, X.shape[1])

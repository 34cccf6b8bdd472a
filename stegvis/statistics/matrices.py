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
    total = np.zeros((A.shape[1], B.shape[1]))
    for first in range(0, len(A), rows):
        total += A[first : first + rows].T @ B[first : first + rows]
    return total


def linear_predictor(X: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """X b, computed by blocks of rows: n x k times k gives n, and times k x m gives n x m."""
    largest = LARGEST_VECTOR_PRODUCT if coefficients.ndim == 1 else LARGEST_PRODUCT // coefficients.shape[1]
    rows = max(1, largest // X.shape[1])
    return np.concatenate([X[first : first + rows] @ coefficients for first in range(0, max(len(X), 1), rows)])

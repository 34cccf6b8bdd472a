import numpy as np
import pytest

from stegvis.accelerometry.network import ROWS_AT_A_TIME, Network, fit_network


def quadrants(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points of the plane and whether their signs agree: no straight line separates the two classes."""
    X = np.random.default_rng(seed).normal(0, 1, (rows, 2)).astype(np.float32)
    return X, (X[:, 0] * X[:, 1] > 0).astype(np.int64)


@pytest.fixture(scope="module")
def fitted() -> Network:
    X, y = quadrants(8000, 1)
    return fit_network(X, y, np.ones(len(y), dtype=np.float32), 2, seeds=(1, 2))


def test_learns_what_no_linear_model_can(fitted):
    X, y = quadrants(2000, 2)
    found = fitted.probabilities(X)
    assert (found.argmax(axis=1) == y).mean() > 0.95
    assert found.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_the_mean_of_its_members(fitted):
    X, _ = quadrants(100, 3)
    single = [Network(*fitted[:2], *(part[[i]] for part in fitted[2:])).probabilities(X) for i in (0, 1)]
    assert fitted.probabilities(X) == pytest.approx((single[0] + single[1]) / 2, abs=1e-6)
    assert np.abs(single[0] - single[1]).max() > 0.001


def test_rows_are_predicted_independently(fitted):
    X, _ = quadrants(2 * ROWS_AT_A_TIME + 1, 4)
    some = [0, ROWS_AT_A_TIME, 2 * ROWS_AT_A_TIME]
    assert fitted.probabilities(X)[some] == pytest.approx(fitted.probabilities(X[some]), abs=1e-6)


def test_features_are_clipped_at_four_sd(fitted):
    far, farther = (fitted.mean + fitted.sd * np.float32(size) for size in (4.0, 4000.0))
    assert fitted.probabilities(farther[None]) == pytest.approx(fitted.probabilities(far[None]), abs=1e-5)


def test_threads_change_nothing(fitted):
    X, _ = quadrants(3 * ROWS_AT_A_TIME, 5)
    assert np.array_equal(fitted.probabilities(X, threads=3), fitted.probabilities(X))


def test_only_the_ratios_of_weights_matter():
    X, y = quadrants(300, 6)
    light, heavy = (fit_network(X, y, np.full(300, w, dtype=np.float32), 2, seeds=(1,)) for w in (1.0, 4.0))
    assert all(np.array_equal(a, b) for a, b in zip(light, heavy, strict=True))


def test_a_class_of_more_weight_is_more_probable():
    X = np.zeros((20_000, 1), dtype=np.float32)
    y = np.arange(20_000) % 2
    weight = np.where(y == 1, 3.0, 1.0).astype(np.float32)
    found = fit_network(X, y, weight, 2, seeds=(1,)).probabilities(X[:1])
    assert found[0, 1] == pytest.approx(0.75, abs=0.05)


def test_fewer_rows_than_a_batch_are_enough():
    X, y = quadrants(10, 7)
    found = fit_network(X, y, np.ones(10, dtype=np.float32), 2, seeds=(1,)).probabilities(X)
    assert np.isfinite(found).all()

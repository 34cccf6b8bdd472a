import numpy as np
import pytest

from stegvis.accelerometry.smoothing import RUN_UP, STRETCH, Transitions, learn_transitions, smooth

STICKY = Transitions(np.array([[0.9, 0.1], [0.1, 0.9]]), np.array([0.5, 0.5]))


def plain_forward_backward(probabilities: np.ndarray, follows: np.ndarray, model: Transitions) -> np.ndarray:
    """Epoch by epoch, as in Rabiner 1989."""
    evidence = np.maximum(probabilities, 1e-6) / model.share
    k = len(evidence)
    forward, backward = np.empty_like(evidence), np.ones_like(evidence)
    for t in range(k):
        before = forward[t - 1] @ model.probability if t and follows[t] else model.share
        forward[t] = before * evidence[t]
        forward[t] /= forward[t].sum()
    for t in range(k - 2, -1, -1):
        if follows[t + 1]:
            backward[t] = model.probability @ (evidence[t + 1] * backward[t + 1])
            backward[t] /= backward[t].sum()
    found = forward * backward
    return found / found.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("epochs", [1, STRETCH - 1, STRETCH, STRETCH + 1, 3 * STRETCH + RUN_UP])
def test_equal_to_plain_forward_backward(epochs):
    rng = np.random.default_rng(epochs)
    probabilities = rng.dirichlet(np.ones(3), epochs)
    follows = rng.random(epochs) > 0.05
    model = Transitions(np.array([[0.7, 0.2, 0.1], [0.2, 0.6, 0.2], [0.1, 0.2, 0.7]]), np.array([0.5, 0.3, 0.2]))
    expected = plain_forward_backward(probabilities, follows, model)
    assert smooth(probabilities, follows, model) == pytest.approx(expected, abs=1e-6)


def test_one_doubtful_epoch_follows_its_neighbors():
    probabilities = np.array([[0.95, 0.05]] * 5 + [[0.4, 0.6]] + [[0.95, 0.05]] * 5)
    found = smooth(probabilities, np.ones(11, dtype=bool), STICKY)
    assert found[5, 0] > 0.8


def test_one_certain_epoch_is_kept():
    probabilities = np.array([[0.95, 0.05]] * 5 + [[0.0001, 0.9999]] + [[0.95, 0.05]] * 5)
    assert smooth(probabilities, np.ones(11, dtype=bool), STICKY)[5, 1] > 0.9


def test_nothing_is_carried_over_a_gap():
    probabilities = np.array([[0.95, 0.05]] * 3 + [[0.4, 0.6]])
    follows = np.array([False, True, True, False])
    assert smooth(probabilities, follows, STICKY)[3] == pytest.approx([0.4, 0.6])


def test_transitions_are_counted_within_stretches_and_tempered():
    labels = np.array([0, 0, 1, -1, 1, 1, 0, 0])
    follows = np.array([False, True, True, True, True, True, True, False])
    found = learn_transitions([(labels, follows)], 2)
    # 0-0, 0-1, 1-1, 1-0 once each, and half a count everywhere: equal; the gap and the missing label count for none.
    assert found.probability == pytest.approx(np.full((2, 2), 0.5))
    shares = np.array([4.5, 3.5]) ** 0.25
    assert found.share == pytest.approx(shares / shares.sum())

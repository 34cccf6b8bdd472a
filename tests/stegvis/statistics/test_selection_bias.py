import pytest

from stegvis.statistics.selection_bias import SelectedTable, before_selection

SEEN = SelectedTable(136, 107, 297, 165)


def test_the_printed_example():
    """R package episensr 2.0.0: RR 0.7984 becomes 1.4838, OR 0.7061 becomes 1.6346."""
    everyone = before_selection(SEEN, SelectedTable(0.94, 0.85, 0.64, 0.25))
    assert (SEEN.risk_ratio, SEEN.odds_ratio) == pytest.approx((0.7984, 0.7061), abs=5e-5)
    assert (everyone.risk_ratio, everyone.odds_ratio) == pytest.approx((1.4838, 1.6346), abs=5e-5)


def test_equal_selection_leaves_the_ratios_and_impossible_probabilities_are_refused():
    assert before_selection(SEEN, SelectedTable(0.5, 0.5, 0.5, 0.5)).risk_ratio == pytest.approx(SEEN.risk_ratio)
    with pytest.raises(ValueError, match="probability"):
        before_selection(SEEN, SelectedTable(0, 0.5, 0.5, 0.5))

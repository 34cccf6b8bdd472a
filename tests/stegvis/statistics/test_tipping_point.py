import pytest
from hypothesis import given
from hypothesis import strategies as st

from stegvis.statistics.contract import NotEstimable
from stegvis.statistics.tipping_point import ratio_in_everyone, tipping_point


def test_agrees_with_the_reference(expected):
    reference = expected("tipping")
    found = [tipping_point(ratio, reference["pi0"]) for ratio in reference["rr"]]
    assert found == pytest.approx(reference["delta_tip"], rel=1e-9)
    for cell in reference["grid"]:
        everyone = ratio_in_everyone(0.77, reference["pi0"], cell["dk"], reference["pi0"], cell["d1"])
        assert everyone == pytest.approx(cell["rr_full_101_124"], rel=1e-9)


@given(st.floats(0.3, 1.5), st.floats(0.05, 0.95), st.floats(0, 0.95))
def test_at_the_tipping_point_the_ratio_in_everyone_is_one(ratio, lost, lost_reference):
    found = tipping_point(ratio, lost)
    if isinstance(found, NotEstimable):
        assert 1 + (1 / ratio - 1) / lost < 0
    else:
        assert ratio_in_everyone(ratio, lost, found, lost_reference) == pytest.approx(1)


def test_without_loss_to_follow_up_there_is_no_change_and_no_tipping_point():
    assert ratio_in_everyone(0.8, 0, 5, 0, 7) == pytest.approx(0.8)
    assert isinstance(tipping_point(0.8, 0), NotEstimable)


def test_a_risk_above_one_cannot_be_reached():
    assert tipping_point(0.5, 0.1, risk=0.05) == pytest.approx(11)
    assert isinstance(tipping_point(0.5, 0.1, risk=0.1), NotEstimable)


@pytest.mark.parametrize("wrong", [(0, 0.4), (0.8, 1.1), (0.8, -0.1)])
def test_impossible_input_is_refused(wrong):
    with pytest.raises(ValueError, match="must"):
        tipping_point(*wrong)


def test_a_negative_risk_is_refused():
    assert ratio_in_everyone(0.8, 0.4, 0.0, 0.4) == pytest.approx(0.8 * 0.6)
    with pytest.raises(ValueError, match="negative"):
        ratio_in_everyone(0.8, 0.4, -0.1, 0.4)

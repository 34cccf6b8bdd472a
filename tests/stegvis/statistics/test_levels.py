from tests.stegvis.conftest import LEVELS, PROTOCOL


def test_the_reference_comes_first_and_no_level_twice():
    levels = LEVELS
    assert levels["smoking"] == ("never", "former", "current")
    assert levels["sex"] == ("female", "male")
    assert levels["depression"] == ("no", "yes")
    assert (len(levels["education"]), len(levels["income"])) == (6, 5)


def test_every_covariate_but_age_has_levels():
    assert set(PROTOCOL.models.adjusted) - set(LEVELS) == {"age"}


def test_table_1_groups_every_education_level():
    grouped = [level for group in PROTOCOL.characteristics.groups["education"].values() for level in group]
    assert tuple(grouped) == LEVELS["education"]

from stegvis.statistics.levels import covariate_levels
from stegvis.study.protocol import protocol


def test_the_reference_comes_first_and_no_level_twice():
    levels = covariate_levels()
    assert levels["smoking"] == ("never", "former", "current")
    assert levels["sex"] == ("female", "male")
    assert levels["depression"] == ("no", "yes")
    assert (len(levels["education"]), len(levels["income"])) == (6, 5)


def test_every_covariate_but_age_has_levels():
    assert set(protocol().models.adjusted) - set(covariate_levels()) == {"age"}


def test_table_1_groups_every_education_level():
    grouped = [level for group in protocol().characteristics.education_groups.values() for level in group]
    assert tuple(grouped) == covariate_levels()["education"]

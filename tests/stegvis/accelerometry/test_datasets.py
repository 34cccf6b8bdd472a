import pytest

from stegvis.accelerometry.datasets import DatasetError, describe


def test_public_sets_are_known_by_their_folder(tmp_path):
    assert describe(tmp_path / "harth").name == "HARTH v2.0"
    assert describe(tmp_path / "har70plus").licence == "CC BY 4.0"


def test_an_unknown_folder_is_private_and_only_named(tmp_path):
    found = describe(tmp_path / "pilot")
    assert (found.name, found.licence, found.public) == ("pilot", "not stated", False)


def test_a_folder_may_describe_itself(tmp_path):
    (tmp_path / "dataset.toml").write_text('name = "Walking speeds"\nlicence = "CC BY 4.0"\npublic = true\n')
    found = describe(tmp_path)
    assert (found.name, found.licence, found.public) == ("Walking speeds", "CC BY 4.0", True)


@pytest.mark.parametrize("text", ["name = ", 'licence = "MIT"', 'name = "x"\nlicense = "MIT"'])
def test_a_wrong_description_is_refused(tmp_path, text):
    (tmp_path / "dataset.toml").write_text(text)
    with pytest.raises(DatasetError, match=r"dataset\.toml"):
        describe(tmp_path)


def test_the_walking_speeds_set_is_known_with_its_year_too(tmp_path):
    assert describe(tmp_path / "har_ws_adults_2025-harth").layout == "walking_speeds"
    assert describe(tmp_path / "harthouse").layout == "ntnu"
    assert not describe(tmp_path / "harthouse").public

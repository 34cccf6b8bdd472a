"""The parameter file: strict about its keys, its shares and its ranges."""

import re

import pytest

from stegvis.twin.deliveries import PUBLISHED_PEOPLE
from stegvis.twin.parameters import PARAMETERS_FILE, ParametersError, parameters, read_parameters


def changed(tmp_path, old, new):
    text = PARAMETERS_FILE.read_text()
    assert text.count(old) == 1
    file = tmp_path / "parameters.toml"
    file.write_text(text.replace(old, new))
    return file


def test_an_unknown_key_is_an_error(tmp_path):
    with pytest.raises(ParametersError, match=r"people\.wommen"):
        read_parameters(changed(tmp_path, "women = 0.545", "women = 0.545\nwommen = 0.5"))


def test_shares_must_sum_to_one(tmp_path):
    with pytest.raises(ParametersError, match=r"people\.education.*sum to 1"):
        read_parameters(changed(tmp_path, "shares = [0.20, 0.18, 0.10,", "shares = [0.25, 0.18, 0.10,"))


def test_a_share_beyond_one_is_an_error(tmp_path):
    with pytest.raises(ParametersError, match=r"people\.women"):
        read_parameters(changed(tmp_path, "women = 0.545", "women = 1.545"))


def test_a_file_that_is_not_toml_is_named(tmp_path):
    file = tmp_path / "broken.toml"
    file.write_text("[cohort")
    with pytest.raises(ParametersError, match=r"broken\.toml"):
        read_parameters(file)


def test_the_digest_follows_values_and_not_comments(tmp_path):
    reworded = read_parameters(changed(tmp_path, "# The stochastic model of the synthetic twin.", "# The model."))
    other = read_parameters(changed(tmp_path, "women = 0.545", "women = 0.546"))
    assert reworded.digest == parameters().digest != other.digest


def test_the_default_size_is_the_published_one():
    assert parameters().cohort.people == PUBLISHED_PEOPLE


def test_every_parameter_of_walking_and_cohort_states_its_source_class():
    text = PARAMETERS_FILE.read_text()
    for section in ("cohort", "walking.volume", "walking.intensity", "walking.days", "walking.rest"):
        body = re.search(rf"^\[{re.escape(section)}\].*?$(.*?)(?=^\[|\Z)", text, re.M | re.S)[1]
        lines = [line for line in body.splitlines() if "=" in line and not line.startswith("#")]
        unmarked = [line for line in lines if not re.search("VERIFIED|INFERRED|ASSUMED|SOLVED", line)]
        assert len(lines) > 1
        assert [line for line in unmarked if not line.startswith("weekday")] == []

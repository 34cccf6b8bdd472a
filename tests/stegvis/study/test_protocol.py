"""The protocol: its values, and errors that name the key."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from stegvis.study.protocol import ProtocolError, read_protocol
from tests.stegvis.conftest import PROTOCOL
from tests.study import PROTOCOL_FILE

TEXT = PROTOCOL_FILE.read_text(encoding="utf-8")


def read_edited(folder: Path, old: str, new: str) -> None:
    assert TEXT.count(old) == 1, f"{old!r} is not exactly once in the protocol"
    file = folder / "edited.toml"
    file.write_text(TEXT.replace(old, new), encoding="utf-8")
    read_protocol(file)


def test_the_protocol_has_the_published_numbers() -> None:
    """Haddadj et al. 2025, doi 10.1001/jamanetworkopen.2025.15592, and its public analysis code."""
    p = PROTOCOL
    assert p.study.mode == "as_published"
    assert p.days.must_be_positive == ("lying", "sitting", "standing", "walking")
    assert (p.exposures.met_slow, p.exposures.met_moderate, p.exposures.met_brisk) == (2.8, 3.8, 4.8)
    assert p.exposures.minimum_valid_days == 1
    assert p.exposures.walking_minutes.published_lower_bounds == (78, 101, 125)
    assert p.exposures.walking_met.published_lower_bounds == (3.00, 3.12, 3.27)
    assert p.covariates.cuts == {"depression": 7}
    assert p.exclusions.order == (
        "no_accelerometer_day",
        "no_valid_walking_day",
        "baseline_screen_missing",
        "baseline_low_back_pain",
        "followup_screen_missing",
        "covariate_missing",
    )
    seven = {"sex", "age", "education", "income", "employment", "smoking", "depression"}
    assert set(p.exclusions.complete_case) == set(p.models.adjusted) == seven
    assert p.models.age == ("age",)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("met_slow = 2.8", "met_slow = 2.8\nmet_sprint = 8.0", "exposures.met_sprint"),
        ("[covariates]", "[weather]\nrain = true\n\n[covariates]", "weather"),
        ("printed_decimals = 0", "printed_decimals = 0\ncolor = 1", "exposures.walking_minutes.color"),
    ],
    ids=["key", "section", "nested key"],
)
def test_an_unknown_key_is_refused_by_file_and_name(tmp_path: Path, old: str, new: str, key: str) -> None:
    with pytest.raises(ProtocolError, match=rf"edited\.toml: {key}: unknown key; there are: "):
        read_edited(tmp_path, old, new)


@pytest.mark.parametrize(
    ("old", "key"),
    [
        ("minimum_valid_days = 1\n", "exposures.minimum_valid_days"),
        ('mode = "as_published"\n', "study.mode"),
        (
            "[bridge]\n# A change of an estimate since the previous release is flagged if it is larger than this many "
            "of its standard errors.\nflagged_standard_errors = 2.0\n",
            "bridge",
        ),
    ],
)
def test_a_missing_key_is_refused_by_file_and_name(tmp_path: Path, old: str, key: str) -> None:
    with pytest.raises(ProtocolError, match=rf"edited\.toml: {key}: Field required"):
        read_edited(tmp_path, old, "")


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("met_slow = 2.8", "met_slow = 0", "exposures.met_slow"),
        ("met_slow = 2.8", 'met_slow = "slow"', "exposures.met_slow"),
        ("minimum_valid_days = 1", "minimum_valid_days = 0", "exposures.minimum_valid_days"),
        ("depression = 7", 'depression = "many"', "covariates.cuts.depression"),
        ("confidence = 0.95", "confidence = 95", "models.confidence"),
        ('mode = "as_published"', 'mode = "as_wished"', "study.mode"),
        ('"standing", "walking"]', '"standing", "dancing"]', "days.must_be_positive"),
        ('    "covariate_missing",\n', '    "covariate_missing",\n    "bad_mood",\n', "exclusions.order"),
        ('    "covariate_missing",\n', '    "covariate_missing",\n    "covariate_missing",\n', "exclusions"),
        ("[78, 101, 125]", "[78, 125, 101]", "exposures.walking_minutes"),
        ("[78, 101, 125]", "[78, 101, 101]", "exposures.walking_minutes"),
        ("[78, 101, 125]", "[78, 101, 125, 140, 150, 160]", "exposures.walking_minutes.published_lower_bounds"),
        ("[78, 101, 125]", "[]", "exposures.walking_minutes"),
        ("[78, 101, 125]", "[78, 101, 125]\ngroups = 3", "exposures.walking_minutes"),
        ("[78, 101, 125]", "[]\ngroups = 7", "exposures.walking_minutes.groups"),
        ("[78, 101, 125]", "[]\ngroups = 1", "exposures.walking_minutes.groups"),
        ("slowest_cadence = 50", "slowest_cadence = 160", "walking_speed"),
        ("smallest_count = 5", "smallest_count = 0", "disclosure.smallest_count"),
        ("minimum_residual_df = 10", "minimum_residual_df = 9", "models.minimum_residual_df"),
        ("per_coefficient = 2.0", "per_coefficient = 0", "models.minimum_events_per_coefficient"),
        ("equipoise = [0.3, 0.7]", "equipoise = [0.6, 0.7]", "overlap"),
        ("folds = 1\n", "folds = 0\n", "overlap.folds"),
        ("largest_quarantined_share = 0.20", "largest_quarantined_share = 20", "checks.largest_quarantined_share"),
        ('primary = ["primary"]', 'primary = ["primary", "vocational 3-4 years"]', "characteristics"),
    ],
)
def test_a_value_out_of_range_is_refused_by_file_and_name(tmp_path: Path, old: str, new: str, key: str) -> None:
    with pytest.raises(ProtocolError, match=rf"edited\.toml: {key}[.:]"):
        read_edited(tmp_path, old, new)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("smallest_count = 5", "smallest_count = 4", "profile standard needs a smallest_count of 5"),
        ('profile = "standard"', 'profile = "acro"', "profile acro needs a smallest_count of 10"),
        (
            'profile = "standard"\n# Counts above zero and below this are never published.\nsmallest_count = 5',
            'profile = "strict"\nsmallest_count = 8',
            "disclosure.profile strict needs release.rounding nearest or midpoint",
        ),
        (
            'profile = "standard"\n# Counts above zero and below this are never published.\nsmallest_count = 5',
            'profile = "acro"\nsmallest_count = 10',
            "profile acro needs zeros_are_disclosive = true",
        ),
    ],
)
def test_rules_weaker_than_their_profile_are_refused(tmp_path: Path, old: str, new: str, reason: str) -> None:
    with pytest.raises(ProtocolError, match=reason):
        read_edited(tmp_path, old, new)


def test_a_protocol_from_before_overlap_was_evaluated_is_read_with_the_same_values(tmp_path: Path) -> None:
    older = re.sub(r"(?ms)^\[overlap\].*?(?=^\[)", "", TEXT)
    older, found = re.subn(r"(?m)^(exposure_|overlap_weighted_)\w+ = .*\n", "", older)
    assert found == 5
    file = tmp_path / "older.toml"
    file.write_text(older, encoding="utf-8")
    assert "overlap" not in tomllib.loads(older)
    assert read_protocol(file) == PROTOCOL


def test_several_errors_are_reported_at_once(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match=r"exposures\.met_slow.*; .*exposures\.met_fast"):
        read_edited(tmp_path, "met_slow = 2.8", "met_slow = -1\nmet_fast = 5")


def test_a_file_that_is_not_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match=r"edited\.toml is not valid TOML: .*line"):
        read_edited(tmp_path, "met_slow = 2.8", "met_slow = two point eight")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("exposures.met_slow", 2.8),
        ("study.mode", "as_published"),
        ("exclusions.complete_case", ["sex", "age", "education", "income", "employment", "smoking", "depression"]),
        ("exposures.walking_minutes.published_lower_bounds", [78.0, 101.0, 125.0]),
        ("disclosure", {"profile": "standard", "smallest_count": 5, "zeros_are_disclosive": False}),
    ],
)
def test_a_dotted_name_returns_a_value_list_or_section_as_plain_python(name: str, value: object) -> None:
    assert PROTOCOL.value(name) == value
    assert type(PROTOCOL.value(name)) is type(value)


@pytest.mark.parametrize("name", ["exposures.met_sprint", "weather", "exposures.met_slow.more", ""])
def test_an_unknown_name_has_no_value(name: str) -> None:
    with pytest.raises(KeyError, match=f"no value '{name}'"):
        PROTOCOL.value(name)


def test_the_protocol_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        PROTOCOL.exposures.met_slow = 3.0  # type: ignore[misc]


def test_scales_by_exposure() -> None:
    assert PROTOCOL.exposures.scale("walking_minutes").unit == "min/day"
    assert PROTOCOL.exposures.scale("walking_met").unit == "MET"


def test_an_epoch_has_250_samples() -> None:
    assert PROTOCOL.epochs.samples_per_epoch == 250

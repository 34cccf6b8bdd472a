"""What was asked first: the section is optional, names rows by what is known beforehand, and is checked when read."""

from __future__ import annotations

from pathlib import Path

import pytest

from stegvis.study.protocol import ProtocolError
from stegvis.study.protocol_estimates import DeclaredEstimate, Estimates, in_words
from stegvis.study.settings import SettingsError
from stegvis.study.study import Study
from tests.study import PROTOCOL, home_with_study

VOLUME = '{ analysis = "main", exposure = "walking_minutes", category = 4 }'


def study_with(root: Path, section: str) -> Study:
    """The study of a home whose protocol has this section in the place of its own."""
    file = home_with_study(root).study / "protocol.toml"
    text = file.read_text(encoding="utf-8")
    start, end = text.index("[estimates]"), text.index("\n[days]")
    file.write_text(text[:start] + section + text[end:], encoding="utf-8")
    return Study.of(root)


def test_an_older_protocol_declares_nothing(tmp_path: Path) -> None:
    estimates = study_with(tmp_path, "").protocol.estimates
    assert (estimates.primary, estimates.secondary, estimates.declared()) == (None, (), [])


def test_the_study_of_the_program_asks_for_volume_first() -> None:
    (purpose, first), *others = PROTOCOL.estimates.declared()
    assert (purpose, first.exposure, first.category, first.term) == (
        "primary", "walking_minutes", 4, "walking_minutes_category",
    )  # fmt: skip
    assert {purpose for purpose, _ in others} == {"secondary"}
    assert [each.term for _, each in others].count("walking_met_category") == 3


def test_tables_of_secondary_estimates_are_read_too(tmp_path: Path) -> None:
    section = (
        f"[estimates]\nprimary = {VOLUME}\n[[estimates.secondary]]\nanalysis = 'sensitivity:good_health_strict'\n"
        "exposure = 'walking_met'\ncategory = 2\n"
        "[[estimates.secondary]]\nexposure = 'walking_met'\nmeasure = 'p_joint'\n"
    )
    protocol = study_with(tmp_path, section).protocol
    assert [in_words(each, protocol) for _, each in protocol.estimates.declared()] == [
        "Walking volume: fully adjusted risk ratio of the highest category against the lowest",
        "Walking intensity: fully adjusted risk ratio of category 2 of 4 against the lowest "
        "(sensitivity good health strict)",
        "Walking intensity: fully adjusted test of all categories together",
    ]


@pytest.mark.parametrize(
    ("section", "message"),
    [
        (f"secondary = [{VOLUME}]", "there are secondary estimates and no primary one"),
        (f"primary = {VOLUME}\nsecondary = [{VOLUME}]", "secondary names an estimate that is declared already"),
        ('primary = { exposure = "walking_minutes" }', "needs category, its number from the lowest"),
        ('primary = { exposure = "walking_minutes", category = 1 }', "greater than or equal to 2"),
        ('primary = { exposure = "running", category = 2 }', "estimates.primary.exposure"),
        ('primary = { exposure = "walking_minutes", category = 2, level = ">=125" }', "level: unknown key; there are"),
        ('primary = { analysis = "trend", exposure = "walking_met" }', "trend needs trend = median, ordinal or linear"),
        ('primary = { exposure = "walking_met", category = 2, trend = "linear" }', "no other analysis has it"),
        ('primary = { exposure = "walking_met", category = 2, measure = "p_joint" }', "category belongs to a risk"),
        ('primary = { exposure = "walking_met", category = 2, analysis = "mutual", model = "age" }', "adjusted model"),
    ],
)
def test_what_names_no_single_row_is_refused_with_its_key(section: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match=message):
        study_with(tmp_path, f"[estimates]\n{section}\n")


@pytest.mark.parametrize(
    ("estimate", "message"),
    [
        (
            'exposure = "walking_minutes", category = 5',
            r"estimates\.primary\.category: walking_minutes has no category 5",
        ),
        ('exposure = "walking_met", category = 2, analysis = "spline"', r"analysis: there is no analysis 'spline' to"),
        (
            'exposure = "walking_met", category = 2, analysis = "sensitivity:lunch"',
            r"there is no analysis 'sensitivity:lunch' to declare; there are: main, .*sensitivity:bmi",
        ),
    ],
)
def test_what_the_study_does_not_have_is_refused(estimate: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=message):
        study_with(tmp_path, f"[estimates]\nprimary = {{ {estimate} }}\n")


def test_the_same_row_in_other_words_is_the_same() -> None:
    spelled = DeclaredEstimate(exposure="walking_met", category=2, analysis="main", model="adjusted", measure="rr")
    with pytest.raises(ValueError, match="declared already"):
        Estimates(primary=DeclaredEstimate(exposure="walking_met", category=2), secondary=(spelled,))

"""Which values of the protocol each table read while it was made, and what an edit of one makes stale."""

from __future__ import annotations

from typing import Any

import pytest

from stegvis.assets.graph import tables
from stegvis.storage.tables import Records
from stegvis.study.protocol import Protocol
from tests.orchestration.story import Story
from tests.study import PROTOCOL, use_protocol

EDITS: dict[str, Any] = {
    "study.mode": "strict",
    "days.must_be_positive": ["lying"],
    "days.days_per_recording": 8,
    "walking_speed.cadence_exponent": 0.6,
    "exposures.met_slow": 2.9,
    "exposures.minimum_valid_days": 4,
    "exposures.categories": "fixed_published",
    "covariates.cuts": {"depression": 8},
    "exclusions.complete_case": ["sex"],
    "models.variance": "hc0",
    "disclosure.smallest_count": 6,
    "characteristics.groups": {"education": {"primary": ["primary"]}},
}
# Of each value some tables that depend on it, and some that do not.
READERS = {
    "study.mode": ({"cohort", "outcome_questionnaire", "risk_ratios"}, {"withdrawals", "attrition"}),
    "days.must_be_positive": ({"daily_exposures"}, {"cohort"}),
    "days.days_per_recording": ({"epoch_classification"}, {"cohort"}),
    "walking_speed.cadence_exponent": ({"epoch_classification"}, {"cohort", "walking_exposures"}),
    "exposures.met_slow": ({"walking_exposures"}, {"cohort", "daily_exposures", "attrition"}),
    "exposures.minimum_valid_days": ({"exclusions"}, {"cohort", "walking_exposures"}),
    "exposures.categories": ({"analysis_set"}, {"exclusions"}),
    "covariates.cuts": ({"cohort"}, {"exclusions", "risk_ratios"}),
    "exclusions.complete_case": ({"exclusions"}, {"cohort"}),
    "models.variance": ({"risk_ratios"}, {"analysis_set", "cohort"}),
    "disclosure.smallest_count": ({"report", "release"}, {"cohort", "exclusions"}),
    "characteristics.groups": ({"characteristics"}, {"cohort", "risk_ratios"}),
}


def edited(name: str) -> Protocol:
    """The protocol with one value edited."""
    values = PROTOCOL.model_dump(mode="json")
    section, key = name.split(".")
    values[section][key] = EDITS[name]
    return Protocol.model_validate(values)


@pytest.mark.parametrize("name", EDITS)
def test_an_edited_value_makes_stale_what_read_it_and_nothing_else(
    name: str, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = Records(story.home)
    read = {asset for asset in tables() if _reads(records, asset, name)}
    use_protocol(monkeypatch, edited(name))
    causes = [f"{whole} changed" for whole in _names(name)]
    stale = {each.asset for each in story.steps() if any(why.startswith(tuple(causes)) for why in each.reasons)}
    assert stale == read
    assert READERS[name][0] <= stale
    assert not READERS[name][1] & stale


def _names(name: str) -> set[str]:
    """How a value is recorded: by itself, or with the whole that holds it."""
    return {f"protocol {name}", f"protocol {name.split('.')[0]}", "protocol"}


def _reads(records: Records, asset: str, name: str) -> bool:
    """Whether a table recorded the value, or a whole that holds it."""
    parts = {part for made in records.published(asset).values() for part in made.made_from}
    return bool(parts & _names(name))

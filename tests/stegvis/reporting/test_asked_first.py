"""The primary estimate comes first and is named as such, the secondary ones with adjusted p-values; the rest is not."""

from __future__ import annotations

import numpy as np
import pytest

from stegvis.analyses.declared import declared_estimates
from stegvis.reporting import render_index, render_wave
from stegvis.reporting.asked_first import asked_first, registered, registration_sentence
from stegvis.reporting.blocks import Section
from stegvis.reporting.question import question
from stegvis.study.protocol_estimates import DeclaredEstimate, Estimates
from tests.stegvis.reporting.full_report import full_index_report, full_results, full_wave_report
from tests.stegvis.reporting.sample_report import PROTOCOL, WAVE
from tests.stegvis.reporting.test_sections import text


def report(estimates: Estimates, results=None):
    results = full_results() if results is None else results
    protocol = PROTOCOL.model_copy(update={"estimates": estimates})
    declared = declared_estimates(results, WAVE, protocol)
    return full_wave_report(declared=declared, protocol=protocol, results=results)


def said_by(block) -> str:
    return text(Section("results", "", (block,)))


ASKED = Estimates(
    primary=DeclaredEstimate(exposure="walking_met", category=4),
    secondary=(
        DeclaredEstimate(analysis="mutual", exposure="walking_minutes", category=3),
        DeclaredEstimate(analysis="mutual", exposure="walking_minutes", category=2),
    ),
)


def test_primary_first_then_secondary_with_adjusted_p_values_and_the_rest_is_exploratory() -> None:
    said = said_by(asked_first(report(ASKED)))
    assert said.index("Primary") < said.index("Walking intensity: fully adjusted risk ratio of the highest category")
    assert said.index("highest category") < said.index("Secondary") < said.index("Walking volume: fully adjusted risk")
    # 0.02 of three: the two smallest of a family of three that are alike.
    assert (
        "category 3 of 4 against the lowest (adjusted for the other exposure) (101–124) 0.80 (0.72 to 0.88) 0.02"
        in said
    )
    assert "Holm: adjusted so that any false positive among these 3 is improbable." in said
    assert "Primary estimate: Walking intensity: fully adjusted risk ratio of the highest category against the" in said
    assert "neither primary nor secondary are exploratory" in text(question(report(ASKED)))


def test_a_primary_estimate_that_is_no_headline_comes_first_all_the_same() -> None:
    trend = DeclaredEstimate(analysis="mutual", exposure="walking_minutes", category=2)
    said = text(question(report(Estimates(primary=trend))))
    assert said.startswith("Primary estimate: Walking volume: fully adjusted risk ratio of category 2 of 4 against the")
    assert said.count("Exploratory.") == 2


def test_a_withheld_one_has_no_number() -> None:
    results = full_results()
    chosen = (results["analysis"] == "mutual") & (results["level"] == "101-124")
    results.loc[chosen, ["estimate", "ci_low", "ci_high", "p_value"]] = np.nan
    results.loc[chosen, ["status", "note"]] = ["not_estimable", "withheld"]
    said = said_by(asked_first(report(ASKED, results)))
    assert "(101–124) not estimable – – –" in said


def test_without_a_declaration_everything_is_exploratory() -> None:
    made = report(Estimates())
    for said in (said_by(asked_first(made)), text(question(made))):
        assert "No primary estimate was declared in the protocol: every estimate of this wave is exploratory." in said
    assert "Primary estimate." not in "".join(render_wave(made).values())


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"registered": None}, "Not registered."),
        ({"registered": None, "declared": False},
         "Not registered. No primary estimate is declared: every estimate is exploratory."),
        ({}, "Registered on 2026-01-02, before the wave was opened. The protocol and the study's other files are "
             "unchanged since."),
        ({"late": True, "changed": ["models", "spline"]},
         "Registered on 2026-01-02, after the wave was opened. Changed since: protocol, sections models, spline."),
        ({"amendments": [{"registered": "2026-02-03", "late": True, "changed": ["models"], "files": ["claims.toml"]}],
          "files": ["codebook.toml"]},
         "Registered on 2026-01-02, before the wave was opened. Amended on 2026-02-03, after the wave was opened "
         "(protocol, section models; claims.toml). Changed since: codebook.toml."),
    ],
)  # fmt: skip
def test_whether_a_wave_was_registered_is_a_sentence(changes: dict, sentence: str) -> None:
    plain = {"wave": WAVE, "registered": "2026-01-02", "late": False, "amendments": [], "changed": [], "files": []}
    assert registration_sentence(plain | {"declared": True} | changes) == sentence


def test_the_page_over_all_waves_says_it_of_each_wave() -> None:
    index = full_index_report()
    said = text(registered(index))
    assert said.startswith(
        f"{WAVE}. Registered on 2020-05-04, before the wave was opened. Amended on 2022-01-30, after"
    )
    page = render_index(index)
    assert 'id="registration"' in page
    assert text(registered(full_index_report(registration=[]))) == "No wave has been analyzed yet."

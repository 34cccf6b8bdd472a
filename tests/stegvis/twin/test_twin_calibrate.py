"""Root finding: values are found, and written without changing the rest of the file."""

import numpy as np
import pytest

from stegvis.twin.calibrate import (
    AGE_MEAN,
    AGE_SD,
    AGE_TERMS,
    CUTS,
    INTENSITY_TERMS,
    RISK_TERMS,
    VOLUME_TERMS,
    age_of_the_analyzed,
    analyzed_people,
    contrasts,
    solve,
    target_contrasts,
    values_of,
    with_values,
    write,
)
from stegvis.twin.observed import observe, quartile_cuts
from stegvis.twin.parameters import DEFAULT_SEED, PARAMETERS_FILE, parameters, read_parameters
from stegvis.twin.population import draw_population
from stegvis.twin.walking import draw_days, draw_habits
from tests.study import PROTOCOL

SOLVED = (*AGE_TERMS, *VOLUME_TERMS, *INTENSITY_TERMS, *RISK_TERMS)


def test_the_targets_round_to_the_published_ratios():
    assert np.round(np.exp(target_contrasts()), 2) == pytest.approx([0.87, 0.77, 0.76, 0.85, 0.82, 0.82])


def test_a_root_is_found():
    found = solve(parameters(), VOLUME_TERMS[:2], lambda m: values_of(m, VOLUME_TERMS[:2]) ** 2 - [10_404.0, 900.0])
    assert values_of(found, VOLUME_TERMS[:2]) == pytest.approx([102.0, 30.0], abs=1e-4)


def test_writing_changes_the_values_and_nothing_else(tmp_path):
    file = tmp_path / "parameters.toml"
    file.write_text(PARAMETERS_FILE.read_text())
    wanted = with_values(parameters(), dict.fromkeys(SOLVED, 0.125))
    write(file, wanted)
    assert read_parameters(file).digest == wanted.digest
    write(file, parameters())
    assert read_parameters(file).digest == parameters().digest
    comments = [[line.partition("#")[2] for line in f.read_text().splitlines()] for f in (file, PARAMETERS_FILE)]
    assert comments[0] == comments[1]


def test_the_solved_parameters_are_marked_and_no_others():
    marked = sum(
        "SOLVED" in line and "=" in line.partition("#")[0] for line in PARAMETERS_FILE.read_text().splitlines()
    )
    assert marked == len(SOLVED)


@pytest.mark.slow
def test_the_parameters_meet_every_target():
    model = parameters()
    population = draw_population(model.cohort.people, DEFAULT_SEED, model)
    habits = draw_habits(population, DEFAULT_SEED, model, PROTOCOL.exposures)
    observed = observe(population, draw_days(population, habits, DEFAULT_SEED, model, PROTOCOL), PROTOCOL.exposures)
    assert age_of_the_analyzed(population, observed, model, PROTOCOL) == pytest.approx([AGE_MEAN, AGE_SD], abs=1e-3)
    analyzed = analyzed_people(population, observed, model, PROTOCOL)
    assert quartile_cuts(observed.volume[analyzed]) == pytest.approx(CUTS["volume"], abs=0.1)
    assert quartile_cuts(observed.intensity[analyzed]) == pytest.approx(CUTS["intensity"], abs=0.001)
    assert contrasts(population, habits, observed, analyzed, model, PROTOCOL) == pytest.approx(
        target_contrasts(), abs=1e-3
    )

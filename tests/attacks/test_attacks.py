"""Each attack wins on a release without the protection it tests, and loses on one with it.

The releases are folders with the files of a real one, written from tables of made-up people before and after disclosure
control; ``tests/orchestration/test_published.py`` turns the same attackers on the releases of a whole home.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stegvis.analyses import main_models, strata
from stegvis.analyses.attrition_weighted import attrition_weighted_rows
from stegvis.analyses.characteristics import characteristics, characteristics_members
from stegvis.analyses.diagnostics import with_diagnostics
from stegvis.analyses.overlap import overlap_rows
from stegvis.analyses.wave_data import Analysis, rows_of
from stegvis.disclosure.checks import without_small
from stegvis.disclosure.control import People, control_across_waves, control_disclosure
from stegvis.disclosure.digits import with_published_digits
from stegvis.disclosure.published import across_of as published_across
from stegvis.disclosure.published import of_wave, with_shared_baseline
from stegvis.disclosure.rounding import rounded
from stegvis.disclosure.tables import COUNT_COLUMNS, Tables, typed
from stegvis.reporting.markup import Table, render_table
from stegvis.reporting.tables import characteristics_table, results_table
from stegvis.statistics.categories import add_categories
from stegvis.statistics.results import ResultRow, members_of, to_frame
from stegvis.statistics.risk_ratio import Ratio
from tests.attacks import attackers, pages, rounding
from tests.stegvis.conftest import PROTOCOL, TABLE_ONE_LEVELS, analysis_set_of, lossy_wave_of, wave_data_of
from tests.stegvis.disclosure.made_tables import ANALYSES, WAVE, across_of, computed_of, steps_of
from tests.stegvis.reporting.sample_report import WORDS

NEXT = "2024-2026"
STRICT = PROTOCOL.model_copy(
    update={
        "disclosure": PROTOCOL.disclosure.model_copy(update={"profile": "strict", "smallest_count": 8}),
        "release": PROTOCOL.release.model_copy(update={"rounding": "nearest", "rounding_base": 5}),
    }
)


def written(folder: Path, *parts: Tables) -> Path:
    """A release's folder with these tables."""
    folder.mkdir(parents=True)
    for name in ("results", "attrition", "characteristics"):
        pd.concat([getattr(each, name) for each in parts], ignore_index=True).to_csv(
            folder / f"{name}.csv", index=False
        )
    return folder


def near_published_cuts(people: pd.DataFrame, between: int) -> pd.DataFrame:
    """The people with all minutes shifted, so that few are between the first quartile and the first published cut."""
    minutes = np.sort(people["walking_minutes"].to_numpy())
    at = len(minutes) // 4 + between
    cut = PROTOCOL.exposures.scale("walking_minutes").published_lower_bounds[0]
    shifted = people["walking_minutes"] + cut - (minutes[at - 1] + minutes[at]) / 2
    bare = people.drop(columns=[name for name in people if str(name).endswith("_category")])
    return add_categories(bare.assign(walking_minutes=shifted), PROTOCOL)


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    return near_published_cuts(analysis_set_of(1600, seed=4), between=3)


@pytest.fixture(scope="module")
def computed(people: pd.DataFrame) -> tuple[Tables, People]:
    return computed_of(people, analyses=ANALYSES)


@pytest.fixture(scope="module")
def published(computed: tuple[Tables, People]) -> Tables:
    found = control_disclosure(*computed, PROTOCOL)
    assert found.unprotected == 0
    return found.tables


@pytest.fixture(scope="module")
def leaver(people: pd.DataFrame) -> pd.Series:
    """Somebody who withdraws: a case of the second walking group."""
    return people[(people["low_back_pain"] == 1) & (people["walking_minutes_category"] == 2)].iloc[0]


@pytest.fixture(scope="module")
def without_leaver(people: pd.DataFrame, leaver: pd.Series) -> tuple[Tables, People]:
    return computed_of(people[people["person"] != leaver["person"]].reset_index(drop=True), analyses=ANALYSES)


def test_nested_cuts(tmp_path: Path, computed: tuple[Tables, People], published: Tables) -> None:
    found = attackers.nested_cuts(written(tmp_path / "off", computed[0]))
    assert any(people == 3 for _, people, _ in found)
    assert attackers.nested_cuts(written(tmp_path / "on", published)) == []


@pytest.mark.slow
def test_nested_cuts_across_waves(tmp_path: Path, people: pd.DataFrame) -> None:
    tables, recorded = across_of([people, analysis_set_of(1000, seed=6, wave=NEXT)])
    off = written(tmp_path / "off", tables)
    assert attackers.nested_cuts(off)
    waves = [of_wave(tables, wave) for wave in (WAVE, NEXT)]
    made = []
    for wave, own in zip((WAVE, NEXT), waves, strict=True):
        assert own is not None
        parts = [part for part in recorded.results if part[0]["wave"].iloc[0] == wave]
        excluded = recorded.exclusions[recorded.exclusions["wave"] == wave]  # type: ignore[index]
        mine = People(parts, {wave: recorded.characteristics[wave]}, excluded)
        made.append(control_disclosure(own, mine, PROTOCOL).tables)
    both = Tables(*(pd.concat([vars(one)[name], vars(other)[name]]) for name in vars(made[0]) for one, other in [made]))
    across = control_across_waves(tables, both, recorded, PROTOCOL)
    assert across.unprotected == 0
    assert attackers.nested_cuts(written(tmp_path / "on", both, across.tables)) == []


def test_strict_against_main(tmp_path: Path) -> None:
    """The people of a strict analysis are those of the main analysis but for two: both are not counted in public."""
    people = pd.DataFrame({"wave": WAVE, "person": [f"p{number:03d}" for number in range(200)]})
    people["pain"] = [float(number % 4 == 0) for number in range(200)]
    template = ResultRow(WAVE, "main", "all", "age", "walking_met", "walking_met_category", measure="p_joint")
    strict = replace(template, analysis="sensitivity:other_strict")
    ratio = Ratio(0.8, 0.7, 0.9, 0.1, 0.01)
    rows = [template.counting(people, "pain"), strict.counting(people.iloc[2:], "pain")]
    tables = Tables.of_results(to_frame([row.with_ratio(ratio) for row in rows]))
    found = attackers.nearly_the_same_people(written(tmp_path / "off", tables))
    assert ("sensitivity:other_strict all", "n", 2) in found
    made = control_disclosure(tables, People([(tables.results, members_of(rows))]), PROTOCOL)
    assert made.unprotected == 0
    assert attackers.nearly_the_same_people(written(tmp_path / "on", made.tables)) == []


def primary_only(tables: Tables) -> Tables:
    """Tables without small counts, and nothing else suppressed."""
    results = tables.results.copy()
    for column in ("n", "events"):
        others = results["n"] - results["events"]
        small = results[column].between(1, 4) | (others.between(1, 4) if column == "events" else False)
        results.loc[small.fillna(False).astype(bool), column] = pd.NA
    return replace(tables, results=results)


@pytest.mark.slow
def test_linear_program_in_a_small_home(tmp_path: Path, people: pd.DataFrame) -> None:
    tables, recorded = computed_of(people.iloc[:400].reset_index(drop=True), analyses=ANALYSES)
    assert attackers.narrow_windows(written(tmp_path / "off", primary_only(tables)))
    found = control_disclosure(tables, recorded, PROTOCOL)
    assert found.unprotected == 0
    assert attackers.narrow_windows(written(tmp_path / "on", found.tables)) == []


@pytest.mark.slow
def test_a_page_beside_the_tables(tmp_path: Path, people: pd.DataFrame) -> None:
    """A page made of numbers before disclosure control shows what the tables suppress."""
    tables, recorded = computed_of(people.iloc[:120].reset_index(drop=True), analyses=ANALYSES)
    made = control_disclosure(tables, recorded, PROTOCOL).tables
    for name, source in (("off", typed(tables)), ("on", made)):
        release = written(tmp_path / name, made)
        (release / "report").mkdir()
        page = [str(render_table(each)) for each in pages_tables(source)]
        (release / "report" / "wave.html").write_text("".join(page), encoding="utf-8")
    found = {table.split("-")[0] for table, _, _ in pages.counts_only_on_pages(tmp_path / "off")}
    assert found == {"results", "characteristics"}
    assert pages.counts_only_on_pages(tmp_path / "on") == []


def pages_tables(tables: Tables) -> list[Table]:
    """What a wave's page shows of tables."""
    found = [results_table(tables.results, PROTOCOL.exposures.names, WORDS)]
    found += [characteristics_table(tables.characteristics, exposure, WORDS) for exposure in PROTOCOL.exposures.names]
    return [each for each in found if each is not None]


def test_digits_of_standardized_differences(tmp_path: Path) -> None:
    wave = lossy_wave_of(700)
    rows = [*rows_of(ANALYSES[:1], wave), *rows_of([attrition_weighted_rows], wave)]
    table_one = characteristics(wave.people, PROTOCOL, TABLE_ONE_LEVELS)
    excluded = pd.DataFrame({"wave": WAVE, "person": wave.people["person"], "reason": pd.Series(dtype="str")})
    tables = Tables(to_frame(rows), steps_of(excluded), table_one)
    recorded = People(
        [(tables.results, members_of(rows))],
        {WAVE: characteristics_members(table_one, wave.people, PROTOCOL)},
        excluded,
    )
    found = attackers.counts_from_standardized_differences(written(tmp_path / "off", tables))
    women = int((wave.people["sex"] == "female").sum())
    assert found["sex", "female"][0] == women
    on = written(tmp_path / "on", control_disclosure(tables, recorded, PROTOCOL).tables)
    assert attackers.counts_from_standardized_differences(on) == {}


def test_rounding_undone(tmp_path: Path) -> None:
    """Rounded counts alone are undone by the numbers beside them; the strict profile publishes none of these."""
    wave = lossy_wave_of(700)
    rows = rows_of([main_models.main_and_quality_rows, attrition_weighted_rows, overlap_rows], wave)
    assert any(row.measure == "equipoise" and row.status == "ok" for row in rows)
    results = with_diagnostics(to_frame(rows), PROTOCOL)
    results.loc[0, "note"] += "; 111 incomplete rows left out"
    table_one = characteristics(wave.people, PROTOCOL, TABLE_ONE_LEVELS)
    excluded = pd.DataFrame({"wave": WAVE, "person": wave.people["person"], "reason": pd.Series(dtype="str")})
    tables = Tables(results, steps_of(excluded), table_one)
    recorded = People(
        [(to_frame(rows), members_of(rows))],
        {WAVE: characteristics_members(table_one, wave.people, PROTOCOL)},
        excluded,
    )
    made = control_disclosure(tables, recorded, STRICT)
    assert made.unprotected == 0
    off, on = tmp_path / "off", tmp_path / "on"
    written(off, with_published_digits(only_rounded(typed(tables)), STRICT))
    written(on, made.tables)
    checks = [{"rule": "whole_day", "failing": 23}, {"rule": "status", "failing": 3}]
    (off / "checks.json").write_text(json.dumps(checks))
    (on / "checks.json").write_text(json.dumps(without_small(checks, STRICT)))
    found = rounding.undone_rounding(off)
    quality = (
        results[results["analysis"] == "fit_quality"]
        .drop_duplicates(["exposure", "model"])
        .set_index(["wave", "exposure", "model"])["events"]
    )
    everyone = table_one[table_one["variable"] == "people"].set_index(["wave", "exposure", "category"])["n"]
    weighted = set(results.loc[results["measure"] == "ess", "n"])
    assert {kind for kind, *_ in found} == {"people", "cases", "weighted", "note", "check"}
    for (kind, *place), count in found.items():
        if kind in ("people", "cases"):
            assert count == (everyone if kind == "people" else quality).loc[tuple(place)], (kind, place)
        if kind == "weighted":
            assert count in weighted
    assert rounding.undone_rounding(on) == {}
    shown = made.tables.results[made.tables.results["status"] == "ok"]
    assert set(shown["measure"]).isdisjoint({"events_per_coefficient", "ess_share", "equipoise"})
    assert without_small(checks, STRICT) == [{"rule": "whole_day", "failing": 25}, {"rule": "status", "failing": None}]


def only_rounded(tables: Tables) -> Tables:
    """Tables whose counts are rounded to 5, and nothing else."""
    made = {
        name: getattr(tables, name).assign(
            **{column: rounded(getattr(tables, name)[column], "nearest", 5) for column in columns}
        )
        for name, columns in COUNT_COLUMNS.items()
    }
    return Tables(**made)


# ---- from release to release ----


def test_one_leaver(
    tmp_path: Path,
    leaver: pd.Series,
    computed: tuple[Tables, People],
    without_leaver: tuple[Tables, People],
    published: Tables,
) -> None:
    """Recomputed after one withdrawal, the strata and the outcome follow; published once, nothing moves."""
    after, _ = without_leaver
    old, new = written(tmp_path / "off1", computed[0]), written(tmp_path / "off2", after)
    own = {"women" if leaver["sex"] == "female" else "men", "age>=65" if leaver["older"] else "age<65"}
    assert attackers.groups_of_leaver(old, new) == own
    level = computed[0].results.query("analysis == 'main' and exposure == 'walking_minutes'")["level"].iloc[1]
    now = after.results.query("analysis == 'main' and exposure == 'walking_minutes'")["level"].iloc[1]
    if level == now:
        assert attackers.outcome_of_leaver(old, new, WAVE, "walking_minutes", level) == "case"
    assert attackers.moved(old, new)["estimate"] > 100
    again = of_wave(published, WAVE)
    assert again is not None
    old, new = written(tmp_path / "on1", published), written(tmp_path / "on2", again)
    assert not any(attackers.moved(old, new).values())
    assert (old / "results.csv").read_bytes() == (new / "results.csv").read_bytes()
    assert attackers.groups_of_leaver(old, new) == set()


def test_two_decimals_alone_do_not_protect_a_leaver(
    tmp_path: Path, without_leaver: tuple[Tables, People], published: Tables
) -> None:
    """Why numbers are published once: rounded and suppressed, but recomputed, hundreds of them still move."""
    after = control_disclosure(*without_leaver, PROTOCOL).tables
    found = attackers.moved(written(tmp_path / "1", published), written(tmp_path / "2", after))
    assert found["n"] + found["events"] + found["estimate"] > 50


@pytest.mark.parametrize("leavers", [1, pytest.param(10, marks=pytest.mark.slow)])
def test_a_new_wave_after_leavers(tmp_path: Path, people: pd.DataFrame, leavers: int) -> None:
    """Pooled minus the new wave, and the shared flow, give how many left; carried forward they do not."""
    second = analysis_set_of(1000, seed=6, wave=NEXT)
    first, recorded_first = computed_of(people)
    before = control_disclosure(first, recorded_first, PROTOCOL).tables
    left = people.iloc[leavers:].reset_index(drop=True)
    tables, recorded = across_of([left, second])
    old = written(tmp_path / "old", before)
    off = written(tmp_path / "off", tables)
    assert attackers.left_of_old_wave(old, off, WAVE) == leavers
    new_wave = of_wave(tables, NEXT)
    assert new_wave is not None
    parts = [part for part in recorded.results if part[0]["wave"].iloc[0] == NEXT]
    excluded = recorded.exclusions[recorded.exclusions["wave"] == NEXT]  # type: ignore[index]
    mine = People(parts, {NEXT: recorded.characteristics[NEXT]}, excluded)
    new = with_shared_baseline(control_disclosure(new_wave, mine, PROTOCOL).tables, before, 5)
    assert published_across(before, [WAVE, NEXT]) is None
    both = Tables(*(pd.concat([vars(before)[name], vars(new)[name]]) for name in vars(before)))
    across = control_across_waves(tables, both, recorded, PROTOCOL)
    on = written(tmp_path / "on", both, across.tables)
    assert attackers.left_of_old_wave(old, on, WAVE) is None
    assert attackers.leavers_of_baseline(off) is not None
    assert attackers.leavers_of_baseline(on) is None
    assert not any(attackers.moved(old, on).values())


def test_the_hash_of_a_small_file(tmp_path: Path) -> None:
    import hashlib

    from stegvis.storage.home_key import keyed_hash

    person, candidates = "P4GH2K7", [f"P4GH2{end}" for end in ("K6", "K7", "K8")]
    content = f"person\n{person}\n".encode()
    for name, sha256 in (
        ("off", hashlib.sha256(content).hexdigest()),
        ("on", keyed_hash(tmp_path, "deliveries of a wave", content)),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(json.dumps({"deliveries": [], "files": [sha256]}))
    assert attackers.guessed_person(tmp_path / "off", candidates) == person
    assert attackers.guessed_person(tmp_path / "on", candidates) is None


@pytest.mark.slow
@pytest.mark.parametrize(("leavers", "won"), [(1, 0.95), (10, 0.6)])
def test_influence_of_a_leaver_on_many_ratios(tmp_path: Path, people: pd.DataFrame, leavers: int, won: float) -> None:
    """Somebody's category, strata and departure are known: is the outcome? All guesses are tested together."""
    analyses = (main_models.main_rows, strata.stratified_rows)
    before = rounded_ratios(people, analyses)
    carried = of_wave(before, WAVE)
    assert carried is not None
    old, again = written(tmp_path / "old", before), written(tmp_path / "again", carried)
    labels = before.results[(before.results["analysis"] == "main") & (before.results["model"] == "age")]
    random = np.random.default_rng(leavers)
    off, on, case = [], [], []
    for number in range(30):
        gone = people.iloc[random.choice(len(people), size=leavers, replace=False)]
        target = gone.iloc[0]
        new = written(tmp_path / f"{number}", rounded_ratios(people.drop(gone.index), analyses))
        levels = {
            exposure: labels.loc[labels["term"] == f"{exposure}_category", "level"].iloc[
                int(target[f"{exposure}_category"]) - 1
            ]
            for exposure in attackers.EXPOSURES
        }
        strata_of = {"all", "women" if target["sex"] == "female" else "men", "age>=65" if target["older"] else "age<65"}
        off.append(attackers.outcome_score(old, new, levels, strata_of))
        on.append(attackers.outcome_score(old, again, levels, strata_of))
        case.append(target["low_back_pain"] == 1)
    assert attackers.area_under_curve(off, case) > won
    assert attackers.area_under_curve(on, case) == 0.5


def rounded_ratios(people: pd.DataFrame, analyses: Sequence[Analysis]) -> Tables:
    """Two decimals and no more protection: what a home would publish that computes its numbers anew."""
    rows = rows_of(analyses, wave_data_of(people.reset_index(drop=True)))
    return with_published_digits(Tables.of_results(to_frame(rows)), PROTOCOL)

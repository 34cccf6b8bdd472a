"""What a home publishes: the same on pages and in tables, protected against earlier releases, signed, and repaired."""

from __future__ import annotations

import json
from collections.abc import Callable

import pandas as pd
import pytest

from stegvis.disclosure.suppression import small_rule
from stegvis.orchestration.verify import verify
from stegvis.reporting.markup import render_table
from stegvis.reporting.tables import characteristics_table, results_table
from stegvis.storage.hash_chain import read_lines
from stegvis.storage.releases import LEDGER, newest
from stegvis.storage.signatures import sign
from stegvis.study.protocol import EXPOSURES
from tests.attacks import attackers, pages
from tests.orchestration.story import Story
from tests.stegvis.reporting.sample_report import WORDS
from tests.study import PROTOCOL, use_protocol

WAVE, NEXT = "2021-2023", "2024-2026"


def read(story: Story, name: str) -> pd.DataFrame:
    return pd.read_csv(story.release() / f"{name}.csv", keep_default_na=False, na_values=[""])


def suppressed_cells(story: Story) -> pd.DataFrame:
    return pd.DataFrame(json.loads((story.release() / "disclosure.json").read_text())["held_back"])


def analyzed(story: Story) -> pd.Series:
    rows = read(story, "results")
    return rows[(rows["analysis"] == "main") & (rows["measure"] == "p_joint")]["n"]


def test_no_small_count_is_published_and_the_log_names_what_is_suppressed_without_values(story: Story) -> None:
    results, steps, table_one = (read(story, name) for name in ("results", "attrition", "characteristics"))
    for counts in (results["n"], results["events"], results["n"] - results["events"], steps["excluded"],
                   steps["remaining"], table_one["n"]):  # fmt: skip
        assert not counts.between(1, 4).any()
    checks = json.loads((story.release() / "checks.json").read_text())
    assert not any(check["failing"] and check["failing"] < 5 for check in checks)
    log = suppressed_cells(story)
    assert list(log) == ["wave", "table", "cell", "column", "rule"]
    assert set(log["rule"]) == {small_rule(5)}
    suppressed = results[results["status"] == "suppressed"]
    assert len(suppressed) > 0
    keys = ["wave", "analysis", "population", "model", "exposure", "term", "level", "measure"]
    cells = [" / ".join(part for part in row if part) for row in suppressed[keys].fillna("").astype(str).to_numpy()]
    assert set(cells) <= set(log["cell"])


def test_pages_show_the_tables_of_the_release_and_no_others(story: Story) -> None:
    page = (story.release() / "report" / f"wave-{WAVE}.html").read_text()
    shown = characteristics_table(read(story, "characteristics").fillna({"level": ""}), "walking_minutes", WORDS)
    assert shown is not None
    assert str(render_table(shown)) in page
    results = read(story, "results").fillna({"level": "", "population": "", "note": "", "term": "", "reference": ""})
    shown = results_table(results[results["wave"] == WAVE], EXPOSURES, WORDS)
    assert shown is not None
    assert str(render_table(shown)) in page
    # A claim rests on an estimate that is published.
    published = results[(results["analysis"] == "main") & (results["status"] == "ok")]
    for claim in json.loads((story.release() / "claims.json").read_text()):
        assert ("RR" in claim["evidence"]) <= (len(published) > 0)


def test_a_release_gives_no_person_no_delivery_and_no_nested_group_away(story: Story) -> None:
    """The attackers of ``tests/attacks`` on the release of a whole home."""
    release, people = story.release(), list(story.table("select person from cohort")["person"])
    assert attackers.guessed_person(release, people) is None
    assert attackers.single_things(release) == []
    assert attackers.nested_cuts(release) == []
    assert attackers.narrow_windows(release) == []
    assert attackers.counts_from_standardized_differences(release) == {}
    assert pages.counts_only_on_pages(release) == []


@pytest.mark.slow
def test_a_published_wave_never_moves(story: Story) -> None:
    """One withdrawal changes the tables inside the home at once, and no published number, then or later."""
    first = story.release()
    gone = story.table("select person from analysis_set order by person limit 1")["person"].item()
    story.withdraw("2025-01", [gone])
    assert story.refresh().ok
    assert gone not in set(story.table("select person from analysis_set")["person"])
    assert story.release() == first
    # Ten more people, and later a new wave.
    story.withdraw("2025-02", list(story.table("select person from analysis_set order by person limit 10")["person"]))
    story.drop("followup", "2024-2026", story.answers().iloc[::2], "questionnaire.csv")
    assert story.refresh().ok
    assert story.release() != first
    # Results across waves are published once for each set of waves.
    assert not any(attackers.moved(first, story.release(), {WAVE}).values())
    then, now = (attackers.read(folder).query("wave == @WAVE") for folder in (first, story.release()))
    pd.testing.assert_frame_equal(then.reset_index(drop=True), now.reset_index(drop=True))
    assert attackers.left_of_old_wave(first, story.release(), WAVE) is None
    assert attackers.leavers_of_baseline(story.release()) is None
    manifest = json.loads((story.release() / "manifest.json").read_text())
    assert manifest["waves"][WAVE]["release"] == first.name
    assert manifest["waves"]["2024-2026"]["release"] == story.release().name
    assert first.name in (story.release() / "report" / "index.html").read_text()
    assert story.made() == set()


@pytest.mark.slow
def test_another_method_does_not_compute_the_shared_baseline_anew_after_somebody_has_left(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A withdrawal, a new wave, another method: the wave's edition keeps the baseline that the first wave published."""
    first = story.release()
    story.withdraw("2025-01", list(story.table("select person from analysis_set order by person limit 3")["person"]))
    story.drop("followup", NEXT, story.answers().iloc[::2], "questionnaire.csv")
    assert story.refresh().ok
    second = story.release()
    assert attackers.leavers_of_baseline(second) is None
    fewer = PROTOCOL.release.digits.model_copy(update={"means": 0, "percentages": 0})
    release = PROTOCOL.release.model_copy(update={"digits": fewer})
    use_protocol(monkeypatch, PROTOCOL.model_copy(update={"release": release}))
    assert story.refresh().ok
    third = story.release()
    assert third != second
    waves = json.loads((third / "manifest.json").read_text())["waves"]
    assert waves[WAVE]["release"] == first.name
    assert waves[NEXT]["edition"] == "new edition: changed method"
    assert not any(attackers.moved(second, third, {WAVE}).values())
    # Neither the steps nor the people of the balance table say how many have left.
    assert attackers.leavers_of_baseline(third) is None
    counts = [attackers.moved(second, third, {NEXT})[column] for column in ("n", "events")]
    assert counts == [0, 0]
    steps = [attackers.read(folder, "attrition") for folder in (second, third)]
    assert steps[0].loc[steps[0]["rule"] == "cohort", "remaining"].notna().all()
    pd.testing.assert_frame_equal(*steps)


@pytest.fixture
def two_sign(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From now on the protocol asks for two signatures."""

    def ask() -> None:
        asked = PROTOCOL.model_copy(update={"release": PROTOCOL.release.model_copy(update={"signatures": 2})})
        use_protocol(monkeypatch, asked)

    return ask


@pytest.mark.slow
def test_a_release_waits_for_two_signatures(story: Story, two_sign: Callable[[], None]) -> None:
    first = story.release()
    two_sign()
    story.drop("followup", "2024-2026", story.answers().iloc[::2], "questionnaire.csv")
    assert story.refresh().ok
    made = newest(story.home.releases)
    assert made is not None
    assert made != story.release() == first
    waiting = story.status()["waiting_release"]
    assert (waiting["release"], waiting["signatures_missing"]) == (made.name, 2)
    assert story.made() == set()
    assert verify(made).notes == ["2 of 2 signatures are missing"]
    for name in ("Anna", "Bo"):
        assert story.release() == first
        sign(story.home.releases, made.name, name)
        assert story.made() == set()
    assert story.release() == made
    assert story.status()["waiting_release"] is None
    assert verify(made).signed_by == ["Anna", "Bo"]


@pytest.mark.slow
def test_an_interrupted_publication_is_completed_by_the_next_refresh(story: Story) -> None:
    """The process died when the folder had moved, before the ledger and ``latest``."""
    first = story.release()
    story.drop("followup", "2024-2026", story.answers().iloc[::2], "questionnaire.csv")
    story.refresh()
    second = story.release()
    ledger = story.home.releases / LEDGER
    ledger.write_text(ledger.read_text().splitlines()[0] + "\n")
    (story.home.releases / "latest").unlink()
    (story.home.releases / "latest").symlink_to(first.name)
    assert f"{second.name} is not in {LEDGER}" in verify(second).problems
    assert story.made() == set()
    assert story.release() == second
    assert [line["release"] for line in read_lines(ledger)] == [first.name, second.name]
    assert verify(second).problems == []


@pytest.mark.slow
def test_without_an_earlier_release_that_can_be_read_nothing_is_published(story: Story) -> None:
    first = story.release()
    (first / "attrition.csv").chmod(0o644)
    first.chmod(0o755)
    (first / "attrition.csv").unlink()
    story.give_pain("2021-2023.2", every=2)
    done = story.refresh()
    assert not done.ok
    assert ("disclosure", WAVE) in {(asset, key) for asset, key, _ in done.failed}
    assert f"a table of release {first.name} cannot be read" in done.failed[0][2]
    assert story.release() == first

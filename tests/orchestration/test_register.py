"""A wave that is registered before it arrives is called so by its release, with what has changed since."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from stegvis.orchestration.verify import verify
from stegvis.statistics.multiplicity import benjamini_hochberg, holm
from stegvis.storage.backup import back_up
from stegvis.storage.backup_folder import open_backup
from stegvis.storage.registration import FOLDER
from tests.orchestration.command import stegvis_here
from tests.orchestration.story import Story
from tests.study import PROTOCOL

NEXT = "2024-2026"


def test_the_command_refuses_a_wave_that_was_opened(story: Story) -> None:
    refused = stegvis_here("register", "wave", "2021-2023", home=story.home.root)
    assert refused.returncode == 1
    assert "wave 2021-2023 is not registered: its delivery is in the landing zone" in refused.stderr
    made = stegvis_here("register", "wave", NEXT, home=story.home.root)
    assert made.returncode == 0, made.stderr
    assert made.stdout.strip() == str(story.home.root / FOLDER / f"{NEXT}.md")
    again = stegvis_here("register", "wave", NEXT, home=story.home.root)
    assert (again.returncode, "nothing has changed since" in again.stderr) == (1, True)
    backup = back_up(story.home, story.home.root.parent / "backups").path
    names = set(open_backup(story.home.root.parent / "backups").manifest.files)
    assert {f"{FOLDER}/{NEXT}.json", f"{FOLDER}/{NEXT}.md", f"{FOLDER}/chain.jsonl"} <= names, backup


@pytest.mark.slow
def test_a_release_says_what_was_registered_and_what_was_asked(story: Story) -> None:
    assert stegvis_here("register", "wave", NEXT, home=story.home.root).returncode == 0
    story.drop("followup", NEXT, story.answers().iloc[::2], "questionnaire.csv")
    assert story.refresh().ok
    release = story.release()
    assert verify(release).problems == []
    first, second = json.loads((release / "registration.json").read_text())["waves"]
    assert (first["wave"], first["registered"], first["declared"]) == ("2021-2023", None, True)
    assert (second["wave"], second["late"], second["changed"], second["files"]) == (NEXT, False, [], [])
    assert (release / second["document"]).read_bytes() == (story.home.root / second["document"]).read_bytes()
    page = (release / "report" / "index.html").read_text()
    assert f"Registered on {second['registered']}, before the wave was opened." in page
    assert "Not registered." in page
    declared = pd.read_csv(release / "declared_estimates.csv")
    assert declared.groupby("wave")["family"].agg(["size", "first"]).to_numpy().tolist() == [[8, 8], [8, 8]]
    results = pd.read_csv(release / "results.csv", keep_default_na=False, na_values=[""])
    keys = ["wave", "analysis", "population", "model", "exposure", "term", "level", "measure"]
    found = declared.merge(results, on=keys, suffixes=("", "_there"))
    assert len(found) == len(declared)
    for name in ("estimate", "ci_low", "ci_high", "p_value"):
        pd.testing.assert_series_equal(found[name], found[f"{name}_there"], check_names=False)
    # Whoever has the release can repeat it, to the published digits.
    for _, mine in declared.groupby("wave"):
        for name, adjusted in (("p_holm", holm), ("p_fdr", benjamini_hochberg)):
            again = [float(f"{each:.1e}") for each in adjusted(mine["p_value"].tolist(), 8)]
            assert mine[name].fillna(-1).tolist() == pd.Series(again).fillna(-1).tolist()
    assert PROTOCOL.release.digits.p_values == 2
    wave = (release / "report" / "wave-2021-2023.html").read_text()
    assert wave.index("The primary estimate and the secondary ones") < wave.index('id="results-table"')
    # A registration after the fact is one that is late, and the next release says so.
    late = stegvis_here("register", "wave", "2021-2023", "--late", home=story.home.root)
    assert late.returncode == 0, late.stderr
    assert story.refresh().ok
    assert story.release() != release
    first, second = json.loads((story.release() / "registration.json").read_text())["waves"]
    assert (first["late"], second["late"]) == (True, False)
    assert "after the wave was opened" in (story.release() / "report" / "index.html").read_text()

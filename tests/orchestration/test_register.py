"""Registering a wave by the command, and what the release says of it and of the declared estimates."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from stegvis.orchestration.verify import verify
from stegvis.statistics.multiplicity import benjamini_hochberg, holm
from stegvis.statistics.results import KEY_COLUMNS
from stegvis.storage.backup import back_up
from stegvis.storage.backup_folder import open_backup
from stegvis.storage.registration import FOLDER
from tests.orchestration.command import stegvis_here
from tests.orchestration.story import Story

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
    backups = story.home.root.parent / "backups"
    back_up(story.home, backups)
    names = set(open_backup(backups).manifest.files)
    assert names >= {f"{FOLDER}/{NEXT}.json", f"{FOLDER}/{NEXT}.md", f"{FOLDER}/chain.jsonl"}


@pytest.mark.slow
def test_a_release_says_what_was_registered_and_what_was_asked(story: Story) -> None:
    before = story.release()
    # After the fact, so it is late, and the next release says so; a wave that has not arrived is in no release.
    for wave, *late in (("2021-2023", "--late"), (NEXT,)):
        made = stegvis_here("register", "wave", wave, *late, home=story.home.root)
        assert made.returncode == 0, made.stderr
    assert story.refresh().ok
    release = story.release()
    assert release != before
    assert verify(release).problems == []
    (said,) = json.loads((release / "registration.json").read_text())["waves"]
    assert (said["late"], said["changed"], said["files"], said["declared"]) == (True, [], [], True)
    assert (release / said["document"]).read_bytes() == (story.home.root / said["document"]).read_bytes()
    assert {file.name for file in (release / FOLDER).iterdir()} == {"2021-2023.json", "2021-2023.md"}
    page = (release / "report" / "index.html").read_text()
    assert f"Registered on {said['registered']}, after the wave was opened." in page
    (unsaid,) = json.loads((before / "registration.json").read_text())["waves"]
    assert unsaid["registered"] is None
    assert "Not registered." in (before / "report" / "index.html").read_text()
    declared = pd.read_csv(release / "declared_estimates.csv")
    assert declared["purpose"].tolist() == ["primary"] + ["secondary"] * 7
    assert set(declared["family"]) == {8}
    results = pd.read_csv(release / "results.csv", keep_default_na=False, na_values=[""])
    found = declared.merge(results, on=list(KEY_COLUMNS), suffixes=("", "_there"))
    assert len(found) == len(declared)
    for name in ("estimate", "ci_low", "ci_high", "p_value"):
        pd.testing.assert_series_equal(found[name], found[f"{name}_there"], check_names=False)
    # Whoever has the release can repeat it, to the published digits.
    for name, adjusted in (("p_holm", holm), ("p_fdr", benjamini_hochberg)):
        again = [float(f"{each:.1e}") for each in adjusted(declared["p_value"].tolist(), 8)]
        assert declared[name].fillna(-1).tolist() == pd.Series(again).fillna(-1).tolist()
    wave = (release / "report" / "wave-2021-2023.html").read_text()
    assert wave.index("Primary estimate. ") < wave.index('id="results-table"') < wave.index('id="asked-first"')

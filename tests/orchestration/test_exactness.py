"""Whatever is delivered, corrected, withdrawn or edited, in whatever order: a refresh makes what follows from it and
nothing else, and every table is what a full rebuild would give."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from stegvis.assets.graph import tables
from stegvis.orchestration.instance import open_instance
from stegvis.storage.home import Home
from stegvis.storage.tables import Records
from tests.orchestration.story import Story, apart_from_published
from tests.sizes import FULL

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]

ROOT = Path(__file__).parents[2]
MAPPED = ("assets", "expectations", "orchestration", "sql", "studies")
STEPS = 6
TOGETHER = 1 if FULL else 2  # how much happens between two refreshes
STEPS_BETWEEN_REBUILDS = 1 if FULL else 5  # as many as there are

Place = tuple[str, str | None]  # an asset, and the partition that may run (None: every one)


class Project:
    """A copy of the project that can be edited, and a home that it refreshes."""

    def __init__(self, folder: Path, story: Story) -> None:
        self.code = folder / "project"
        # As an installed package, so that nothing is imported from the checkout.
        without = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "stegvis", self.code / "stegvis", ignore=without)
        for part in MAPPED:
            shutil.copytree(ROOT / part, self.code / "stegvis" / part, ignore=without)
        self.folder = folder
        self.story = story
        self.number = 0

    def refresh(self, home: Home) -> dict:
        command = [sys.executable, "-m", "stegvis.orchestration", "refresh", "--json", "--home", str(home.root)]
        done = subprocess.run(
            command, cwd=self.code, capture_output=True, text=True, env=_environment(home), timeout=900
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def rebuilt(self) -> Story:
        """A home that makes everything at once from the same deliveries and by the same study."""
        home = Home(self.folder / f"rebuilt-{self.number}", self.story.home.landing)
        shutil.copytree(self.story.home.study, home.study)
        self.refresh(home)
        return Story(home)

    # ---- what can happen; each says which stages it touches ----

    def wave(self) -> list[Place]:
        name = f"{2024 + 3 * self.number}-{2026 + 3 * self.number}"
        self.story.drop("followup", name, self.story.answers().iloc[self.number :: 2], "questionnaire.csv")
        return [("followup_questionnaire", name)]

    def corrected_wave(self) -> list[Place]:
        rows = self.story.answers().iloc[self.number : self.number + 5].assign(MSPaLY_NT4CovQ="1", MSPaLum_NT4CovQ="1")
        self.story.drop("followup", f"2021-2023.{self.number}", rows, "questionnaire.csv")
        return [("followup_questionnaire", "2021-2023")]

    def batch(self) -> list[Place]:
        name = f"2019-09-{self.number}"
        self.story.drop("recordings", name, self.story.days().iloc[self.number : self.number + 20], "days.csv")
        return [("epoch_classification", name)]

    def corrected_baseline(self) -> list[Place]:
        row = self.story.baseline().iloc[[self.number]].assign(SmoStat_NT4BLQ1="3")
        self.story.drop("baseline", f"2020-{self.number:02d}", row, "participants.csv")
        return [("baseline_questionnaire", None)]

    def withdrawal(self) -> list[Place]:
        self.story.withdraw(f"2025-{self.number:02d}", [self.story.baseline()["person"].iloc[10 + self.number]])
        return [("withdrawals", None)]

    def redelivery(self) -> list[Place]:
        followup = self.story.home.landing / "followup"
        shutil.copytree(followup / "2021-2023", followup / f"2021-2023.again-{self.number}")
        return []

    def comment(self) -> list[Place]:
        self._edit(self.code / "stegvis/sql/cohort.sql", lambda text: f"-- seen {self.number} times\n{text}")
        return []

    def select(self) -> list[Place]:
        self._edit(
            self.code / "stegvis/sql/walking_exposures.sql",
            lambda text: text.replace(" / 60 as", f" / {60 + self.number} as", 1),
        )
        return [("walking_exposures", None)]

    def protocol(self) -> list[Place]:
        self._edit(
            self.story.home.study / "protocol.toml",
            lambda text: text.replace("depression = 7", f"depression = {8 + self.number}"),
        )
        read = "protocol covariates.cuts"
        known = Records(self.story.home)
        return [(name, None) for name in tables() if any(read in m.made_from for m in known.published(name).values())]

    def _edit(self, file: Path, change: Callable[[str], str]) -> None:
        before = file.read_text()
        after = change(before)
        assert after != before
        file.write_text(after)


ONCE = ("select", "protocol")
HAPPENINGS = (
    "wave", "corrected_wave", "batch", "corrected_baseline", "redelivery", "comment", "withdrawal", "select",
    "protocol",
)  # fmt: skip


def drawn(seed: int) -> list[str]:
    """A random sequence of happenings."""
    choose = random.Random(seed)
    possible, sequence = list(HAPPENINGS), []
    for _ in range(STEPS):
        sequence.append(choose.choice(possible))
        if sequence[-1] in ONCE:
            possible.remove(sequence[-1])
    return sequence


SEQUENCES = {"each once": list(HAPPENINGS)}
if FULL:
    SEQUENCES |= {f"seed {seed}": drawn(seed) for seed in (4, 7)}


def follows(touched: list[Place]) -> dict[str, set[str] | None]:
    """Everything downstream of what is touched: by asset the partitions that may run, None for all."""
    allowed: dict[str, set[str] | None] = {}
    for asset, key in touched:
        allowed[asset] = None if key is None else {key, *(allowed.get(asset) or ())}
    for table in tables().values():
        for upstream in table.upstream:
            if upstream.name not in allowed:
                continue
            same = table.partition is not None and upstream.partition == table.partition
            keys = allowed[upstream.name] if same else None
            known = allowed.get(table.name, set())
            allowed[table.name] = None if keys is None or known is None else keys | known
    return allowed


def materialized(home: Home, after: int) -> tuple[set[tuple[str, str]], int]:
    """What the event log says was made after an event, and its newest event."""
    with open_instance(home) as instance:
        made = set()
        for name in tables():
            found = instance.fetch_materializations(
                dg.AssetRecordsFilter(asset_key=dg.AssetKey(name), after_storage_id=after), limit=1000
            )
            made |= {(name, record.partition_key or "") for record in found.records}
        return made, instance.event_log_storage.get_maximum_record_id() or 0


def assert_same_tables(step_by_step: Story, at_once: Story, when: str) -> None:
    ours, theirs = (apart_from_published(each.tables()) for each in (step_by_step, at_once))
    assert ours.keys() == theirs.keys()
    for name in theirs:
        pd.testing.assert_frame_equal(ours[name], theirs[name], obj=f"{name} {when}")


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_after_any_sequence_every_table_is_that_of_a_rebuild(story: Story, tmp_path: Path, sequence: str) -> None:
    project = Project(tmp_path, story)
    _, newest = materialized(story.home, 0)
    happenings = iter(SEQUENCES[sequence])
    while between := tuple(islice(happenings, TOGETHER)):
        project.number += 1
        touched = [place for happening in between for place in getattr(project, happening)()]
        printed = project.refresh(story.home)
        made, newest = materialized(story.home, newest)
        assert made == {(step["asset"], step["partition"]) for step in printed["materialized"]}
        allowed = follows(touched)
        for asset, key in made:
            assert asset in allowed, f"{asset} ran after {between}"
            keys = allowed[asset]
            assert keys is None or key in keys, f"{asset} [{key}] ran after {between}"
        if touched:
            assert made, f"nothing ran after {between}"
        else:
            assert not made
        if project.number % STEPS_BETWEEN_REBUILDS == 0:
            assert_same_tables(story, project.rebuilt(), f"after step {project.number} of {sequence}, {between}")


def _environment(home: Home) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STEGVIS_", "DAGSTER_"))}
    return kept | {"STEGVIS_LANDING": str(home.landing), "PYTHONPATH": "."}

"""What happens in the tests of a refresh: a drop arrives, a refresh runs, tables are looked at."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from stegvis.orchestration.home_state import PartitionStatus
from stegvis.orchestration.refresh import Refresh, dry_run, refresh
from stegvis.orchestration.status import status
from stegvis.storage.home import Home
from stegvis.storage.warehouse import Warehouse

WAVE_STAGES = {
    "followup_questionnaire", "outcome_questionnaire", "exclusions", "attrition", "eligible_people",
    "analysis_set", "risk_ratios", "absolute_risks", "bias_models", "dose_response", "sensitivity_models",
    "time_use_models", "fitted_models", "characteristics", "disclosure", "claims", "report",
}  # fmt: skip

# What may be published depends on earlier releases, and a release holds the time at which it was made.
PUBLISHED = {
    "disclosure", "published_results", "published_attrition", "published_characteristics", "published_histogram",
    "published_origins",
    "claims", "report", "release", "materializations",
}  # fmt: skip


def apart_from_published(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The tables that follow from deliveries, protocol and code alone, and the checks of these."""
    kept = {name: frame for name, frame in tables.items() if name not in PUBLISHED}
    checks = kept["checks"]
    return kept | {"checks": checks[~checks["asset"].isin(PUBLISHED)].reset_index(drop=True)}


def complete(folder: Path, **more: object) -> None:
    """Write the ``drop.json`` that completes a drop."""
    files = {
        file.name: {"sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
        for file in sorted(folder.iterdir())
        if file.name != "drop.json"
    }
    (folder / "drop.json").write_text(json.dumps({"files": files, "synthetic": True, **more}))


@dataclass
class Story:
    """A home, and what happens to it."""

    home: Home

    def refresh(self) -> Refresh:
        return refresh(self.home)

    def made(self) -> set[tuple[str, str]]:
        """What a refresh materializes now."""
        return set(self.refresh().materialized)

    def steps(self) -> list[PartitionStatus]:
        """What is not up to date now."""
        return dry_run(self.home)[0]

    def planned(self) -> dict[str, tuple[str, ...]]:
        """What a refresh would do, and why."""
        return {step.label: step.reasons for step in self.steps()}

    def status(self) -> dict:
        return status(self.home)

    def drop(self, kind: str, name: str, frame: pd.DataFrame | None = None, file: str = "", **more: object) -> Path:
        """A drop arrives: a folder with one csv (or none) and its ``drop.json``."""
        folder = self.home.landing / kind / name
        folder.mkdir(parents=True)
        if frame is not None:
            frame.to_csv(folder / file, index=False)
        complete(folder, **more)
        return folder

    def withdraw(self, name: str, people: list[str]) -> None:
        """A list of withdrawals arrives."""
        file = self.home.landing / "withdrawals" / f"{name}.csv"
        file.parent.mkdir(exist_ok=True)
        file.write_text("\n".join(["person", *people]) + "\n")
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        file.with_suffix(".json").write_text(json.dumps({"files": {file.name: {"sha256": digest}}}))

    def baseline(self) -> pd.DataFrame:
        """The delivered baseline, as text."""
        file = min((self.home.landing / "baseline").glob("*/participants.csv"))
        return pd.read_csv(file, dtype=str)

    def answers(self) -> pd.DataFrame:
        """The delivered answers of the first wave, as text."""
        file = self.home.landing / "followup" / "2021-2023" / "questionnaire.csv"
        return pd.read_csv(file, dtype=str)

    def give_pain(self, name: str, every: int) -> None:
        """A correction arrives: every so many-th of those analyzed has pain, so that a small twin has estimates."""
        people = self.table("select person from analysis_set order by person")["person"]
        answers = self.answers().set_index("person").loc[people[::every]].reset_index()
        self.drop("followup", name, answers.assign(MSPaLY_NT4CovQ="1", MSPaLum_NT4CovQ="1"), "questionnaire.csv")

    def days(self) -> pd.DataFrame:
        """The delivered day totals of the batch that came as csv, as text."""
        file = min((self.home.landing / "recordings").glob("*/days.csv"))
        return pd.read_csv(file, dtype=str)

    def table(self, query: str) -> pd.DataFrame:
        with Warehouse(self.home).session("test") as connection:
            return connection.execute(query).df()

    def tables(self) -> dict[str, pd.DataFrame]:
        """Every table of the warehouse, rows in a fixed order; when and by which run they were made is left out."""
        with Warehouse(self.home).session("test") as connection:
            names = [row[0] for row in connection.execute("select table_name from duckdb_tables()").fetchall()]
            frames = {name: connection.execute(f'select * from "{name}" order by all').df() for name in names}
        frames["checks"] = frames["checks"].drop(columns=["checked_at"])
        # Of the records what the partitions were made from: their rows are compared themselves, and a data version also
        # sees the last digit of a mean, which depends on the order in which DuckDB's threads add.
        records = frames["materializations"].drop(columns=["run_id", "made_at", "files", "data_version"])
        # Such a digit decides whether what is published already is looked at again, reading less of the protocol.
        # The rows of a release hash its manifest, which has the time.
        published = records["table_name"].isin(PUBLISHED | {"released_people"})
        frames["materializations"] = records[~published].reset_index(drop=True)
        return frames

    def release(self) -> Path:
        """The newest release's folder."""
        return (self.home.releases / "latest").resolve()

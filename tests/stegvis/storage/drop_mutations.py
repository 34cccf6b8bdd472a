"""Whole drops, mutated in their files, tables or ``drop.json``, through ``validate`` and ``refresh``: what must hold.

Each has a small home of its own. The refresh is ``stegvis refresh`` itself, in this process, on the tables that read
deliveries; what is made from those does not run. ``python -m tests.stegvis.storage.drop_mutations FIRST LAST`` runs
the drops with these numbers and prints a summary as JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd

from stegvis.assets.graph import tables
from stegvis.orchestration import home_state
from stegvis.orchestration.refresh import Refresh, refresh
from stegvis.storage.delivered_files import DeliveryContract
from stegvis.storage.home import Home
from stegvis.storage.lake import EpochLake, read_epochs
from stegvis.storage.names import shown
from stegvis.storage.validation import Validation, validate_drop
from stegvis.storage.warehouse import Warehouse, table_exists
from stegvis.storage.withdrawal_list import read_list
from stegvis.study.study import CODEBOOK, Study
from tests.memory import peak_megabytes
from tests.stegvis.storage.drop_cases import KIND_OF, LAYOUTS, OTHERS, Case, long_days, make, sealed, unmutated
from tests.stegvis.storage.mutations import TooSlowError
from tests.study import home_with_study

SECONDS, MEGABYTES = 10, 1000  # that one drop may take
INGESTION = ("withdrawals", "baseline_questionnaire", "followup_questionnaire", "epoch_classification")
TABLE_OF = {
    "participants": "baseline_questionnaire",
    "questionnaire": "followup_questionnaire",
    "days": "delivered_days",
    "long_days": "delivered_days",
}
# What only one of the two can say: the share in words, and what shows when a recording is classified.
ONLY_VALIDATE, ONLY_REFRESH = {"too_many_quarantined"}, {"implausible_signal"}


def ingest(home: Home) -> Refresh:
    """``stegvis refresh`` on the tables that read deliveries."""
    chosen = {name: table for name, table in tables().items() if name in INGESTION}
    with patch.object(home_state, "tables", lambda: chosen):
        return refresh(home)


def put(home: Home, case: Case) -> Path:
    """Put a drop into the landing zone; the place that ``validate`` is given."""
    folder = home.landing / case.kind if case.kind == "withdrawals" else home.landing / case.kind / case.name
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in case.files.items():
        case.place(folder / name, content)
    manifest = folder / (f"{case.name}.json" if case.kind == "withdrawals" else "drop.json")
    if case.manifest is not None:
        manifest.write_bytes(case.manifest)
    return folder / f"{case.name}.csv" if case.kind == "withdrawals" else folder


def other(layout: str) -> Case:
    """A faultless drop of the same kind, of other people, that comes before."""
    return sealed(KIND_OF[layout], layout, OTHERS[KIND_OF[layout]], unmutated(layout, others=True).files)


def used_rows(home: Home, case: Case) -> pd.DataFrame:
    """What is used of a drop, as text, one row per row of the file, with its person."""
    if case.layout in ("epochs", "signal"):
        frames = [read_epochs(file).to_pandas() for file in EpochLake(home.lake, case.name).files()]
        frame = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame({"person": []})
    elif case.layout == "withdrawals":
        listed = read_list(home.root)
        frame = pd.DataFrame({"person": sorted(person for person in case.anybody if person in listed)})
    else:
        table = TABLE_OF[case.layout]
        with Warehouse(home).session("test") as connection:
            if not table_exists(connection, table):
                return pd.DataFrame({"person": []})
            frame = connection.execute(f'select * from "{table}"').df()
        frame = frame[frame["batch" if "batch" in frame else "delivery"] == case.name]
    return frame.drop(columns=["delivery", "batch", "wave"], errors="ignore").astype("str").reset_index(drop=True)


def in_quarantine(home: Home, case: Case) -> Counter[tuple[str, str, str, str]]:
    """What of a drop is in quarantine: file, row, column and rule."""
    with Warehouse(home).session("test") as connection:
        rows = connection.execute("select file, \"row\", coalesce(column_name, ''), rule from quarantine").fetchall()
    return Counter(
        (file.partition("/")[2], str(row), column, rule)
        for file, row, column, rule in rows
        if file.partition("/")[0] == case.name and rule not in ONLY_REFRESH
    )


def listed_problems(found: Validation) -> Counter[tuple[str, str, str, str]]:
    """The same, of what ``validate`` lists."""
    return Counter(
        (
            each.file,
            "None" if pd.isna(each.row) else str(each.row),
            "" if pd.isna(each.column) else each.column,
            each.rule,
        )
        for each in found.problems.itertuples()
        if each.rule not in ONLY_VALIDATE
    )


def complaint(home: Home, case: Case, expected: pd.DataFrame) -> str | None:
    """What is wrong with how a drop was validated and refreshed; None if nothing."""
    study = Study.of(home.root)
    place = put(home, case)
    validated = validate_drop(place, DeliveryContract(study.codebook, study.protocol))
    done = ingest(home)
    lists = {each: getattr(done.landing, each) for each in ("accepted", "waiting", "rejected", "repeated")}
    state = [s for s, drops in lists.items() if any(d.kind == case.kind and d.name == shown(case.name) for d in drops)]
    rules = set(validated.problems["rule"])
    if len(state) != 1:
        return f"the drop is in the states {state}"
    if (validated.refused == "rejected") != (state == ["rejected"]):
        return f"validate says '{validated.refused}' of a drop that is {state[0]} ({rules})"
    if state == ["waiting"]:
        # Validate says what comes once it is complete.
        return None if rules & {"no_manifest", "file_not_there_yet"} and done.ok else "waiting, and not said so"
    if bool(validated.refused) == done.ok:
        why = [reason for each in done.blocked for reason in each.reasons]
        return f"validate says '{validated.refused}' ({rules}), refresh {'succeeds' if done.ok else f'fails: {why}'}"
    used = used_rows(home, case)
    if state == ["rejected"]:
        return "a rejected drop is used" if len(used) else None
    for asset, key, why in done.failed:
        if "was not published" not in why:
            return f"{asset} [{key}] failed: {why}"
    here, there = in_quarantine(home, case), listed_problems(validated)
    if here != there:
        return f"quarantine has {list((here - there).items())[:3]}, validate {list((there - here).items())[:3]}"
    return counted(validated, done, used, case) or unchanged(used, case, expected)


def counted(validated: Validation, done: Refresh, used: pd.DataFrame, case: Case) -> str | None:
    """Rows read are used or quarantined, and both say so."""
    fine = int(validated.summary["rows_fine"].sum())
    if done.blocked or case.layout == "signal":
        return None
    return None if len(used) == fine else f"{len(used)} rows used; {fine} are fine by validate"


def unchanged(used: pd.DataFrame, case: Case, expected: pd.DataFrame) -> str | None:
    """No identifier that is not in the drop, and no cell of a row that was not touched differs."""
    if case.people is not None and not set(used["person"]) <= case.people:
        return "an identifier that is not in the drop"
    if case.untouched is None or not len(used):
        return None
    ours, theirs = (frame[frame["person"].isin(case.untouched)] for frame in (used, expected))
    columns = list(theirs.columns) if case.all_columns else [c for c in theirs.columns if c in ours]
    order = [column for column in ("person", "day", "epoch_start") if column in columns]
    left, right = (frame[columns].sort_values(order).reset_index(drop=True) for frame in (ours, theirs))
    if not case.all_columns:
        left, right = left[order], right[order]
    return None if left.equals(right) else f"a row that was not touched differs ({len(left)} of {len(right)})"


def templates(folder: Path) -> dict[bool, Home]:
    """A home with the study as it comes, and one whose day totals have one row per person and day."""
    found = {}
    for long in (False, True):
        home = home_with_study(folder / f"long-{long}")
        if long:
            codebook = home.study / CODEBOOK
            codebook.write_text(long_days(codebook.read_text(encoding="utf-8")), encoding="utf-8")
        put(home, other("participants"))  # without a baseline no home is in order
        done = ingest(home)
        assert done.ok, (done.failed, done.blocked)
        found[long] = home
    return found


def copied(template: Home, folder: Path) -> Home:
    """A fresh copy of a home."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(template.root, folder, symlinks=True)
    return Home(folder, folder / "landing")


def expected_rows(homes: dict[bool, Home], folder: Path) -> dict[str, pd.DataFrame]:
    """What is used of the unmutated drop of each layout."""
    found = {}
    for layout in LAYOUTS:
        case = unmutated(layout)
        home = copied(homes[layout == "long_days"], folder)
        put(home, case)
        done = ingest(home)
        assert done.ok, (layout, done.failed, done.blocked, done.landing.rejected)
        found[layout] = used_rows(home, case)
        assert set(found[layout]["person"]) == case.people, layout
    return found


def run(first: int, last: int) -> dict[str, Any]:
    """Run the drops from one number to another.

    Returns:
        How many there were, the longest time in seconds, the memory in MB, and what was wrong, by number.
    """

    def too_slow(*_: object) -> None:
        raise TooSlowError

    signal.signal(signal.SIGALRM, too_slow)
    os.environ.pop("STEGVIS_LANDING", None)
    os.environ.pop("DAGSTER_HOME", None)
    wrong: dict[int, str] = {}
    slowest = 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        homes = templates(folder)
        expected = expected_rows(homes, folder / "home")
        for number in range(first, last):
            case = make(np.random.default_rng(number), number)
            print(number, case.what, file=sys.stderr, flush=True)  # of a crash, the last one printed
            home = copied(homes[case.layout == "long_days"], folder / "home")
            started = time.process_time()
            signal.alarm(6 * SECONDS)  # on a busy machine; a processor has fewer
            try:
                put(home, other(case.layout))
                said = complaint(home, case, expected[case.layout])
            except TooSlowError:
                said = "too slow"
            except Exception:
                said = traceback.format_exc(limit=-3)
            finally:
                signal.alarm(0)
            slowest = max(slowest, time.process_time() - started)
            if said:
                wrong[number] = f"{case.layout}, {case.what}: {said}"
    return {"drops": last - first, "slowest": slowest, "megabytes": peak_megabytes(), "wrong": wrong}


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]), int(sys.argv[2]))))

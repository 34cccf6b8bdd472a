"""What a refresh costs beside the work itself: ``python -m benchmarks.refresh [--people N] [--epochs E]``.

Measured on one home: a full build, a new wave, a refresh with nothing new, the status, and loading the definitions with
500 batches and 20 waves registered. The peer of each is the full build of the same run; the overhead is a run's time
less what its assets say they took.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
BATCHES, WAVES = 500, 20


def seconds(*arguments: str) -> float:
    """Wall time of a Python process."""
    started = time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr[-500:]}")
    return time.perf_counter() - started


def work_since(home: Path, event: int) -> tuple[float, int]:
    """Seconds that the assets made since an event say they took, and the newest event."""
    import dagster as dg

    from stegvis.assets.graph import tables
    from stegvis.orchestration.instance import open_instance
    from stegvis.storage.home import Home

    total = 0.0
    with open_instance(Home(home, home / "landing")) as instance:
        for name in tables():
            found = instance.fetch_materializations(
                dg.AssetRecordsFilter(asset_key=dg.AssetKey(name), after_storage_id=event), limit=1000
            )
            for record in found.records:
                made = record.event_log_entry.asset_materialization
                total += float(made.metadata["seconds"].value) if made else 0.0
        return total, instance.event_log_storage.get_maximum_record_id() or 0


def register_many(home: Path) -> None:
    """As many batches and waves as a long study has."""
    from stegvis.orchestration.instance import open_instance
    from stegvis.storage.home import Home

    with open_instance(Home(home, home / "landing")) as instance:
        instance.add_dynamic_partitions("batch", [f"batch-{number:03d}" for number in range(BATCHES)])
        instance.add_dynamic_partitions("wave", [f"{2100 + 3 * n}-{2102 + 3 * n}" for n in range(WAVES)])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", default="56042")
    parser.add_argument("--epochs", default="0", help="people delivered as classified epochs")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        stegvis = ("-m", "stegvis.orchestration")
        here = ("--home", str(home))
        twin = ("twin", "--out", str(home / "landing"), "--people", chosen.people, "--epochs", chosen.epochs)
        seconds(*stegvis, "init", str(home), "--study", "hunt4_walking")
        seconds(*stegvis, *twin, "--waves", "3")
        last = max((home / "landing" / "followup").iterdir())
        shutil.move(last, home / "later")
        full = seconds(*stegvis, "refresh", *here)
        full_work, event = work_since(home, 0)
        shutil.move(home / "later", last)
        wave = seconds(*stegvis, "refresh", *here)
        wave_work, _ = work_since(home, event)
        nothing = seconds(*stegvis, "refresh", *here)
        status = seconds(*stegvis, "status", *here)
        register_many(home)
        load = f"import os; os.environ['STEGVIS_HOME'] = {str(home)!r}; import stegvis.orchestration.definitions"
        definitions = seconds("-c", load)
        many = seconds(*stegvis, "status", *here)
    print(f"{chosen.people} people, {chosen.epochs} of them as epochs; two waves, then a third")
    print(f"full build                        {full:7.1f} s, {full - full_work:5.1f} s of it around the assets")
    print(f"a new wave                        {wave:7.1f} s, {wave - wave_work:5.1f} s of it around the assets")
    print(f"a new wave / full build           {wave / full:7.1%}")
    print(f"overhead of the new wave          {wave / wave_work - 1:7.1%}")
    print(f"nothing new                       {nothing:7.1f} s")
    print(f"status                            {status:7.1f} s")
    print(f"load the definitions, {BATCHES} batches and {WAVES} waves {definitions:5.1f} s")
    print(f"status, {BATCHES} batches and {WAVES} waves            {many:7.1f} s")


if __name__ == "__main__":
    main()

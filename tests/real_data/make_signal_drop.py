"""Real labeled recordings, written as a delivery of synchronized signals."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from stegvis.accelerometry.recording import in_g
from stegvis.accelerometry.signal import AXES


def write_signal_drop(folder: Path, people: Mapping[str, Path]) -> None:
    """Write ``<person>.parquet`` for each person (float32 g, labels kept) and ``drop.json`` with their hashes.

    Args:
        folder: the drop, for example ``landing/recordings/<batch>``; made if need be.
        people: the identifier to deliver under, and the labeled recording to take.
    """
    folder.mkdir(parents=True, exist_ok=True)
    hashes = {}
    for person, source in people.items():
        recording = pd.read_parquet(source)
        delivered = pd.DataFrame(in_g(recording), columns=list(AXES))
        delivered.insert(0, "timestamp", recording["timestamp"])
        delivered["label"] = recording["label"]
        file = folder / f"{person}.parquet"
        delivered.to_parquet(file, index=False)
        hashes[file.name] = {"sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
    # Last, because it says that the drop is complete.
    (folder / "drop.json").write_text(json.dumps({"files": hashes}, indent=2), encoding="utf-8")

"""The file of alerts has a largest size.

Apart from ``alerts.py``, because the code that makes tables uses that one, and tables are made again when it changes.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from stegvis.storage.alerts import ALERTS_FILE, Alert
from stegvis.storage.json_lines import read_objects
from stegvis.storage.lock import LockedError, locked
from stegvis.storage.whole_files import write_whole

# Where the file is larger, its newest lines are kept: half as many bytes.
LARGEST_BYTES = 2_000_000
# The counts of a withdrawal are said once, however long ago.
_KEPT_KINDS = ("withdrawal",)


def keep_bounded(root: Path, refresh_lock: Path) -> bool:
    """Leave out the oldest alerts of a file that has become too large, unless a refresh runs, which may append.

    Args:
        root: the home's folder.
        refresh_lock: the lock that a refresh holds.

    Returns:
        Whether lines were left out.
    """
    file = root / ALERTS_FILE
    if not file.exists() or file.stat().st_size <= LARGEST_BYTES:
        return False
    with suppress(LockedError), locked(refresh_lock, "alerts", wait_seconds=0.0):
        kept: list[str] = []
        left = LARGEST_BYTES // 2
        for alert in reversed(read_objects(file, Alert)):
            line = json.dumps(asdict(alert))
            left -= len(line) + 1
            if left >= 0 or alert.kind in _KEPT_KINDS:
                kept.append(line)
        write_whole(file, "".join(f"{line}\n" for line in reversed(kept)))
        return True
    return False

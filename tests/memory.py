"""The memory that a process has needed at most.

Not ``ru_maxrss``: a child inherits that of the process that started it, and pytest itself is large.
"""

from __future__ import annotations

import re
from pathlib import Path

PROCESS = Path("/proc/self")


def peak_megabytes() -> float:
    """The most memory this process has had since it began, or since ``forget_peak``."""
    found = re.search(r"^VmHWM:\s*(\d+) kB$", (PROCESS / "status").read_text(), re.MULTILINE)
    assert found
    return int(found[1]) / 1024


def forget_peak() -> None:
    """Count from what this process has now."""
    (PROCESS / "clear_refs").write_text("5")

"""The package's own data files: texts, templates, models.

Every one is opened through ``data_file`` with its name written out, so that the program finds in the code of a table
which files it was made with: an edited file makes stale what it decides (``stegvis/provenance/code.py``).
"""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).parent


def data_file(name: str) -> Path:
    """The path of a data file.

    Args:
        name: relative to the package, as a literal: ``"reporting/style.css"``. A folder is named with a slash at its
            end, and means every file in it.

    Raises:
        FileNotFoundError: the package has no such file.
    """
    path = PACKAGE / name
    if not path.exists():
        raise FileNotFoundError(f"stegvis has no data file {name}")
    return path

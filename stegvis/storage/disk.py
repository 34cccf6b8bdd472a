"""Distinguish a full or read-only disk from other errors, whichever library reports it.

The file is never named: its name could be a person's.
"""

from __future__ import annotations

import errno
import os

_REFUSALS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EFBIG, errno.EIO}
# The messages of SQLite and DuckDB, whose errors have no number.
_PHRASES = {
    "disk is full": errno.ENOSPC,
    "no space left": errno.ENOSPC,
    "readonly database": errno.EROFS,
    "read-only file system": errno.EROFS,
    "permission denied": errno.EACCES,
    "disk i/o error": errno.EIO,
    "unable to open database file": errno.EIO,
}


def refusal(error: BaseException) -> str | None:
    """Why the disk refused, or None if the error has another cause."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno in _REFUSALS:
            return f"the disk refuses: {os.strerror(seen.errno).lower()}"
        text = str(seen).lower() if type(seen).__module__.split(".")[0] in ("sqlite3", "sqlalchemy", "_duckdb") else ""
        for phrase, number in _PHRASES.items():
            if phrase in text:
                return f"the disk refuses: {os.strerror(number).lower()}"
        seen = seen.__cause__ or seen.__context__
    return None

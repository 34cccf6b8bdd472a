"""Dagster's migration scripts, read once instead of twice for every run.

Every run has a SQLite file of its own. When Dagster makes it, and when it opens its storage, it asks alembic for the
newest version of the tables, which imports all hundred scripts of migrations anew each time (12 ms). Belongs here:
keeping what alembic has read of them for the life of the process. Does not belong here: the files (``sqlite.py``).
"""

from __future__ import annotations

from contextlib import suppress

from alembic.config import Config
from alembic.script import ScriptDirectory

# A later version of Dagster may name them otherwise: then they are read each time.
_SCRIPTS = ""
with suppress(ImportError):
    from dagster._core.storage.sql import ALEMBIC_SCRIPTS_LOCATION

    _SCRIPTS = ALEMBIC_SCRIPTS_LOCATION
_KEPT = "stegvis/scripts"
_read = ScriptDirectory.from_config


def keep_migration_scripts() -> None:
    """From now on, read Dagster's migration scripts once in this process; may be called again."""
    ScriptDirectory.from_config = staticmethod(_of)  # type: ignore[method-assign]


def _of(config: Config) -> ScriptDirectory:
    """The scripts of a configuration; those of Dagster's, which it keeps as well, are kept with it."""
    if config.get_main_option("script_location") != _SCRIPTS:
        return _read(config)
    kept: ScriptDirectory = config.attributes.get(_KEPT) or _read(config)
    config.attributes[_KEPT] = kept
    return kept

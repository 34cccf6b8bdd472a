"""Stages that are one SELECT.

Belongs here: the ``make`` of an asset whose table is exactly its SQL file.
"""

from __future__ import annotations

from assets.building.build import Build
from assets.building.recipe import Rows


def select(build: Build) -> Rows:
    """The SELECT of ``sql/<asset>.sql``."""
    return Rows(build.sql())

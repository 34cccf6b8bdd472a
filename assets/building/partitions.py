"""Waves and batches as dynamic partitions.

Belongs here: the two partition sets. A key is registered when its first complete delivery is found (``orchestration``).
"""

from __future__ import annotations

from typing import Literal

import dagster as dg

from stegvis.storage.warehouse import WHOLE, Partition

Kind = Literal["wave", "batch"]

WAVES = dg.DynamicPartitionsDefinition(name="wave")
BATCHES = dg.DynamicPartitionsDefinition(name="batch")
DEFINITIONS: dict[Kind, dg.DynamicPartitionsDefinition] = {"wave": WAVES, "batch": BATCHES}


def partition_of(kind: Kind | None, key: str | None) -> Partition:
    """The rows that one materialization of an asset replaces."""
    return WHOLE if kind is None else Partition(kind, key)

"""What each partition was made from, and what it would be made from now.

Belongs here: reading the materialization records of the warehouse, and the inputs of an asset as they are. Does not
belong here: deciding what to run (``orchestration/plan.py``), how records are kept (``stegvis/storage/records.py``).
"""

from __future__ import annotations

from collections.abc import Mapping

from stegvis.assets.building.partitions import Kind
from stegvis.assets.building.recipe import Recipe
from stegvis.storage.home import Home
from stegvis.storage.landing import Drop, Landing
from stegvis.storage.records import Materialization, read_records
from stegvis.storage.warehouse import Warehouse

WHOLE_KEY = ""


class Records:
    """The materialization records of a home, read at once and again after ``forget``."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._known: dict[str, dict[str, Materialization]] | None = None

    def forget(self) -> None:
        """Read the records again at the next question."""
        self._known = None

    def published(self, recipe: Recipe) -> dict[str, Materialization]:
        """The last publication of each partition of an asset ('' for the whole)."""
        if self._known is None:
            self._known = self._read()
        return self._known.get(recipe.name, {})

    def _read(self) -> dict[str, dict[str, Materialization]]:
        found: dict[str, dict[str, Materialization]] = {}
        if self.home.warehouse.exists():
            with Warehouse(self.home).session("records") as connection:
                for made in read_records(connection):
                    found.setdefault(made.table, {})[made.partition] = made
        return found


def upstream_keys(recipe: Recipe, key: str, upstream: Recipe, records: Records) -> list[str]:
    """Which partitions of an upstream asset a partition is made from: the same one, or all that are published."""
    if upstream.partition is None:
        return [WHOLE_KEY]
    if upstream.partition == recipe.partition:
        return [key]
    return sorted(records.published(upstream))


def drops_of(landing: Landing, delivery: str, kind: Kind | None, key: str) -> list[Drop]:
    """The accepted deliveries an asset's partition is read from, in the order they apply."""
    return [d for d in landing.accepted if d.kind == delivery and (kind is None or d.partition == key)]


def inputs(
    recipe: Recipe, key: str, recipes: Mapping[str, Recipe], records: Records, landing: Landing
) -> tuple[dict[str, str], list[str]]:
    """The data a partition would be made from now, by name, and the upstream assets that have none yet."""
    parts: dict[str, str] = {}
    absent: list[str] = []
    for name in recipe.upstream:
        upstream = recipes[name]
        published = records.published(upstream)
        wanted = upstream_keys(recipe, key, upstream, records)
        if not wanted:
            absent.append(name)
        for upstream_key in wanted:
            label = f"{name}[{upstream_key}]" if upstream_key else name
            if upstream_key in published:
                parts[label] = published[upstream_key].data_version
            else:
                absent.append(label)
    if recipe.delivery:
        for drop in drops_of(landing, recipe.delivery, recipe.partition, key):
            parts[f"delivery {drop.kind}/{drop.name}"] = drop.digest
    return parts, absent

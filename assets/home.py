"""What every asset uses: the home as a resource, waves and batches as partitions, the landing zone as sources."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from stegvis.storage.home import Home
from stegvis.storage.landing import KINDS, Kind, Landing, scan

WAVES = dg.DynamicPartitionsDefinition(name="wave")
BATCHES = dg.DynamicPartitionsDefinition(name="batch")
PARTITIONS = {"wave": WAVES, "batch": BATCHES}  # a key is registered with its first complete delivery
PARTITIONED: dict[Kind, dg.DynamicPartitionsDefinition] = {"followup": WAVES, "recordings": BATCHES}

_HOLDS: dict[Kind, str] = {
    "baseline": "Questionnaire and examination at baseline",
    "recordings": "Accelerometer recordings: raw pairs, signals, epochs or day totals",
    "followup": "A wave's follow-up questionnaire",
    "withdrawals": "Lists of people whose consent is withdrawn",
    "registry": "Deaths and emigrations from a register",
}


class StegvisHome(dg.ConfigurableResource):
    """A Stegvis home, as Dagster hands it to assets."""

    root: str
    landing_zone: str

    def home(self) -> Home:
        """The home's paths."""
        return Home(Path(self.root), Path(self.landing_zone))

    def landing(self) -> Landing:
        """What has landed; hashes of unchanged files come from the cache."""
        home = self.home()
        return scan(home.landing, home.hash_cache)


# The deliveries of each kind, as an asset that Dagster does not make.
SOURCES = {
    kind: dg.AssetSpec(
        ["landing", kind],
        group_name="deliveries",
        description=f"{_HOLDS[kind]}, as delivered to the landing zone (`{kind}/`).",
        kinds={"file"},
        owners=["team:data"],
        partitions_def=PARTITIONED.get(kind),
    )
    for kind in KINDS
}

"""The one resource: the home, and what has landed in it.

Belongs here: handing paths and deliveries to assets.
"""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from stegvis.storage.home import Home
from stegvis.storage.landing import Landing, scan


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

    @classmethod
    def of(cls, home: Home) -> StegvisHome:
        """The resource for a home."""
        return cls(root=str(home.root), landing_zone=str(home.landing))

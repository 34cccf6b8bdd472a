"""The address, in the Dagster UI, of the graph with all groups expanded; Dagster itself shows them collapsed."""

from __future__ import annotations

from urllib.parse import quote

from stegvis.assets.graph import ASSETS
from stegvis.assets.home import SOURCES


def graph_address() -> str:
    """The path of the graph below that of the UI, with every group expanded.

    Dagster names a group ``global@global:<group>`` whatever the code location is called, unless a user of the UI
    turns on groups by code location. It keeps the groups of the last visit in the browser, so one visit is enough.
    """
    specs = [*SOURCES.values(), *(spec for asset in ASSETS for spec in asset.specs)]
    groups = dict.fromkeys(spec.group_name for spec in specs if spec.group_name)
    return "asset-groups?expanded=" + quote(",".join(f"global@global:{group}" for group in groups), safe=":@,")

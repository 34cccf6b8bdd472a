"""The first screen of the Dagster UI: what is stale, what failed, and why.

Dagster's own first screens list runs; its graph shows which tables failed, but not of what. Belongs here: gathering the
state of a home and writing it as one page of HTML without a script. Does not belong here: serving it
(``state_server.py``), the state itself (``status.py``).

``python -m stegvis.orchestration.state_page HOME LANDING`` prints the page: a process of its own sees edited code and
protocol, and keeps Dagster's storage open for no longer than it needs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from stegvis.orchestration.monitoring import files
from stegvis.orchestration.monitoring.causes import Cause, causes, label_of
from stegvis.storage.home import Home
from stegvis.storage.lock import holder

Facts = dict[str, Any]

MOST_STALE = 12  # that are listed; an upgrade makes nearly everything stale
# Worst first: the state of a group is that of its worst table.
STATES = ("failed", "blocked", "missing upstream", "stale", "never built", "up to date")


@dataclass(frozen=True)
class Cell:
    """One group of tables in one wave or batch.

    Attributes:
        state: the worst of its tables.
        tables: those that are in this state.
        address: of the first of them in the Dagster UI.
    """

    state: str
    tables: tuple[str, ...]
    address: str


@dataclass(frozen=True)
class Grid:
    """Groups of tables down, waves or batches across; tables without partitions have one column."""

    title: str
    keys: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell | None, ...]], ...]


@dataclass(frozen=True)
class Line:
    """Something that needs attention, or is stale.

    Attributes:
        state: in a word.
        what: a table, delivery or source.
        why: in a sentence that names no person.
        address: where the Dagster UI shows it; empty where it does not.
    """

    state: str
    what: str
    why: str
    address: str = ""


def asset_address(asset: str, partition: str = "", view: str = "") -> str:
    """The path of an asset's page below that of the Dagster UI, at a partition where there is one."""
    if view == "checks" or not partition:
        return f"assets/{quote(asset)}" + (f"?view={view}" if view else "")
    return f"assets/{quote(asset)}?view=partitions&partition={quote(partition)}"


def attention(facts: Facts) -> list[Line]:
    """What somebody has to do something about, the gravest first, and deliveries that are not complete.

    In the words of an alert: of a delivery no file is named, since it may be named after a person.
    """
    found = [
        Line(cause.kind, cause.subject, f"{_without(cause)}. Next: {cause.next}", _address(cause))
        for cause in causes(facts)
        if cause.severity != "info"
    ]
    named = {line.what for line in found}  # one that has been so for days is a cause already
    for unused in facts["deliveries"]["waiting"]:
        delivery, reason = unused["nameless"]
        if delivery not in named:
            found.append(Line("incomplete", delivery, reason, asset_address(f"landing/{delivery.partition('/')[0]}")))
    return found


def _without(cause: Cause) -> str:
    """The message of a cause without its kind and subject, which have columns of their own."""
    _, found, rest = cause.message.partition(f"{cause.subject}: ")
    return (rest if found else cause.message).rstrip(".")


def _address(cause: Cause) -> str:
    name, _, key = cause.subject.removesuffix("]").partition(" [")
    if cause.kind == "blocked":
        return asset_address(name, view="checks")
    if cause.kind == "failed":
        return asset_address(name, key)
    if cause.kind in ("run", "refresh"):
        return "runs"
    delivered = {"rejected", "alarm", "unusable", "overdue", "withdrawal"}
    return asset_address(f"landing/{cause.subject.partition('/')[0]}") if cause.kind in delivered else ""


def stale(facts: Facts) -> list[Line]:
    """What is stale or was never built for a cause of its own, and why: a line for each table and cause."""
    partitions: dict[tuple[str, str, str], list[str]] = {}
    for each in facts["causes"]:
        state = "never built" if each["state"] == "new" else "stale"
        own = [reason for reason in each["reasons"] if not reason.startswith("follows from ")]
        partitions.setdefault((state, each["asset"], "; ".join(own)), []).append(each["partition"])
    return [
        Line(state, label_of(asset, ", ".join(keys)), why, asset_address(asset, keys[0]))
        for (state, asset, why), keys in partitions.items()
    ]


def grids(facts: Facts) -> list[Grid]:
    """The state of every group of tables in every wave and batch."""
    from stegvis.assets.graph import ASSETS, tables

    states: dict[tuple[str, str], str] = {}
    for state in reversed(STATES[:-1]):
        for each in _in_state(facts, state):
            states[each["asset"], each["partition"]] = state
    groups: dict[str, dict[str | None, list[str]]] = {}
    for asset in ASSETS:
        table = tables()[asset.node_def.name]
        group = next(iter(asset.specs)).group_name or ""
        groups.setdefault(group, {}).setdefault(table.partition, []).append(table.name)
    columns: dict[str | None, tuple[str, tuple[str, ...]]] = {
        "wave": ("Follow-up waves", tuple(row["wave"] for row in facts["waves"])),
        None: ("All waves", ("",)),
        "batch": ("Batches of recordings", tuple(row["batch"] for row in facts["batches"])),
    }
    return [
        Grid(
            title,
            keys,
            tuple(
                (group, tuple(_cell(members[kind], key, states) for key in keys))
                for group, members in groups.items()
                if kind in members
            ),
        )
        for kind, (title, keys) in columns.items()
    ]


def _in_state(facts: Facts, state: str) -> Sequence[Facts]:
    if state in ("stale", "never built"):
        wanted = "new" if state == "never built" else "stale"
        return [each for each in facts["stale"] if each["state"] == wanted]
    found: Sequence[Facts] = facts[state.replace(" ", "_")]
    return found


def _cell(members: Sequence[str], key: str, states: Mapping[tuple[str, str], str]) -> Cell:
    now = {name: states.get((name, key), "up to date") for name in members}
    worst = min(now.values(), key=STATES.index)
    these = tuple(name for name, state in now.items() if state == worst)
    return Cell(worst, these, asset_address(these[0], key))


def render(home: Home, facts: Facts) -> str:
    """The page, as HTML that loads nothing.

    Args:
        home: shown by its folder.
        facts: the state of the home, as ``status`` gathers it.
    """
    from jinja2 import Environment, PackageLoader

    from stegvis.orchestration.graph_address import graph_address

    environment = Environment(
        loader=PackageLoader("stegvis.orchestration", "."), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("state_page.html.j2").render(
        home=home,
        facts=facts,
        attention=attention(facts),
        stale=stale(facts),
        grids=grids(facts),
        graph=graph_address(),
        most=MOST_STALE,
        running=holder(home.refresh_lock),
        report=home.report_address("latest"),
        at=datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
    )


def main() -> None:
    """Print the page of a home; where this process may not write to it, the page that the daemon made last."""
    home = Home(Path(sys.argv[1]), Path(sys.argv[2]))
    if os.access(home.root, os.W_OK):
        from stegvis.orchestration.status import status

        page = render(home, status(home))
    else:
        # A viewer's webserver: to open the warehouse is to write to the home.
        page = files.place(home.root, files.STATE).read_text(encoding="utf-8")
    sys.stdout.write(page)


if __name__ == "__main__":
    main()

"""Registering withdrawals of consent: a list of people becomes a drop of the landing zone.

The refresh then erases them: every table is rebuilt without them. Delivered files are not changed.
"""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path

from stegvis.deliveries.contract import apply_contract
from stegvis.storage.home import Home
from stegvis.storage.landing import scan
from stegvis.storage.reading import UnreadableFile, read_table
from stegvis.study.codebook import Layout


class WithdrawalError(ValueError):
    """The list cannot be registered; the message names the row and the rule, never a person."""


def register(home: Home, file: Path, layout: Layout) -> tuple[str, int]:
    """Write a list of people as a drop of the landing zone.

    The drop is marked as synthetic where all other deliveries of the home are.

    Args:
        home: the home whose landing zone gets the drop.
        file: the list, a table with one column.
        layout: the codebook's ``withdrawals``.

    Returns:
        The drop's name and how many people it names.

    Raises:
        WithdrawalError: the file cannot be read, or a row breaks the contract.
    """
    try:
        contracted = apply_contract(read_table(file), layout, file.name)
    except UnreadableFile as error:
        raise WithdrawalError(f"{file.name}: {error.reason}") from error
    broken = contracted.problems[contracted.problems["rule"] != "duplicate"]
    if len(broken):
        first = broken.iloc[0]
        row = "" if first.isna()["row"] else f" row {first['row']}"
        raise WithdrawalError(f"{file.name}{row}: {first['message']}")
    people = sorted(contracted.frame["person"].unique())
    content = "person\n" + "\n".join(people) + "\n"
    synthetic = _is_synthetic(home.create())
    folder = home.landing / "withdrawals"
    folder.mkdir(exist_ok=True)
    name = f"{datetime.now(UTC):%Y-%m-%dT%H%M%S}-{os.getpid()}"
    (folder / f"{name}.csv").write_text(content, encoding="utf-8")
    sha256 = hashlib.sha256(content.encode()).hexdigest()
    manifest = {"files": {f"{name}.csv": {"sha256": sha256}}} | ({"synthetic": True} if synthetic else {})
    (folder / f"{name}.json").write_text(json.dumps(manifest), encoding="utf-8")
    return name, len(people)


def _is_synthetic(home: Home) -> bool:
    """Whether the home has deliveries of people, all of them marked as synthetic."""
    people = [drop for drop in scan(home.landing, home.hash_cache).accepted if drop.kind != "withdrawals"]
    return bool(people) and all(drop.synthetic for drop in people)

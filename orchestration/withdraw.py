"""Registering withdrawals of consent.

Belongs here: turning a list of people into a drop of the landing zone. The erasing itself is the refresh: every asset
leaves the withdrawn out. Does not belong here: deleting delivered files, which stay with whoever delivered them.
"""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path

from stegvis.deliveries.contract import apply_contract
from stegvis.storage.home import Home
from stegvis.storage.reading import UnreadableFile, read_table
from stegvis.study.codebook import codebook


class WithdrawalError(ValueError):
    """The list cannot be registered; the message names the row and the rule, never a person."""


def register(home: Home, file: Path) -> tuple[str, int]:
    """Write a list of people as a drop of the landing zone.

    Returns:
        The drop's name and how many people it names.

    Raises:
        WithdrawalError: the file cannot be read, or a row breaks the contract.
    """
    try:
        contracted = apply_contract(read_table(file), codebook()["withdrawals"], file.name)
    except UnreadableFile as error:
        raise WithdrawalError(f"{file.name}: {error.reason}") from error
    broken = contracted.problems[contracted.problems["rule"] != "duplicate"]
    if len(broken):
        first = broken.iloc[0]
        row = "" if first.isna()["row"] else f" row {first['row']}"
        raise WithdrawalError(f"{file.name}{row}: {first['message']}")
    people = sorted(contracted.frame["person"].unique())
    content = "person\n" + "\n".join(people) + "\n"
    folder = home.create().landing / "withdrawals"
    folder.mkdir(exist_ok=True)
    name = f"{datetime.now(UTC):%Y-%m-%dT%H%M%S}-{os.getpid()}"
    (folder / f"{name}.csv").write_text(content, encoding="utf-8")
    manifest = {"files": {f"{name}.csv": {"sha256": hashlib.sha256(content.encode()).hexdigest()}}}
    (folder / f"{name}.json").write_text(json.dumps(manifest), encoding="utf-8")
    return name, len(people)

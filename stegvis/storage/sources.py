"""What reports and releases are made from: the warehouse, the study, the deliveries and the earlier releases."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stegvis.storage.home import Home
from stegvis.storage.landing import Landing
from stegvis.storage.reader import Reader
from stegvis.study.codebook import Codebook
from stegvis.study.protocol import Protocol
from stegvis.study.study import Study


@dataclass(frozen=True)
class Sources:
    """What a report or a release is made from.

    Attributes:
        warehouse: the tables it may read.
        study: protocol and codebook.
        home: the paths of the home.
        landing: what has been delivered.
        log: of the run.
        key: the wave of a report; empty for a release.
        history: what is published and from what (``stegvis.storage.tables.history``).
    """

    warehouse: Reader
    study: Study
    home: Home
    landing: Landing
    log: logging.Logger
    key: str = ""
    history: Sequence[dict[str, Any]] = ()

    @property
    def protocol(self) -> Protocol:
        return self.study.protocol

    @property
    def codebook(self) -> Codebook:
        return self.study.codebook

"""The study's protocol and codebook, read once for the tests that need them as they are."""

from __future__ import annotations

import pytest

from stegvis.study.codebook import CODEBOOK_FILE, read_codebook
from stegvis.study.protocol import PROTOCOL_FILE, Protocol, read_protocol
from stegvis.study.study import Study

PROTOCOL = read_protocol(PROTOCOL_FILE)
CODEBOOK = read_codebook(CODEBOOK_FILE)


def use_protocol(monkeypatch: pytest.MonkeyPatch, protocol: Protocol) -> None:
    """From now on the study has this protocol."""
    monkeypatch.setattr(Study, "shipped", lambda: Study(protocol, CODEBOOK))

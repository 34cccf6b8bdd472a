"""The study's protocol and codebook, read once for the tests that need them as they are."""

from __future__ import annotations

from stegvis.study.codebook import CODEBOOK_FILE, read_codebook
from stegvis.study.protocol import PROTOCOL_FILE, read_protocol

PROTOCOL = read_protocol(PROTOCOL_FILE)
CODEBOOK = read_codebook(CODEBOOK_FILE)

"""The pages that the browser tests look at, and the browser itself."""

from __future__ import annotations

from pathlib import Path

from stegvis.reporting import wave_file_name
from stegvis.reporting.file_names import CHECKLISTS, DICTIONARY, EXPLORER, details_file_name, methods_file_name
from tests.stegvis.reporting.sample_report import WAVE

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
MAIN = wave_file_name(WAVE)
PAGES = (
    MAIN, details_file_name(WAVE), methods_file_name(WAVE), "index.html", "plain.html", "plain.nb.html", CHECKLISTS,
    DICTIONARY, EXPLORER,
)  # fmt: skip

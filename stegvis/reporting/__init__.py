"""Reports: pure functions from disclosure-controlled frames to self-contained HTML pages and SVG figures.

Layout, number formatting and the wording of results. Estimates, counts and disclosure control arrive finished.
"""

from stegvis.reporting.file_names import wave_file_name
from stegvis.reporting.inputs import IndexReport, WaveReport
from stegvis.reporting.page import render_index, render_wave

__all__ = ["IndexReport", "WaveReport", "render_index", "render_wave", "wave_file_name"]

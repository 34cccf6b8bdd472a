"""A figure is the same on every machine: its text is measured with the font that comes with the program."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from stegvis.data_files import data_file

ROOT = Path(__file__).parents[3]
NO_FONTS = '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>{}</fontconfig>'
DRAW = """
import hashlib
import altair, pandas, vl_convert
from stegvis.reporting import figure
rows = pandas.DataFrame({"name": ["a long label", "another label"], "value": [1, 2]})
chart = altair.Chart(rows).mark_bar().encode(x="value:Q", y="name:N")
chart = chart.properties(title=figure.chart_title(["A title"], True))
ours = figure.chart_svg(chart, "x", ["A title"], "described", True)
theirs = vl_convert.vegalite_to_svg(chart.configure(font="sans-serif").to_dict())
for drawn in (ours, theirs):
    print(hashlib.sha256(drawn.encode()).hexdigest())
"""


def machine_without_fonts(folder: Path) -> dict[str, str]:
    """The environment of a machine that has no font."""
    (folder / "none.conf").write_text(NO_FONTS.format(""))
    return {"FONTCONFIG_FILE": str(folder / "none.conf")}


def machine_with_a_wide_font(folder: Path) -> dict[str, str]:
    """The environment of a machine whose only font is a very wide one, called Arial."""
    font = TTFont(data_file("reporting/fonts/OpenSans-Regular.ttf"))
    for entry in font["name"].names:
        if entry.nameID in (1, 4, 6, 16):
            entry.string = "Arial"
    font["hmtx"].metrics = {name: (2 * width, bearing) for name, (width, bearing) in font["hmtx"].metrics.items()}
    (folder / "fonts").mkdir()
    font.save(folder / "fonts" / "arial.ttf")
    (folder / "wide.conf").write_text(NO_FONTS.format(f"<dir>{folder / 'fonts'}</dir>"))
    return {"FONTCONFIG_FILE": str(folder / "wide.conf")}


def drawn(environment: dict[str, str]) -> list[str]:
    """Digests of a figure of ours, and of the same chart in a font of the machine."""
    done = subprocess.run(
        [sys.executable, "-c", DRAW], cwd=ROOT, env={**os.environ, **environment},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.split()


@pytest.mark.skipif(sys.platform != "linux", reason="fonts are found by fontconfig")
def test_a_figure_does_not_depend_on_the_fonts_of_the_machine(tmp_path: Path) -> None:
    ours, theirs = drawn(machine_without_fonts(tmp_path))
    ours_too, wide = drawn(machine_with_a_wide_font(tmp_path))
    assert theirs != wide  # or the two machines would not differ
    assert ours == ours_too


def test_a_text_in_a_font_of_the_machine_is_refused() -> None:
    import altair
    import pandas as pd

    from stegvis.reporting.figure import vl_convert_svg

    chart = altair.Chart(pd.DataFrame({"x": [1]})).mark_text(text="x").configure(font="Arial")
    with pytest.raises(ValueError, match="font of the machine"):
        vl_convert_svg(chart.to_dict())

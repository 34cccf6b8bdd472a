"""The dose-response curves of a wave.

Belongs here: which curves are shown and what is said of them. Does not belong here: drawing (``curve.py``).
"""

from __future__ import annotations

from markupsafe import Markup

from stegvis.reporting.blocks import Section, drawing, folded, paragraph, section, table
from stegvis.reporting.curve import Curve, curve_of, curve_plot, curve_table, histogram_table
from stegvis.reporting.formatting import interval_name, ratio
from stegvis.reporting.inputs import WaveReport
from stegvis.reporting.wording import OUTCOME
from stegvis.study.protocol import EXPOSURES, Exposure, Protocol

CAPTION = (
    "Line: risk ratio against the reference (dot); band: its {interval}, which is none at the reference; "
    "dotted: the knots "
    "where the curve bends; bars: people by bin, small bins left out. Fully adjusted{also}."
)


def curves(report: WaveReport) -> Section:
    """Both curves, and folded those adjusted for the other exposure, and with frozen knots."""
    blocks = [_drawn(report, exposure, "spline", f"curve-{exposure}") for exposure in EXPOSURES]
    mutual = [_drawn(report, exposure, "mutual_spline", f"mutual-curve-{exposure}") for exposure in EXPOSURES]
    said = [
        _sentence(curve, report.protocol)
        for exposure in EXPOSURES
        if (curve := curve_of(report.own_results, "spline", exposure))
    ]
    return section(
        "curves",
        "Dose-response curves",
        *(paragraph(sentence) for sentence in said),
        *(block or _absent(exposure, report.protocol) for block, exposure in zip(blocks, EXPOSURES, strict=True)),
        folded("The curves adjusted for the other exposure", *mutual),
        folded("The curves with the same knots in every wave", *(_frozen(report, exposure) for exposure in EXPOSURES)),
        short="Curves",
    )


def _absent(exposure: Exposure, protocol: Protocol) -> Markup:
    name = protocol.exposures.scale(exposure).name.lower()
    return paragraph(f"No curve of {name} is available for this wave.")


def _drawn(report: WaveReport, exposure: Exposure, analysis: str, identifier: str) -> Markup:
    curve = curve_of(report.own_results, analysis, exposure)
    if curve is None:
        return Markup("")
    histogram = report.rows(report.histogram)
    bins = histogram[histogram["exposure"] == exposure]
    name = report.protocol.exposures.scale(exposure).name
    mutual = analysis == "mutual_spline"
    heading = [f"{name} and {OUTCOME}", f"Wave {report.wave}" + (", adjusted for the other exposure" if mutual else "")]
    also = ", adjusted for the other exposure" if mutual else ""
    return drawing(
        curve_plot(curve, bins, identifier, heading, report.synthetic, report.protocol),
        CAPTION.format(interval=interval_name(report.protocol), also=also),
        curve_table(curve, f"{identifier}-table", f"{name}: the curve at several values{also}", report.protocol),
        None if mutual else histogram_table(bins, exposure, f"{identifier}-people", report.protocol),
    )


def _frozen(report: WaveReport, exposure: Exposure) -> Markup:
    """A curve that bends where those of all waves do, as a table: to compare waves by."""
    curve = curve_of(report.own_results, "spline_fixed_knots", exposure)
    if curve is None:
        return Markup("")
    name = report.protocol.exposures.scale(exposure).name
    return table(
        curve_table(
            curve, f"frozen-{exposure}-table", f"{name}: the curve with the same knots in every wave", report.protocol
        )
    )


def _sentence(curve: Curve, protocol: Protocol) -> str:
    scale = protocol.exposures.scale(curve.exposure)
    lowest = min(curve.points, key=lambda point: point["estimate"])
    return (
        f"The curve of {scale.name.lower()} is lowest at {lowest['value']:.{scale.printed_decimals}f} "
        f"{scale.unit}, with a risk "
        f"ratio of {ratio(lowest['estimate'])} against {curve.reference:.{scale.printed_decimals}f} "
        f"{scale.unit}. Where a curve is lowest is uncertain "
        "itself: read it with the band."
    )

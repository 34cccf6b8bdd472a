"""The dose-response curves of a wave: which are shown, and the sentences about them."""

from __future__ import annotations

from markupsafe import Markup

from stegvis.reporting.axis import tick_label
from stegvis.reporting.blocks import Section, drawing, folded, paragraph, section, table
from stegvis.reporting.curve import Curve, curve_description, curve_of, curve_table, histogram_table
from stegvis.reporting.curve_plot import Line, curve_domain, curves_plot
from stegvis.reporting.formatting import interval_name, ratio
from stegvis.reporting.inputs import WaveReport
from stegvis.study.protocol import Exposure, Protocol

CAPTION = (
    "Line: risk ratio against the reference (dot). Band: its {interval}, of width zero at the reference. Dotted lines: "
    "knots.{bars} Fully adjusted{also}."
)
BARS = " Bars: number of participants; suppressed bins are omitted."


def curves(report: WaveReport) -> Section:
    """A curve of each exposure; collapsed, those adjusted for the other exposure and those with fixed knots."""
    blocks = [_drawn(report, exposure, "spline", f"curve-{exposure}") for exposure in report.exposures]
    mutual = [_drawn(report, exposure, "mutual_spline", f"mutual-curve-{exposure}") for exposure in report.exposures]
    sentences = [
        _sentence(curve, report.protocol)
        for exposure in report.exposures
        if (curve := curve_of(report.own_results, "spline", exposure))
    ]
    return section(
        "curves",
        "Dose-response curves",
        *(paragraph(sentence) for sentence in sentences),
        *(
            block or _absent(exposure, report.protocol)
            for block, exposure in zip(blocks, report.exposures, strict=True)
        ),
        folded("The curves adjusted for the other exposure", *mutual),
        folded(
            "The curves with the same knots in every wave",
            *(_fixed_knots(report, exposure) for exposure in report.exposures),
        ),
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
    outcome = report.words.outcome.name
    also = f", adjusted for {report.words.other_exposure(exposure)}" if mutual else ""
    heading = [f"{name} and {outcome}", f"Wave {report.wave}{also}"]
    return drawing(
        curves_plot(
            [Line(curve)],
            None if mutual else bins,
            identifier,
            heading,
            curve_description(curve, report.words),
            report.synthetic,
            report.words,
            _domain(report),
        ),
        CAPTION.format(interval=interval_name(report.protocol), also=also, bars="" if mutual else BARS),
        curve_table(curve, f"{identifier}-table", f"{name}: the curve at several values{also}", report.protocol),
        None if mutual else histogram_table(bins, exposure, f"{identifier}-people", report.protocol),
    )


def _domain(report: WaveReport) -> tuple[float, float]:
    """The vertical axis of every curve of the page."""
    wanted = [(exposure, analysis) for exposure in report.exposures for analysis in ("spline", "mutual_spline")]
    found = [curve_of(report.own_results, analysis, exposure) for exposure, analysis in wanted]
    return curve_domain(curve for curve in found if curve)


def _fixed_knots(report: WaveReport, exposure: Exposure) -> Markup:
    """The curve with the same knots in every wave, as a table, for comparison between waves."""
    curve = curve_of(report.own_results, "spline_fixed_knots", exposure)
    if curve is None:
        return Markup("")
    name = report.protocol.exposures.scale(exposure).name
    return table(
        curve_table(
            curve,
            f"fixed-knots-{exposure}-table",
            f"{name}: the curve with the same knots in every wave",
            report.protocol,
        )
    )


def _sentence(curve: Curve, protocol: Protocol) -> str:
    scale = protocol.exposures.scale(curve.exposure)
    lowest = min(curve.points, key=lambda point: point["estimate"])
    return (
        f"The curve of {scale.name.lower()} is lowest at {tick_label(lowest['value'])} {scale.unit}, "
        f"with a risk ratio of {ratio(lowest['estimate'])} against {tick_label(curve.reference)} "
        f"{scale.unit}. The location of the minimum is itself uncertain; read it together with the confidence band."
    )

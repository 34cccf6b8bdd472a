"""The curves of all waves in one picture, with one axis: how risk follows an exposure, and whether the waves agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from stegvis.reporting.axis import tick_label
from stegvis.reporting.blocks import Section, drawing, section
from stegvis.reporting.curve import Curve, curve_description, curve_of, several
from stegvis.reporting.curve_plot import MOST_BANDS, Line, curve_domain, curves_plot
from stegvis.reporting.formatting import interval_name, limits, ratio
from stegvis.reporting.inputs import IndexReport
from stegvis.reporting.markup import Group, Table
from stegvis.reporting.wording import level_label
from stegvis.study.protocol import Exposure

# Curves by what they are adjusted for. The first that exists is shown at first: with the same knots and the same
# reference in each wave, so that curves of several waves can be compared.
COMPARABLE = ("spline_fixed_knots", "spline")
FULLY = "Fully adjusted"
POOLED = "Pooled"
ONE_MODEL = " Pooled: all responses in one model; people count once per response, and the interval allows for that."
NO_POOLED = " No pooled curve is published: the waves share people, so their curves cannot be averaged."


def wave_curves(index: IndexReport) -> Section | None:
    """The picture of each exposure; None where no wave has a curve."""
    lines = {exposure: _lines(index, exposure) for exposure in index.exposures}
    domain = curve_domain(line.curve for own in lines.values() for line in own)
    pictures = [_picture(index, exposure, own, domain) for exposure, own in lines.items() if own]
    if not pictures:
        return None
    first, *others = pictures
    return section(
        "curves",
        "Risk by amount and pace" if len(index.exposures) > 1 else "Risk by amount",
        first,
        *others,
        short="Curves",
    )


def _lines(index: IndexReport, exposure: Exposure) -> list[Line]:
    models: dict[str, Sequence[str]] = {FULLY: COMPARABLE}
    if len(index.exposures) > 1:
        models[f"Also for {index.words.other_exposure(exposure)}"] = ("mutual_spline",)
    lines: list[Line] = []
    for model, analyses in models.items():
        found = [(wave, _curve(index, wave, exposure, analyses)) for wave in index.waves]
        lines += [
            Line(curve, level_label(wave), model, shown=model == FULLY) for wave, curve in found if curve is not None
        ]
    together = curve_of(index.of_wave("all"), "pooled_spline", exposure)
    if together is not None:
        lines.append(Line(together, POOLED, FULLY, main=True))
    # A reader cannot choose what is not there to be seen at first.
    return lines if any(line.shown for line in lines) else []


def _curve(index: IndexReport, wave: str, exposure: Exposure, analyses: Sequence[str]) -> Curve | None:
    found = (curve_of(index.of_wave(wave), analysis, exposure) for analysis in analyses)
    return next((curve for curve in found if curve is not None), None)


def _picture(index: IndexReport, exposure: Exposure, lines: Sequence[Line], domain: tuple[float, float]) -> Markup:
    shown = [line for line in lines if line.shown]
    scale, words = index.protocol.exposures.scale(exposure), index.words
    heading = [
        f"{scale.name} and {words.outcome.name}",
        ("Each wave, and pooled" if shown[-1].main else "Each wave") if len(shown) > 1 else f"Wave {shown[0].name}",
    ]
    description = " ".join(f"{line.name}: {curve_description(line.curve, words)}" for line in shown)
    svg = curves_plot(lines, None, f"waves-{exposure}", heading, description, index.synthetic, words, domain)
    return drawing(svg, _caption(index, shown), *(_numbers(index, exposure, shown)))


def _caption(index: IndexReport, shown: Sequence[Line]) -> str:
    references = {tick_label(line.curve.reference) for line in shown}
    unit = index.protocol.exposures.scale(shown[0].curve.exposure).unit
    against = f"against {references.pop()} {unit} (dot)" if len(references) == 1 else "against the reference (dot)"
    interval = interval_name(index.protocol)
    has_pooled = shown[-1].main
    several = f"; bands: their {interval}" if len(shown) <= MOST_BANDS else ""
    bands = f"; band: {interval} of the pooled curve" if has_pooled else several
    # Said once: walking volume, which every study has, comes first.
    first = len(shown) > 1 and shown[0].curve.exposure == index.exposures[0]
    pooled = (ONE_MODEL if has_pooled else NO_POOLED) if first else ""
    found = {line.name for line in shown}
    without = [level_label(wave) for wave in index.waves if level_label(wave) not in found]
    absent = f" No curve is available of {index.words.listed(without)}." if without else ""
    return f"Lines: risk ratio {against}, fully adjusted{bands}.{pooled}{absent}"


def _numbers(index: IndexReport, exposure: Exposure, shown: Sequence[Line]) -> list[Table]:
    """The curves at the values that all of them have, with a column per wave."""
    scale = index.protocol.exposures.scale(exposure)
    found = [{tick_label(point["value"]): point for point in line.curve.points} for line in shown]
    common = [point for point in several(shown[0].curve) if all(tick_label(point["value"]) in each for each in found)]
    rows = tuple(
        (label, *(_cell(each[label], line.curve) for each, line in zip(found, shown, strict=True)))
        for label in (tick_label(point["value"]) for point in common)
    )
    if not rows:
        return []
    columns = (f"{scale.name}, {scale.unit}", *(line.name for line in shown))
    caption = f"{scale.name}: risk ratio ({interval_name(index.protocol)}) in each wave, fully adjusted"
    return [Table(f"waves-{exposure}-table", caption, columns, (Group(rows),))]


def _cell(point: Mapping[str, float], curve: Curve) -> str:
    if point["value"] == curve.reference:
        return "1 (reference)"
    return f"{ratio(point['estimate'])} ({limits(point['ci_low'], point['ci_high'])})"

"""The page of a combination: one self-contained HTML document in the style of the reports."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup

from stegvis.pooling.cohorts import Cohort
from stegvis.pooling.combining import MODELS, Combination, Pooled
from stegvis.pooling.forest import pooled_forest
from stegvis.pooling.tables import METHODS, method_rows
from stegvis.reporting import blocks
from stegvis.reporting.blocks import Section, section
from stegvis.reporting.formatting import count, decimal, limits, p_value, ratio
from stegvis.reporting.markup import Group, Table, code, environment, style_sheet
from stegvis.reporting.texts import texts
from stegvis.reporting.wording import MODELS as MODEL_NAMES
from stegvis.reporting.wording import level_label, plain

PAGE = "pooled.html"
TITLE = "Walking and {outcome}: several cohorts"
SETS = {
    "trend": "Linear trend",
    "fixed_cuts": "Categories with the same cut points",
    "main": "Categories of the main analysis",
}
METHOD_TEXTS = (
    "Each cohort contributes one estimate per comparison: the ratio and standard error that its release prints, on the "
    "log scale. No row about a person was read. Released numbers are rounded, and so is what is combined here.",
    "Fixed effect: the mean weighted by inverse variance; it assumes that all cohorts have the same true ratio.",
    "Random effects: the variance between cohorts (tau²) by restricted maximum likelihood (Viechtbauer 2005, doi "
    "10.3102/10769986030003261); intervals by Hartung and Knapp (2001, doi 10.1002/sim.791), from a t distribution on "
    "one degree of freedom fewer than there are cohorts. With two or three cohorts they are wide, and rightly so. "
    "Where cohorts agree more closely than chance, the method gives intervals that are too narrow; those shown are "
    "never narrower than the ordinary ones (Röver et al. 2015, doi 10.1186/s12874-015-0091-1). pooled.csv has both.",
    "Heterogeneity: Cochran's Q; the interval of tau² by the Q-profile method (Viechtbauer 2007, doi "
    "10.1002/sim.2514), and that of I² from it. The prediction interval (Higgins et al. 2009, doi "
    "10.1111/j.1467-985X.2008.00552.x) is where the ratio of a further cohort is expected; it needs three cohorts.",
    "The studies are observational: an association is not an effect, and combining cohorts does not remove confounding "
    "that they share.",
)


def render_pooled(combination: Combination, cohorts: Sequence[Cohort]) -> str:
    """The page; equal inputs give equal text."""
    synthetic = any(cohort.synthetic for cohort in cohorts)
    sections = [
        _together(combination, cohorts),
        *(_exposure(name, combination, cohorts, synthetic) for name in _exposures(combination)),
        _cohorts(cohorts),
        *([_left_out(combination)] if combination.not_combined else []),
        section("methods", "Methods", *map(blocks.paragraph, METHOD_TEXTS)),
        _origin(cohorts),
    ]
    words = texts("en")["page"]
    title = TITLE.format(outcome=_outcome(cohorts))
    values: Mapping[str, object] = {
        "language": "en",
        "style": style_sheet(),
        "heading": title,
        "sections": sections,
        "ways": [],
        "file": PAGE,
        "synthetic": synthetic,
        "footer": f"{title}. {words['synthetic_mark']}." if synthetic else f"{title}.",
        "foot": "",
        "words": words,
        "shared": "",
        "script": "",
    }
    return environment().get_template("page.html.j2").render(values)


def _exposures(combination: Combination) -> list[str]:
    return list(dict.fromkeys(each.key["exposure"] for each in combination.pooled))


def _name(exposure: str, cohorts: Sequence[Cohort]) -> str:
    return str(cohorts[0].protocol.get("exposures", {}).get(exposure, {}).get("name") or plain(exposure).capitalize())


def _unit(exposure: str, cohorts: Sequence[Cohort]) -> str:
    return str(cohorts[0].protocol.get("exposures", {}).get(exposure, {}).get("unit", ""))


def _leading(exposure: str, combination: Combination) -> Pooled:
    """The ratio a reader wants first: highest against lowest category, else the trend; fully adjusted if there is."""

    def rank(each: Pooled) -> tuple[int, int]:
        return ("main", "fixed_cuts", "trend").index(each.key["analysis"]), MODELS.index(each.key["model"])

    found = [each for each in combination.pooled if each.key["exposure"] == exposure]
    best = min(map(rank, found))
    return [each for each in found if rank(each) == best][-1]  # the highest category comes last


def _comparison(each: Pooled, cohorts: Sequence[Cohort]) -> str:
    level, reference = level_label(each.key["level"]), level_label(each.key["reference"])
    unit = _unit(each.key["exposure"], cohorts)
    return f"{level} against {reference} {unit}".strip() if reference else level


def _together(combination: Combination, cohorts: Sequence[Cohort]) -> Section:
    lines = []
    for exposure in _exposures(combination):
        each = _leading(exposure, combination)
        row = method_rows(each, combination.confidence)["random_hartung_knapp_cautious"]
        lines.append(
            blocks.paragraph(
                f"{_name(exposure, cohorts)}, {_comparison(each, cohorts)}, {MODEL_NAMES[each.key['model']].lower()}: "
                f"risk ratio {ratio(row['estimate'])} ({combination.confidence:.0%} CI "
                f"{limits(row['ci_low'], row['ci_high'])}), {len(each.rows)} cohorts. {_agreement(each)}"
            )
        )
    introduction = f"The risk of {_outcome(cohorts)} by walking, combined from the releases of {len(cohorts)} cohorts."
    return section("together", "What the cohorts show together", blocks.paragraph(introduction), blocks.panel(*lines))


def _agreement(each: Pooled) -> str:
    share, q = each.random.i_squared, each.random.combined
    return (
        f"Share of the variation that lies between cohorts: I² {share.estimate:.0%} ({share.low:.0%} to "
        f"{share.high:.0%}); test of heterogeneity {p_value(q.q_p_value)}."
    )


def _exposure(exposure: str, combination: Combination, cohorts: Sequence[Cohort], synthetic: bool) -> Section:
    found = [each for each in combination.pooled if each.key["exposure"] == exposure]
    leading = _leading(exposure, combination)
    name = _name(exposure, cohorts)
    heading = [
        f"{name} and {_outcome(cohorts)}",
        f"{_comparison(leading, cohorts)}, {MODEL_NAMES[leading.key['model']].lower()}",
    ]
    svg = pooled_forest(leading, f"{exposure}-forest", heading, combination.confidence, synthetic)
    caption = (
        "A square per cohort, larger with more weight; diamonds: combined. Lines are "
        f"{combination.confidence:.0%} confidence intervals."
    )
    return section(
        exposure.replace("_", "-"),
        name,
        blocks.drawing(svg, caption, _cohort_rows(leading, f"{exposure}-cohorts")),
        blocks.table(_ratios(found, exposure, name, cohorts, combination.confidence)),
        blocks.table(_heterogeneity(found, exposure, name, cohorts)),
    )


def _grouped(found: Sequence[Pooled], row: Any) -> tuple[Group, ...]:
    """A group of rows for each analysis and model."""
    kinds = dict.fromkeys((each.key["analysis"], each.key["model"]) for each in found)
    return tuple(
        Group(
            tuple(row(each) for each in found if (each.key["analysis"], each.key["model"]) == kind),
            f"{SETS[kind[0]]}, {MODEL_NAMES[kind[1]].lower()}",
        )
        for kind in kinds
    )


def _ratios(found: Sequence[Pooled], exposure: str, name: str, cohorts: Sequence[Cohort], confidence: float) -> Table:
    shown = ("fixed", "random_hartung_knapp_cautious")

    def row(each: Pooled) -> tuple[str, ...]:
        methods = method_rows(each, confidence)
        cells = [
            f"{ratio(methods[m]['estimate'])} ({limits(methods[m]['ci_low'], methods[m]['ci_high'])})" for m in shown
        ]
        return _comparison(each, cohorts), f"{len(each.rows)}", *cells, p_value(methods[shown[1]]["p_value"])

    columns = ("Comparison", "Cohorts", METHODS["fixed"], "Random effects, Hartung-Knapp", "p, random effects")
    absent = sorted({f"{cohort} ({why})" for each in found for cohort, why in each.absent.items()})
    remark = f" Some ratios are without: {', '.join(absent)}." if absent else ""
    return Table(
        f"{exposure}-ratios",
        f"{name}: combined risk ratios",
        columns,
        _grouped(found, row),
        f"Risk ratio ({confidence:.0%} CI).{remark}",
    )


def _heterogeneity(found: Sequence[Pooled], exposure: str, name: str, cohorts: Sequence[Cohort]) -> Table:
    def row(each: Pooled) -> tuple[str, ...]:
        random = each.random
        tau2, share, prediction = random.tau2, random.i_squared, random.prediction
        predicted = "–" if math.isnan(prediction.low) else limits(math.exp(prediction.low), math.exp(prediction.high))
        return (
            _comparison(each, cohorts),
            f"{tau2.estimate:.4f} ({tau2.low:.4f} to {tau2.high:.4f})",
            f"{share.estimate:.0%} ({share.low:.0%} to {share.high:.0%})",
            f"{random.combined.q:.2f} on {random.combined.groups - 1}, {p_value(random.combined.q_p_value)}",
            predicted,
        )

    columns = ("Comparison", "tau²", "I²", "Q", "Prediction interval")
    caption = f"{name}: how much the cohorts differ"
    note = "tau² is the variance of the log ratio between cohorts; intervals in parentheses."
    return Table(f"{exposure}-heterogeneity", caption, columns, _grouped(found, row), note)


def _cohort_rows(each: Pooled, identifier: str) -> Table:
    rows = tuple(
        (
            str(row["cohort"]),
            count(row["n"]),
            count(row["events"]),
            f"{ratio(row['estimate'])} ({limits(row['ci_low'], row['ci_high'])})",
            f"{row['fixed_weight']:.0%}",
            f"{row['random_weight']:.0%}",
        )
        for row in each.rows.to_dict("records")
    )
    columns = ("Cohort", "Participants", "Cases", "Risk ratio (CI)", "Weight, fixed", "Weight, random")
    return Table(identifier, "The estimate of each cohort", columns, (Group(rows),))


def _cohorts(cohorts: Sequence[Cohort]) -> Section:
    columns = ("Cohort", "Study", "Wave", "Participants", "Follow-up, years", "Adjusted for")
    rows = tuple(
        (
            cohort.name,
            cohort.title,
            cohort.wave,
            count(_people(cohort)),
            decimal(cohort.follow_up_years),
            ", ".join(plain(name) for name in cohort.covariates),
        )
        for cohort in cohorts
    )
    same = len({frozenset(cohort.covariates) for cohort in cohorts}) == 1
    text = (
        "All cohorts adjust for the same covariates."
        if same
        else "The cohorts do not adjust for the same covariates; this alone can make their ratios differ."
    )
    table = Table("cohort-list", "The cohorts", columns, (Group(rows),), numeric=False)
    return section("cohorts", "The cohorts", blocks.table(table), blocks.paragraph(text))


def _outcome(cohorts: Sequence[Cohort]) -> str:
    """What the cohorts call the outcome; they must agree on what it is, not on its name."""
    return " or ".join(dict.fromkeys(cohort.outcome for cohort in cohorts))


def _people(cohort: Cohort) -> Any:
    found = cohort.results[(cohort.results["analysis"] == "trend") & (cohort.results["model"] == "adjusted")]["n"]
    return found.iloc[0] if len(found) else pd.NA


def _left_out(combination: Combination) -> Section:
    return section("left-out", "What was not combined", blocks.bullets(combination.not_combined))


def _origin(cohorts: Sequence[Cohort]) -> Section:
    points = [
        Markup("{}: release {}, made {}; sha256 of its manifest {}").format(
            cohort.name, cohort.release, str(cohort.manifest.get("created", "")), code(cohort.manifest_sha256)
        )
        for cohort in cohorts
    ]
    return section("origin", "Where the numbers come from", blocks.bullets(points))

"""Methods in brief, the commands that reproduce the main numbers, and their provenance (see also docs/methods.md)."""

from __future__ import annotations

from markupsafe import Markup

from stegvis.reporting.blocks import Section, bullets, definitions, link, paragraph, section, table
from stegvis.reporting.estimand import estimand
from stegvis.reporting.file_names import COMMANDS, INDEX, LINEAGE, RESULTS
from stegvis.reporting.inputs import WaveReport
from stegvis.reporting.markup import Group, Table, code
from stegvis.reporting.rows import chosen, headline
from stegvis.reporting.steps import description
from stegvis.reporting.wording import MODELS, level_label, plain, suppression_sentence
from stegvis.reporting.words import capitalized
from stegvis.study.protocol_recordings import Epochs

# Groups of equal size by their number.
PARTS = {2: "Halves", 3: "Thirds", 4: "Quarters", 5: "Fifths", 6: "Sixths"}


def methods(report: WaveReport) -> Section:
    """The methods in one line each, with the values of the protocol."""
    return section("methods", "Methods in brief", bullets(_rules(report)), short="Methods")


def commands(report: WaveReport) -> Section:
    """R and Stata commands of the headline ratios; ``commands.csv`` has all of them."""
    lines = []
    for exposure in report.exposures:
        row = headline(report.own_results, exposure)
        if row is None:
            continue
        for model in MODELS:
            found = chosen(
                report.rows(report.commands),
                analysis="main",
                population="all",
                model=model,
                exposure=exposure,
                level=row["level"],
                measure="rr",
            )
            if found:
                scale = report.protocol.exposures.scale(exposure)
                name = f"{scale.name} {level_label(row['level'])} {scale.unit}, {MODELS[model].lower()}"
                lines.append((name, code(str(found[0]["r"])), code(str(found[0]["stata"]))))
    all_commands = Markup("The commands for all rows are in {}, the rows themselves in {}.").format(
        link(COMMANDS, "commands.csv"), link(RESULTS, "results.csv")
    )
    if not lines:
        return section("commands", "Reproduce in R and Stata", paragraph("No command is recorded."), short="Commands")
    listed = Table(
        "commands-table",
        "Commands that reproduce the headline ratios",
        ("Ratio", "R", "Stata"),
        (Group(tuple(lines)),),
        note="R: after source('repeat.R'), with people <- read_people('analysis_set.csv'). Stata: after do repeat.do.",
        numeric=False,
    )
    return section("commands", "Reproduce in R and Stata", table(listed), paragraph(all_commands), short="Commands")


def provenance(report: WaveReport) -> Section:
    """What determines the numbers of a wave besides the deliveries, which are listed on the index."""
    facts = report.provenance
    rows = (("Protocol mode", plain(str(facts["mode"]))), ("Protocol", code(str(facts["protocol_hash"]))))
    on_index = Markup("Release, code, packages, and when each wave was published, are listed on {}.").format(
        link(f"{INDEX}#provenance", "the page over all waves")
    )
    trace = Markup(
        "To trace a number to its sources: {} lists the SQL, the protocol values, the deliveries with their hashes and "
        "the run behind each row of {}. In a copy of the release, {} shows those of one estimate."
    ).format(
        link(LINEAGE, "lineage.json"),
        link(RESULTS, "results.csv"),
        code(f"stegvis trace . --wave {report.wave} --analysis main --exposure walking_minutes"),
    )
    return section("provenance", "Provenance", definitions(rows), paragraph(on_index), paragraph(trace))


def _rules(report: WaveReport) -> list[Markup]:
    p, words = report.protocol, report.words
    said = words.english.researchers
    exclusions = "; ".join(description(rule, words) for rule in p.exclusions.order)
    first, last = p.spline.shown_percentiles
    age, adjusted = words.covariates(p.models.age), words.covariates(p.models.adjusted)
    rules = {
        **_exposure_rules(report),
        "Outcome.": f"{capitalized(words.outcome.name)}: {words.say(said.definition)}.",
        "Whom the estimates are about.": estimand(report.own_results, report.wave, words),
        "Exclusions, in this order.": f"{exclusions}. Covariates that must be complete: "
        f"{words.covariates(p.exclusions.complete_case)}. {words.say(said.covariates)}".strip(),
        "Models.": "Risk ratios from Poisson regression with a robust variance (Zou 2004, doi 10.1093/aje/kwh090), "
        f"{p.models.confidence:.0%} confidence intervals. Age-adjusted: {age}. Fully adjusted: {adjusted}. "
        f"Categories with fewer than {p.models.minimum_events} cases or non-cases are not estimated, nor are models "
        f"with fewer than {p.models.minimum_events_per_coefficient:g} per coefficient.",
        "Curves.": f"Restricted cubic splines with {p.spline.knots} knots (Harrell 2015, doi "
        f"10.1007/978-3-319-19425-7), with the {p.spline.reference_percentile:.0%} percentile as reference, shown from "
        f"the {first:.0%} to the {last:.0%} percentile.",
        "E-values.": "How strong unmeasured confounding would have to be to account for an estimate by itself "
        "(VanderWeele and Ding 2017, doi 10.7326/M16-2607); in brackets, for the interval to include 1.",
        "Disclosure control.": suppression_sentence(p),
    }
    if report.published is not None:
        rules["Published study."] = f"{report.published.reference}."
    return [Markup("<strong>{}</strong> {}").format(name, text) for name, text in rules.items()]


def _exposure_rules(report: WaveReport) -> dict[str, str]:
    """Days, exposures and their categories."""
    p = report.protocol
    days, exposures = p.days, p.exposures
    plural = "" if exposures.minimum_valid_days == 1 else "s"
    rules = {
        "Days.": f"{report.words.say(report.texts.en.researchers.sensors)}, up to {days.days_per_recording} days, "
        f"classified in {p.epochs.seconds}-second epochs. A day is valid when {', '.join(days.must_be_positive)} are "
        f"each above zero; a participant needs at least {exposures.minimum_valid_days} valid day{plural}.",
        "Walking volume.": "Mean minutes of walking per valid day.",
    }
    if "walking_met" in report.exposures and exposures.mets is not None:
        rules["Walking intensity."] = _intensity_rule(exposures.mets, p.epochs)
    rules["Categories."] = (
        f"{_parts(report)} of the analyzed sample; a value equal to a cut point belongs to the lower category."
        if not exposures.fixed
        else "Fixed lower bounds; a value equal to a bound belongs to the upper category."
    )
    return rules


def _parts(report: WaveReport) -> str:
    """Groups of equal size by their number, which may differ between the exposures."""
    found = {}
    for exposure in report.exposures:
        levels = {str(row["level"]) for row in chosen(report.own_results, analysis="main", exposure=exposure)}
        found[exposure] = PARTS.get(len(levels - {"None", "nan", ""}), "Groups of equal size")
    if len(set(found.values())) == 1:
        return next(iter(found.values()))
    scale = report.protocol.exposures.scale
    return capitalized(" and ".join(f"{parts.lower()} by {scale(each).name.lower()}" for each, parts in found.items()))


def _intensity_rule(mets: tuple[float, float, float], epochs: Epochs) -> str:
    slow, moderate, brisk = mets
    return (
        f"Mean MET of walking time, with {slow} for slow, {moderate} "
        f"for moderate and {brisk} for brisk walking (2024 Adult Compendium of Physical Activities). "
        f"Brisk is faster than {epochs.moderate_up_to_km_per_hour} km/h, "
        f"slow up to {epochs.slow_up_to_km_per_hour} km/h."
    )

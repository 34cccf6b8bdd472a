"""The command in R that gives a row's estimate: the analyses beyond the paper.

Belongs here: those in R's spelling. Does not belong here: R's words and the published analyses (``r``).
"""

from __future__ import annotations

from stegvis.reproduction.models import Asked, model_of, plain
from stegvis.reproduction.r import estimate, formula, quoted, ratio_of, vector

RESTS_ON_DRAWS = ("misclassification_probabilistic", "imputed")


def fit_quality(asked: Asked) -> str:
    """Events per coefficient, and fitted risks above 1."""
    return f"{asked.measure}({formula(model_of(asked))}, people)"


def additive(asked: Asked) -> str:
    """Cells of low volume and low intensity, and the measures of their interaction."""
    row = asked.row["level"] if asked.measure == "rr" else asked.measure
    if asked.row["level"] == asked.row["reference"]:
        return "1"
    return estimate(f'additive(people, {vector(asked.covariates)})["{row}", ]')


def standardized_risk(asked: Asked) -> str:
    """Risks, differences, ratios and numbers needed."""
    # The reference has no number needed: its block begins with the second category.
    place = asked.place + (asked.measure == "nnt")
    if asked.measure in ("rd", "rr") and place == 1:
        return "0" if asked.measure == "rd" else "1"
    risks = _standardized(asked, asked.variant or "binomial")
    if asked.measure == "nnt":
        return f"number_needed({risks}, {place})"
    function = {"risk": "risk", "rd": "risk_difference", "rr": "risk_ratio"}[asked.measure]
    return estimate(f"{function}({risks}, {place})")


def cross_estimator(asked: Asked) -> str:
    """Log-binomial, standardized logistic, and Cox."""
    if asked.place == 1:
        return "1"
    if asked.row["term"] == "logistic_standardization":
        return estimate(f"risk_ratio({_standardized(asked, 'binomial')}, {asked.place})")
    return estimate(f'{asked.row["term"]}({formula(plain(asked))}, people, "{asked.category}{asked.place}")')


def attrition_weighted(asked: Asked) -> str:
    """The published models with weights."""
    if asked.variant == "estimated_weights":
        name = f"{asked.category}{asked.place}"
        fitted = f'stacked_rr({formula(plain(asked))}, eligible, "{asked.exposure}", "{name}")'
        return "1" if asked.place == 1 else estimate(fitted)
    model, people = plain(asked), _answering(asked, asked.variant or "stabilized")
    if asked.measure == "p_joint":
        return f'wald({formula(model)}, {people}, "{model.term}", weights = "weight")'
    fitted = f'rr({formula(model)}, {people}, "{model.term}{asked.place}", weights = "weight")'
    return "1" if asked.place == 1 else estimate(fitted)


def attrition_weights(asked: Asked) -> str:
    """How extreme the weights are."""
    function = {"ess": "effective_sample_size", "mean_weight": "mean", "largest_weights": "mean_of_largest"}
    return f"{function[asked.measure]}({_answering(asked, asked.row['term'])}$weight)"


def attrition_balance(asked: Asked) -> str:
    """Who answered against who did not."""
    level = f', "{asked.row["level"]}"' if asked.row["level"] else ""
    weighted = ", weighted = TRUE" if asked.measure == "smd_weighted" else ""
    return f'balance(eligible, "{asked.row["term"]}"{level}{weighted})'


def tipping_point(asked: Asked) -> str:
    """How different those lost must be."""
    place = asked.place + 1
    fitted = ratio_of(model_of(asked), place)
    lost = f'lost(eligible, "{asked.exposure}", {place})'
    given = fitted if asked.measure == "tipping_point_limit" else f'{fitted}[["estimate"]]'
    return f"{asked.measure}({given}, {lost})"


def imputed(asked: Asked) -> str:
    """By mice, whose draws are others; the joint test D1 has no such command."""
    if asked.measure == "p_joint":
        return ""
    place = asked.place + (asked.measure == "fmi")
    if asked.measure == "rr" and place == 1:
        return "1"
    name = "fmi" if asked.measure == "fmi" else "estimate"
    return f'imputed({formula(plain(asked))}, eligible, "{asked.category}{place}")["{name}"]'


def regression_dilution(asked: Asked) -> str:
    """Reliability of a day and of a week, and the trend of usual walking."""
    found = f'reliability(days, people, "{asked.exposure}", {vector(asked.covariates)})'
    if asked.measure in ("icc", "reliability"):
        return f'{found}["{asked.measure}"]'
    if asked.measure == "usual_mean":
        return f'usual_mean(people, "{asked.exposure}", {asked.place}, {found})'
    right = " + ".join((f"I({asked.exposure} / {asked.scale.trend_unit:g})", *asked.covariates))
    return f"undiluted(rr(low_back_pain ~ {right}, people, 2), {found})"


def misclassification(asked: Asked) -> str:
    """Standardized risks, corrected once."""
    rules = asked.protocol.misclassification
    risks = _standardized(asked, "binomial")
    return f"misclassified({risks}, {asked.place}, {rules.sensitivity:g}, {rules.specificity:g})"


def misclassification_probabilistic(asked: Asked) -> str:
    """Over draws, which are R's own."""
    if asked.place == 1:
        return "1"
    rules = asked.protocol.misclassification
    priors = (
        f"list({quoted(prior.shape)}, {vector(prior.values)})"
        for prior in (rules.sensitivity_prior, rules.specificity_prior)
    )
    return estimate(f"misclassified_draws({_standardized(asked, 'binomial')}, {asked.place}, {', '.join(priors)})")


def isotemporal(asked: Asked) -> str:
    """One activity in place of another."""
    covariates = vector(asked.covariates)
    if asked.measure == "p_joint":
        return f"isotemporal_test(people, {covariates})"
    minutes, source, target = moved(asked)
    return estimate(f'isotemporal(people, {covariates}, "{source}", "{target}", {minutes})')


def composition(asked: Asked) -> str:
    """Minutes moved around the mean day, and parts doubled."""
    fitted = f"composition(people, {vector(asked.covariates)})"
    if asked.measure == "p_joint":
        return f"{fitted}$p"
    if "->" not in asked.row["level"]:
        return estimate(f'doubling({fitted}, "{asked.row["term"]}")')
    minutes, source, target = moved(asked)
    return estimate(f'reallocation({fitted}, "{source}", "{target}", {minutes})')


def moved(asked: Asked) -> tuple[str, str, str]:
    """Minutes, from, to: of a level like ``30 min sitting -> walking``."""
    amount, _, rest = asked.row["level"].partition(" min ")
    source, _, target = rest.partition(" -> ")
    return amount, source, target


def pooled(asked: Asked) -> str:
    """All waves together, each person a cluster."""
    return _clustered(asked, "answers")


def pain_course(asked: Asked) -> str:
    """Incidence, persistence and recurrence."""
    return _clustered(asked, f'at_risk(histories, "{asked.analysis}")')


def wave_interaction(asked: Asked) -> str:
    """Each wave's ratios, and whether they differ."""
    model = plain(asked)
    if asked.measure == "p_interaction":
        return f'between_waves({formula(model)}, answers, "{model.term}")'
    wave = asked.row["population"].removeprefix("wave ")
    fitted = f'in_wave({formula(model)}, answers, "{model.term}", {asked.place}, "{wave}")'
    return "1" if asked.place == 1 else estimate(fitted)


def projection(asked: Asked) -> str:
    """What one more wave would add."""
    # The reference has a row of the first measure only.
    place = asked.place + (asked.measure != "projected_rr")
    if place == 1:
        return "1"
    model = plain(asked)
    fitted = f'pooled({formula(model)}, answers, "{model.term}{place}")'
    if asked.measure == "projected_rr":
        return estimate(f"projected({fitted}, answers)")
    return f"{'detectable' if asked.measure == 'detectable_rr' else 'waves_needed'}({fitted}, answers)"


def none(asked: Asked) -> str:
    """Counts and verdicts, made from other rows."""
    return ""


def _clustered(asked: Asked, answers: str) -> str:
    model = plain(asked)
    if asked.measure == "p_joint":
        return f'pooled_test({formula(model)}, {answers}, "{model.term}")'
    fitted = f'pooled({formula(model)}, {answers}, "{model.term}{asked.place}")'
    return "1" if asked.place == 1 else estimate(fitted)


def _standardized(asked: Asked, family: str) -> str:
    named = "" if family == "binomial" else f", {family}"
    return f'standardized({formula(plain(asked))}, people, "{asked.category}"{named})'


def _answering(asked: Asked, kind: str) -> str:
    """Those who answered, with weights of a kind as the results name it."""
    if kind.startswith("truncated_"):
        low, high = (float(share) / 100 for share in kind.removeprefix("truncated_").split("_"))
        return f'answering(eligible, "{asked.exposure}", "stabilized", c({low:g}, {high:g}))'
    return f'answering(eligible, "{asked.exposure}", "{kind}")'

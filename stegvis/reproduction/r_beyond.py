"""Commands in R for the analyses beyond the published study, with the functions of ``repeat.R``."""

from __future__ import annotations

from stegvis.reproduction.models import EstimateRow, model_of, plain
from stegvis.reproduction.r import estimate, formula, quoted, ratio_of, vector

# By measure of weights, the function that gives it.
_OF_WEIGHTS = {"ess": "effective_sample_size", "mean_weight": "mean", "largest_weights": "mean_of_largest"}
RANDOM_ANALYSES = ("misclassification_probabilistic", "combined_bias", "imputed")


def fit_quality(row: EstimateRow) -> str:
    """Events per coefficient, and fitted risks above 1."""
    return f"{row.measure}({formula(model_of(row))}, people)"


def additive(row: EstimateRow) -> str:
    """Cells of low volume and low intensity, and the measures of their interaction."""
    name = row.key["level"] if row.measure == "rr" else row.measure
    if row.key["level"] == row.key["reference"]:
        return "1"
    return estimate(f'additive(people, {vector(row.covariates)})["{name}", ]')


def standardized_risk(row: EstimateRow) -> str:
    """Risks, differences, ratios and numbers needed."""
    # The reference has no number needed: its block starts with the second category.
    place = row.place + (row.measure == "nnt")
    if row.measure in ("rd", "rr") and place == 1:
        return "0" if row.measure == "rd" else "1"
    risks = _standardized(row, row.variant or "binomial")
    if row.measure == "nnt":
        return f"number_needed({risks}, {place})"
    function = {"risk": "risk", "rd": "risk_difference", "rr": "risk_ratio"}[row.measure]
    return estimate(f"{function}({risks}, {place})")


def cross_estimator(row: EstimateRow) -> str:
    """Log-binomial, standardized logistic, and Cox."""
    if row.place == 1:
        return "1"
    if row.key["term"] == "logistic_standardization":
        return estimate(f"risk_ratio({_standardized(row, 'binomial')}, {row.place})")
    return estimate(f'{row.key["term"]}({formula(plain(row))}, people, "{row.category}{row.place}")')


def attrition_weighted(row: EstimateRow) -> str:
    """Models with inverse-probability weights."""
    if row.variant == "estimated_weights":
        name = f"{row.category}{row.place}"
        fitted = f'stacked_rr({formula(plain(row))}, eligible, "{row.exposure}", "{name}")'
        return "1" if row.place == 1 else estimate(fitted)
    return _weighted(row, _answering(row, row.variant or "stabilized"))


def attrition_weights(row: EstimateRow) -> str:
    """Distribution of the weights, and the smallest probabilities of responding."""
    if row.measure == "smallest_probabilities":
        return "mean_of_smallest(fitted(answer_model(everyone_of(eligible))))"
    return f"{_OF_WEIGHTS[row.measure]}({_answering(row, row.key['term'])}$weight)"


def selection_weighted(row: EstimateRow) -> str:
    """Models weighted by the inverse probabilities of all steps from the cohort to the analysis."""
    if row.variant == "estimated_weights":
        fitted = f'selected_rr({formula(plain(row))}, cohort, people, "{row.category}{row.place}")'
        return "1" if row.place == 1 else estimate(fitted)
    return _weighted(row, _selected(row.variant))


def selection_weights(row: EstimateRow) -> str:
    """Distribution of these weights, and the smallest probabilities of passing a step."""
    if row.measure == "smallest_probabilities":
        return f'smallest_chance_of_step(cohort, "{row.key["term"]}")'
    return f"{_OF_WEIGHTS[row.measure]}({_selected(row.key['term'])}$weight)"


def attrition_balance(row: EstimateRow) -> str:
    """Standardized differences between respondents and participants lost to follow-up."""
    level = f', "{row.key["level"]}"' if row.key["level"] else ""
    weighted = ", weighted = TRUE" if row.measure == "smd_weighted" else ""
    return f'balance(eligible, "{row.key["term"]}"{level}{weighted})'


def tipping_point(row: EstimateRow) -> str:
    """Tipping points for loss to follow-up."""
    place = row.place + 1
    fitted = ratio_of(model_of(row), place)
    lost = f'lost(eligible, "{row.exposure}", {place})'
    given = fitted if row.measure == "tipping_point_limit" else f'{fitted}[["estimate"]]'
    return f"{row.measure}({given}, {lost})"


def imputed(row: EstimateRow) -> str:
    """Multiple imputation by mice, with its own random draws; mice has no command for the joint test D1."""
    if row.measure == "p_joint":
        return ""
    place = row.place + (row.measure == "fmi")
    if row.measure == "rr" and place == 1:
        return "1"
    name = "fmi" if row.measure == "fmi" else "estimate"
    return f'imputed({formula(plain(row))}, eligible, "{row.category}{place}")["{name}"]'


def regression_dilution(row: EstimateRow) -> str:
    """Reliability of a day and of a week, and the trend of usual walking."""
    found = f'reliability(days, people, "{row.exposure}", {vector(row.covariates)})'
    if row.measure in ("icc", "reliability"):
        return f'{found}["{row.measure}"]'
    if row.measure == "usual_mean":
        return f'usual_mean(people, "{row.exposure}", {row.place}, {found})'
    right = " + ".join((f"I({row.exposure} / {row.scale.trend_unit:g})", *row.covariates))
    return f"undiluted(rr(low_back_pain ~ {right}, people, 2), {found})"


def misclassification(row: EstimateRow) -> str:
    """Standardized risks, corrected with fixed sensitivity and specificity."""
    rules = row.protocol.misclassification
    risks = _standardized(row, "binomial")
    return f"misclassified({risks}, {row.place}, {rules.sensitivity:g}, {rules.specificity:g})"


def misclassification_probabilistic(row: EstimateRow) -> str:
    """Corrected over random draws, which are R's own."""
    if row.place == 1:
        return "1"
    rules = row.protocol.misclassification
    priors = (
        f"list({quoted(prior.shape)}, {vector(prior.values)})"
        for prior in (rules.sensitivity_prior, rules.specificity_prior)
    )
    return estimate(f"misclassified_draws({_standardized(row, 'binomial')}, {row.place}, {', '.join(priors)})")


def combined_bias(row: EstimateRow) -> str:
    """The highest category, corrected for several biases over random draws, which are R's own."""
    highest = row.protocol.exposures.scale(row.exposure).categories[-1]
    risks, counts = _standardized(row, "binomial"), f"table(people${row.category})"
    return estimate(f'combined_bias({risks}, {highest}, {counts}, "{row.key["term"]}")')


def isotemporal(row: EstimateRow) -> str:
    """One activity in place of another."""
    covariates = vector(row.covariates)
    if row.measure == "p_joint":
        return f"isotemporal_test(people, {covariates})"
    minutes, source, target = moved(row)
    return estimate(f'isotemporal(people, {covariates}, "{source}", "{target}", {minutes})')


def composition(row: EstimateRow) -> str:
    """Minutes reallocated within the mean day, and parts doubled."""
    fitted = f"composition(people, {vector(row.covariates)})"
    if row.measure == "p_joint":
        return f"{fitted}$p"
    if "->" not in row.key["level"]:
        return estimate(f'doubling({fitted}, "{row.key["term"]}")')
    minutes, source, target = moved(row)
    return estimate(f'reallocation({fitted}, "{source}", "{target}", {minutes})')


def moved(row: EstimateRow) -> tuple[str, str, str]:
    """Minutes, source and target of a level like ``30 min sitting -> walking``."""
    amount, _, rest = row.key["level"].partition(" min ")
    source, _, target = rest.partition(" -> ")
    return amount, source, target


def pooled(row: EstimateRow) -> str:
    """All waves together, with clusters of persons."""
    return _clustered(row, "answers")


def pain_course(row: EstimateRow) -> str:
    """Incidence, persistence and recurrence."""
    return _clustered(row, f'at_risk(histories, "{row.analysis}")')


def wave_interaction(row: EstimateRow) -> str:
    """Each wave's ratios, and whether they differ."""
    model = plain(row)
    if row.measure == "p_interaction":
        return f'between_waves({formula(model)}, answers, "{model.term}")'
    wave = row.key["population"].removeprefix("wave ")
    fitted = f'in_wave({formula(model)}, answers, "{model.term}", {row.place}, "{wave}")'
    return "1" if row.place == 1 else estimate(fitted)


def projection(row: EstimateRow) -> str:
    """What another wave would add."""
    # The reference has a row for the first measure only.
    place = row.place + (row.measure != "projected_rr")
    if place == 1:
        return "1"
    model = plain(row)
    fitted = f'pooled({formula(model)}, answers, "{model.term}{place}")'
    if row.measure == "projected_rr":
        return estimate(f"projected({fitted}, answers)")
    return f"{'detectable' if row.measure == 'detectable_rr' else 'waves_needed'}({fitted}, answers)"


def none(row: EstimateRow) -> str:
    """No command: the row is derived from other rows."""
    return ""


def _clustered(row: EstimateRow, answers: str) -> str:
    model = plain(row)
    if row.measure == "p_joint":
        return f'pooled_test({formula(model)}, {answers}, "{model.term}")'
    fitted = f'pooled({formula(model)}, {answers}, "{model.term}{row.place}")'
    return "1" if row.place == 1 else estimate(fitted)


def _standardized(row: EstimateRow, family: str) -> str:
    named = "" if family == "binomial" else f", {family}"
    return f'standardized({formula(plain(row))}, people, "{row.category}"{named})'


def _weighted(row: EstimateRow, people: str) -> str:
    """A ratio, or the joint test, in people with weights."""
    model = plain(row)
    if row.measure == "p_joint":
        return f'wald({formula(model)}, {people}, "{model.term}", weights = "weight")'
    fitted = f'rr({formula(model)}, {people}, "{model.term}{row.place}", weights = "weight")'
    return "1" if row.place == 1 else estimate(fitted)


def _answering(row: EstimateRow, kind: str) -> str:
    """Respondents with weights of a kind, as named in the results."""
    if kind.startswith("truncated_"):
        return f'answering(eligible, "{row.exposure}", "stabilized", {_quantiles(kind)})'
    return f'answering(eligible, "{row.exposure}", "{kind}")'


def _selected(kind: str) -> str:
    """Analyzed people with weights of a kind, as named in the results."""
    return f"selected(cohort, people{f', {_quantiles(kind)}' if kind.startswith('truncated_') else ''})"


def _quantiles(kind: str) -> str:
    """The quantiles of a name like ``truncated_1_99``."""
    return vector([float(share) / 100 for share in kind.removeprefix("truncated_").split("_")])

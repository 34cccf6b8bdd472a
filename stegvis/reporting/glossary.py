"""The glossary of the reports."""

from __future__ import annotations

from stegvis.reporting.blocks import Section, definitions, section
from stegvis.reporting.inputs import WaveReport

TERMS = {
    "Adjusted": "Compared as if the groups had the same distribution of the covariates in the model.",
    "Age-adjusted, fully adjusted": "Adjusted for {age}; for {adjusted}.",
    "Association": "Two things occur together more often than by chance. One need not cause the other.",
    "Attrition, loss to follow-up": "Participants at baseline who did not respond at follow-up.",
    "Cases": "Participants with {outcome} at follow-up.",
    "Category": "One of the groups of participants by how much{intensely} they walk.",
    "Confidence interval": "The range of values most compatible with the data. In many repetitions of the study, "
    "{confidence:.0f} of 100 such intervals would include the true value, provided there is no bias.",
    "Confounding": "A difference between the groups in something else that accounts for part or all of an association.",
    "Doubly robust": "Estimated with a model of the outcome and one of the exposure, and right if either is.",
    "E-value": "How strong unmeasured confounding would have to be to account for an estimate by itself.",
    "Imputation": "Missing values are filled in several times from the other variables, and the results combined.",
    "Interaction": "A difference in an association between subgroups.",
    "Knot": "A point at which a dose-response curve may change its shape.",
    "MET": "Metabolic equivalent: the energy an activity takes, in multiples of sitting still. Slow walking is {slow}, "
    "brisk walking {brisk}.",
    "Not estimable": "Too few participants or cases, or too little variation, to compute a number.",
    "Not shown, suppressed": "A number that is not published because it could reveal something about individuals.",
    "Overlap": "Whether people with any covariates could be in every category; overlap weights represent those who "
    "could.",
    "p": "How often chance alone would give a result at least as far from no association.",
    "Reference": "The category with which the others are compared; here the lowest.",
    "Risk": "The share of the participants followed who have {outcome}.",
    "Risk ratio": "The risk in one category divided by that in the reference. 0.77 is a risk 23% lower; 1 is "
    "no difference.",
    "Sensitivity analysis": "The analysis repeated with one choice changed, to see whether the result is robust.",
    "Tipping point": "How much higher the risk among participants lost to follow-up would have to be for there to be "
    "no association.",
    "Walking intensity": "How fast the minutes are walked, in METs.",
    "Walking volume": "Minutes of walking a day.",
    "Wave": "A round of follow-up questionnaires.",
}
OF_INTENSITY = ("MET", "Walking intensity")


def glossary(report: WaveReport) -> Section:
    """The terms in alphabetical order."""
    p = report.protocol
    exposures, confidence = p.exposures, 100 * p.models.confidence
    values: dict[str, float | str] = {"confidence": confidence}
    values |= {model: report.words.covariates(getattr(p.models, model)) for model in ("age", "adjusted")}
    intensity = "walking_met" in report.exposures and exposures.mets is not None
    if exposures.mets is not None:
        values |= {"slow": exposures.mets[0], "brisk": exposures.mets[-1]}
    values |= {"outcome": report.words.outcome.name, "intensely": ", or how intensely," if intensity else ""}
    terms = (
        (term, meaning.format(**values)) for term, meaning in TERMS.items() if intensity or term not in OF_INTENSITY
    )
    return section("glossary", "Glossary", definitions(terms, "glossary"))

"""The words of the report, explained.

Belongs here: one sentence a term. Does not belong here: methods (``methods.py``).
"""

from __future__ import annotations

from markupsafe import Markup

from stegvis.reporting.blocks import Section, section
from stegvis.reporting.inputs import WaveReport

TERMS = {
    "Adjusted": "Compared as if the groups were alike in what is adjusted for.",
    "Age-adjusted, fully adjusted": "Adjusted for age alone; for age, sex, education, income, employment, smoking and "
    "depression.",
    "Association": "Two things go together. It does not say that one brings about the other.",
    "Attrition": "People who took part at first and did not answer later.",
    "Cases": "People with chronic low back pain at follow-up.",
    "Category": "A quarter of the people by how much, or how intensely, they walk.",
    "Confidence interval": "The values that agree with the data. If the study were repeated many times, 95 of 100 such "
    "intervals would hold the true value, if nothing else is wrong.",
    "Confounding": "Another difference between the groups accounts for the association.",
    "E-value": "How strong such another difference would have to be.",
    "Imputation": "Missing answers are filled in many times from what else is known, and the results combined.",
    "Interaction": "An association differs between groups of people.",
    "Knot": "Where a curve may bend.",
    "MET": "How much energy an activity takes, in multiples of sitting still. Slow walking is 2.8, brisk walking 4.8.",
    "Not estimable": "Too few people or cases, or too little variation, to compute a number.",
    "Not shown, suppressed": "A number held back because it could tell of a few people.",
    "p": "How often chance alone would give a result at least as far from none.",
    "Reference": "The category that the others are compared with; here the lowest.",
    "Risk": "Of the people followed, the share with chronic low back pain.",
    "Risk ratio": "The risk in one category divided by that in the reference. 0.77 is a risk 23% lower; 1 is "
    "no difference.",
    "Sensitivity analysis": "The same again with one choice made otherwise, to see whether the answer holds.",
    "Tipping point": "How much higher the risk of those lost would have to be for the association to be none.",
    "Walking volume, walking intensity": "Minutes of walking a day; how fast they are walked, in METs.",
    "Wave": "A round of questionnaires.",
}


def glossary(report: WaveReport) -> Section:
    """The terms in alphabetical order."""
    made = Markup("").join(Markup("<div><dt>{}</dt><dd>{}</dd></div>\n").format(*term) for term in TERMS.items())
    return section("glossary", "Glossary", Markup('<dl class="glossary">\n{}</dl>').format(made))

"""The explorer: every published estimate on one page, filtered in the browser, with forest plot, link and csv.

The page holds the rows of ``results`` as they are published, and nothing is computed from them but where to draw. Its
script is allowed by its hash; without scripts the page shows the main results and where the others are.
"""

from __future__ import annotations

import json
import math
from typing import Any

import pandas as pd
from markupsafe import Markup

from stegvis.data_files import data_file
from stegvis.reporting import blocks
from stegvis.reporting.blocks import link, note, paragraph, section
from stegvis.reporting.estimand import estimand
from stegvis.reporting.file_names import DICTIONARY, EXPLORER, INDEX, RESULTS
from stegvis.reporting.formatting import interval, ratio
from stegvis.reporting.markup import Group, Table
from stegvis.reporting.page import render_sections
from stegvis.reporting.rows import main_risk_ratios, records
from stegvis.reporting.wording import MODELS, is_shown, level_label, plain
from stegvis.reporting.words import Words
from stegvis.study.about import About
from stegvis.study.protocol import EXPOSURES, Exposure

# What is chosen from, in this order; the rest of a row is shown.
FILTERS = {
    "wave": "Wave",
    "analysis": "Analysis",
    "exposure": "Exposure",
    "population": "Group of people",
    "model": "Model",
    "measure": "Measure",
}
# Measures with an interval that is drawn, and the value of no association.
RATIOS = ("rr", "ratio_of_rr", "projected_rr")
DIFFERENCES = ("rd", "reri", "reri_mover", "ap")
MEASURES = {
    "rr": "risk ratio",
    "ratio_of_rr": "ratio of risk ratios",
    "projected_rr": "projected risk ratio",
    "rd": "risk difference",
    "nnt": "number needed to treat",
    "reri": "relative excess risk due to interaction",
    "ap": "attributable proportion",
    "ess": "effective sample size",
    "icc": "intraclass correlation",
    "smd": "standardized mean difference",
    "smd_weighted": "standardized mean difference, weighted",
    "fmi": "fraction of missing information",
    "share": "share of a category",
    "cumulative_incidence": "cumulative incidence",
    "rr_none_of_dead": "risk ratio, no dead with the outcome",
    "rr_all_of_dead": "risk ratio, all dead with the outcome",
    "rr_lowest": "risk ratio, lowest bound",
    "rr_highest": "risk ratio, highest bound",
}
_TEXT = ("term", "level", "reference", "status", "note")
_ANSWER = "estimates"


def render_explorer(results: pd.DataFrame, synthetic: bool, words: Words, about: About | None) -> str:
    """The page of all estimates: complete HTML with the data and the script inside.

    Args:
        results: the published results, columns of ``inputs.RESULT_COLUMNS``.
        synthetic: whether the data are simulated.
        words: name the study, its outcome and its exposures.
        about: who runs the study, for the foot of the page; None if it names nobody.
    """
    script = Markup(data_file("reporting/explorer.js").read_text(encoding="utf-8"))  # the package's own file, not data
    introduction = paragraph(
        Markup("All {} estimates of this release, for each wave and across waves. ").format(f"{len(results):,}")
        + Markup("The same rows are in {}; the {} says what each column means.").format(
            link(RESULTS, "results.csv"), link(DICTIONARY, "data dictionary")
        )
        + " Those that declared_estimates.csv does not list are exploratory."
    )
    found = section(
        _ANSWER,
        "Choose estimates",
        introduction,
        note(estimand(results, _start(results).get("wave", ""), words)),
        Markup('<div id="explorer" hidden></div>'),
        Markup("<noscript>{}</noscript>").format(_without_script(results, words)),
        _data(results, words),
    )
    ways = [(INDEX, "All waves"), (EXPLORER, "All estimates"), (DICTIONARY, "Data dictionary")]
    return render_sections(EXPLORER, "All estimates", [found], ways, synthetic, words, about, script)


def _data(results: pd.DataFrame, words: Words) -> Markup:
    """The rows as columns: texts as numbers of a list, so that a release of ten thousand rows stays below 1.5 MB."""
    columns: dict[str, Any] = {}
    for name in results:
        if name in FILTERS or name in _TEXT:
            texts = ["" if pd.isna(each) else str(each) for each in results[name]]
            listed = list(dict.fromkeys(texts))
            place = {text: number for number, text in enumerate(listed)}
            columns[str(name)] = {"texts": listed, "rows": [place[text] for text in texts]}
        else:
            columns[str(name)] = [_number(each) for each in results[name]]
    content = {
        "columns": columns,
        "filters": FILTERS,
        "names": {
            "exposure": {name: _name(name, words) for name in _exposures(results)},
            "model": MODELS,
            "measure": MEASURES,
        },
        "ratios": RATIOS,
        "differences": DIFFERENCES,
        "start": _start(results),
    }
    text = json.dumps(content, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    return Markup('<script type="application/json" id="rows">{}</script>').format(Markup(text))


def _exposures(results: pd.DataFrame) -> list[Exposure]:
    there = set(results["exposure"].dropna())
    return [name for name in EXPOSURES if name in there]


def _name(exposure: Exposure, words: Words) -> str:
    scale = words.protocol.exposures.scale(exposure)
    return f"{scale.name} ({scale.unit})"


def _number(value: Any) -> float | int | None:
    if pd.isna(value) or not math.isfinite(value):
        return None
    return int(value) if float(value).is_integer() else float(value)


def _start(results: pd.DataFrame) -> dict[str, str]:
    """What is selected at first: the fully adjusted main results of the newest wave that has any."""
    main = results[(results["analysis"] == "main") & (results["measure"] == "rr") & (results["model"] == "adjusted")]
    shown = main[main["estimate"].notna()]
    if shown.empty:
        return {}
    wave = max(map(str, shown["wave"]))
    return {"wave": wave, "analysis": "main", "model": "adjusted", "measure": "rr"}


def _without_script(results: pd.DataFrame, words: Words) -> Markup:
    """For a browser without scripts: the main results of the newest wave."""
    wave = _start(results).get("wave")
    rows = results[results["wave"].astype(str) == wave]
    groups = []
    for exposure in _exposures(rows):
        chosen = [row for row in records(main_risk_ratios(rows, exposure)) if row["model"] == "adjusted"]
        lines = tuple((level_label(row["level"]), _value(row, words)) for row in chosen)
        groups.append(Group(lines, _name(exposure, words)))
    text = "Choosing among the estimates needs scripts, which are switched off here."
    if not groups:
        return note(text)
    caption = f"Fully adjusted risk ratios of {words.outcome.name}, wave {wave}"
    shown = Table("main-results", caption, ("Category", "Risk ratio"), tuple(groups))
    return note(text) + blocks.table(shown)


def _value(row: dict[str, Any], words: Words) -> str:
    if row["level"] == row["reference"]:
        return "reference"
    if not is_shown(row):
        return plain(str(row["status"]))
    return f"{ratio(row['estimate'])} ({interval(row['ci_low'], row['ci_high'], words.protocol)})"

"""Analysis ``death_bounds``: a headline ratio among the living and the dead together, whatever the dead would have had.

Nobody can say whether somebody who died would have had the outcome. The ratio among everyone who was alive or has died
lies between the bounds (Manski 1990, Am Econ Rev 80(2):319-323); the silent are as those who answered, and whoever
emigrated is left out.
"""

from __future__ import annotations

from dataclasses import replace

from stegvis.analyses.category_design import with_cuts_of_people
from stegvis.analyses.category_model import category_rows
from stegvis.analyses.living import ABROAD, DEAD, vital_status_known
from stegvis.analyses.wave_data import WaveData
from stegvis.statistics.categories import REFERENCE
from stegvis.statistics.contract import complete_rows
from stegvis.statistics.results import ResultRow, joined
from stegvis.statistics.tipping_point import ratio_in_everyone
from stegvis.study.protocol import Exposure

# By measure: whether all the dead of the category, and of the reference, would have had the outcome; else none.
BOUNDS = {
    "rr_none_of_dead": (False, False),
    "rr_all_of_dead": (True, True),
    "rr_lowest": (False, True),
    "rr_highest": (True, False),
}
NOTE = "among the living and the dead"


def death_bound_rows(data: WaveData) -> list[ResultRow]:
    """The four ratios of each category but the reference; none where no registry was delivered."""
    if not vital_status_known(data.eligible):
        return []
    return [row for exposure in data.protocol.exposures.names for row in _rows(exposure, data)]


def _rows(exposure: Exposure, data: WaveData) -> list[ResultRow]:
    template = data.template("death_bounds", "adjusted", exposure)
    made = category_rows(data.people, template, data.covariates("adjusted"), data.protocol)
    main = [row for row in made if row.measure == "rr"]
    known, _ = complete_rows(data.eligible[data.eligible["state"] != ABROAD], [exposure])
    eligible = with_cuts_of_people(known, data)
    dead = (eligible["state"] == DEAD).groupby(eligible[f"{exposure}_category"].astype("int64"))
    counts, shares = dead.sum().to_dict(), dead.mean().to_dict()
    smallest, rows = data.protocol.disclosure.smallest_count, []
    reference = main[REFERENCE - 1]
    for category, ratio in zip(data.labels(exposure), main, strict=True):
        if category == REFERENCE:
            continue
        few = min(counts.get(category, 0), counts.get(REFERENCE, 0)) < smallest
        for measure, (all_here, all_there) in BOUNDS.items():
            row = replace(
                template,
                term=ratio.term,
                level=ratio.level,
                reference=ratio.reference,
                n=ratio.n,
                events=ratio.events,
                members=ratio.members,
                measure=measure,
                note=joined(template.note, NOTE),
            )
            if ratio.status != "ok" or not (ratio.events and reference.events):
                rows.append(row.not_estimable("the ratio is not estimable"))
            # A bound reveals the share of the dead.
            elif few:
                rows.append(row.not_estimable(f"fewer than {smallest} people of a category died"))
            else:
                found = ratio_in_everyone(
                    ratio.estimate,
                    shares[category],
                    _risk_of_dead(ratio, all_here),
                    shares[REFERENCE],
                    _risk_of_dead(reference, all_there),
                )
                rows.append(replace(row, estimate=found))
    return rows


def _risk_of_dead(row: ResultRow, all_of_them: bool) -> float:
    """The risk of a category's dead over that of its respondents."""
    if not all_of_them:
        return 0.0
    assert row.n
    assert row.events
    return row.n / row.events

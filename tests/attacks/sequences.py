"""Sequences of what happens to a home after its first release, and what is published of it, in this process.

Nothing but the numbers of a wave is made: people leave or are corrected, the method changes (before anybody has
changed, or after), somebody asks for a new edition, a wave is retracted. Two rules are taken as given here, and tested
in homes by ``test_attacks`` and ``tests/orchestration/test_published.py``: a new wave moves nothing of an older one,
and another method is published anew only while nobody has changed. Editions are audited by the product's own code.

With ``protected=False`` everything is published anew after every event, rounded and without small counts: what a home
would do that knew only the usual rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from stegvis.analyses import main_models, strata
from stegvis.analyses.wave_data import rows_of
from stegvis.disclosure.audit import audit
from stegvis.disclosure.control import People, control_disclosure, sets_behind
from stegvis.disclosure.digits import with_published_digits
from stegvis.disclosure.published import retracted, with_main_ratios
from stegvis.disclosure.tables import Tables, typed
from stegvis.statistics.results import members_of, to_frame
from stegvis.storage.editions import CORRECTED
from tests.attacks import attackers
from tests.stegvis.conftest import PROTOCOL, analysis_set_of, wave_data_of
from tests.stegvis.disclosure.made_tables import WAVE

ANALYSES = (main_models.main_rows, strata.stratified_rows)
OTHER_METHOD = PROTOCOL.model_copy(
    update={
        "release": PROTOCOL.release.model_copy(
            update={"digits": PROTOCOL.release.digits.model_copy(update={"ratios": 1, "std_errors": 1})}
        )
    }
)
# Among more people who leave together each is hidden.
FEW = 20
# So many of those who changed are tried by the attacker who knows one of them.
TRIED = 10
ATTACKERS = ("one known", "all known", "covariates")


@dataclass
class Played:
    """A home's wave while things happen to it.

    Attributes:
        people: analyzed today.
        gone: those who changed since the numbers that are out were computed, as they were.
        out: what is published.
    """

    people: pd.DataFrame
    protected: bool
    gone: pd.DataFrame = field(init=False)
    out: Tables = field(init=False)
    refused: int = 0
    granted: int = 0
    retracted: bool = False

    def __post_init__(self) -> None:
        self.gone = self.people.iloc[:0]
        self.out = self._first()

    def _computed(self) -> tuple[Tables, People]:
        people = self.people.sort_values("person", ignore_index=True)
        rows = rows_of(ANALYSES, wave_data_of(people))
        tables = Tables.of_results(to_frame(rows))
        return tables, People([(tables.results, members_of(rows))])

    def _first(self) -> Tables:
        computed = self._computed()
        if self.protected:
            return control_disclosure(*computed, PROTOCOL).tables
        return with_published_digits(typed(computed[0]), PROTOCOL)

    def happen(self, event: str, size: int, random: np.random.Generator) -> None:
        """One event, and the publication that follows."""
        if event in ("leave", "correct"):
            chosen = random.choice(len(self.people), size=min(size, len(self.people) // 2), replace=False)
            self.gone = pd.concat([self.gone, self.people.iloc[chosen]])
            if event == "leave":
                self.people = self.people.drop(self.people.index[chosen])
            else:
                answers = self.people["low_back_pain"].to_numpy(copy=True)
                answers[chosen] = 1 - answers[chosen]
                self.people = self.people.assign(low_back_pain=answers)
        if event == "retract" and self.protected:
            self.out, self.retracted = retracted(self.out, [WAVE]), True
        elif not self.protected:
            self.out = self._first()
        elif event == "method" and self.gone.empty and not self.retracted:
            self.out = control_disclosure(*self._computed(), OTHER_METHOD, self.out).tables
        elif event == "edition" and not self.retracted:
            self._edition()

    def _edition(self) -> None:
        tables, people = self._computed()
        tables = typed(tables)
        changed = self.gone["person"].nunique()
        digits = PROTOCOL.release.digits.ratios
        for decimals in (digits, 1):
            if changed and audit(tables.results, sets_behind(tables, people), changed, decimals).passed:
                self.out = with_main_ratios(typed(self.out), tables.results, decimals, CORRECTED)
                self.granted += 1
                return
        self.refused += 1


@dataclass(frozen=True)
class Guesses:
    """Guesses of one attacker: a guess for each person that the attack tries, and nobody else.

    Attributes:
        true: whether it is so: a case; a woman, or 65 or older.
        margin: the log odds in the person's published categories.
        score: the guess; 0 where nothing moved.
    """

    true: list[bool] = field(default_factory=list)
    margin: list[float] = field(default_factory=list)
    score: list[float] = field(default_factory=list)

    def add(self, true: Iterable[bool], margin: Iterable[float], score: Iterable[float]) -> None:
        """Note some guesses."""
        self.true.extend(true)
        self.margin.extend(margin)
        self.score.extend(score)

    def areas(self) -> tuple[float, float]:
        """The area under the curve of the margins, and of the guesses."""
        return attackers.area_under_curve(self.margin, self.true), attackers.area_under_curve(self.score, self.true)

    def chance(self) -> float:
        """Two standard errors of the area under the curve of guesses that know nothing (Hanley and McNeil 1982)."""
        true = np.array(self.true)
        return float(2 * np.sqrt((len(true) + 1) / (12 * true.sum() * (~true).sum())))


def attack(folder: Path, first: Tables, last: Tables, home: Played, found: Mapping[str, Guesses]) -> None:
    """Guess the outcomes of those who changed from the two releases, and note the guesses.

    Args:
        folder: for the releases.
        first: the first one.
        last: the last one.
        home: who changed, and who is still there.
        found: by attacker (``ATTACKERS``).
    """
    gone = home.gone
    old, new = written(folder / "old", first), written(folder / "new", last)
    main = first.results[(first.results["analysis"] == "main") & (first.results["model"] == "age")]
    rows = {e: main[main["term"] == f"{e}_category"].query("level != ''") for e in attackers.EXPOSURES}
    leavers, margin = [], []
    for person in gone.to_dict("records"):
        at = {e: rows[e].iloc[int(person[f"{e}_category"]) - 1] for e in attackers.EXPOSURES}
        strata_of = {"all", "women" if person["sex"] == "female" else "men"}
        leavers.append(
            ({e: str(row["level"]) for e, row in at.items()}, strata_of | {"age>=65" if person["older"] else "age<65"})
        )
        counts = [
            (float(row["events"]), float(row["n"])) for row in at.values() if pd.notna(row["events"]) and row["events"]
        ]
        margin.append(sum(np.log(events / (n - events)) for events, n in counts) / max(len(counts), 1))
    case = (gone["low_back_pain"] == 1).tolist()
    found["all known"].add(case, margin, attackers.outcome_scores(old, new, leavers))
    # One file is read for each guess: of many people some are tried.
    some = leavers[:TRIED]
    found["one known"].add(case[:TRIED], margin[:TRIED], [attackers.outcome_score(old, new, *each) for each in some])
    # Who was corrected is still in the same strata.
    if len(gone) <= FEW and not gone["person"].isin(home.people["person"]).any():
        levels = [each for each, _ in leavers]
        for one, other, true in (
            ("women", "men", gone["sex"] == "female"),
            ("age>=65", "age<65", gone["older"].astype(bool)),
        ):
            score, before = attackers.stratum_scores(old, new, levels, one, other)
            found["covariates"].add(true, before, score)


def play(number: int, people: int, sizes: Sequence[int], protected: bool) -> tuple[Tables, Tables, Played]:
    """The first and the last publication of a sequence, whose events and people follow from its number."""
    random = np.random.default_rng(number)
    home = Played(analysis_set_of(people, seed=4 + number % 5), protected)
    first = home.out
    size = sizes[number % len(sizes)]
    before = ["method"] if number % 5 == 1 else []
    after = [str(each) for each in random.choice(["method", "retract"], size=1)] if number % 5 == 3 else []
    for event in [*before, "correct" if number % 4 == 2 else "leave", "edition", *after]:
        home.happen(event, size, random)
    return first, home.out, home


def written(folder: Path, tables: Tables) -> Path:
    """A release's folder with these results."""
    folder.mkdir(parents=True)
    tables.results.to_csv(folder / "results.csv", index=False)
    return folder

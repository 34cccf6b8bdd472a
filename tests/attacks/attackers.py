"""Attackers who see nothing but the folders of releases.

Each returns what it worked out. ``test_attacks`` shows that it wins where the protection that it tests is off, and
loses against a release made with it.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import linprog

KEYS = ["wave", "analysis", "population", "model", "exposure", "term", "level", "measure"]
EXPOSURES = ("walking_minutes", "walking_met")


def read(release: Path, name: str = "results") -> pd.DataFrame:
    frame = pd.read_csv(release / f"{name}.csv", keep_default_na=False, na_values=[""])
    texts = frame.select_dtypes(include=["object", "str"]).columns
    return frame.assign(**{text: frame[text].fillna("") for text in texts})


# ---- one release: nested cuts ----


def nested_cuts(release: Path, few: int = 5) -> list[tuple[str, int, int]]:
    """Groups of few people, cases or others between nearly equal cuts of the same people: (where, people, cases)."""
    rows = read(release)
    rows = rows[(rows["measure"] == "rr") & (rows["model"] == "age") & (rows["level"] != "")]
    rows = rows[rows["term"] == rows["exposure"] + "_category"]
    cuts: dict[tuple[str, str], list[tuple[str, pd.DataFrame]]] = {}
    for (wave, analysis, population, exposure), block in rows.groupby(
        ["wave", "analysis", "population", "exposure"], sort=False
    ):
        if analysis in ("main", "fixed_cuts") and population == "all":
            cuts.setdefault((wave, exposure), []).append((analysis, block))
        elif analysis == "wave_interaction":
            cuts.setdefault((population.removeprefix("wave "), exposure), []).append((analysis, block))
    found = []
    for (wave, exposure), sources in cuts.items():
        for (one, a), (other, b) in itertools.combinations(sources, 2):
            for k in range(1, 4):
                sides = [(block["n"].iloc[:k], block["events"].iloc[:k]) for block in (a, b)]
                if any(n.isna().any() or e.isna().any() for n, e in sides):
                    continue
                people = int(sides[0][0].sum() - sides[1][0].sum())
                cases = int(sides[0][1].sum() - sides[1][1].sum())
                sign = -1 if people < 0 else 1
                people, cases = sign * people, sign * cases
                if 0 < people < few or 0 < cases < few or 0 < people - cases < few:
                    found.append((f"{wave} {exposure} cut {k}: {one} and {other}", people, cases))
    return found


def nearly_the_same_people(release: Path, few: int = 5) -> list[tuple[str, str, int]]:
    """Analyses (such as strict ones) whose people or cases are those of the main analysis but for a few."""
    rows = read(release)
    rows = rows[rows["measure"] == "p_joint"].drop_duplicates(["wave", "analysis", "population", "exposure"])
    found = []
    for _, block in rows.groupby(["wave", "exposure"], sort=False):
        main = block[(block["analysis"] == "main") & (block["population"] == "all")]
        for column, (_, row) in itertools.product(("n", "events"), block.iterrows()):
            if len(main) and not pd.isna(row[column]) and not pd.isna(main[column].iloc[0]):
                difference = abs(int(row[column] - main[column].iloc[0]))
                if 0 < difference < few:
                    found.append((f"{row['analysis']} {row['population']}", column, difference))
    return found


# ---- one release: linear program over the cells an outsider knows ----


def narrow_windows(release: Path, width: int = 5) -> list[tuple[tuple[str, ...], int, int]]:
    """Suppressed event counts of categories, bounded more closely than ``width``: (cell, fewest, most)."""
    found = []
    rows = read(release)
    for wave in rows.loc[rows["wave"] != "all", "wave"].unique():
        found += _Program(rows[rows["wave"] == wave]).narrow(width)
    return found


class _Program:
    """Cases by volume, intensity, sex and age group: atoms that anyone knows, and the published sums of them."""

    def __init__(self, rows: pd.DataFrame) -> None:
        self.atoms = list(itertools.product(range(4), range(4), ("women", "men"), ("age<65", "age>=65")))
        self.cells: dict[tuple[str, ...], tuple[np.ndarray, float, float]] = {}
        rows = rows[(rows["model"] == "age") & (rows["measure"].isin(("rr", "p_joint")))]
        labels = {exposure: list(_block(rows, "main", "all", exposure)["level"]) for exposure in EXPOSURES}
        for exposure, position in (("walking_minutes", 0), ("walking_met", 1)):
            for analysis, populations in (("main", ["all"]), ("stratified", ["women", "men", "age<65", "age>=65"])):
                for population in populations:
                    block = _block(rows, analysis, population, exposure)
                    for level, n, events in block[["level", "n", "events"]].itertuples(index=False):
                        if level in labels[exposure]:
                            chosen = self._atoms(population, {position: labels[exposure].index(level)})
                            self.cells[analysis, population, exposure, level] = (chosen, n, events)
        whole = rows[(rows["analysis"] == "main") & (rows["measure"] == "p_joint")].iloc[0]
        self.cells["main", "all", "", ""] = (self._atoms("all", {}), whole["n"], whole["events"])
        joint = rows[(rows["analysis"] == "joint") & (rows["measure"] == "rr") & rows["level"].str.contains(" & ")]
        for level, n, events in joint[["level", "n", "events"]].itertuples(index=False):
            parts = level.split(" & ")
            at = {
                k: labels[e].index(p) for k, (e, p) in enumerate(zip(EXPOSURES, parts, strict=True)) if p in labels[e]
            }
            if len(at) == 2:
                self.cells["joint", "all", "", level] = (self._atoms("all", at), n, events)

    def _atoms(self, population: str, at: dict[int, int]) -> np.ndarray:
        return np.array(
            [population in ("all", *atom) and all(atom[k] == v for k, v in at.items()) for atom in self.atoms], float
        )

    def narrow(self, width: int) -> list[tuple[tuple[str, ...], int, int]]:
        """Bounds of the cases in every cell whose events are suppressed; people and cases are whole numbers."""
        size = len(self.atoms)  # unknown: people, then cases, of each atom
        equal, totals = [], []
        for chosen, n, events in self.cells.values():
            for known, offset in ((n, 0), (events, size)):
                if not pd.isna(known):
                    equal.append(np.concatenate([np.zeros(offset), chosen, np.zeros(size - offset)]))
                    totals.append(known)
        fewer = np.hstack([-np.eye(size), np.eye(size)])
        found = []
        for cell, (chosen, _, events) in self.cells.items():
            if not pd.isna(events):
                continue
            goal = np.concatenate([np.zeros(size), chosen])
            solved = [
                linprog(sign * goal, A_ub=fewer, b_ub=np.zeros(size), A_eq=np.array(equal), b_eq=totals, method="highs")
                for sign in (1, -1)
            ]
            if all(each.status == 0 for each in solved):
                low, high = int(np.ceil(solved[0].fun - 1e-6)), int(np.floor(-solved[1].fun + 1e-6))
                if high > 0 and high - low < width:  # a published zero makes its parts zeros
                    found.append((cell, low, high))
        return found


def _block(rows: pd.DataFrame, analysis: str, population: str, exposure: str) -> pd.DataFrame:
    mine = (rows["analysis"] == analysis) & (rows["population"] == population) & (rows["exposure"] == exposure)
    return rows[mine & (rows["measure"] == "rr") & (rows["level"] != "")]


# ---- one release: digits ----


def counts_from_standardized_differences(release: Path) -> dict[tuple[str, str], tuple[int, int]]:
    """(with the characteristic among who answered, among the lost) of levels whose counts follow exactly."""
    rows = read(release)
    answered = rows.loc[(rows["analysis"] == "main") & (rows["measure"] == "p_joint"), "n"].dropna()
    balance = rows[(rows["analysis"] == "attrition_balance") & (rows["measure"] == "smd") & (rows["level"] != "")]
    found = {}
    for term, level, n, smd in balance[["term", "level", "n", "estimate"]].itertuples(index=False):
        if not len(answered) or pd.isna(n) or pd.isna(smd):
            continue
        one, other = int(answered.iloc[0]), int(n - answered.iloc[0])
        p, q = np.arange(1, one)[:, None] / one, np.arange(1, other)[None, :] / other
        value = (p - q) / np.sqrt((p * (1 - p) + q * (1 - q)) / 2)
        hits = np.argwhere(np.abs(value - smd) < 1e-12 + 0.5 * 10.0 ** -_decimals(smd))
        if len(hits) == 1:
            found[term, level] = (int(hits[0][0]) + 1, int(hits[0][1]) + 1)
    return found


def _decimals(number: float) -> int:
    return len(repr(float(number)).partition(".")[2])


# ---- two releases: subtraction ----


def moved(old: Path, new: Path, waves: set[str] | None = None) -> dict[str, int]:
    """How many counts and estimates of rows that both releases have are other numbers in the second.

    Args:
        old: a release.
        new: a later one.
        waves: only these; None for all.
    """
    then, now = read(old), read(new)
    then = then if waves is None else then[then["wave"].isin(waves)]
    both = then.merge(now, on=KEYS, suffixes=("_then", "_now"))
    return {
        column: int(((both[f"{column}_then"] != both[f"{column}_now"]) & both[f"{column}_then"].notna()).sum())
        for column in ("n", "events", "estimate", "ci_low", "std_error", "p_value")
    }


def groups_of_leaver(old: Path, new: Path) -> set[str]:
    """The strata that one person who left belonged to: those whose estimates moved, where others stood still."""
    then, now = read(old), read(new)
    rows = [each[(each["analysis"] == "stratified") & (each["measure"] == "rr")] for each in (then, now)]
    both = rows[0].merge(rows[1], on=KEYS, suffixes=("_then", "_now"))
    share = (both["estimate_then"] != both["estimate_now"]).groupby(both["population"]).mean()
    return set(share.index[share > 0.5]) if (share < 0.5).any() else set()


def outcome_of_leaver(old: Path, new: Path, wave: str, exposure: str, level: str) -> str | None:
    """Whether a person of a category who left was a case: the category's ratio falls when a case leaves."""
    keys = {"analysis": "main", "population": "all", "model": "age", "exposure": exposure, "level": level}
    found = []
    for release in (old, new):
        rows = read(release)
        rows = rows[(rows["wave"] == wave) & (rows["measure"] == "rr")]
        for name, value in keys.items():
            rows = rows[rows[name] == value]
        found.append(float(rows["estimate"].iloc[0]))
    return None if found[0] == found[1] else "case" if found[1] < found[0] else "no case"


def left_of_old_wave(old: Path, new: Path, wave: str) -> int | None:
    """How many have left a wave since it was published: pooled answers minus the new wave's, against the old number."""
    then, now = read(old), read(new)
    whole = [each[(each["measure"] == "p_joint") & (each["term"] == "walking_met_category")] for each in (then, now)]
    before = whole[0].loc[(whole[0]["wave"] == wave) & (whole[0]["analysis"] == "main"), "n"].dropna()
    pooled = whole[1].loc[whole[1]["analysis"] == "pooled", "n"].dropna()
    others = whole[1].loc[(whole[1]["analysis"] == "main") & ~whole[1]["wave"].isin([wave, "all"])]
    others = others.drop_duplicates("wave")["n"]
    if before.empty or pooled.empty or others.isna().any():
        return None
    return int(before.iloc[0] - (pooled.iloc[0] - others.sum()))


def leavers_of_baseline(release: Path) -> int | None:
    """How many have left since an earlier wave was published: the cohort as each wave's flow gives it."""
    steps = read(release, "attrition")
    cohort = steps.loc[steps["rule"] == "cohort", "remaining"].dropna().unique()
    return int(cohort.max() - cohort.min()) if len(cohort) > 1 else None


# ---- the manifest ----


def guessed_person(release: Path, candidates: Iterable[str]) -> str | None:
    """The person in a withdrawal of one: the hash of each possible file is looked up in every file of the release."""
    seen = set()
    for file in release.rglob("*.json"):
        seen |= set(re.findall(r"\b[0-9a-f]{64}\b", file.read_text(encoding="utf-8")))
    for page in release.rglob("*.html"):
        seen |= set(re.findall(r"\b[0-9a-f]{64}\b", page.read_text(encoding="utf-8")))
    for person in candidates:
        content = f"person\n{person}\n".encode()
        sha256 = hashlib.sha256(content).hexdigest()
        drop = hashlib.sha256(f"{person}{sha256}".encode()).hexdigest()
        if {sha256, drop, hmac.digest(b"", content, "sha256").hex()} & seen:
            return person
    return None


def single_things(release: Path) -> list[str]:
    """What the manifest says of single deliveries: names, numbers of files, times."""
    facts = json.loads((release / "manifest.json").read_text(encoding="utf-8"))
    found = [f"{each['kind']}/{each['name']}" for each in facts.get("deliveries", [])]
    if (release / "lineage.json").is_file():
        for stage in json.loads((release / "lineage.json").read_text(encoding="utf-8"))["stages"]:
            found += [name for name in stage["made_from"] if name.startswith("delivery withdrawals")]
            found += ["made_at"] if "made_at" in stage else []
    return found


# ---- two releases: the influence of one leaver on many ratios ----


def outcome_score(old: Path, new: Path, levels: dict[str, str], populations: set[str]) -> float:
    """How much the changes of all ratios look as if a case had left; 0.0 where nothing moved.

    A ratio of somebody's category falls when a case leaves it, and rises when anybody else does; where the category is
    the reference, the other way round.

    Args:
        old: a release.
        new: a later one.
        levels: by exposure the category of the person who left, as it is printed.
        populations: the strata the person is in.
    """
    then, now = (each[(each["measure"] == "rr") & each["estimate"].gt(0)] for each in (read(old), read(new)))
    both = then.merge(now, on=[*KEYS, "reference"], suffixes=("_then", "_now"))
    both = both[both["population"].isin(populations)]
    change = np.log(both["estimate_now"] / both["estimate_then"]) / both["std_error_then"]
    own = both["exposure"].map(levels)
    return float(-change[both["level"] == own].sum() + change[both["reference"] == own].sum())


def outcome_scores(old: Path, new: Path, leavers: list[tuple[dict[str, str], set[str]]]) -> np.ndarray:
    """The same guess by somebody who knows the categories and strata of everyone who left: one score for each.

    All moves are explained together by who was a case, as well as a linear model can (best linear prediction), from the
    published people and cases of each category.

    Args:
        old: a release.
        new: a later one.
        leavers: of each the categories by exposure, as printed, and the strata.
    """
    then, now = (each[(each["measure"] == "rr") & each["estimate"].gt(0)] for each in (read(old), read(new)))
    both = then.merge(now, on=[*KEYS, "reference"], suffixes=("_then", "_now"))
    blocks = ["wave", "analysis", "population", "model", "exposure", "term"]
    sizes = {
        (*row[:-2],): row[-2:] for row in both[[*blocks, "level", "n_then", "events_then"]].itertuples(index=False)
    }
    base = [sizes.get((*row,), (np.nan, np.nan)) for row in both[[*blocks, "reference"]].itertuples(index=False)]
    both[["base_n", "base_events"]] = np.array(base, dtype=float).reshape(-1, 2)
    known = both[["n_then", "events_then", "base_n", "base_events"]].gt(0).all(axis=1) & (
        both["level"] != both["reference"]
    )
    both = both[known]
    own, other = (
        np.array([[p in strata and levels.get(e) == c for levels, strata in leavers]
                  for p, e, c in both[["population", "exposure", column]].itertuples(index=False)], float)
        for column in ("level", "reference")
    )  # fmt: skip
    n, events, base_n, base_events = (
        both[[name]].to_numpy(float) for name in ("n_then", "events_then", "base_n", "base_events")
    )
    if_none, differ = own / n - other / base_n, -own / events + other / base_events
    seen = np.log(both["estimate_now"] / both["estimate_then"]).to_numpy()
    if not seen.any():
        return np.zeros(len(leavers))
    risk = float(both["events_then"].sum() / both["n_then"].sum())
    noise = np.diag((0.01 / both["estimate_then"].to_numpy()) ** 2 / 6)
    inner = risk * (1 - risk) * differ @ differ.T + noise
    left: np.ndarray = differ.T @ np.linalg.solve(inner, seen - if_none.sum(axis=1) - risk * differ.sum(axis=1))
    return left


def stratum_scores(
    old: Path, new: Path, leavers: Sequence[Mapping[str, str]], one: str, other: str
) -> tuple[np.ndarray, np.ndarray]:
    """Whether each who left is of one stratum or of another (a woman or a man), and what the first release says of it.

    Of the strata's people in somebody's categories, as many are gone as have left of each.

    Args:
        old: a release.
        new: a later one.
        leavers: of each the categories by exposure, as printed.
        one: a stratum.
        other: the other one.

    Returns:
        Log odds of the first stratum, from what moved (0 where nothing did) and from the first release alone.
    """
    columns = ["population", "exposure", "level"]
    then, now = (
        rows[(rows["analysis"] == "stratified") & (rows["model"] == "age") & (rows["measure"] == "rr")]
        .drop_duplicates(columns)
        .set_index(columns)["n"]
        for rows in (read(old), read(new))
    )
    left = (then - now.reindex(then.index)).clip(lower=0).fillna(0).to_dict()
    before = then.fillna(0).to_dict()

    def odds(counts: dict[tuple[str, str, str], float], levels: Mapping[str, str]) -> float:
        pairs = [[counts.get((stratum, *at), 0.0) + 0.5 for stratum in (one, other)] for at in levels.items()]
        return float(sum(np.log(a / b) for a, b in pairs))

    moved, known = (np.array([odds(counts, levels) for levels in leavers]) for counts in (left, before))
    return moved, known


def area_under_curve(scores: Iterable[float], cases: Iterable[bool]) -> float:
    """How often a case scores higher than somebody who is none; one half for a guess."""
    score, case = np.asarray(list(scores)), np.asarray(list(cases), dtype=bool)
    difference = score[case][:, None] - score[~case][None, :]
    return float((np.sign(difference) / 2 + 0.5).mean())

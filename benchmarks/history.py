"""The history of ratios: a line for each run, and the rule that none may worsen by half.

``benchmarks/history.jsonl`` only grows. Each line has date, commit, size and processor of a run, and its ratios: what
Stegvis needed divided by what the peer needed in the same run. Times are not in it: they depend on the machine. A
ratio that is meant to be worse (a peer became faster, or Stegvis does more) is accepted by name, with a reason, in the
line that has it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.measure import Cost, Measure

FILE = Path(__file__).with_name("history.jsonl")
WORSE = 1.5
WHAT = {"processor": "processor", "megabytes": "memory", "disk": "disk"}


def ratios(ours: Cost, theirs: Cost) -> Iterator[tuple[str, float]]:
    """Ours divided by theirs: of processor seconds, peak memory and disk, each where both are known."""
    for name, label in WHAT.items():
        mine, other = getattr(ours, name), getattr(theirs, name)
        if mine is not None and other:
            yield label, mine / other


def ratios_of(measures: Iterable[Measure]) -> dict[str, float]:
    """Every ratio of a run, by measure, peer and what was compared, with three digits."""
    return {
        f"{measure.name} / {peer.name} / {label}": float(f"{ratio:.3g}")
        for measure in measures
        for peer in measure.peers
        if peer.cost
        for label, ratio in ratios(measure.cost, peer.cost)
    }


def entry(run: Mapping[str, Any], accepted: Mapping[str, str]) -> dict[str, Any]:
    """The line of a run."""
    measures = [Measure.read(each) for each in run["measures"]]
    facts = {name: run[name] for name in ("date", "commit", "size")} | {"processor": run["machine"]["processor"]}
    return facts | {"ratios": ratios_of(measures)} | ({"accepted": dict(accepted)} if accepted else {})


def read(file: Path = FILE) -> list[dict[str, Any]]:
    """All lines, the oldest first."""
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def append(line: Mapping[str, Any], file: Path = FILE) -> None:
    """Add a line."""
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(line, ensure_ascii=False) + "\n")


def worsened(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    """Each ratio that is more than half worse than in the entry before it of the same size that has it.

    A ratio is not lost by a run without its peer: the next one that has it is compared with the last that had it.
    """
    last: dict[tuple[str, str], float] = {}
    found = []
    for each in entries:
        accepted = each.get("accepted", {})
        for name, ratio in each["ratios"].items():
            before = last.get((each["size"], name))
            last[each["size"], name] = ratio
            if before is not None and ratio > WORSE * before and not accepted.get(name):
                found.append(f"{name}: {before:g} became {ratio:g} at {each['commit']} ({each['size']})")
    return found

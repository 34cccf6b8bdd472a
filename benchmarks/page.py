"""``docs/performance.md``, made of the last run of each size and of the history of ratios.

python -m benchmarks --page
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import growth_page, history
from benchmarks.measure import ROOT, Cost, Measure

RUNS = Path(__file__).with_name("runs")
PAGE = ROOT / "docs" / "performance.md"
PICTURE = ROOT / "docs" / "pictures" / "growth.svg"
SHOWN = 6  # entries of the history
CLEAR = 1.1  # times more or less that is called more or less
BEHIND = "Stegvis needs more processor time than the peer"
LEVEL = "The same within a tenth"
AHEAD = "Stegvis needs less processor time than the peer"

INTRODUCTION = """# Performance

This page is made by `make bench` from the last run on the machine named below; nothing on it is written by hand. Each
figure is from processes of its own, the peers' in the same run as ours; short measurements are repeated by turns, and
the repeat that needed least processor time counts. **Ratios are ours divided by the peer's, of processor seconds**
unless a column says otherwise: below 1 Stegvis needs less. They depend little on the machine; times do. Even a ratio
varies by a fifth or more when other programs use the machine. Memory is the peak of the largest process, of PySpark
that of Python and Java together.

A *yardstick* does much less than Stegvis. It is there to compare versions of Stegvis on any machine, not programs.

`make bench` takes about ten minutes on two idle cores, `make bench SIZE=full` over an hour. The peers are installed
into an environment of their own, `build/peers`, from `benchmarks/peers.txt`; PySpark also needs Java, and the models R
with its package sandwich. What is missing is skipped, with the reason. `python -m benchmarks --only days` (or `raw`,
`home`, `growth`) measures a part and only prints.
"""


def render() -> str:
    """The page."""
    runs = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(RUNS.glob("*.json"), reverse=True)]
    parts = [INTRODUCTION]
    for run in runs:
        measures = [Measure.read(each) for each in run["measures"]]
        parts += [_machine(run), _summary(measures), *map(_section, measures)]
        if "growth" in run:
            parts.append(growth_page.section(run, measures, PICTURE.relative_to(PAGE.parent).as_posix()))
    return "\n".join([*parts, _history(history.read())])


def picture() -> str:
    """The drawing of growth, of the smallest size that was run."""
    files = sorted(RUNS.glob("*.json"), reverse=True)
    return growth_page.drawing(json.loads(files[0].read_text(encoding="utf-8"))["growth"])


def write() -> None:
    """Make the page and its picture anew."""
    PICTURE.write_text(picture(), encoding="utf-8")
    PAGE.write_text(render(), encoding="utf-8")


def _machine(run: Mapping[str, Any]) -> str:
    machine = run["machine"]
    ours = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    theirs = ", ".join(f"{name} {number}" for name, number in run["peers"].items())
    command = "make bench" if run["size"] == "small" else f"make bench SIZE={run['size']}"
    return f"""## The last run, size "{run["size"]}"

`{command}` on {run["date"]}, commit `{run["commit"]}`.

| machine | |
|---|---|
| processor | {machine["processor"]}, {machine["cores"]} cores |
| memory | {machine["memory_gigabytes"]} GB |
| system | {machine["system"]} |
| Stegvis runs with | {ours} |
| peers | {theirs} |
"""


def _summary(measures: Sequence[Measure]) -> str:
    """Which peers are ahead of Stegvis, and of which it is ahead; yardsticks are not compared."""
    lines: dict[str, list[str]] = {BEHIND: [], LEVEL: [], AHEAD: []}
    for measure in measures:
        found: dict[str, list[str]] = {heading: [] for heading in lines}
        for peer in measure.peers:
            if peer.yardstick or peer.cost is None or not peer.cost.processor:
                continue
            ratio = measure.cost.processor / peer.cost.processor
            heading = AHEAD if ratio < 1 / CLEAR else BEHIND if ratio > CLEAR else LEVEL
            found[heading].append(f"{peer.name}: {_number(ratio)}")
        for heading, peers in found.items():
            if peers:
                lines[heading].append(f"- {measure.title} ({'; '.join(peers)})")
    return "\n".join("\n".join([f"**{heading}**", "", *each, ""]) for heading, each in lines.items() if each)


def _section(measure: Measure) -> str:
    rows = [_row("**Stegvis**", measure.cost, {}, measure.command)]
    for peer in measure.peers:
        name = f"{peer.name} (yardstick)" if peer.yardstick else peer.name
        if peer.cost is None:
            rows.append(f"| {name} | not measured: {peer.skipped} | | | | | | | `{peer.command}` |")
        else:
            rows.append(_row(name, peer.cost, dict(history.ratios(measure.cost, peer.cost)), peer.command))
    return "\n".join(
        [
            f"### {measure.title}", "", measure.about, "",
            "| | processor s | wall s | peak MB | disk MB | ratio | of memory | of disk | command |",
            "|---|---|---|---|---|---|---|---|---|",
            *rows, "",
        ]
    )  # fmt: skip


def _row(name: str, cost: Cost, ratios: Mapping[str, float], command: str) -> str:
    figures = [_number(value) for value in (cost.processor, cost.wall, cost.megabytes, cost.disk)]
    compared = [_number(ratios.get(label)) for label in history.WHAT.values()]
    if compared[0]:
        compared[0] = f"**{compared[0]}**"
    return f"| {' | '.join([name, *figures, *compared])} | `{command}` |"


def _history(entries: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        "## History of ratios",
        "",
        "Of processor time, the newest on the right; `benchmarks/history.jsonl` also has those of memory and disk. A "
        f"test fails when one is more than {history.WORSE:g} times the one before it. CI only compares what was "
        "recorded: on a busy machine the same measurement has taken twice the processor time a minute later, so a run "
        "in CI would fail without a cause.",
        "",
    ]
    for size in sorted({each["size"] for each in entries}, reverse=True):
        mine = [each for each in entries if each["size"] == size][-SHOWN:]
        names = list(dict.fromkeys(name for each in reversed(mine) for name in each["ratios"]))
        heads = " | ".join(f"{each['date']} `{each['commit']}`" for each in mine)
        lines += [f"| size {size} | {heads} |", f"|---|{'---|' * len(mine)}"]
        for name in names:
            if name.endswith(" / processor"):
                cells = " | ".join(_number(each["ratios"].get(name)) for each in mine)
                lines.append(f"| {name.removesuffix(' / processor')} | {cells} |")
        lines.append("")
    return "\n".join(lines)


def _number(value: float | None) -> str:
    """With three digits at most; nothing for None."""
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"

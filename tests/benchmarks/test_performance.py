"""The page of performance is what the recorded runs say, and no recorded ratio is worse by half than the one before."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import growth_page, history, page
from benchmarks.measure import Cost, Measure, Peer, as_json, cheapest, command
from benchmarks.peers import Peers, pinned

RUNS = sorted(page.RUNS.glob("*.json"))
OURS = Measure(
    "days", "To days", "Both count.", "python -m benchmarks", Cost(2.0, 3.0, 100.0, 5.0),
    [
        Peer("pandas", "python peer.py", Cost(4.0, 5.0, 400.0)),
        Peer("PySpark", "python peer.py", skipped="Java is not installed"),
    ],
)  # fmt: skip


def entry(ratio: float, **others: Any) -> dict[str, Any]:
    name = others.pop("name", "days / pandas / processor")
    return {"date": "2026-01-01", "commit": "abc1234", "size": "small", "ratios": {name: ratio}} | others


# ---- what was recorded ----


def test_the_page_is_what_the_recorded_runs_say() -> None:
    """If this fails: python -m benchmarks --page."""
    assert page.PAGE.read_text(encoding="utf-8") == page.render()


def test_the_picture_of_growth_is_what_the_recorded_run_says() -> None:
    assert page.PICTURE.read_text(encoding="utf-8") == page.picture()


def test_no_recorded_ratio_is_worse_by_half_than_the_one_before() -> None:
    """If a worse ratio is meant: python -m benchmarks --accept "RATIO=REASON"."""
    assert history.worsened(history.read()) == []


@pytest.mark.parametrize("file", RUNS, ids=lambda file: file.stem)
def test_the_newest_entry_of_each_size_has_the_ratios_of_its_run(file: Path) -> None:
    run = json.loads(file.read_text(encoding="utf-8"))
    newest = [each for each in history.read() if each["size"] == run["size"]][-1]
    assert newest | {"accepted": {}} == history.entry(run, {}) | {"accepted": {}}


def test_a_run_is_recorded() -> None:
    assert RUNS
    assert history.read()


# ---- the comparison ----


def test_a_ratio_worse_by_more_than_half_fails() -> None:
    assert history.worsened([entry(0.2), entry(0.31)]) == [
        "days / pandas / processor: 0.2 became 0.31 at abc1234 (small)"
    ]


def test_a_worsened_line_added_to_the_recorded_history_fails(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    file.write_bytes(history.FILE.read_bytes())
    newest = history.read(file)[-1]
    history.append(newest | {"ratios": {name: 1.51 * ratio for name, ratio in newest["ratios"].items()}}, file)
    assert len(history.worsened(history.read(file))) == len(newest["ratios"])


@pytest.mark.parametrize("after", [0.3, 0.2, 0.1])
def test_a_ratio_at_most_half_worse_passes(after: float) -> None:
    assert history.worsened([entry(0.2), entry(after)]) == []


def test_what_is_accepted_with_a_reason_passes_once() -> None:
    accepted = {"days / pandas / processor": "checks every row now"}
    assert history.worsened([entry(0.2), entry(0.4, accepted=accepted)]) == []
    assert history.worsened([entry(0.2), entry(0.4, accepted=accepted), entry(0.7)]) != []
    assert history.worsened([entry(0.2), entry(0.4, accepted={"days / pandas / processor": ""})]) != []


def test_other_sizes_and_measures_are_not_compared() -> None:
    assert history.worsened([entry(0.2), entry(0.9, size="full")]) == []
    assert history.worsened([entry(0.2), entry(0.9, name="days / pandas / memory")]) == []


def test_a_run_without_the_peer_does_not_lose_the_ratio() -> None:
    assert len(history.worsened([entry(0.2), entry(5.0, name="other / R / processor"), entry(0.9)])) == 1


# ---- ratios and the page ----


def test_ratios_are_ours_divided_by_the_peers_where_both_are_known() -> None:
    assert history.ratios_of([OURS]) == {"days / pandas / processor": 0.5, "days / pandas / memory": 0.25}


def test_a_measure_is_stored_and_read_again() -> None:
    (stored,) = json.loads(json.dumps(as_json([OURS])))
    assert Measure.read(stored) == OURS


def written(measures: list[Measure], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    run = json.loads(RUNS[0].read_text(encoding="utf-8")) | {"size": "small", "measures": as_json(measures)}
    (tmp_path / "small.json").write_text(json.dumps(run), encoding="utf-8")
    monkeypatch.setattr(page, "RUNS", tmp_path)
    return page.render()


def test_a_skipped_peer_is_on_the_page_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = written([OURS], tmp_path, monkeypatch)
    assert "| PySpark | not measured: Java is not installed |" in text
    assert "**Stegvis needs less processor time than the peer**\n\n- To days (pandas: 0.5)\n" in text


def test_a_peer_that_is_ahead_is_shown_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = replace(OURS, cost=replace(OURS.cost, processor=48.0))
    text = written([slow], tmp_path, monkeypatch)
    assert "**Stegvis needs more processor time than the peer**\n\n- To days (pandas: 12)\n" in text


def test_a_yardstick_is_neither_ahead_nor_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only = replace(OURS, peers=[replace(OURS.peers[0], yardstick=True)])
    text = written([only], tmp_path, monkeypatch)
    assert "pandas (yardstick)" in text
    assert "than the peer**" not in text


def test_a_line_is_found_again() -> None:
    points = [{"n": n, "processor": 3 + 0.5 * n, "megabytes": 7 + 2.0 * max(n, 4)} for n in (1, 2, 4, 8)]
    line = growth_page.Line.through(points, "processor")
    assert line.fixed == pytest.approx(3)
    assert line.each == pytest.approx(0.5)
    assert line.number_at(103) == pytest.approx(200)
    memory = growth_page.Line.through(points, "megabytes")
    assert (memory.fixed, memory.each) == (7, 2)
    assert growth_page.Line(3, 0).number_at(4) is None


# ---- measuring ----


def test_a_command_is_measured_and_a_failing_one_says_why() -> None:
    cost = command([sys.executable, "-c", "x = b'1' * 60_000_000"])
    assert 60 < cost.megabytes < 120  # its own, whatever the process that starts it has
    with pytest.raises(RuntimeError, match="ended with 1: no such luck"):
        command([sys.executable, "-c", "raise SystemExit('no such luck')"])


def test_the_cheapest_run_counts() -> None:
    assert cheapest([Cost(2, 1, 1), Cost(1, 9, 9)]) == Cost(1, 9, 9)


def test_peers_that_cannot_be_installed_are_missing_with_a_reason(tmp_path: Path) -> None:
    nowhere = Peers.installed(tmp_path / "python")
    assert nowhere.missing("polars") == f"{tmp_path / 'python'} does not have peers.txt"
    assert "polars" not in nowhere.versions()


def test_what_the_peers_share_with_stegvis_has_the_same_version() -> None:
    locked = (page.ROOT / "requirements.lock").read_text(encoding="utf-8")
    for name in ("duckdb", "numpy", "pandas", "pyarrow"):
        assert f"\n{name}=={pinned()[name]} " in locked


def test_costs_are_rounded_to_four_digits() -> None:
    (stored,) = as_json([replace(OURS, cost=Cost(1.23456, None, 123456.0))])
    assert stored["cost"] == asdict(Cost(1.235, None, 123500.0))

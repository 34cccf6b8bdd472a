"""Alerts are appended, whole lines, and not repeated."""

from __future__ import annotations

import json
from pathlib import Path

from stegvis.storage.alerts import ALERTS_FILE, add_alert, read_alerts


def test_alerts_are_appended_in_order_and_a_repeated_one_is_not(tmp_path: Path) -> None:
    assert read_alerts(tmp_path) == []
    assert add_alert(tmp_path, "error", "withdrawal", "withdrawals/june", "row 3: blank")
    assert add_alert(tmp_path, "info", "withdrawal", "withdrawals/june", "2 people")
    assert not add_alert(tmp_path, "error", "withdrawal", "withdrawals/june", "row 3: blank")
    assert [(each.severity, each.message) for each in read_alerts(tmp_path)] == [
        ("error", "row 3: blank"),
        ("info", "2 people"),
    ]
    lines = (tmp_path / ALERTS_FILE).read_text().splitlines()
    assert [set(json.loads(line)) for line in lines] == [{"time", "severity", "kind", "subject", "message"}] * 2


def test_a_line_cut_by_a_crash_costs_itself_alone(tmp_path: Path) -> None:
    add_alert(tmp_path, "error", "a", "b", "first")
    with (tmp_path / ALERTS_FILE).open("a") as file:
        file.write('{"time": "2026-')
    add_alert(tmp_path, "error", "a", "b", "second")
    assert [each.message for each in read_alerts(tmp_path)] == ["first", "second"]

"""The file of alerts stays bounded, and what must not be repeated stays in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from stegvis.storage import alert_log
from stegvis.storage.alert_log import keep_bounded
from stegvis.storage.alerts import ALERTS_FILE, add_alert, append_alert, read_alerts
from stegvis.storage.lock import locked


def test_the_newest_alerts_and_the_counts_of_withdrawals_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_log, "LARGEST_BYTES", 20_000)
    assert add_alert(tmp_path, "info", "withdrawal", "withdrawals/june", "2 people; 2 found and erased")
    for number in range(100):
        append_alert(tmp_path, "error", "blocked", "release", f"why {number}")
    assert not keep_bounded(tmp_path, tmp_path / "refresh.lock")
    for number in range(100, 200):
        append_alert(tmp_path, "error", "blocked", "release", f"why {number}")
    with locked(tmp_path / "refresh.lock", "a refresh, which appends"):
        assert not keep_bounded(tmp_path, tmp_path / "refresh.lock")
    assert keep_bounded(tmp_path, tmp_path / "refresh.lock")
    first, *others = read_alerts(tmp_path)
    assert first.kind == "withdrawal"
    assert [each.message for each in others] == [f"why {number}" for number in range(200 - len(others), 200)]
    assert len(others) > 50
    assert (tmp_path / ALERTS_FILE).stat().st_size <= 10_000 + 200
    assert not add_alert(tmp_path, "info", "withdrawal", "withdrawals/june", "2 people; 2 found and erased")


def test_the_same_alert_may_be_appended_again(tmp_path: Path) -> None:
    for _time in range(2):
        append_alert(tmp_path, "error", "blocked", "release", "why")
    assert len(read_alerts(tmp_path)) == 2

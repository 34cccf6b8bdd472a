"""``stegvis health``: quick, without Dagster, one line, JSON or gauges that a Prometheus parser reads."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stegvis.orchestration.monitoring import files, seen
from stegvis.orchestration.monitoring.health import health, line
from stegvis.orchestration.monitoring.prometheus import gauges
from stegvis.orchestration.monitoring.settings import FILE
from stegvis.storage.home import Home
from tests.mail_server import mail_server
from tests.orchestration.command import stegvis, stegvis_here
from tests.orchestration.monitoring.facts import facts
from tests.web_server import web_server

GAUGE = re.compile(
    r"stegvis_[a-z_]+(?:\{[a-z]+=\"(?:[^\"\\\n]|\\.)*\"(?:,[a-z]+=\"(?:[^\"\\\n]|\\.)*\")*\})? -?[0-9.e+-]+"
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home", tmp_path / "home" / "landing").create()


def test_a_home_that_was_never_looked_at_says_so_and_is_not_ill(home: Home) -> None:
    found = health(home)
    assert (found["healthy"], found["seen"], found["seconds_since_seen"]) == (True, None, None)
    assert line(found) == "OK: nothing needs attention; the home was never looked at: stegvis refresh does"
    assert "stegvis_up 1\n" in gauges(found)


def test_without_a_home_it_fails(tmp_path: Path) -> None:
    shown = stegvis_here("health", home=tmp_path / "none")
    assert (shown.returncode, shown.stdout) == (1, "")
    assert "there is no home" in shown.stderr


def test_what_was_seen_is_said_with_its_age(home: Home) -> None:
    blocked = [{"asset": "release", "partition": "", "reasons": ["why"]}]
    waves = [{"wave": "2027", "state": "held", "behind": []}]
    seen.keep(home.root, facts(blocked=blocked, waves=waves))
    kept = files.place(home.root, files.SEEN)
    old = json.loads(kept.read_text())
    kept.write_text(json.dumps(old | {"time": time.time() - 7200}))
    found = health(home)
    assert not found["healthy"]
    assert line(found) == "ATTENTION: BLOCKED release: why; looked at 120 min ago"
    text = gauges(found)
    for sample in (
        "stegvis_up 0",
        'stegvis_open_causes{severity="error"} 1',
        'stegvis_partitions{kind="wave",state="held"} 1',
        'stegvis_table_partitions{state="blocked"} 1',
        'stegvis_deliveries{state="accepted"} 2',
        'stegvis_disk_used_bytes{part="lake"} 5',
    ):
        assert sample in text.splitlines()
    (age,) = re.findall(r'stegvis_delivery_age_seconds\{source="followup"\} (.*)', text)
    assert 1.5 * 86_400 + 7200 <= float(age) < 1.5 * 86_400 + 7300
    assert "baseline" not in text.split("delivery_age_seconds gauge")[1].split("#")[0]
    assert "withdraw" not in text


def test_gauges_are_in_prometheus_format(home: Home) -> None:
    seen.keep(home.root, facts(disk_use={'a "b"\\\n': 1}))
    names = []
    for text in gauges(health(home)).splitlines():
        if text.startswith("# HELP "):
            names.append(text.split()[2])
        elif text.startswith("# TYPE "):
            assert text == f"# TYPE {names[-1]} gauge"
        else:
            assert GAUGE.fullmatch(text), text
            assert text.startswith(names[-1])
    assert len(names) == len(set(names)) > 12


def test_the_file_of_gauges_is_replaced_and_readable_by_the_exporter(home: Home, tmp_path: Path) -> None:
    out = tmp_path / "stegvis.prom"
    out.write_text("old")
    shown = stegvis_here("health", "--prometheus", "--out", out, home=home.root)
    assert (shown.returncode, shown.stdout) == (0, "")
    assert out.read_text().startswith("# HELP stegvis_up")
    assert out.stat().st_mode & 0o777 == 0o644
    shown = stegvis_here("health", "--prometheus", "--out", tmp_path / "a" / "b" / ("x" * 300), home=home.root)
    assert shown.returncode == 1
    assert "cannot write" in shown.stderr


def test_gauges_are_written_into_a_pipe_which_stays_one(home: Home, tmp_path: Path) -> None:
    pipe = tmp_path / "gauges"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE, text=True) as reader:
        shown = stegvis_here("health", "--prometheus", "--out", pipe, home=home.root)
        read = reader.communicate(timeout=30)[0]
    assert (shown.returncode, shown.stderr) == (0, "")
    assert read.startswith("# HELP stegvis_up")
    assert pipe.is_fifo()


def test_two_forms_at_once_are_wrong_usage(home: Home) -> None:
    assert stegvis_here("health", "--json", "--prometheus", home=home.root).returncode == 2


def test_a_test_of_alerts_without_a_channel_says_how_to_get_one(home: Home) -> None:
    shown = stegvis_here("health", "--test-alerts", home=home.root)
    assert shown.returncode == 1
    assert "names no channel; stegvis health --template prints one" in shown.stderr


def test_a_test_of_alerts_says_which_arrived(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    hook = 'form = "slack"\naddress_variable = "'
    with mail_server() as mails, web_server() as hooks, web_server() as broken:
        monkeypatch.setenv("no_proxy", "*")
        monkeypatch.setenv("T_HOOK", hooks.address)
        monkeypatch.setenv("T_BROKEN", broken.address)
        broken.status = 500
        (home.root / FILE).write_text(
            f'name = "hunt4"\n[[email]]\nname = "mail"\nhost = "127.0.0.1"\nport = {mails.port}\nsecurity = "none"\n'
            f'sender = "a@x.no"\nto = ["b@x.no"]\n[[webhook]]\nname = "hook"\n{hook}T_HOOK"\n'
            f'[[webhook]]\nname = "broken"\n{hook}T_BROKEN"\n'
        )
        shown = stegvis_here("health", "--test-alerts", home=home.root)
    assert shown.returncode == 1
    assert shown.stdout.splitlines() == ["mail: sent", "hook: sent", "broken: NOT SENT, the server answered 500"]
    assert mails.mails[0]["Subject"] == "[stegvis hunt4] test message"
    assert hooks.accepted[0]["text"].startswith("[stegvis hunt4] test message\n")
    assert not files.place(home.root, files.SENT).exists()


def test_it_needs_neither_dagster_nor_the_warehouse(home: Home) -> None:
    seen.keep(home.root, facts())
    code = (
        "import sys; from stegvis.orchestration.cli import app\n"
        "try: app(['health', '--notify', '--home', sys.argv[1]])\n"
        "except SystemExit as end: code = end.code\n"
        "late = {'dagster', 'duckdb', 'pandas', 'numpy', 'sqlalchemy', 'rich.table'} & set(sys.modules)\n"
        "sys.exit(repr(late) if late else code)"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(home.root)], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.slow
def test_it_answers_within_two_seconds(home: Home) -> None:
    """In processor time, the best of three: it waits for nothing, and the machine may be busy."""
    taken = []
    for _time in range(3):
        before = os.times()
        assert stegvis("health", home=home.root).returncode == 0
        after = os.times()
        taken.append(after.children_user + after.children_system - before.children_user - before.children_system)
    assert min(taken) < 2

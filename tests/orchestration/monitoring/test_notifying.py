"""Once per cause and channel, one message when it is over, retries, and at most one repeat after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from stegvis.orchestration.monitoring import files, notifying
from stegvis.orchestration.monitoring.causes import Cause
from stegvis.orchestration.monitoring.channels import SendError
from stegvis.orchestration.monitoring.notifying import notify
from stegvis.orchestration.monitoring.settings import AlertSettings
from stegvis.orchestration.monitoring.wording import Message
from stegvis.storage.alerts import read_alerts
from tests.mail_server import mail_server
from tests.web_server import web_server

ROOT = Path(__file__).parents[3]
BLOCKED = Cause.of("blocked", "error", "release", "BLOCKED release: why")
OVERDUE = Cause.of("overdue", "warning", "followup", "overdue followup: the last delivery came 9 days ago")
HOOK = {"form": "json", "address_variable": "T_HOOK"}


@dataclass
class Clock:
    """The time that the alerts see."""

    now: float = field(default_factory=time.time)

    def later(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(notifying.time, "time", lambda: found.now)
    return found


@pytest.fixture(autouse=True)
def _new_process() -> Iterator[None]:
    yield
    notifying._IN_MEMORY.clear()


class Sender:
    """Keeps what is sent, by channel; a channel in ``broken`` fails."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Message]] = []
        self.broken: set[str] = set()
        self.tries: list[str] = []

    def __call__(self, channel: Any, message: Message) -> None:
        self.tries.append(channel.name)
        if channel.name in self.broken:
            raise SendError("the server answered 500")
        self.sent.append((channel.name, message))

    def subjects(self) -> list[tuple[str, str]]:
        found = [(name, message.subject.removeprefix("[stegvis h] ")) for name, message in self.sent]
        self.sent.clear()
        return found


def settings(*names: str, **more: Any) -> AlertSettings:
    hooks = [HOOK | {"name": name} | more for name in names]
    return AlertSettings.model_validate({"name": "h", "webhook": hooks, "digest": {"hour": 0}})


@pytest.fixture
def sender() -> Sender:
    return Sender()


def look(
    root: Path, sender: Sender, *causes: Cause, to: AlertSettings | None = None, making: tuple[str, ...] = ()
) -> None:
    notifying._IN_MEMORY.clear()  # each look may be of another process
    notify(root, to or settings("a", "b"), causes, making, None, sender)


def test_a_cause_is_sent_once_and_that_it_is_over_once(tmp_path: Path, sender: Sender) -> None:
    look(tmp_path, sender, BLOCKED)
    assert sender.subjects() == [("a", BLOCKED.message), ("b", BLOCKED.message)]
    look(tmp_path, sender, BLOCKED)
    look(tmp_path, sender, BLOCKED)
    assert sender.subjects() == []
    look(tmp_path, sender)
    assert sender.subjects() == [(name, f"resolved: {BLOCKED.message}") for name in ("a", "b")]
    look(tmp_path, sender)
    assert sender.subjects() == []
    look(tmp_path, sender, BLOCKED)
    assert sender.subjects() == [("a", BLOCKED.message), ("b", BLOCKED.message)]
    lines = [(each.severity, each.kind) for each in read_alerts(tmp_path)]
    assert lines == [("error", "blocked"), ("info", "blocked"), ("error", "blocked")]


def test_several_causes_are_one_message_the_gravest_first_and_another_cause_is_another_message(
    tmp_path: Path, sender: Sender
) -> None:
    look(tmp_path, sender, OVERDUE, BLOCKED, to=settings("a"))
    ((_, message),) = sender.sent
    assert message.subject == f"[stegvis h] {BLOCKED.message} (and 1 more)"
    assert message.text.index(BLOCKED.message) < message.text.index(OVERDUE.message)
    assert BLOCKED.next in message.text
    sender.sent.clear()
    other = Cause.of("blocked", "error", "release", "BLOCKED release: another why", "another")
    look(tmp_path, sender, OVERDUE, other, to=settings("a"))
    ((_, message),) = sender.sent
    assert [each["message"] for each in message.facts["opened"]] == [other.message]
    assert [each["message"] for each in message.facts["resolved"]] == [BLOCKED.message]
    assert message.facts["still_open"] == 1


def test_very_many_causes_are_counted(tmp_path: Path, sender: Sender) -> None:
    many = [Cause.of("failed", "error", f"t [{i}]", f"FAILED t [{i}]: why") for i in range(500)]
    look(tmp_path, sender, *many, to=settings("a"))
    ((_, message),) = sender.sent
    assert "- and 480 more: stegvis status lists all" in message.text
    assert len(message.text) < 5000


def test_a_channel_gets_only_what_is_grave_enough(tmp_path: Path, sender: Sender) -> None:
    info = Cause.of("edition", "info", "wave", "publish wave: waits")
    look(tmp_path, sender, OVERDUE, info, to=settings("a", least="error"))
    assert sender.subjects() == []
    assert [each.kind for each in read_alerts(tmp_path)] == ["overdue"]


def test_what_is_being_made_again_is_neither_new_nor_over(tmp_path: Path, sender: Sender) -> None:
    look(tmp_path, sender, BLOCKED, to=settings("a"))
    sender.sent.clear()
    look(tmp_path, sender, to=settings("a"), making=("release",))
    look(tmp_path, sender, BLOCKED, to=settings("a"))
    assert sender.subjects() == []
    look(tmp_path, sender, to=settings("a"))
    assert sender.subjects() == [("a", f"resolved: {BLOCKED.message}")]


def test_a_channel_that_fails_is_tried_again_ever_more_rarely_and_misses_nothing(
    tmp_path: Path, sender: Sender, clock: Clock
) -> None:
    sender.broken = {"a"}
    look(tmp_path, sender, BLOCKED)
    assert sender.subjects() == [("b", BLOCKED.message)]
    tried_after = []
    for minute in range(1, 181):
        clock.later(60)
        sender.tries.clear()
        look(tmp_path, sender, BLOCKED, *([OVERDUE] if minute > 100 else []))
        tried_after += [minute] if "a" in sender.tries else []
    assert tried_after == [1, 6, 21, 81, 141]
    sender.sent.clear()
    sender.broken = set()
    clock.later(3600)
    look(tmp_path, sender, BLOCKED, OVERDUE)
    ((name, message),) = sender.sent
    assert (name, len(message.facts["opened"])) == ("a", 2)
    state = files.read_json(files.place(tmp_path, files.SENT))["channels"]["a"]
    assert state["failures"] == 0


def test_an_error_of_the_program_in_one_channel_does_not_hold_up_the_others(tmp_path: Path, sender: Sender) -> None:
    def fails(channel: Any, message: Message) -> None:
        if channel.name == "a":
            raise ZeroDivisionError("secret")
        sender(channel, message)

    notify(tmp_path, settings("a", "b"), [BLOCKED], (), None, fails)
    assert sender.subjects() == [("b", BLOCKED.message)]
    state = files.place(tmp_path, files.SENT).read_text()
    assert "unexpected ZeroDivisionError" in state
    assert "secret" not in state


def test_a_clock_that_goes_back_silences_no_channel_for_longer_than_an_hour(
    tmp_path: Path, sender: Sender, clock: Clock
) -> None:
    sender.broken = {"a"}
    clock.later(10 * 86_400)
    look(tmp_path, sender, BLOCKED, to=settings("a"))
    clock.later(-10 * 86_400)
    sender.broken = set()
    look(tmp_path, sender, BLOCKED, to=settings("a"))
    clock.later(3600)
    look(tmp_path, sender, BLOCKED, to=settings("a"))
    assert sender.subjects() == [("a", BLOCKED.message)]


def test_what_nobody_heard_of_is_not_resolved_to_them(tmp_path: Path, sender: Sender, clock: Clock) -> None:
    sender.broken = {"a"}
    look(tmp_path, sender, BLOCKED, to=settings("a"))
    look(tmp_path, sender, to=settings("a"))
    sender.broken = set()
    clock.later(3600)
    look(tmp_path, sender, to=settings("a"))
    assert sender.subjects() == []
    assert files.read_json(files.place(tmp_path, files.SENT))["causes"] == {}


def test_a_new_channel_hears_of_what_is_open_and_a_removed_one_is_forgotten(tmp_path: Path, sender: Sender) -> None:
    look(tmp_path, sender, BLOCKED, to=settings("a"))
    sender.sent.clear()
    look(tmp_path, sender, BLOCKED, to=settings("b"))
    assert sender.subjects() == [("b", BLOCKED.message)]
    assert set(files.read_json(files.place(tmp_path, files.SENT))["channels"]) == {"b"}


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"causes": 3}'])
def test_a_damaged_state_means_one_repeat(content: str, tmp_path: Path, sender: Sender) -> None:
    look(tmp_path, sender, BLOCKED, to=settings("a"))
    files.place(tmp_path, files.SENT).write_text(content)
    for _look in range(3):
        look(tmp_path, sender, BLOCKED, to=settings("a"))
    assert sender.subjects() == [("a", BLOCKED.message)] * 2


def test_on_a_full_disk_a_process_still_sends_once(
    tmp_path: Path, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(28, "no space left")

    monkeypatch.setattr(files, "write_json", full)
    monkeypatch.setattr(notifying, "append_alert", full)
    for _look in range(3):
        notify(tmp_path, settings("a"), [BLOCKED], (), None, sender)
    assert sender.subjects() == [("a", BLOCKED.message)]


# ---- killed ----

KILLED = """
import os, signal, sys
from pathlib import Path
from stegvis.orchestration.monitoring import channels, files, notifying
from stegvis.orchestration.monitoring.causes import Cause
from stegvis.orchestration.monitoring.settings import AlertSettings
root, when = Path(sys.argv[1]), sys.argv[2]
to = AlertSettings.model_validate({"name": "h", "webhook": [
    {"name": name, "form": "json", "address_variable": "T_HOOK"} for name in ("a", "b")]})
die = lambda: os.kill(os.getpid(), signal.SIGKILL)
calls = 0
def sender(channel, message):
    global calls
    calls += 1
    if when == f"before {calls}":
        die()
    channels.send(channel, message)
    if when == f"after {calls}":
        die()
notifying.notify(root, to, [Cause.of("blocked", "error", "release", "BLOCKED release: why")], (), None, sender)
"""


@pytest.mark.parametrize("when", ["before 1", "after 1", "before 2", "after 2"])
def test_a_process_that_is_killed_while_it_sends_repeats_one_message_at_most(when: str, tmp_path: Path) -> None:
    with web_server() as server:
        environment = os.environ | {"T_HOOK": server.address, "no_proxy": "*"}
        ended = [
            subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), each], env=environment, cwd=ROOT, check=False)
            for each in (when, "never", "never")
        ]
    assert [each.returncode for each in ended] == [-signal.SIGKILL, 0, 0]
    assert len(server.accepted) == (2 if when.startswith("before") else 3)
    assert [each.severity for each in read_alerts(tmp_path)] == ["error"]


def test_a_refresh_and_the_daemon_at_once_send_it_once(tmp_path: Path) -> None:
    with web_server() as server:
        environment = os.environ | {"T_HOOK": server.address, "no_proxy": "*"}
        both = [
            subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path), "never"], env=environment, cwd=ROOT)
            for _process in range(2)
        ]
        assert [each.wait(60) for each in both] == [0, 0]
    assert len(server.accepted) == 2  # over each of two channels


# ---- digest ----


def seen(**more: Any) -> dict[str, Any]:
    return {"landed": [], "published": [], "release": None, "disk_use": {"lake": 5_000_000}, "counts": {}} | more


NOW = {"disk": {"free_bytes": 7e9, "total_bytes": 9e9}}


def digest_at(
    root: Path, sender: Sender, clock: Clock, hour: str, what: dict[str, Any], *causes: Cause, **more: Any
) -> list[Message]:
    """A look at an hour of Oslo, as ``2026-01-05 07``."""
    clock.now = time.mktime(time.strptime(hour, "%Y-%m-%d %H")) - time.timezone - 3600  # winter: an hour before UTC
    to = AlertSettings.model_validate(
        {"name": "h", "webhook": [HOOK | {"name": "a"}, HOOK | {"name": "b", "digest": False}], "digest": more}
    )
    notify(root, to, causes, (), lambda: (what, NOW), sender)
    found = [message for _, message in sender.sent if message.facts["event"] == "digest"]
    sender.sent.clear()
    return found


def test_the_digest_comes_once_a_day_from_its_hour_on(tmp_path: Path, sender: Sender, clock: Clock) -> None:
    assert digest_at(tmp_path, sender, clock, "2026-01-05 06", seen()) == []
    (first,) = digest_at(tmp_path, sender, clock, "2026-01-05 07", seen())
    assert "all is well, 0 landed" in first.subject
    assert "Disk: lake 5 MB; 7 GB free" in first.text
    assert digest_at(tmp_path, sender, clock, "2026-01-05 08", seen()) == []
    at = clock.now
    landed = [{"delivery": "followup/2027", "time": at + 60}, {"delivery": "recordings/old", "time": at - 7200}]
    what = seen(landed=landed, published=[{"release": "2026-01-05-abc", "time": at + 90}])
    (second,) = digest_at(tmp_path, sender, clock, "2026-01-06 23", what, OVERDUE)  # the machine was off at seven
    assert "1 open, 1 landed, 1 published" in second.subject
    assert "Landed: followup/2027\n" in second.text
    assert "Published: 2026-01-05-abc\n" in second.text
    assert OVERDUE.message in second.text
    assert OVERDUE.next in second.text


def test_a_quiet_day_may_have_no_digest(tmp_path: Path, sender: Sender, clock: Clock) -> None:
    quiet = {"when_all_is_well": False}
    assert digest_at(tmp_path, sender, clock, "2026-01-05 07", seen(), **quiet) == []
    assert len(digest_at(tmp_path, sender, clock, "2026-01-06 07", seen(), BLOCKED, **quiet)) == 1


def test_a_digest_that_could_not_be_sent_is_sent_later(tmp_path: Path, sender: Sender, clock: Clock) -> None:
    sender.broken = {"a"}
    assert digest_at(tmp_path, sender, clock, "2026-01-05 07", seen()) == []
    sender.broken = set()
    assert len(digest_at(tmp_path, sender, clock, "2026-01-05 09", seen())) == 1
    assert digest_at(tmp_path, sender, clock, "2026-01-05 10", seen()) == []


# ---- over real servers ----


def test_over_real_servers_a_failing_channel_does_not_hold_up_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with mail_server() as mails, web_server() as hooks:
        monkeypatch.setenv("T_HOOK", hooks.address)
        hooks.status = 500
        to = AlertSettings.model_validate(
            {
                "webhook": [HOOK | {"name": "hook"}],
                "email": [
                    {"name": "mail", "host": "127.0.0.1", "port": mails.port, "security": "none",
                     "sender": "a@x.no", "to": ["b@x.no"]}
                ],
            }
        )  # fmt: skip
        notify(tmp_path, to, [BLOCKED])
        notify(tmp_path, to, [BLOCKED])
        assert (len(mails.mails), len(hooks.bodies), len(hooks.accepted)) == (1, 1, 0)
        state = files.place(tmp_path, files.SENT)
        kept = json.loads(state.read_text())
        assert kept["channels"]["hook"]["why"] == "the server answered 500"
        assert hooks.address not in state.read_text()
        kept["channels"]["hook"]["next_try"], kept["written"] = 0, kept["written"] + 1
        state.write_text(json.dumps(kept))
        hooks.status = 200
        notify(tmp_path, to, [BLOCKED])
        notify(tmp_path, to, [])
    assert len(hooks.accepted) == 2
    assert [mail["Subject"].split("] ")[1] for mail in mails.mails] == [BLOCKED.message, f"resolved: {BLOCKED.message}"]

"""A home on which everything goes wrong: those alerted hear of it once, without a person; status and health say so."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest

from stegvis.assets import table as decorator
from stegvis.orchestration.definitions import build_definitions
from stegvis.orchestration.failed_attempts import NO_STEP_FAILED
from stegvis.orchestration.instance import open_instance
from stegvis.orchestration.monitoring import files, notifying, watching
from stegvis.orchestration.monitoring.causes import causes
from stegvis.orchestration.monitoring.now import now
from stegvis.orchestration.monitoring.settings import FILE
from stegvis.storage.alerts import read_alerts
from stegvis.storage.backups_made import BACKUPS_FILE, MadeBackup, note_backup
from stegvis.storage.json_lines import append_lines
from tests.mail_server import MailServer, mail_server
from tests.orchestration.command import stegvis_here
from tests.orchestration.story import Story, complete
from tests.web_server import Posted, web_server

pytestmark = pytest.mark.slow  # each story takes some seconds

WAVE = "2024-2026"


@pytest.fixture(autouse=True)
def _new_process() -> Iterator[None]:
    yield
    notifying._IN_MEMORY.clear()


@pytest.fixture
def sent(story: Story, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[MailServer, Posted]]:
    """A mail server and a web server to which the story's home sends: by e-mail, and in all three forms."""
    story.home.root.chmod(0o700)
    with mail_server() as mails, web_server() as hooks:
        hooks_of = "".join(
            f'[[webhook]]\nname = "{form}"\nform = "{form}"\naddress_variable = "HOOK_ADDRESS"\n'
            for form in ("slack", "teams", "json")
        )
        (story.home.root / FILE).write_text(
            '[digest]\nhour = 0\n[[email]]\nname = "mail"\nhost = "127.0.0.1"\nsecurity = "none"\n'
            f'port = {mails.port}\nsender = "a@x.no"\nto = ["b@x.no"]\n{hooks_of}'
        )
        monkeypatch.setenv("HOOK_ADDRESS", hooks.address)
        monkeypatch.setenv("no_proxy", "*")
        yield mails, hooks


def command(*arguments: str, story: Story) -> Any:
    """A command with its exit code; the environment's variables that begin otherwise are kept."""
    return stegvis_here(*arguments, home=story.home.root)


def sensor(story: Story) -> Callable[[], str]:
    """The daemon's sensor; each call is a tick, and returns its reason."""
    definition = build_definitions(story.home).get_sensor_def("alerts")

    def tick() -> str:
        with open_instance(story.home) as instance:
            result = definition(dg.build_sensor_context(instance=instance))
        assert isinstance(result, dg.SkipReason)
        return str(result.skip_message)

    return tick


def everything_goes_wrong(story: Story) -> list[str]:
    """Drops of every bad kind, with files named after people; returns these people."""
    first, second, third, *_ = people = list(story.baseline()["person"][:20])
    folder = story.drop("recordings", "2031-01")
    (folder / f"{first}_back.cwa").write_bytes(b"x")
    (folder / f"{first}_thigh.cwa").write_bytes(b"y")
    complete(folder)
    (folder / f"{first}_back.cwa").write_bytes(b"another")
    (story.home.landing / "recordings" / f"{second}_back.cwa").write_bytes(b"in the wrong place")
    story.withdraw(f"list_of_{third}", people)
    list_file = story.home.landing / "withdrawals" / f"list_of_{third}.csv"
    list_file.write_text(list_file.read_text() + f"{first}\n")
    story.drop("followup", WAVE, story.answers(), "questionnaire.csv")  # the contents of another wave
    broken = story.answers().assign(MSPaLY_NT4CovQ="7")
    story.drop("followup", "2021-2023.2", broken, "questionnaire.csv")
    return people


def everything_sent(mails: MailServer, hooks: Posted) -> list[str]:
    return [*mails.texts, *(json.dumps(body) for body in hooks.bodies)]


def names_nobody(texts: list[str], story: Story) -> None:
    """No identifier of the twin, and none of its files, is in any text."""
    everyone = set(story.baseline()["person"])
    for text in texts:
        words = set(re.split(r"[^A-Za-z0-9]+", text))
        assert words & everyone == set()
        assert not re.search(r"\.cwa|list_of", text)


def test_what_goes_wrong_is_sent_once_and_names_nobody(story: Story, sent: tuple[MailServer, Posted]) -> None:
    mails, hooks = sent
    everything_goes_wrong(story)
    assert command("refresh", story=story).returncode == 1
    tick = sensor(story)
    ticks = [tick() for _ in range(3)]
    assert ticks[-1] == "nothing has changed"
    (mail, digest) = mails.texts
    assert len(hooks.bodies) == 6  # three forms, of each the causes and the digest
    for said in (
        "BLOCKED followup_questionnaire [2021-2023]: a critical check failed",
        "REJECTED delivery recordings/2031-01: a file is not the file that drop.json describes: its sha256 differs",
        "REJECTED delivery recordings/(outside a drop)",
        "WITHDRAWAL NOT APPLIED: a list of withdrawals cannot be read or is incomplete",
        f"ALARM delivery followup/{WAVE}: the same contents as '2021-2023'",
    ):
        assert said in mail
        assert said in digest
    names_nobody(everything_sent(mails, hooks), story)
    assert story.status()["withdrawals"]["people"] > 0
    lines = [line for text in mails.texts for line in text.splitlines() if "withdraw" in line.lower()]
    about = [line for line in lines if not line.startswith("[stegvis home] ")]  # subjects count causes
    assert len(about) == 4  # the cause and its next step, in the message and in the digest
    undated = [re.sub(r"Since [\d-]+ [\d:]+ UTC", "", line) for line in about]
    assert not any(re.search(r"\d", line) for line in undated)  # no drop, no row, no number of people
    shown = command("status", story=story)
    assert shown.returncode == 1
    assert "_back.cwa is not the file that drop.json describes" in shown.stdout  # at home the file is named
    health = [command("health", *option, story=story) for option in ((), ("--json",), ("--prometheus",))]
    assert [each.returncode for each in health] == [1, 1, 1]
    kept = [file.read_text() for file in (story.home.root / files.FOLDER).iterdir()]
    names_nobody([*(each.stdout for each in health), *kept], story)
    assert "withdraw" not in health[2].stdout
    assert health[0].stdout.startswith("ATTENTION: BLOCKED followup_questionnaire [2021-2023]: ")
    assert len(health[0].stdout.splitlines()) == 1
    assert 'stegvis_deliveries{state="rejected"} 2' in health[2].stdout
    assert "stegvis_up 0" in health[2].stdout


def test_a_delivery_that_stays_incomplete_is_a_cause_after_two_days(story: Story) -> None:
    folder = story.drop("followup", WAVE, story.answers(), "questionnaire.csv")
    (folder / "drop.json").unlink()
    assert not [cause for cause in causes(story.status()) if cause.kind == "incomplete"]
    assert f"\nwaiting delivery followup/{WAVE}: there is no drop.json yet" in command("status", story=story).stdout
    long_ago = time.time() - 3 * 86_400
    for place in (folder / "questionnaire.csv", folder):
        os.utime(place, (long_ago, long_ago))
    facts = story.status()
    (cause,) = [cause for cause in causes(facts) if cause.kind == "incomplete"]
    assert facts["ok"]
    assert cause.message.startswith(f"INCOMPLETE delivery followup/{WAVE}: there is no drop.json yet")
    assert cause.message.endswith("nothing has changed for 3 days")
    shown = command("status", story=story)
    assert shown.returncode == 0
    assert cause.sentence in shown.stdout
    assert "waiting delivery" not in shown.stdout


def test_when_it_is_put_in_order_one_message_says_so(story: Story, sent: tuple[MailServer, Posted]) -> None:
    mails, _ = sent
    everything_goes_wrong(story)
    command("refresh", story=story)
    tick = sensor(story)
    for name in ("recordings/2031-01", f"followup/{WAVE}", "followup/2021-2023.2"):
        shutil.rmtree(story.home.landing / name)
    for file in [
        *(story.home.landing / "recordings").glob("*.cwa"),
        *(story.home.landing / "withdrawals").glob("list*"),
    ]:
        file.unlink()
    tick()
    tick()
    assert command("status", story=story).returncode == 0
    assert command("health", story=story).returncode == 0
    _, _, resolved = mails.texts
    assert resolved.count("- ") == 5
    assert "RESOLVED" in resolved
    assert "NEW" not in resolved
    assert "Nothing else is open" in resolved
    over = [each for each in read_alerts(story.home.root) if each.message.startswith("resolved: ")]
    assert len(over) == 5


def test_the_sensor_looks_at_the_whole_home_only_where_something_may_have_changed(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    story.home.root.chmod(0o700)
    tick = sensor(story)
    for _ in range(2):
        tick()
    assert tick() == "nothing has changed"
    seconds = files.seconds_since(files.place(story.home.root, files.LOOKED))
    assert seconds is not None
    assert seconds < 60
    changes: list[Callable[[], object]] = [
        lambda: story.drop("followup", WAVE, story.answers(), "questionnaire.csv"),
        lambda: os.utime(story.home.landing / "followup" / WAVE / "questionnaire.csv"),
        lambda: story.home.root.chmod(0o755),
        lambda: (story.home.root / "accepted.jsonl").write_text("{}\n"),
        lambda: (story.home.study / "study.toml").touch(),
        lambda: monkeypatch.setattr(watching, "OLDEST_SECONDS", 0.0),
    ]
    for number, change in enumerate(changes):
        change()
        assert tick() == "looked at the whole home", number
        if number < len(changes) - 1:
            tick()
            assert tick() == "nothing has changed", number


def test_a_run_that_was_killed_is_a_failure_until_it_was_made(story: Story, sent: tuple[MailServer, Posted]) -> None:
    mails, _ = sent
    tick = sensor(story)
    tick()
    row = story.baseline().iloc[[0]].assign(SmoStat_NT4BLQ1="3")
    story.drop("baseline", "2020-01", row, "participants.csv")
    with open_instance(story.home) as instance:
        job = build_definitions(story.home).resolve_implicit_global_asset_job_def()
        run = instance.create_run_for_job(job, asset_selection=frozenset({dg.AssetKey("baseline_questionnaire")}))
        instance.report_run_failed(run)
    tick()
    assert f"FAILED baseline_questionnaire: {NO_STEP_FAILED}" in mails.texts[-1]
    assert command("status", story=story).returncode == 1


def test_a_nightly_refresh_that_ends_with_an_error_is_a_cause(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    from stegvis.orchestration import nightly

    def fails(*_arguments: object) -> None:
        raise ZeroDivisionError("participant 1001")

    monkeypatch.setenv("DAGSTER_HOME", str(story.home.dagster))
    job = build_definitions(story.home).get_job_def("refresh")
    with open_instance(story.home) as instance:
        with monkeypatch.context() as patch:
            patch.setattr(nightly, "refresh", fails)
            assert not job.execute_in_process(instance=instance, raise_on_error=False).success
        facts = story.status()
        kinds = {cause.kind: cause.message for cause in causes(facts)}
        assert "unexpected ZeroDivisionError" in kinds["run"]
        assert "unexpected ZeroDivisionError" in kinds["refresh"]
        assert "1001" not in json.dumps(list(kinds.values()))
        assert not facts["ok"]
        assert job.execute_in_process(instance=instance).success
    assert story.status()["ok"]


def test_a_failed_partition_is_sent_and_over_when_it_was_made(
    story: Story, sent: tuple[MailServer, Posted], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_arguments: object) -> None:
        raise ZeroDivisionError("participant 1001")

    mails, _ = sent
    row = story.baseline().iloc[[0]].assign(SmoStat_NT4BLQ1="3")
    story.drop("baseline", "2020-01", row, "participants.csv")
    with monkeypatch.context() as patch:
        patch.setattr(decorator, "publish", fails)
        assert command("refresh", story=story).returncode == 1
    assert "FAILED baseline_questionnaire: unexpected ZeroDivisionError in stegvis.assets.table" in mails.texts[0]
    assert "1001" not in mails.texts[0]


def test_a_home_that_cannot_be_read_is_a_cause_and_no_error_of_the_sensor(
    story: Story, sent: tuple[MailServer, Posted]
) -> None:
    mails, _ = sent
    story.home.warehouse.write_bytes(b"x" * 5000)
    tick = sensor(story)
    tick()
    assert "the home cannot be read: the warehouse cannot be opened" in mails.texts[0]
    assert command("health", story=story).returncode == 1
    story.home.warehouse.unlink()
    assert "the warehouse is gone" in command("health", story=story).stdout


def test_a_refresh_whose_alerts_fail_is_still_a_good_refresh(
    story: Story, sent: tuple[MailServer, Posted], monkeypatch: pytest.MonkeyPatch
) -> None:
    mails, hooks = sent
    mails.answer, hooks.status = 550, 500
    story.home.root.chmod(0o755)
    done = command("refresh", story=story)
    assert (done.returncode, done.stderr) == (0, "")
    shown = command("status", story=story)
    assert shown.returncode == 0
    assert "ALERT NOT SENT over mail: the mail server refused every address; tried 1 times" in shown.stdout
    kinds = [each.kind for each in read_alerts(story.home.root) if each.severity != "info"]
    assert kinds == ["open"]
    sensor(story)()
    kinds = [each.kind for each in read_alerts(story.home.root) if each.severity != "info"]
    assert kinds == ["open", *["channel"] * 4]
    monkeypatch.setattr(watching, "look", lambda *_arguments, **_options: 1 / 0)
    done = command("refresh", story=story)
    assert done.returncode == 0
    assert "nobody could be alerted: unexpected ZeroDivisionError" in done.stderr


# ---- what can be seen at any time ----


def live(story: Story) -> dict[str, str]:
    """The causes of now, by kind."""
    return {each["kind"]: each["sentence"] for each in now(story.home)["causes"]}


def backup_of(moment: str) -> MadeBackup:
    """A backup as the home's list has it."""
    return MadeBackup(moment, "/x", bytes=1, copied=1, files=1, withdrawn=0, keep_days=90, key="", key_saved=False)


def test_each_cause_of_now_makes_health_fail(story: Story) -> None:
    def write(text: str) -> None:
        (story.home.root / FILE).write_text(text)

    def health(*options: str) -> int:
        return int(command("health", *options, story=story).returncode)

    write("[disk]\nerror_gigabytes = 1e9\nwarning_gigabytes = 1e9\n")
    assert live(story)["disk"].startswith("DISK full: ")
    assert health() == 1
    write("[disk]\nwarning_gigabytes = 1e9\n")
    assert live(story)["disk"].startswith("DISK nearly full: ")
    assert (health(), health("--warnings")) == (0, 1)

    write("[unattended]\ndaemon = true\n")
    assert "has never run" in live(story)["daemon"]
    assert health() == 1
    looked = files.place(story.home.root, files.LOOKED)
    files.mark(looked)
    assert live(story) == {}
    os.utime(looked, (looked.stat().st_mtime - 900,) * 2)
    assert "was last seen 15 minutes ago" in live(story)["daemon"]

    write("[unattended]\nlongest_days_without_backup = 2\n")
    assert "none was ever made" in live(story)["backup"]
    note_backup(story.home.root, backup_of("2020-01-01T00:00:00+00:00"))
    append_lines(story.home.root / BACKUPS_FILE, ["no json"])
    assert "days ago" in live(story)["backup"]
    note_backup(story.home.root, backup_of(datetime.now(UTC).isoformat()))
    assert live(story) == {}

    write("[disk]\nwarn = 1\n")
    assert "disk.warn: unknown key" in live(story)["settings"]
    assert health() == 1


def test_status_prints_the_causes_of_now_and_fails(story: Story) -> None:
    (story.home.root / FILE).write_text("[disk]\nerror_gigabytes = 1e9\nwarning_gigabytes = 1e9\n")
    shown = command("status", story=story)
    assert shown.returncode == 1
    assert "\nDISK full: " in shown.stdout


def test_status_shows_what_each_part_of_the_home_uses(story: Story) -> None:
    shown = command("status", story=story).stdout
    assert re.search(
        r"\ndisk: warehouse \d+ MB, lake .*, releases .*, dagster .*, landing .*; [\d,.]+ .B free\n", shown
    )
    facts = story.status()
    assert set(facts["disk_use"]) == {"warehouse", "lake", "releases", "dagster", "landing"}
    assert facts["disk_use"]["warehouse"] >= story.home.warehouse.stat().st_size // 2

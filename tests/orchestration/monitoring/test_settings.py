"""``alerts.toml`` is read strictly: what is wrong is said with its key, and the template is a valid file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stegvis.orchestration.monitoring.settings import (
    FILE,
    TEMPLATE,
    AlertsError,
    AlertSettings,
    read_alert_settings,
)
from tests.orchestration.command import stegvis_here

MAIL = '[[email]]\nname = "m"\nhost = "h"\nsender = "a@x.no"\nto = ["b@x.no"]\n'


def read(folder: Path, text: str) -> AlertSettings:
    (folder / FILE).write_text(text, encoding="utf-8")
    return read_alert_settings(folder)


def test_without_a_file_and_with_the_template_nobody_is_alerted(tmp_path: Path) -> None:
    assert read_alert_settings(tmp_path) == AlertSettings()
    assert read(tmp_path, TEMPLATE.read_text()) == AlertSettings()


def test_every_entry_of_the_template_is_valid_when_its_sign_is_removed(tmp_path: Path) -> None:
    lines = [re.sub(r"^# (?=[a-z_]+ = |\[\[)", "", line) for line in TEMPLATE.read_text().splitlines()]
    found = read(tmp_path, "\n".join(lines))
    assert [channel.name for channel in found.channels] == ["data managers", "team channel"]
    assert found.unattended.daemon
    # What the template says is the default is the default.
    assert (found.disk, found.digest, found.event_log) == (
        AlertSettings().disk, AlertSettings().digest, AlertSettings().event_log,
    )  # fmt: skip


def test_init_gives_a_home_the_template_and_keeps_one_that_is_there(tmp_path: Path) -> None:
    home = tmp_path / "home"
    shown = stegvis_here("init", home, "--study", "hunt4_walking")
    assert str(home / FILE) in shown.stdout.splitlines()
    assert (home / FILE).read_text() == TEMPLATE.read_text() == stegvis_here("health", "--template").stdout
    (home / "study").rename(home / "old")
    (home / FILE).write_text('name = "mine"\n')
    stegvis_here("init", home, "--study", "hunt4_walking")
    assert (home / FILE).read_text() == 'name = "mine"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("disk = 3\n", "disk: "),
        ("[disk]\nwarning = 3\n", "disk.warning: unknown key; there are: warning_gigabytes, error_gigabytes"),
        ("[disk]\nerror_gigabytes = 9\n", "error_gigabytes must not be above"),
        ("[digest]\nhour = 24\n", "digest.hour: "),
        ('[digest]\ntime_zone = "Oslo"\n', "there is no time zone 'Oslo'"),
        (MAIL.replace('"h"', '""'), "email.0.host: "),
        (MAIL.replace("b@x.no", "b at x.no"), "'b at x.no' is no e-mail address"),
        (MAIL.replace("a@x.no", "a@x.no\\nBcc: c@x.no"), "is no e-mail address"),
        (MAIL + 'user = "u"\n', "user and password_variable belong together"),
        (MAIL + 'security = "none"\nuser = "u"\npassword_variable = "P"\n', "readable to everyone"),
        (MAIL + 'password = "geheim"\n', "email.0.password: unknown key; there are: name, least"),
        (MAIL + MAIL, "two channels have the name m"),
        ('[[webhook]]\nname = "w"\nform = "slack"\naddress_variable = "https://x"\n', "webhook.0.address_variable: "),
        ('[[webhook]]\nname = "w"\nform = "irc"\naddress_variable = "X"\n', "'slack', 'teams' or 'json'"),
        ("name = \n", "alerts.toml is not valid TOML"),
    ],
)
def test_what_is_wrong_is_said_with_its_key_and_without_a_secret(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(AlertsError) as failure:
        read(tmp_path, text)
    assert str(failure.value).startswith(FILE)
    assert said in str(failure.value)
    assert "geheim" not in str(failure.value)

"""``alerts.toml`` of a home: who is alerted and how, when a digest is sent, and what counts as too little space.

Secrets are not in the file: it names the environment variables that have them. Without the file nobody is alerted but
by ``alerts.jsonl``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from stegvis.study.settings import Section, SettingsError, read_settings

FILE = "alerts.toml"
TEMPLATE = Path(__file__).with_name(FILE)

Severity = Literal["error", "warning"]
Name = Annotated[str, Field(pattern=r"^[\w][\w .-]{0,39}$")]
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
_ADDRESS = re.compile(r"[^@\s,<>\"]+@[^@\s,<>\"]+")
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


class AlertsError(SettingsError):
    """``alerts.toml`` breaks its rules; the message names the key."""


class Channel(Section):
    """What every channel has.

    Attributes:
        name: as ``stegvis health`` calls it; each is used once.
        least: ``error``: only what stops something; ``warning``: also what will.
        digest: whether the daily digest is sent over it.
    """

    name: Name
    least: Severity = "warning"
    digest: bool = True


class Email(Channel):
    """A mail server and who gets the mail.

    Attributes:
        security: ``starttls`` (usually port 587), ``ssl`` (465), or ``none`` (25).
        password_variable: the environment variable with the password of ``user``.
        ca_file: certificates to trust beside those of the system, for a mail server of your organization.
    """

    host: str = Field(min_length=1)
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "ssl", "none"] = "starttls"
    user: str = ""
    password_variable: Variable | Literal[""] = ""
    ca_file: str = ""
    sender: str
    to: tuple[str, ...] = Field(min_length=1)

    @field_validator("sender", "to")
    @classmethod
    def _addresses(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for each in [value] if isinstance(value, str) else value:
            if not _ADDRESS.fullmatch(each):
                raise ValueError(f"'{each}' is no e-mail address")
        return value

    @model_validator(mode="after")
    def _secrets(self) -> Self:
        if bool(self.user) != bool(self.password_variable):
            raise ValueError("user and password_variable belong together: give both or neither")
        if self.user and self.security == "none" and self.host not in _THIS_MACHINE:
            raise ValueError("security 'none' would send the password readable to everyone: use starttls or ssl")
        return self


class Webhook(Channel):
    """An address that messages are posted to.

    Attributes:
        form: ``slack``, ``teams`` (a workflow's address), or ``json``.
        address_variable: the environment variable with the address: whoever knows it can post.
        ca_file: certificates to trust beside those of the system.
    """

    form: Literal["slack", "teams", "json"]
    address_variable: Variable
    ca_file: str = ""


class Unattended(Section):
    """What is expected of a home that runs by itself; 0 expects nothing.

    Attributes:
        daemon: whether its daemon is expected to run.
        longest_silence_minutes: how long the daemon may say nothing.
        longest_days_without_backup: how old the last backup may be.
    """

    daemon: bool = False
    longest_silence_minutes: int = Field(default=10, ge=2)
    longest_days_without_backup: int = Field(default=0, ge=0)


class Disk(Section):
    """How much of the disk must be free, in gigabytes: below one there is a warning, below the other an error."""

    warning_gigabytes: float = Field(default=5, ge=0)
    error_gigabytes: float = Field(default=1, ge=0)

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.error_gigabytes > self.warning_gigabytes:
            raise ValueError("error_gigabytes must not be above warning_gigabytes")
        return self


class Digest(Section):
    """When the daily digest is sent.

    Attributes:
        hour: it is sent at the first look after this hour.
        when_all_is_well: also where nothing landed, was published or is open.
    """

    hour: int = Field(default=7, ge=0, le=23)
    time_zone: str = "Europe/Oslo"
    when_all_is_well: bool = True

    @field_validator("time_zone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except Exception as error:
            raise ValueError(f"there is no time zone '{value}'") from error
        return value


class EventLog(Section):
    """How long Dagster's storage keeps runs and their events, in days; 0 keeps them for ever."""

    keep_days: int = Field(default=180, ge=0)


class AlertSettings(Section):
    """All of ``alerts.toml``.

    Attributes:
        name: of the home in messages; blank: the name of its folder.
    """

    name: Name | Literal[""] = ""
    unattended: Unattended = Unattended()
    disk: Disk = Disk()
    digest: Digest = Digest()
    event_log: EventLog = EventLog()
    email: tuple[Email, ...] = ()
    webhook: tuple[Webhook, ...] = ()

    @property
    def channels(self) -> list[Email | Webhook]:
        """Every channel, in the order in which they are used."""
        return [*self.email, *self.webhook]

    @model_validator(mode="after")
    def _names(self) -> Self:
        names = [each.name for each in self.channels]
        if twice := sorted({each for each in names if names.count(each) > 1}):
            raise ValueError(f"two channels have the name {', '.join(twice)}")
        return self


def read_alert_settings(root: Path) -> AlertSettings:
    """The settings of a home; the defaults where it has no file.

    Args:
        root: the home's folder.

    Raises:
        AlertsError: the file breaks its rules.
    """
    file = root / FILE
    return read_settings(file, AlertSettings, AlertsError) if file.exists() else AlertSettings()

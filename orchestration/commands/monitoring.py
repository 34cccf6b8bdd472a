"""The command for monitoring: health."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stegvis.orchestration.commands.options import HomeOption, JsonOption, find_home
from stegvis.orchestration.printing import fail

if TYPE_CHECKING:
    from stegvis.storage.home import Home


def health(
    home: HomeOption = None,
    as_json: JsonOption = False,
    prometheus: Annotated[bool, typer.Option("--prometheus", help="Print gauges in Prometheus' text format.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="Replace this file at once instead of printing.", show_default=False)
    ] = None,
    warnings: Annotated[bool, typer.Option("--warnings", help="Exit 1 also where there are only warnings.")] = False,
    notify: Annotated[
        bool, typer.Option("--notify", help="Alert those whom alerts.toml names, as the daemon does.")
    ] = (False),
    test_alerts: Annotated[
        bool, typer.Option("--test-alerts", help="Send a test message over every channel and say which arrived.")
    ] = False,
    template: Annotated[bool, typer.Option("--template", help="Print an alerts.toml to fill in.")] = False,
) -> None:
    """Say in one line, within a second, whether a home is healthy; exit 1 if something needs attention.

    It goes by what the daemon or the last refresh has seen, and looks itself at the disk, the daemon and backups.
    """
    if sum((as_json, prometheus, test_alerts, template)) > 1:
        raise typer.BadParameter("give one of --json, --prometheus, --test-alerts and --template")
    if template:
        from stegvis.orchestration.monitoring.settings import TEMPLATE

        print(TEMPLATE.read_text(encoding="utf-8"), end="")
        return
    place = find_home(home)
    if not place.root.is_dir():
        fail(f"there is no home {place.root}")
    if test_alerts:
        raise typer.Exit(_test_alerts(place))
    from stegvis.orchestration.monitoring.health import health as gather
    from stegvis.orchestration.monitoring.health import line

    if notify:
        from stegvis.orchestration.monitoring.due import send_due

        send_due(place)
    facts = gather(place)
    if as_json:
        text = json.dumps(facts, indent=2) + "\n"
    elif prometheus:
        from stegvis.orchestration.monitoring.prometheus import gauges

        text = gauges(facts)
    else:
        text = f"{line(facts)}\n"
    if out is None:
        print(text, end="")
    else:
        _replace(out, text)
    raise typer.Exit(0 if facts["healthy"] and not (warnings and facts["causes"]) else 1)


def _replace(file: Path, text: str) -> None:
    """Replace a file at once; whoever collects gauges may read it. A pipe or a device is written into."""
    from stegvis.storage.whole_files import write_whole

    try:
        if file.exists() and not file.is_file():
            with file.open("w", encoding="utf-8") as opened:
                opened.write(text)
            return
        write_whole(file, text)
        file.chmod(0o644)
    except OSError as error:
        fail(f"cannot write {file}: {error.strerror or 'the disk refuses'}")


def _test_alerts(place: Home) -> int:
    """Send a test message over every channel; returns the exit code."""
    from stegvis.orchestration.monitoring.channels import SendError, send
    from stegvis.orchestration.monitoring.notifying import name_of
    from stegvis.orchestration.monitoring.settings import FILE, read_alert_settings
    from stegvis.orchestration.monitoring.wording import trial

    settings = read_alert_settings(place.root)
    if not settings.channels:
        fail(f"{place.root / FILE} names no channel; stegvis health --template prints one to fill in")
    code = 0
    for channel in settings.channels:
        try:
            send(channel, trial(name_of(place.root, settings)))
            print(f"{channel.name}: sent")
        except SendError as error:
            code = 1
            print(f"{channel.name}: NOT SENT, {error}")
    return code

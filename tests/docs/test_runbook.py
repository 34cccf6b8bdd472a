"""The commands of the runbook and of the monitoring page are real, and so are the names of gauges and settings."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command

from stegvis.orchestration.cli import app
from stegvis.orchestration.monitoring.causes import NEXT
from stegvis.orchestration.monitoring.settings import AlertSettings
from tests.docs.commands_in_text import commands

ROOT = Path(__file__).parents[2]
RUNBOOK, MONITORING = (ROOT / "docs" / name for name in ("runbook.md", "monitoring.md"))


@pytest.mark.parametrize("page", [RUNBOOK, MONITORING], ids=lambda page: page.stem)
def test_every_command_and_option_exists(page: Path) -> None:
    known = get_command(app).commands  # type: ignore[attr-defined]
    found = commands(page.read_text(encoding="utf-8"))
    assert len(found) >= 5
    for name, options in found:
        assert name in known, name
        there = {option for each in known[name].params for option in each.opts}
        assert options <= there, (name, options - there)


def test_every_section_of_the_runbook_has_its_four_parts() -> None:
    sections = RUNBOOK.read_text(encoding="utf-8").split("\n## ")[1:]
    assert len(sections) >= 10
    for section in sections:
        title = section.splitlines()[0]
        for part in ("**You see**", "**It means**", "**Do**", "**It is over** when"):
            assert section.count(part) == 1, (title, part)


def test_the_next_step_of_every_cause_is_a_section_of_the_runbook() -> None:
    titles = re.findall(r"^## (.*)$", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE)
    anchors = {title.lower().replace(" ", "-") for title in titles}
    named = {step.rpartition("#")[2] for step in NEXT.values()}
    assert named == anchors


def test_the_examples_of_settings_are_valid() -> None:
    examples = re.findall(r"```toml\n(.*?)```", MONITORING.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) == 3
    found = AlertSettings.model_validate(tomllib.loads("\n".join(examples)))
    assert [channel.name for channel in found.channels] == ["data managers", "slack", "teams"]


def test_the_gauges_of_the_page_are_those_there_are() -> None:
    source = (ROOT / "orchestration" / "monitoring" / "prometheus.py").read_text(encoding="utf-8")
    there = {f"stegvis_{name}" for name in re.findall(r"^\s+(?:yield )?\"(\w+)\",", source, re.MULTILINE)}
    there |= {f"stegvis_{name}" for name in re.findall(r"yield \"(\w+)\",", source)}
    rows = [line for line in MONITORING.read_text(encoding="utf-8").splitlines() if line.startswith("| `stegvis_")]
    named = set(re.findall(r"`(stegvis_\w+)", "\n".join(rows)))
    assert named == there
    everywhere = set(
        re.findall(r"\bstegvis_\w+", (MONITORING.read_text() + RUNBOOK.read_text()).replace("stegvis_\\w", ""))
    )
    assert everywhere <= there

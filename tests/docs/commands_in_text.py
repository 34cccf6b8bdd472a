"""The ``stegvis`` commands that a page shows, with their options."""

from __future__ import annotations

import re

_COMMAND = re.compile(r"stegvis ([a-z]+)((?: [^\s`|&;()]+)*)")


def commands(text: str) -> list[tuple[str, set[str]]]:
    """Each command in a code block or between backticks: its name, and its options."""
    code = re.findall(r"```(?:sh|\n|text)?(.*?)```|`([^`\n]+)`", text, re.DOTALL)
    found = []
    for part in ("".join(each) for each in code):
        for line in part.splitlines():
            for name, rest in _COMMAND.findall(line.split("#")[0]):
                found.append((name, set(re.findall(r"--[a-z-]+", rest))))
    return found

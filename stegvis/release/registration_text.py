"""A registration as text, for people: what the document beside it says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any


def registration_text(content: Mapping[str, Any], sha256: str) -> str:
    """The registration of a wave, or an amendment of it, in Markdown.

    Args:
        content: the document (``stegvis/storage/registration.py``).
        sha256: its hash.
    """
    return "\n".join(_lines(content, sha256)) + "\n"


def _lines(content: Mapping[str, Any], sha256: str) -> Iterator[str]:
    kind = "Registration" if content["number"] == 1 else f"Amendment {content['number'] - 1} of the registration"
    yield f"# {kind} of wave {content['wave']}"
    yield ""
    yield f"{content['title']}, protocol version {content['version']}, mode {content['mode']}."
    when = "**after the wave had arrived (late)**" if content["late"] else "before the wave arrived"
    yield f"Registered on {content['time'].replace('T', ' ')}, {when}."
    yield ""
    if "amends" in content:
        yield "## What changed"
        yield ""
        yield f"Since {content['amends']} (sha256 `{content['amends_sha256']}`):"
        yield ""
        for each in content["changed"]:
            yield f"- `{each['name']}`: {_value(each['before'])} becomes {_value(each['now'])}"
        yield from (f"- {name}" for name in content["changed_files"])
        yield ""
    yield "## What is asked"
    yield ""
    if content["estimates"]:
        yield from (f"- {each['purpose'].capitalize()}. {each['asked']}" for each in content["estimates"])
        count = len(content["estimates"])
        yield ""
        yield f"P-values are adjusted for these {count} (Holm; Benjamini and Hochberg). All others are exploratory."
    else:
        yield "No primary estimate is declared: every estimate is exploratory."
    yield ""
    yield "## What this rests on"
    yield ""
    code = content["code"]
    commit = f", commit {code['commit']}" if code["commit"] else ""
    yield f"Stegvis {code['version']}{commit}; sha256 of its code `{code['sha256']}`."
    yield ""
    yield "| file of the study | sha256 |"
    yield "|---|---|"
    yield from (f"| {name} | `{digest}` |" for name, digest in content["files"].items())
    yield ""
    yield f"The values of the protocol are in the document beside this text; its sha256 is `{sha256}`."


def _value(value: Any) -> str:
    text = "none" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else f"{text[:200]}..."

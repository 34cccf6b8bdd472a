"""A person's decision to publish a wave anew, or again where its release is gone; the next refresh carries it out."""

from __future__ import annotations

from typing import Any

from stegvis.storage.decisions import (
    ORIGIN,
    PUBLISH,
    REFUSED,
    DecisionError,
    add_decision,
    last_about_publishing,
    named,
    read_decisions,
)
from stegvis.storage.home import Home
from stegvis.storage.lost import lost, lost_releases
from stegvis.storage.releases import manifest, newest_published, release_folders
from stegvis.storage.retraction import make_anew, retracted_waves


def publish_wave(home: Home, wave: str, by: str, because: str) -> None:
    """Record that a wave shall be published anew. Call with the refresh's lock held.

    Args:
        home: the home.
        wave: a published wave, or one whose release is gone, or that was retired.
        by: who decided.
        because: why; stays in the home.

    Raises:
        DecisionError: the wave was never published, is retracted, or name or reason is blank.
        stegvis.storage.releases.ReleaseError: an earlier release cannot be read.
    """
    who = named(by, because)
    gone, published = lost(home.releases), newest_published(home.releases)
    waves = set(published.tables.attrition["wave"].astype("str")) if published else set()
    again = gone.is_gone(wave)
    if wave not in waves and not again:
        raise DecisionError(
            f"wave {wave} is not published; published are: {', '.join(sorted(waves)) or 'none'}. "
            "A new wave is published by the refresh that makes it"
        )
    if wave in retracted_waves(home.root):
        raise DecisionError(f"wave {wave} is retracted: it gets no new numbers")
    missing = lost_releases(home.releases) or [str(gone.known[wave]["release"])] if again else []
    add_decision(home.root, PUBLISH, wave, **who, **({"lost": missing} if again else {}))
    make_anew(home, wave)


def outcome(home: Home, wave: str) -> dict[str, Any] | None:
    """What came of the last decision to publish a wave: ``state`` (waiting, refused, published), ``why``."""
    last = last_about_publishing(home.root, wave)
    if last is None:
        return None
    if last["decision"] == REFUSED:
        return {"wave": wave, "state": "refused", "why": str(last["why"])}
    folders = release_folders(home.releases)
    origin = manifest(folders[-1]).get("waves", {}).get(wave, {}) if folders else {}
    if last["decision"] == PUBLISH:
        again = bool(last.get("lost")) and bool(origin) and not lost(home.releases).is_gone(wave)
        return {"wave": wave, "state": "published" if again else "waiting", "why": ""}
    is_out = all(origin.get(name) == last.get(name) for name in ORIGIN)
    return {"wave": wave, "state": "published" if is_out else "waiting", "why": str(origin.get("edition", ""))}


def open_decisions(home: Home) -> list[dict[str, Any]]:
    """The decisions to publish that were refused, or are not carried out yet."""
    waves = dict.fromkeys(str(line["wave"]) for line in read_decisions(home.root) if line.get("decision") == PUBLISH)
    found = [each for wave in waves if (each := outcome(home, wave)) is not None]
    return [each for each in found if each["state"] != "published"]

"""New editions of a published wave: whether one is published, of which kind, and what of it.

Another method with the same people is an edition that passes by itself. Where people's data have changed, a named
person decides (``stegvis publish wave``), and the influence audit must pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stegvis.disclosure.audit import audit, refusal
from stegvis.release.bridge_steps import compared
from stegvis.statistics.results import KEY_COLUMNS
from stegvis.storage.alerts import add_alert
from stegvis.storage.decisions import (
    GRANTED,
    ORIGIN,
    PUBLISH,
    REFUSED,
    add_decision,
    last_about_publishing,
    read_decisions,
)
from stegvis.storage.published_people import PublishedPeople, digests, published_people
from stegvis.storage.sources import Sources

if TYPE_CHECKING:
    import pandas as pd

    from stegvis.disclosure.people_sets import PeopleSets

CORRECTED = "new edition: corrected data"
METHOD = "new edition: changed method"
FIRST_TIME = "new edition: first-time analysis"
# Decimals at which the main ratios are tried after the protocol's.
_FEWER_DECIMALS = 1

_EVERYONE = """
select x.wave, x.person, x.reason, {columns}
from exclusions as x
left join analysis_set as a using (wave, person)
where x.wave = $wave
order by x.person
"""


@dataclass(frozen=True)
class Edition:
    """A new edition.

    Attributes:
        kind: what a release says of it; blank where the method changed and it is not known yet how.
        whole: everything is published anew; otherwise the main ratios alone.
        decimals: of the main ratios.
    """

    kind: str
    whole: bool = True
    decimals: int = 0


def everyone(sources: Sources, wave: str) -> pd.DataFrame:
    """The people of a wave, excluded or analyzed, with what the analyses use of them."""
    columns = ", ".join(f'a."{name}"' for name in compared(sources.protocol))
    return sources.warehouse.frame(_EVERYONE.format(columns=columns), {"wave": wave})


def edition(
    sources: Sources,
    then: Mapping[str, Any],
    now: Mapping[str, str],
    computed: Callable[[], tuple[pd.DataFrame, PeopleSets]],
) -> Edition | None:
    """The edition of a published wave that is published now; None if its numbers are carried forward.

    Args:
        sources: of the wave.
        then: what its published numbers were made from, with their release.
        now: what they would be made from.
        computed: gives its results as computed today, and the people behind them; only an audit needs them.
    """
    root, wave = sources.home.root, sources.key
    known = published_people(root, wave)
    if known is not None and known.release != then.get("release"):
        known = None  # restored from a state before or after that release
    if known is not None and known.identifiers != sources.protocol.identifiers.stored:
        known = None  # nobody could be found again
    asked = is_asked_for(root, wave, then)
    if then.get("deliveries") == now["deliveries"] and (known is not None or asked):
        if then.get("method") == now["method"]:
            return _unchanged(sources, wave, then) if asked else None
        return _granted(sources, now, Edition("")) if asked else Edition("")
    if not asked:
        return None
    if known is None:
        return _refused(
            sources,
            wave,
            f"a new edition of wave {wave} is refused: the home has lost the people behind its published numbers, so "
            f"it cannot be audited. Numbers that are wrong can be retracted: stegvis retract {wave}",
        )
    return _audited(sources, known, then, now, computed)


def _audited(
    sources: Sources,
    known: PublishedPeople,
    then: Mapping[str, Any],
    now: Mapping[str, str],
    computed: Callable[[], tuple[pd.DataFrame, PeopleSets]],
) -> Edition | None:
    today = digests(sources.home.root, everyone(sources, sources.key))
    if not known.changed(today, analyzed=False):
        if then.get("method") == now["method"]:
            return _unchanged(sources, sources.key, then)
        return _granted(sources, now, Edition(""))
    changed, (results, sets) = known.changed(today), computed()
    for decimals in (sources.protocol.release.digits.ratios, _FEWER_DECIMALS):
        if audit(results, sets, changed, decimals).passed:
            return _granted(sources, now, Edition(CORRECTED, whole=False, decimals=decimals))
    return _refused(sources, sources.key, refusal(sources.key))


def kind_of(before: pd.DataFrame, now: pd.DataFrame) -> str:
    """What a release says of an edition by another method: rows that it adds are a first-time analysis.

    Args:
        before: published results.
        now: those that take their place.
    """
    keys = list(KEY_COLUMNS)
    both = before.merge(now, on=keys, how="outer", suffixes=("_then", "_now"), indicator=True)
    old = both[both["_merge"] != "right_only"]
    same = (old["estimate_then"] == old["estimate_now"]) | (old["estimate_then"].isna() & old["estimate_now"].isna())
    return FIRST_TIME if len(both) > len(old) and bool(same.all()) else METHOD


def is_asked_for(root: Path, wave: str, then: Mapping[str, Any]) -> bool:
    """Whether a person asked for an edition that is not published or refused yet."""
    last = last_about_publishing(root, wave)
    if last is None or last["decision"] == REFUSED:
        return False
    # Granted, but for data that changed before it was published: audited again.
    return last["decision"] == PUBLISH or any(last.get(name) != then.get(name) for name in ORIGIN)


def is_granted(root: Path, wave: str, origin: Mapping[str, Any]) -> bool:
    """Whether the audit of an edition made from this passed."""
    return any(
        line.get("decision") == GRANTED and line.get("wave") == wave and all(line.get(n) == origin[n] for n in ORIGIN)
        for line in read_decisions(root)
    )


def say_unchanged(sources: Sources, wave: str, then: Mapping[str, Any]) -> None:
    """End a decision to publish a wave whose new edition would say what is published already.

    Args:
        sources: the home.
        wave: whose edition was granted.
        then: what its published numbers were made from, with their release.
    """
    if is_asked_for(sources.home.root, wave, then):
        _unchanged(sources, wave, then)


def _granted(sources: Sources, now: Mapping[str, str], found: Edition) -> Edition:
    if not is_granted(sources.home.root, sources.key, now):
        add_decision(sources.home.root, GRANTED, sources.key, **now)
    return found


def _unchanged(sources: Sources, wave: str, then: Mapping[str, Any]) -> Edition | None:
    return _refused(sources, wave, f"nothing of wave {wave} has changed since {then['release']}")


def _refused(sources: Sources, wave: str, why: str) -> Edition | None:
    add_decision(sources.home.root, REFUSED, wave, why=why)
    add_alert(sources.home.root, "warning", "publication", f"wave {wave}", why)
    sources.log.warning(why)
    return None

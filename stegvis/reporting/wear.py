"""The page of how a batch was worn: how long, by sensor, valid days by each rule, notes, reasons for non-use.

It has two forms. For whoever holds the files it also lists every recording. In a home it has counts only, and none of
the parts into which all recordings are divided may be inferred if it is small.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from stegvis.reporting.blocks import Section, bullets, paragraph, section, table
from stegvis.reporting.formatting import NOTHING, count, decimal
from stegvis.reporting.layout import whole_page
from stegvis.reporting.markup import Group, Table

FILE = "wear.html"
SENSORS = {"back": "Back", "thigh": "Thigh", "both": "Both"}
DAY_RULES = {
    "as_published": "As published",
    "whole_day": "24 hours",
    "worn": "Worn long enough",
}
HIDDEN = "not shown"
# Days worn, up to which a recording is in a band; the last band has no end.
BANDS = (1.0, 3.0, 5.0, 7.0)
MOST_DAYS = 7
# What the rules of recordings mean, in a few words.
WORDS = {
    "swapped": "sensors in each other's place, corrected",
    "swapped_for_a_time": "sensors exchanged for a time, corrected",
    "place_uncertain": "hours not used, as it is uncertain which sensor was on the thigh",
    "attached_anew": "a sensor attached anew in another way",
    "same_place_annotated": "both files name one part of the body",
    "clock_reset": "a clock was set, and a stub is not used",
    "upside_down": "a sensor upside down",
    "turned": "a sensor turned by half about its long axis",
    "upside_down_and_turned": "a sensor upside down and turned",
    "tilted": "a sensor at an unusual angle, corrected",
    "clocks_apart": "clocks further apart than usual, corrected",
    "not_synchronized": "clocks that could not be compared",
    "damaged": "damaged parts, not used",
    "gaps": "interruptions",
    "truncated": "a truncated file",
    "half_missing": "the other sensor's file is missing",
    "unreadable": "a file that cannot be read",
    "too_slow": "too few samples per second",
    "clock_set_back": "a clock was set within the recording",
    "same_recording": "both files are of one device",
    "same_place": "both sensors on one part of the body",
    "different_weeks": "no time in common",
    "short_overlap": "too few hours in common",
    "not_worn": "a sensor was not worn",
    "not_together": "the sensors do not move together",
    "not_on_thigh": "the thigh's file is not of a thigh",
    "thigh_alone": "classified by the thigh sensor alone",
    "back_unusable": "the back's recording could not be used",
    "on_the_side": "a sensor on the side of the thigh, turned",
    "slow_sensor": "a slow sensor, whose walking speed was corrected",
}


class TooFewRecordingsError(ValueError):
    """There are too few recordings for a page of counts."""


@dataclass(frozen=True)
class WornRecording:
    """One recording of a batch.

    Attributes:
        name: what it is listed by.
        rule: why it is not used; empty if it is.
        reason: the same in a sentence.
        hours: by sensor (``SENSORS``), how long it was worn; a sensor without a recording of its own is missing.
        valid_days: by rule (``DAY_RULES``).
        notes: rules of what was noted without preventing its use.
    """

    name: str
    rule: str
    reason: str
    hours: dict[str, float]
    valid_days: dict[str, int]
    notes: tuple[str, ...]


def wear_page(title: str, recordings: Sequence[WornRecording], chosen: str, smallest_count: int | None = None) -> str:
    """The page as HTML; equal inputs give equal text.

    Args:
        title: names the batch.
        recordings: all of it.
        chosen: the rule of ``DAY_RULES`` by which days count in the study.
        smallest_count: the smallest count that may be shown, and nothing is listed; without it everything is shown,
            and the recordings are listed.

    Raises:
        TooFewRecordingsError: fewer recordings are used than may be counted.
    """
    used = [each for each in recordings if not each.rule]
    if smallest_count is not None and len(used) < smallest_count:
        raise TooFewRecordingsError(f"fewer than {smallest_count} recordings are used; counts of them are not shown")
    shown = _Shown(smallest_count)
    sections = [
        _in_all(recordings, used, shown, chosen),
        _worn(used, shown),
        _valid(used, shown, chosen),
        _reasons(recordings, shown),
        _notes(used, shown),
    ]
    if smallest_count is None:
        sections.append(_listed(recordings, chosen))
    return whole_page(FILE, title, [each for each in sections if each.blocks], [], False, title)


class _Shown:
    """Counts as they are shown."""

    def __init__(self, smallest: int | None) -> None:
        self.smallest = smallest

    def parts(self, counts: Sequence[int]) -> list[str]:
        """Counts of the parts into which a known whole is divided."""
        kept = protected(counts, self.smallest or 0)
        return [HIDDEN if each is None else count(each) for each in kept]

    def one(self, number: int, whole: int) -> str:
        """A count of some of a known whole."""
        return self.parts([number, whole - number])[0]

    def note(self) -> str:
        """What is suppressed."""
        if self.smallest is None:
            return ""
        return f"Counts below {self.smallest}, and further counts needed to protect them, are not shown."


def protected(counts: Sequence[int], smallest: int) -> list[int | None]:
    """Counts of the parts of a known whole; ``None`` where one is small, or would give a small one away.

    Of the others the smallest are withheld until at least two are, whose sum is not small. Nothing is withheld because
    it is zero, but a zero may be withheld to protect another.
    """
    hidden = {place for place, number in enumerate(counts) if 0 < number < smallest}
    rest = sorted(
        (place for place in range(len(counts)) if place not in hidden),
        key=lambda place: (counts[place] == 0, counts[place]),
    )
    while hidden and rest and (len(hidden) < 2 or sum(counts[place] for place in hidden) < smallest):
        hidden.add(rest.pop(0))
    return [None if place in hidden else number for place, number in enumerate(counts)]


def rule_words(rule: str) -> str:
    """What a rule of a recording means."""
    return WORDS.get(rule, rule.replace("_", " "))


# --- sections -------------------------------------------------------------------------------------------------------


def _in_all(recordings: Sequence[WornRecording], used: Sequence[WornRecording], shown: _Shown, chosen: str) -> Section:
    unused = len(recordings) - len(used)
    if shown.smallest and 0 < unused < shown.smallest:
        # Without their number in all, from which it would follow.
        points = [f"Used: {count(len(used))} recordings; not used: fewer than {shown.smallest}."]
    else:
        points = [f"{count(len(recordings))} recordings in all; used: {count(len(used))}, not used: {count(unused)}."]
    without = _days_column(used, shown, chosen)[0]
    if without != HIDDEN:
        some = len(used) - sum(each.valid_days[chosen] == 0 for each in used)
        points.append(f"With a valid day by the rule of the study ({DAY_RULES[chosen].lower()}): {count(some)}.")
    for sensor, name in SENSORS.items():
        hours = [each.hours[sensor] for each in used if sensor in each.hours]
        # A median of few is nearly one person's value.
        if len(hours) >= 2 * (shown.smallest or 1):
            points.append(f"{name}: worn for {decimal(np.median(hours) / 24)} days (median).")
    return section("all", "In all", bullets(points), paragraph(shown.note()))


def _worn(used: Sequence[WornRecording], shown: _Shown) -> Section:
    names = (
        f"under {BANDS[0]:g}",
        *(f"{low:g} to under {high:g}" for low, high in pairwise(BANDS)),
        f"{BANDS[-1]:g} and more",
        "not known",
    )
    columns = []
    for sensor in SENSORS:
        days = [each.hours[sensor] / 24 for each in used if sensor in each.hours]
        # A week less than a quarter of an hour is seven days.
        bands = np.searchsorted(BANDS, np.array(days) + 0.01, side="right")
        columns.append(shown.parts([*np.bincount(bands, minlength=len(BANDS) + 1).tolist(), len(used) - len(days)]))
    rows = tuple((name, *cells) for name, *cells in zip(names, *columns, strict=True))
    made = Table(
        "worn-table",
        "Recordings by the days that sensors were worn",
        ("Days", *SENSORS.values()),
        (Group(rows),),
        shown.note(),
    )
    return section("worn", "How long sensors were worn", table(made) if used else paragraph(""))


def _valid(used: Sequence[WornRecording], shown: _Shown, chosen: str) -> Section:
    columns = [_days_column(used, shown, rule) for rule in DAY_RULES]
    names = [*map(str, range(MOST_DAYS)), f"{MOST_DAYS} and more"]
    rows = tuple((name, *cells) for name, *cells in zip(names, *columns, strict=True))
    note = f"The study counts days by “{DAY_RULES[chosen]}”. {shown.note()}".strip()
    made = Table(
        "valid-table", "Recordings by their valid days", ("Valid days", *DAY_RULES.values()), (Group(rows),), note
    )
    return section("valid", "Valid days by each rule", table(made) if used else paragraph(""))


def _days_column(used: Sequence[WornRecording], shown: _Shown, rule: str) -> list[str]:
    """Recordings with 0, 1, ... valid days by a rule."""
    days = np.minimum(np.array([each.valid_days[rule] for each in used], dtype=np.int64), MOST_DAYS)
    return shown.parts(np.bincount(days, minlength=MOST_DAYS + 1).tolist())


def _reasons(recordings: Sequence[WornRecording], shown: _Shown) -> Section:
    found = Counter(each.rule for each in recordings if each.rule)
    rules = sorted(found, key=lambda rule: (-found[rule], rule))
    cells = shown.parts([found[rule] for rule in rules])
    rows = tuple((rule_words(rule), rule, cell) for rule, cell in zip(rules, cells, strict=True))
    if not rows:
        return section("unused", "Recordings that are not used", paragraph("Every recording is used."))
    made = Table(
        "unused-table", "Why recordings are not used", ("Reason", "Rule", "Recordings"), (Group(rows),), shown.note()
    )
    return section("unused", "Recordings that are not used", table(made))


def _notes(used: Sequence[WornRecording], shown: _Shown) -> Section:
    found = Counter(rule for each in used for rule in set(each.notes))
    rules = sorted(found, key=lambda rule: (-found[rule], rule))
    rows = tuple((rule_words(rule), rule, shown.one(found[rule], len(used))) for rule in rules)
    if not rows:
        return section("notes", "Notes", paragraph("Nothing was noted."))
    made = Table(
        "notes-table",
        "What was noted of recordings that are used",
        ("Note", "Rule", "Recordings"),
        (Group(rows),),
        shown.note(),
    )
    return section("notes", "Notes", table(made))


def _listed(recordings: Sequence[WornRecording], chosen: str) -> Section:
    rows = tuple(
        (
            each.name,
            "no" if each.rule else "yes",
            *(decimal(each.hours.get(sensor)) for sensor in SENSORS),
            *(NOTHING if each.rule else str(each.valid_days[rule]) for rule in DAY_RULES),
            each.reason if each.rule else ", ".join(dict.fromkeys(map(rule_words, each.notes))),
        )
        for each in recordings
    )
    columns = ("Recording", "Used", *(f"{name}, hours" for name in SENSORS.values()), *DAY_RULES.values(), "Notes")
    note = f"Valid days by each rule; the study counts “{DAY_RULES[chosen]}”."
    made = Table("recordings-table", "Every recording", columns, (Group(rows),), note, numeric=False)
    return section("recordings", "Every recording", table(made))

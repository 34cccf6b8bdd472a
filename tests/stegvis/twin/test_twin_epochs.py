"""Epochs add up to their day totals, follow each other without gaps, and form plausible bouts."""

import numpy as np
import pyarrow as pa
import pytest

from stegvis.accelerometry.activity import ACTIVITIES, SPEEDS
from stegvis.storage.bouts import epochs_of
from stegvis.twin.epochs import KIND_OF, KINDS, NONWEAR, delivered_tables, lake_tables, lay_out, wear
from stegvis.twin.parameters import parameters
from stegvis.twin.walking import LYING, SITTING, STANDING
from tests.study import PROTOCOL

EPOCHS_A_DAY = 17_280
# lying, sitting, standing, slow, moderate, brisk, walking, running, cycling
USUAL = [30_000, 36_400, 13_000, 4_000, 1_500, 500, 6_000, 400, 600]
DETACHED = [86_400, 0, 0, 0, 0, 0, 0, 0, 0]
NOT_RECORDED = [np.nan] * 9
NAMES = np.array([f"P{number:03}" for number in range(40)])

MODEL = parameters().epochs
WHOLE = MODEL.model_copy(update={"wear_gaps": (), "partial_recordings": 0.0})
OFF_EVERY_DAY = WHOLE.model_copy(
    update={"wear_gaps": (MODEL.wear_gaps[0].model_copy(update={"days": 1.0, "minutes": 60}),)}
)
ALWAYS_PARTIAL = WHOLE.model_copy(update={"partial_recordings": 1.0})


def worn(model=WHOLE, people=4, days=(USUAL, USUAL, DETACHED, NOT_RECORDED), seed=1):
    seconds = np.tile(np.array(days, dtype=float), (people, 1, 1))
    first = np.full(people, "2018-05-01", dtype="datetime64[D]")
    return wear(NAMES[:people], first, seconds, seed, model, PROTOCOL), seconds


def laid_out_counts(given, model, seed=1):
    """Epochs per person, day and kind, from the bouts; a late first epoch leaves a gap at the start."""
    kinds, lengths = lay_out(given, seed, model)
    epochs = np.repeat(kinds, lengths)
    counts = np.zeros_like(given.counts)
    place = 0
    for person, days in enumerate(given.counts):
        for day, kinds_of_day in enumerate(days):
            size = kinds_of_day.sum()
            counts[person, day] = np.bincount(epochs[place : place + size], minlength=len(KINDS))
            place += size
    assert place == epochs.size
    return counts


def bouts(mask):
    """Lengths of the runs of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return edges[1::2] - edges[::2]


def test_every_activity_and_speed_of_every_day_keeps_its_total():
    given, seconds = worn()
    totals = np.nan_to_num(seconds[:, :, [place for _, _, place in KINDS[:NONWEAR]]])
    assert (5 * laid_out_counts(given, WHOLE)[..., :NONWEAR] == totals).all()
    assert given.counts[..., NONWEAR].sum() == 0


def test_nonwear_replaces_sitting_only():
    given, _ = worn(OFF_EVERY_DAY)
    whole, _ = worn()
    assert (laid_out_counts(given, OFF_EVERY_DAY) == given.counts).all()
    changed = given.counts - whole.counts
    assert (5 * changed[:, :2, NONWEAR] == 3_600).all()
    assert (5 * changed[:, :2, KIND_OF[SITTING]] == -3_600).all()
    others = [kind for kind in range(NONWEAR) if kind != KIND_OF[SITTING]]
    assert (changed[..., others] == 0).all()
    # A day of lying only has no sitting to replace.
    assert (given.counts[:, 2, NONWEAR] == 0).all()


def test_a_gap_longer_than_the_sitting_keeps_some_sitting():
    day = [60_000, 600, 19_000, 4_000, 1_500, 500, 6_000, 400, 400]
    given, _ = worn(OFF_EVERY_DAY, days=(day,))
    assert (5 * given.counts[:, 0, KIND_OF[SITTING]] == 5).all()
    assert (given.counts.sum(axis=2) == EPOCHS_A_DAY).all()


def test_a_partial_recording_lacks_only_lying_at_night():
    given, _ = worn(ALWAYS_PARTIAL, people=30, days=(USUAL, USUAL, USUAL))
    missing = EPOCHS_A_DAY - given.counts.sum(axis=2)
    assert (missing[:, 0] > 0).all()
    assert (missing[:, 0] == given.first_epoch).all()
    assert (missing[:, 1] == 0).all()
    assert (missing[:, 2] > 0).all()
    assert missing.max() <= 12 * MODEL.partial_minutes
    whole, _ = worn(people=30, days=(USUAL, USUAL, USUAL))
    assert (np.delete(given.counts - whole.counts, KIND_OF[LYING], axis=2) == 0).all()


def test_gaps_and_partial_recordings_are_a_small_share():
    given, _ = worn(MODEL, people=40, days=(USUAL,) * 7)
    off = (given.counts[..., NONWEAR] > 0).mean()
    expected = sum(gap.days for gap in MODEL.wear_gaps)
    # 280 days: within four standard errors.
    assert abs(off - expected) < 4 * np.sqrt(expected * (1 - expected) / 280)
    assert (given.counts.sum(axis=2) == EPOCHS_A_DAY).mean() > 0.9


def test_a_blank_cell_becomes_the_remainder_of_its_day():
    day = np.array(USUAL, dtype=float)
    day[STANDING] = np.nan
    given, _ = worn(days=(day,))
    assert (5 * given.counts[:, 0, KIND_OF[STANDING]] == 13_000).all()


@pytest.mark.parametrize("day", [np.divide(USUAL, 2), np.add(USUAL, [1, -1, 0, 0, 0, 0, 0, 0, 0])])
def test_totals_that_do_not_fill_a_day_in_whole_epochs_are_refused(day):
    with pytest.raises(ValueError, match="do not fill a day"):
        worn(days=(day,))


def test_days_that_do_not_follow_each_other_are_refused():
    with pytest.raises(ValueError, match="must follow each other"):
        worn(days=(USUAL, NOT_RECORDED, USUAL))


def test_epochs_follow_each_other_every_five_seconds_from_the_first_to_the_last():
    given, _ = worn(ALWAYS_PARTIAL, days=(USUAL, USUAL))
    table = pa.concat_tables(delivered_tables(given, 1, ALWAYS_PARTIAL, people_at_once=3)).to_pandas()
    assert table["person"].unique().tolist() == NAMES[:4].tolist()
    people = table.groupby("person", observed=True)
    for late, epochs, (_, mine) in zip(given.first_epoch, given.epochs, people, strict=True):
        start = mine["epoch_start"].to_numpy()
        assert start.size == epochs
        assert start[0] == np.datetime64("2018-05-01") + late * np.timedelta64(5, "s")
        assert (np.diff(start) == np.timedelta64(5, "s")).all()


def test_delivered_words_and_lake_codes_agree():
    given, _ = worn(OFF_EVERY_DAY)
    words = pa.concat_tables(delivered_tables(given, 1, OFF_EVERY_DAY)).to_pandas()
    codes = epochs_of(pa.concat_tables(lake_tables(given, 1, OFF_EVERY_DAY))).to_pandas()
    assert (words[["person", "epoch_start"]] == codes[["person", "epoch_start"]]).all(axis=None)
    assert (words["activity"].astype("str").map(ACTIVITIES) == codes["activity"]).all()
    assert (words["speed"].astype("object").map(SPEEDS).fillna(0) == codes["speed"]).all()
    assert (words["speed"].notna() == (words["activity"] == "walking")).all()
    assert set(words["activity"]) == {activity for activity, _, _ in KINDS}


def test_a_persons_epochs_do_not_depend_on_the_other_people():
    few, _ = worn(MODEL, people=2)
    many, _ = worn(MODEL, people=5)
    kinds, lengths = lay_out(few, 1, MODEL)
    of_all, lengths_of_all = lay_out(many, 1, MODEL)
    assert (kinds == of_all[: kinds.size]).all()
    assert (lengths == lengths_of_all[: kinds.size]).all()
    assert not np.array_equal(lay_out(few, 2, MODEL)[1], lengths)


def test_the_night_is_one_bout_of_lying_at_either_end_of_the_day():
    given, _ = worn(days=(USUAL,))
    kinds, lengths = lay_out(given, 1, WHOLE)
    days = np.repeat(kinds, lengths).reshape(-1, EPOCHS_A_DAY)
    lying = USUAL[0] // 5
    assert (days[:, : int(lying * MODEL.lying_before_morning)] == KIND_OF[LYING]).all()
    assert (days[:, -int(lying * MODEL.lying_after_evening) :] == KIND_OF[LYING]).all()


def test_walking_comes_in_many_short_bouts_and_few_long_ones():
    given, _ = worn(people=40, days=(USUAL,) * 7)
    kinds, lengths = lay_out(given, 1, WHOLE)
    epochs = np.repeat(kinds, lengths)
    length = 5 * bouts(np.isin(epochs, [KIND_OF[place] for _, speed, place in KINDS if speed]))
    # Orendurff et al. 2008: 60 % last 30 s or less.
    assert abs((length <= 30).mean() - 0.60) < 0.05
    assert (length > 300).mean() < 0.02
    assert length.max() > 600


def test_sitting_standing_and_walking_alternate():
    given, _ = worn(people=10, days=(USUAL,))
    kinds, lengths = lay_out(given, 1, WHOLE)
    sitting = np.repeat(kinds, lengths) == KIND_OF[SITTING]
    # 36,400 s in bouts of 20 minutes on average make 30 a day; few are adjacent and merge.
    assert 20 < bouts(sitting).size / 10 < 40
    assert np.median(5 * bouts(sitting)) < 20 * 60
    changes = np.count_nonzero(np.diff(kinds)) / 10
    assert 200 < changes < 600

"""A home of pseudonyms: it names nobody, and finds what a home of identifiers finds."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from stegvis.orchestration.refresh import refresh
from stegvis.statistics.results import KEY_COLUMNS
from stegvis.storage.home import Home
from stegvis.storage.home_key import home_key
from stegvis.storage.linkage import linkage
from stegvis.storage.pseudonym import pseudonym_of
from stegvis.storage.warehouse import Warehouse
from stegvis.twin import write_twin
from tests.orchestration.story import Story, complete
from tests.sizes import FULL
from tests.study import CODEBOOK, PROTOCOL, home_with_study

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

IDENTIFIER = re.compile(r"P[0-9A-Z]{6}")  # of the twin
WAVE = "2021-2023"
# What draws people at random goes through them in the order of their stored identifiers.
DRAWN = ("imputed", "regression_dilution")


def choose(home: Home, stored: str) -> None:
    """The study stores identifiers in this way from now on."""
    file = home.study / "protocol.toml"
    text, number = re.subn(r'^stored = ".*"$', f'stored = "{stored}"', file.read_text(), flags=re.MULTILINE)
    assert number == 1
    file.write_text(text)


def delivered_people(home: Home) -> set[str]:
    """Everyone whom a delivery names."""
    found = set()
    for file in home.landing.rglob("*"):
        found |= set(IDENTIFIER.findall(file.name))
        if file.suffix == ".csv":
            found |= set(IDENTIFIER.findall(file.read_text()))
        elif file.suffix == ".parquet" and "person" in (frame := pd.read_parquet(file)):
            found |= set(frame["person"])
    return found


def texts(home: Home) -> Iterator[tuple[str, str]]:
    """Every text in the home outside the landing zone, with its place: names, bytes, cells of compressed files."""
    for file in sorted(home.root.rglob("*")):
        if file.is_relative_to(home.landing):
            continue
        name = file.relative_to(home.root).as_posix()
        yield name, name
        if file.is_file():
            yield name, file.read_bytes().decode("latin-1")
        if file.suffix == ".parquet":
            yield name, _cells(pd.read_parquet(file))
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        for (table,) in connection.execute("select table_name from duckdb_tables()").fetchall():
            yield f"warehouse {table}", _cells(connection.execute(f'select * from "{table}"').df())


def _cells(frame: pd.DataFrame) -> str:
    words = frame.select_dtypes(exclude=["number", "bool", "datetime"])
    return "\n".join({str(cell) for name in words for cell in words[name]})


def places_that_name(home: Home, people: set[str]) -> set[str]:
    """Where in the home an identifier stands."""
    return {place for place, text in texts(home) if not people.isdisjoint(IDENTIFIER.findall(text))}


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Story, Story]:
    """The same deliveries in a home of identifiers and in one of pseudonyms."""
    folder = tmp_path_factory.mktemp("pseudonyms")
    write_twin(folder / "landing", PROTOCOL, CODEBOOK, people=300, waves=1, epochs=20, signals=1, raw=1, seed=1)
    # A half of a pair, a file that fits no form, and one that cannot be read: each is named after somebody.
    person = sorted(delivered_people(Home(folder, folder / "landing")))[5]
    batch = folder / "landing" / "recordings" / "odd"
    batch.mkdir()
    for name in (f"{person}_thigh.cwa", f"old {person}.txt", f"{person}.csv", f"{person}.cwa"):
        (batch / name).write_text("no recording")
    complete(batch)
    made = []
    for stored in ("as_delivered", "keyed_hash"):
        home = home_with_study(folder / stored)
        shutil.copytree(folder / "landing", home.landing)
        choose(home, stored)
        refresh(home)
        made.append(Story(home))
    return made[0], made[1]


def test_no_identifier_is_anywhere_in_the_home(homes: tuple[Story, Story]) -> None:
    open_home, home = (story.home for story in homes)
    people = delivered_people(home)
    assert len(people) > 300
    assert places_that_name(home, people) == set()
    # The search would find them.
    found = places_that_name(open_home, people)
    assert {"warehouse.duckdb", "warehouse recordings", "warehouse quarantine", f"publications/{WAVE}.parquet"} <= found
    assert any(place.startswith("lake/epochs/") for place in found)


def in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows in an order of their own; bytes, which cannot be sorted, as text."""
    plain = frame.map(lambda cell: bytes(cell).hex() if isinstance(cell, bytes | bytearray) else cell)
    return plain.sort_values(list(plain.columns), ignore_index=True)


def test_every_table_has_the_same_people_under_their_pseudonyms(homes: tuple[Story, Story]) -> None:
    as_delivered, keyed = (story.tables() for story in homes)
    key = home_key(homes[1].home.root)
    of_people = [name for name, frame in as_delivered.items() if "person" in frame]
    assert {"recordings", "delivered_days", "epoch_classification", "daily_exposures", "analysis_set"} <= set(of_people)
    for name in of_people:
        left_out = {"recordings": ["file", "shard"]}.get(name, [])
        one, other = (frames[name].drop(columns=left_out) for frames in (as_delivered, keyed))
        renamed = one.assign(person=[pseudonym_of(key, person) for person in one["person"]])
        pd.testing.assert_frame_equal(in_order(other), in_order(renamed), check_dtype=False, obj=name)


def test_every_recording_is_matched(homes: tuple[Story, Story]) -> None:
    used = homes[1].table("select level, count(*) as n from recordings where status = 'accepted' group by all")
    assert dict(used.itertuples(index=False, name=None)).keys() == {"raw", "signal", "epochs", "days"}
    for story in homes:
        with Warehouse(story.home).session("test") as connection:
            assert linkage(connection) == []


# Of so few people all estimates are suppressed; which rows are is compared.
@pytest.mark.parametrize(("table", "fewest"), [("fitted_models", 50), ("published_results", 0)])
def test_the_results_are_those_of_identifiers(homes: tuple[Story, Story], table: str, fewest: int) -> None:
    one, other = (story.table(f"select * from {table}") for story in homes)
    both = one.merge(other, on=list(KEY_COLUMNS), suffixes=("", "_keyed"), validate="1:1")
    assert len(both) == len(one) == len(other)
    fixed = both[~both["analysis"].isin(DRAWN)]
    assert len(both) > len(fixed) > 0.9 * len(both)
    assert fixed["estimate"].notna().sum() >= fewest
    for name in ("status", "n", "events", "estimate", "ci_low", "ci_high", "std_error", "p_value"):
        pd.testing.assert_series_equal(
            fixed[name], fixed[f"{name}_keyed"], check_names=False, rtol=1e-8 if table == "fitted_models" else 0
        )


def test_the_counts_are_those_of_identifiers(homes: tuple[Story, Story]) -> None:
    for table in ("attrition", "characteristics", "published_attrition", "published_characteristics"):
        one, other = (in_order(story.table(f"select * from {table}")) for story in homes)
        pd.testing.assert_frame_equal(other, one, obj=table)


def test_withdrawn_corrected_and_delivered_again(homes: tuple[Story, Story], tmp_path: Path) -> None:
    root = tmp_path / "home"
    shutil.copytree(homes[1].home.root, root, symlinks=True)
    story = Story(Home(root, root / "landing"))
    key = home_key(root)
    people = delivered_people(story.home)
    recorded = next(story.home.landing.glob("recordings/*/P*_back.cwa"))
    gone = {recorded.name.removesuffix("_back.cwa"), *story.days()["person"][:2]}
    baseline = story.baseline().set_index("person")
    stays = next(person for person in baseline.index if person not in gone)
    corrected = baseline.loc[[stays, *sorted(gone & set(baseline.index))]].reset_index()
    story.drop("baseline", "2031-correction", corrected, "participants.csv")
    story.withdraw("2031-01", sorted(gone))
    done = story.refresh()
    assert done.withdrawals == [f"withdrawals/2031-01: {len(gone)} people; {len(gone)} found and erased"]
    tables = story.tables()
    hidden = {pseudonym_of(key, person) for person in gone}
    assert not any(frame["person"].isin(hidden).any() for frame in tables.values() if "person" in frame)
    left = {place for place, text in texts(story.home) if any(each in text for each in hidden)}
    assert left == set()
    baseline_now = tables["baseline_questionnaire"].set_index("person")
    assert baseline_now.index.is_unique
    assert baseline_now.loc[pseudonym_of(key, stays), "delivery"] == "2031-correction"
    assert places_that_name(story.home, people) == set()


@pytest.mark.skipif(not FULL, reason="in make full: every table is made twice")
def test_a_home_that_begins_late_names_nobody_once_it_is_rebuilt(story: Story) -> None:
    people = delivered_people(story.home)
    before = story.tables()
    choose(story.home, "keyed_hash")
    reasons = story.planned()
    assert any("identifiers.stored" in why for why in reasons["baseline_questionnaire"])
    done = story.refresh()
    assert done.ok, done.failed
    after = story.tables()
    assert after["published_results"].equals(before["published_results"])
    places = places_that_name(story.home, people)
    assert {place for place in places if not place.startswith("dagster/")} == set()
    assert len(after["analysis_set"]) == len(before["analysis_set"])
    choose(story.home, "as_delivered")
    assert {"baseline_questionnaire", f"followup_questionnaire [{WAVE}]"} <= story.planned().keys()

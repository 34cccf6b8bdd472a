"""The people behind what was published: how many have changed, and erasing them."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pandas as pd

from stegvis.storage.decisions import GRANTED, PUBLISH, REFUSED, add_decision, last_about_publishing
from stegvis.storage.editions import say_unchanged
from stegvis.storage.published_people import FOLDER, PublishedPeople, digests, forget, published_people, store
from stegvis.storage.withdrawal_list import add_to_list, read_list

WAVE = "2021-2023"


def people(**answers: object) -> pd.DataFrame:
    rows = {"a": 1, "b": 0, "c": 1, "d": 0} | answers
    frame = pd.DataFrame({"wave": WAVE, "person": list(rows), "pain": list(rows.values())})
    return frame.assign(reason=pd.Series([None, None, None, "followup_screen_missing", None][: len(rows)], dtype="str"))


def published(root: Path) -> PublishedPeople:
    found = PublishedPeople("r1", 3, 4, digests(root, people()))
    store(root, WAVE, found)
    return found


def test_changed_people_are_counted(tmp_path: Path) -> None:
    known = published(tmp_path)
    assert known.changed(digests(tmp_path, people())) == 0
    assert known.changed(digests(tmp_path, people(a=0, e=1))) == 2
    assert known.changed(digests(tmp_path, people(d=1))) == 0  # never analyzed
    assert known.changed(digests(tmp_path, people(d=1)), analyzed=False) == 1


def test_an_erased_person_has_no_row_and_still_counts_as_one_who_changed(tmp_path: Path) -> None:
    published(tmp_path)
    add_to_list(tmp_path, "2025-01", ["b"])
    assert forget(tmp_path, read_list(tmp_path)) == {"b"}
    assert list(pd.read_parquet(tmp_path / FOLDER / f"{WAVE}.parquet")["person"]) == ["a", "c", "d"]
    known = published_people(tmp_path, WAVE)
    assert known is not None
    left = people().query("person != 'b'")
    assert known.changed(digests(tmp_path, left)) == 1


def test_a_table_from_a_copy_is_cleaned_again(tmp_path: Path) -> None:
    table = tmp_path / FOLDER / f"{WAVE}.parquet"
    published(tmp_path)
    copy = table.read_bytes()
    add_to_list(tmp_path, "2025-01", ["b"])
    assert forget(tmp_path, read_list(tmp_path)) == {"b"}
    assert forget(tmp_path, read_list(tmp_path)) == set()
    table.write_bytes(copy)
    assert forget(tmp_path, read_list(tmp_path)) == {"b"}
    add_to_list(tmp_path, "2025-02", ["c"])
    assert forget(tmp_path, read_list(tmp_path)) == {"c"}


def test_a_damaged_table_keeps_no_withdrawn_person(tmp_path: Path) -> None:
    published(tmp_path)
    (tmp_path / FOLDER / f"{WAVE}.parquet").write_bytes(b"damaged, and b in it")
    add_to_list(tmp_path, "2025-01", ["b"])
    assert forget(tmp_path, read_list(tmp_path)) == set()
    assert not list((tmp_path / FOLDER).glob("*.parquet"))
    assert published_people(tmp_path, WAVE) is None


def test_a_copy_from_before_a_withdrawal_brings_nobody_back(tmp_path: Path) -> None:
    add_to_list(tmp_path, "2025-01", ["a"])
    published(tmp_path)
    known = published_people(tmp_path, WAVE)
    assert known is not None
    assert "a" not in set(known.people["person"])


def test_a_home_that_has_lost_them_knows_it(tmp_path: Path) -> None:
    assert published_people(tmp_path, WAVE) is None
    published(tmp_path)
    (tmp_path / FOLDER / f"{WAVE}.parquet").write_bytes(b"damaged")
    assert published_people(tmp_path, WAVE) is None


def test_a_granted_edition_that_says_the_same_ends_with_a_sentence(tmp_path: Path) -> None:
    sources = cast("Any", SimpleNamespace(home=SimpleNamespace(root=tmp_path), log=logging.getLogger("test")))
    then = {"release": "r1", "deliveries": "d1", "method": "m1"}
    say_unchanged(sources, WAVE, then)
    assert last_about_publishing(tmp_path, WAVE) is None  # nobody asked
    add_decision(tmp_path, PUBLISH, WAVE, by="Anna", because="corrected")
    add_decision(tmp_path, GRANTED, WAVE, deliveries="d2", method="m1")
    say_unchanged(sources, WAVE, then)
    last = last_about_publishing(tmp_path, WAVE)
    assert last is not None
    assert (last["decision"], last["why"]) == (REFUSED, f"nothing of wave {WAVE} has changed since r1")

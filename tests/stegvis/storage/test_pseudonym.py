"""Pseudonyms: what they look like, what they depend on, and that the list of withdrawals knows people by either."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stegvis.deliveries.identifiers import as_delivered
from stegvis.storage import pseudonym
from stegvis.storage.home_key import KEY_FILE, PSEUDONYMS, HomeKeyError, home_key
from stegvis.storage.pseudonym import pseudonym_of
from stegvis.storage.published_people import FOLDER, PublishedPeople, published_people, store
from stegvis.storage.stored_identifiers import PseudonymCollisionError, stored_identifiers, stored_name
from stegvis.storage.withdrawal_list import add_to_list, is_pending, read_list
from stegvis.study.protocol import Identifiers, Protocol
from tests.sizes import examples
from tests.study import PROTOCOL

KEYED = PROTOCOL.model_copy(update={"identifiers": Identifiers(stored="keyed_hash")})


def without_identifiers(protocol: Protocol) -> dict:
    return {name: part for name, part in protocol.model_dump().items() if name != "identifiers"}


def test_a_protocol_without_the_section_stores_identifiers_as_delivered(tmp_path: Path) -> None:
    before = Protocol.model_validate(without_identifiers(PROTOCOL))
    stored = stored_identifiers(tmp_path, before)
    assert stored is as_delivered
    assert stored("P 17") == "P 17"
    assert stored_name("P 17_back.cwa", stored) == "P 17_back.cwa"
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=examples(50))
@given(st.text(min_size=1))
def test_a_pseudonym_has_one_form(person: str) -> None:
    assert re.fullmatch("p[0-9a-f]{32}", pseudonym_of(b"k" * 32, person))


def test_a_pseudonym_depends_on_the_person_and_the_home(tmp_path: Path) -> None:
    one, other = stored_identifiers(tmp_path / "one", KEYED), stored_identifiers(tmp_path / "other", KEYED)
    assert one("1001") == one("1001") == stored_identifiers(tmp_path / "one", KEYED)("1001")
    assert len({one("1001"), one("01001"), other("1001")}) == 3


def test_two_people_with_one_pseudonym_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pseudonym, "DIGITS", 1)
    stored = stored_identifiers(tmp_path, KEYED)
    with pytest.raises(PseudonymCollisionError, match="two people have the same pseudonym"):
        list(map(stored, [f"person {number}" for number in range(17)]))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("1001_back.cwa", "{}_back.cwa"),
        ("1001_THIGH.CWA", "{}_thigh.CWA"),
        ("1001.parquet", "{}.parquet"),
        ("1001.0.csv", "{}.csv"),
        ("days.csv", "days.csv"),
        ("epochs.parquet", "epochs.parquet"),
        ("drop.json", "drop.json"),
    ],
)
def test_a_files_name_is_stored_with_the_pseudonym(tmp_path: Path, name: str, shown: str) -> None:
    stored = stored_identifiers(tmp_path, KEYED)
    assert stored_name(name, stored) == shown.format(stored("1001"))


@pytest.mark.parametrize("name", ["1001.cwa", "1001 back.cwa", "notes of 1001.txt", "x.1001", "1001"])
def test_of_a_file_that_fits_no_form_only_the_ending_is_stored(tmp_path: Path, name: str) -> None:
    found = stored_name(name, stored_identifiers(tmp_path, KEYED))
    assert re.fullmatch(r"file-[0-9a-f]{16}(\.cwa)?", found)


def test_the_list_of_withdrawals_knows_a_person_by_identifier_and_pseudonym(tmp_path: Path) -> None:
    add_to_list(tmp_path, "june", ["1001"])  # as an earlier version did, in a home of identifiers
    stored = stored_identifiers(tmp_path, KEYED)
    withdrawn = read_list(tmp_path)
    assert "1001" in withdrawn
    assert stored("1001") in withdrawn
    assert stored("1002") not in withdrawn
    assert withdrawn.among(pd.Series([stored("1002"), stored("1001"), None, "1001"])).tolist() == [0, 1, 0, 1]
    assert withdrawn.named_in(f"june/{stored('1001')}_back.cwa") == {stored("1001")}
    withdrawn.note_found([stored("1001")])
    withdrawn.note_found(["1001"])
    assert len(withdrawn.found()) == 1 == len((tmp_path / "withdrawals" / "found.jsonl").read_text().splitlines())


def test_somebody_withdrawn_by_the_pseudonym_stays_away(tmp_path: Path) -> None:
    stored = stored_identifiers(tmp_path, KEYED)
    add_to_list(tmp_path, "june", [stored("1001")])
    assert stored("1001") in read_list(tmp_path)


def test_a_home_with_pseudonyms_makes_no_new_key_and_refuses_another(tmp_path: Path) -> None:
    stored_identifiers(tmp_path, KEYED)
    (tmp_path / KEY_FILE).unlink()
    with pytest.raises(HomeKeyError, match=rf"home\.key is gone from the home, and {PSEUDONYMS}"):
        stored_identifiers(tmp_path, KEYED)
    (tmp_path / KEY_FILE).write_bytes(b"k" * 32)
    with pytest.raises(HomeKeyError, match="made with another"):
        stored_identifiers(tmp_path, KEYED)
    (tmp_path / PSEUDONYMS).write_text("{")
    with pytest.raises(HomeKeyError, match="damaged"):
        stored_identifiers(tmp_path, KEYED)


def test_a_home_that_begins_late_forgets_the_people_behind_what_it_published(tmp_path: Path) -> None:
    home_key(tmp_path)
    people = pd.DataFrame({"person": ["1001"], "analyzed": [True], "digest": ["d"]})
    store(tmp_path, "2021", PublishedPeople("r1", 1, 1, people))
    (tmp_path / "warehouse.duckdb").touch()
    stored = stored_identifiers(tmp_path, KEYED)
    assert published_people(tmp_path, "2021") is None
    assert list((tmp_path / FOLDER).iterdir()) == []
    assert is_pending(tmp_path)
    kept = people.assign(person=stored("1001"))
    store(tmp_path, "2021", PublishedPeople("r2", 1, 1, kept, identifiers="keyed_hash"))
    stored_identifiers(tmp_path, KEYED)
    known = published_people(tmp_path, "2021")
    assert known is not None
    assert known.identifiers == "keyed_hash"

"""Short digests of named parts."""

from __future__ import annotations

import pytest

from stegvis.provenance.fingerprint import fingerprint


def test_a_fingerprint_does_not_depend_on_the_order_of_its_parts() -> None:
    assert fingerprint({"a": "1", "b": "2"}) == fingerprint({"b": "2", "a": "1"})


@pytest.mark.parametrize("other", [{"a": "1"}, {"a": "2", "b": "1"}, {"a": "1", "c": "2"}, {"a": "12", "b": ""}])
def test_a_fingerprint_changes_with_any_name_or_part(other: dict[str, str]) -> None:
    assert fingerprint(other) != fingerprint({"a": "1", "b": "2"})

"""What counts as a change of a SELECT."""

from __future__ import annotations

import pytest

from stegvis.provenance.sql import normalized, variables_read

QUERY = """
-- what it is for
select person, 'a -- b' as label /* why */
from cohort
where age > 64.5 and sex = 'it''s  female' and "odd -- name" is null
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("-- what it is for", "-- what it was for"),
        ("-- what it is for\n", ""),
        ("/* why */", "/* because\n   of that */"),
        (" /* why */", ""),
        ("\nfrom cohort", "\n\n    from   cohort"),
        ("from cohort\nwhere", "from cohort -- everyone\nwhere"),
        (" and sex", "\n\tand sex"),
    ],
    ids=["comment", "comment gone", "block comment", "block comment gone", "spacing", "end of line", "tab"],
)
def test_an_edited_comment_or_spacing_is_not_an_edited_query(old: str, new: str) -> None:
    assert old in QUERY
    assert normalized(QUERY.replace(old, new)) == normalized(QUERY)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("> 64.5", ">= 64.5"),
        ("64.5", "65.5"),
        ("'a -- b'", "'a -- c'"),
        ("'a -- b'", "'a'"),
        ("it''s", "it''S"),
        ('"odd -- name"', '"odd"'),
        ("and sex", "or sex"),
        ("is null", "isnull"),
    ],
    ids=[
        "operator",
        "number",
        "after dashes in text",
        "dashes in text",
        "letter case",
        "name",
        "logic",
        "joined words",
    ],
)
def test_an_edited_literal_name_or_logic_is(old: str, new: str) -> None:
    assert old in QUERY
    assert normalized(QUERY.replace(old, new)) != normalized(QUERY)


def test_the_spaces_inside_a_literal_count() -> None:
    assert normalized("select 'a  b'") != normalized("select 'a b'")


def test_dashes_inside_a_literal_are_not_a_comment() -> None:
    assert normalized("select 'a -- b' as x -- c\n, 1") == "select 'a -- b' as x , 1"


def test_the_variables_of_a_select_are_found() -> None:
    assert variables_read("select getvariable('b.c') + getvariable( 'a' ) + getvariable('a')") == ["a", "b.c"]

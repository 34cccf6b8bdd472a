"""A file of lines that can only be added to."""

from __future__ import annotations

import json

import pytest

from stegvis.storage.hash_chain import add_line, broken_links, read_lines


@pytest.fixture
def chain(tmp_path):
    file = tmp_path / "register.jsonl"
    for number in range(4):
        add_line(file, {"number": number})
    return file


def test_each_line_follows_the_one_before(chain):
    assert broken_links(chain) == []
    assert [line["number"] for line in read_lines(chain)] == [0, 1, 2, 3]
    assert read_lines(chain)[0]["before"] == ""
    assert len({line["before"] for line in read_lines(chain)}) == 4


def test_there_may_be_no_file_yet(tmp_path):
    assert read_lines(tmp_path / "none.jsonl") == []
    assert broken_links(tmp_path / "none.jsonl") == []


@pytest.mark.parametrize("removed", [0, 1, 2])
def test_a_removed_line_is_found(chain, removed):
    lines = chain.read_text().splitlines()
    chain.write_text("\n".join(lines[:removed] + lines[removed + 1 :]) + "\n")
    assert any("edited or removed" in problem for problem in broken_links(chain))


@pytest.mark.parametrize("edited", [0, 1, 2])
def test_an_edited_line_is_found(chain, edited):
    lines = [json.loads(line) for line in chain.read_text().splitlines()]
    lines[edited]["number"] = 9
    chain.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert len(broken_links(chain)) == 1


def test_a_line_that_is_no_entry_is_found(chain):
    chain.write_text(chain.read_text() + "not a line\n")
    assert broken_links(chain) == ["line 5 of register.jsonl cannot be read"]
    assert len(read_lines(chain)) == 4

"""The home's key: made once, private, and never replaced while something depends on it."""

from __future__ import annotations

import hashlib
import hmac
import subprocess
import sys
from pathlib import Path

import pytest

from stegvis.storage.home_key import KEY_FILE, HomeKeyError, home_key, keyed_hash


def test_the_key_is_random_private_and_made_once(tmp_path: Path) -> None:
    first, other = home_key(tmp_path / "a"), home_key(tmp_path / "b")
    assert len(first) == 32
    assert first != other
    assert home_key(tmp_path / "a") == first
    assert (tmp_path / "a" / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert [file.name for file in (tmp_path / "a").iterdir()] == [KEY_FILE]


def test_a_key_that_others_could_read_is_made_private(tmp_path: Path) -> None:
    file = tmp_path / KEY_FILE
    file.write_bytes(bytes(range(32)))
    file.chmod(0o644)
    assert home_key(tmp_path) == bytes(range(32))
    assert file.stat().st_mode & 0o777 == 0o600


def test_hashes_are_hmac_sha256_with_purpose_and_key(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_bytes(bytes(32))
    expected = hmac.new(bytes(32), b"delivery\0P1", hashlib.sha256).hexdigest()
    assert keyed_hash(tmp_path, "delivery", "P1") == expected
    assert keyed_hash(tmp_path, "delivery", b"P1") == expected
    assert keyed_hash(tmp_path, "withdrawal", "P1") != expected
    assert keyed_hash(tmp_path / "another", "delivery", "P1") != expected


@pytest.mark.parametrize("content", [b"", b"short", bytes(33)])
def test_a_damaged_key_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / KEY_FILE).write_bytes(content)
    with pytest.raises(HomeKeyError, match="restore it from a backup"):
        home_key(tmp_path)


def test_a_lost_key_is_not_replaced_while_the_list_of_withdrawals_needs_it(tmp_path: Path) -> None:
    (tmp_path / "withdrawals").mkdir()
    (tmp_path / "withdrawals" / "list.jsonl").write_text("{}\n")
    with pytest.raises(HomeKeyError, match=r"withdrawals/list\.jsonl cannot be used without it"):
        home_key(tmp_path)
    assert not (tmp_path / KEY_FILE).exists()


PRINT_KEY = """
import sys
from pathlib import Path
from stegvis.storage.home_key import home_key
sys.stdin.readline()
print(home_key(Path(sys.argv[1])).hex())
"""


def test_processes_that_start_at_once_agree_on_the_key(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PRINT_KEY, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(8)
    ]
    for process in processes:
        assert process.stdin
        process.stdin.write("now\n")
        process.stdin.flush()
    keys = {process.communicate(timeout=60)[0].strip() for process in processes}
    assert keys == {home_key(tmp_path).hex()}

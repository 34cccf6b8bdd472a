"""Restoring: verified first, whoever withdrew stays out, and nothing is published twice with different values."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pandas as pd
import pytest

from stegvis.orchestration.home_state import home_state
from stegvis.orchestration.instance import open_instance
from stegvis.orchestration.restore import restore
from stegvis.storage.backup import back_up
from stegvis.storage.backup_folder import BackupError, open_backup
from stegvis.storage.home import Home
from stegvis.storage.records import damaged_files, read_records
from stegvis.storage.release_gate import hindrances
from stegvis.storage.warehouse import Warehouse
from tests.attacks import attackers
from tests.orchestration.command import stegvis_here
from tests.orchestration.story import Story


class Safe:
    """A home that was backed up, with its key in a place of its own."""

    def __init__(self, story: Story, folder: Path) -> None:
        self.story, self.folder, self.key = story, folder / "backups", folder / "key"
        self.target = folder / "restored"
        back_up(story.home, self.folder, key_to=self.key)

    def restore(self, **options: object) -> Story:
        """Restore it; the landing zone is the one of the home."""
        home = Home(self.target, self.story.home.landing)
        restore(self.folder, home, self.key, **options)  # type: ignore[arg-type]
        return Story(home)

    def lose_the_home(self, to: Path | None = None) -> None:
        """The disk with the home is gone, but for the landing zone; or what is left of it is somewhere else."""
        root = self.story.home.root
        landing = root.with_name("landing")
        self.story.home.landing.rename(landing)
        if to:
            root.rename(to)
        else:
            shutil.rmtree(root)
        self.story = Story(Home(root, landing))


@pytest.fixture
def safe(story: Story, tmp_path: Path) -> Safe:
    return Safe(story, tmp_path / "safe")


def assert_intact(home: Home) -> None:
    """Every file of the lake that a table was made from is there, and the latest release is what was published."""
    with Warehouse(home).session("test") as connection:
        records = read_records(connection)
    assert records
    assert [name for made in records for name in damaged_files(home.root, made.files)] == []
    verified = stegvis_here("verify", home=home.root)
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_a_restored_home_is_the_one_that_was_backed_up(safe: Safe) -> None:
    before = safe.story.tables()
    done = stegvis_here("restore", safe.folder, "--key", safe.key, home=safe.target)
    assert done.returncode == 0, done.stderr
    restored = Story(Home(safe.target, safe.story.home.landing))
    assert_intact(restored.home)
    now = restored.tables()
    assert now.keys() == before.keys()
    for name in before:
        pd.testing.assert_frame_equal(now[name], before[name], obj=name)
    assert not [each for each in safe.target.iterdir() if each.name.startswith(".")]
    assert not safe.target.stat().st_mode & 0o077
    assert oct((safe.target / "home.key").stat().st_mode & 0o777) == "0o600"
    assert restored.steps() == []


def test_without_its_key_nothing_is_restored(safe: Safe, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(bytes(32))
    for arguments in ((), ("--key", other), ("--key", tmp_path / "none")):
        refused = stegvis_here("restore", safe.folder, *arguments, home=safe.target)
        assert refused.returncode == 1
        assert "key" in refused.stderr
        assert len(refused.stderr.splitlines()) == 1
        assert not safe.target.exists()


@pytest.mark.parametrize("what", ["altered", "missing", "manifest", "link", "newer"])
def test_a_damaged_backup_restores_nothing(safe: Safe, what: str) -> None:
    backup = open_backup(safe.folder)
    manifest = backup.folder / "manifest.json"
    if what == "altered":
        file = backup.content / "warehouse.duckdb"
        content = bytearray(file.read_bytes())
        content[-1] ^= 1
        file.write_bytes(content)
    elif what == "missing":
        (backup.content / "published.jsonl").unlink()
    elif what == "manifest":
        facts = json.loads(manifest.read_text())
        del facts["backup"]["files"]["published.jsonl"]
        manifest.write_text(json.dumps(facts))
    elif what == "link":
        facts = json.loads(manifest.read_text())
        facts["backup"]["links"]["study/x"] = "/etc/passwd"
        manifest.write_text(json.dumps(facts))
    else:
        facts = json.loads(manifest.read_text())
        facts["backup"]["format"] = 99
        manifest.write_text(json.dumps(facts))
    refused = stegvis_here("restore", safe.folder, "--key", safe.key, home=safe.target)
    assert refused.returncode == 1
    assert len([line for line in refused.stderr.splitlines() if "verified and copied" not in line]) == 1
    assert ("Install that version" in refused.stderr) == (what == "newer")
    assert not safe.target.exists()


def test_a_home_that_is_there_is_never_overwritten(safe: Safe) -> None:
    refused = stegvis_here("restore", safe.folder, "--key", safe.key, home=safe.story.home.root)
    assert refused.returncode == 1
    assert "is not empty" in refused.stderr
    (safe.target / "landing" / "baseline").mkdir(parents=True)
    assert stegvis_here("restore", safe.folder, "--key", safe.key, home=safe.target).returncode == 0
    assert (safe.target / "landing" / "baseline").is_dir()


def test_what_happened_since_must_be_known(safe: Safe) -> None:
    safe.lose_the_home()
    with pytest.raises(BackupError, match="--nothing-since"):
        safe.restore()
    assert not safe.target.exists()
    assert safe.restore(nothing_since=True).steps() == []


def test_a_home_that_was_restored_in_part_is_not_used(safe: Safe) -> None:
    restored = safe.restore()
    (restored.home.root / ".restoring").mkdir()
    refused = stegvis_here("status", home=restored.home.root)
    assert refused.returncode == 1
    assert "a restore of" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def nowhere(root: Path, person: str) -> bool:
    """Whether no file of a home holds an identifier, whether it lies in the lake, the warehouse or elsewhere."""
    files = [file for file in root.rglob("*") if file.is_file() and root / "landing" not in file.parents]
    return not any(person.encode() in file.read_bytes() for file in files)


@pytest.mark.parametrize(
    "known_from",
    [
        "the home",
        *(pytest.param(each, marks=pytest.mark.slow) for each in ("what is left of it", "a list", "landing zone")),
        pytest.param("newer backup", marks=pytest.mark.slow),
    ],
)
def test_whoever_withdrew_after_the_backup_is_erased_before_anything_else(
    safe: Safe, tmp_path: Path, known_from: str
) -> None:
    person = safe.story.table("select person from cohort order by person")["person"].iloc[7]
    assert not nowhere(open_backup(safe.folder).content, person)
    from stegvis.orchestration.withdraw import apply_withdrawals
    from stegvis.storage.landing import scan

    home = safe.story.home
    safe.story.withdraw("2031-01", [person])
    apply_withdrawals(home, scan(home.landing, home.hash_cache))
    options: dict[str, object] = {}
    if known_from == "newer backup":
        first = open_backup(safe.folder)
        back_up(home, safe.folder)
        safe.folder = first.folder
    if known_from != "landing zone":  # only there is the drop left
        (home.landing / "withdrawals" / "2031-01.csv").unlink()
        (home.landing / "withdrawals" / "2031-01.json").unlink()
    if known_from == "what is left of it":
        (home.root / "warehouse.duckdb").unlink()
        safe.lose_the_home(to=tmp_path / "left")
        options = {"records_from": [tmp_path / "left"]}
    elif known_from == "a list":
        shutil.copy(home.root / "withdrawals" / "list.jsonl", tmp_path / "list")
        safe.lose_the_home()
        options = {"records_from": [tmp_path / "list"]}
    elif known_from != "the home":
        safe.lose_the_home()
        options = {"nothing_since": True}
    restored = safe.restore(**options)
    assert nowhere(restored.home.root, person)
    assert person not in set(restored.table("select person from cohort")["person"])


def test_a_list_of_another_home_is_refused(safe: Safe, tmp_path: Path) -> None:
    (tmp_path / "list").write_text('{"key": "another"}\n{"person": "x", "drop": "y"}\n')
    with pytest.raises(BackupError, match="another home"):
        safe.restore(records_from=[tmp_path / "list"])
    (tmp_path / "list").write_text("person\n1001\n")
    with pytest.raises(BackupError, match="no list of withdrawals"):
        safe.restore(records_from=[tmp_path / "list"])
    assert not safe.target.exists()


@pytest.mark.slow
@pytest.mark.parametrize("left", ["releases", "names"])
def test_what_was_published_after_the_backup_is_not_published_again(safe: Safe, tmp_path: Path, left: str) -> None:
    story = safe.story
    story.drop("followup", "2024-2026", story.answers().iloc[::2], "questionnaire.csv")
    assert story.refresh().ok
    newest, numbers = story.release().name, attackers.read(story.release())
    # Late answers, which would change the numbers if the wave were published anew.
    story.drop("followup", "2024-2026.2", story.answers().iloc[1::6], "questionnaire.csv")
    if left == "names":
        shutil.rmtree(story.release())
    safe.lose_the_home(to=tmp_path / "left")
    restored = safe.restore(records_from=[tmp_path / "left"])
    done = restored.refresh()
    if left == "releases":
        assert_intact(restored.home)
        assert done.ok, done.failed
        assert (restored.home.releases / newest).is_dir()
        again = attackers.read(restored.release())
        pd.testing.assert_frame_equal(again[again["wave"] == "2024-2026"], numbers[numbers["wave"] == "2024-2026"])
    else:
        assert not done.ok
        assert newest in str(restored.status()["lost_releases"])
        waves = [json.loads(file.read_text())["waves"] for file in restored.home.releases.glob("*/manifest.json")]
        assert not [each for each in waves if "2024-2026" in each]


def test_no_release_is_made_without_a_published_wave_that_the_warehouse_lacks(story: Story) -> None:
    wave = "2021-2023"

    def why(expected: frozenset[str] = frozenset()) -> str:
        with open_instance(story.home) as instance:
            return "; ".join(hindrances(home_state(story.home, instance), expected))

    assert why() == ""
    with Warehouse(story.home).session("test") as connection:  # as one that was restored, or begun anew
        connection.execute("delete from published_origins")
        connection.execute("delete from materializations where table_name in ('disclosure', 'published_origins')")
    assert f"wave {wave} is in the newest release" in why()
    assert why(frozenset({f"disclosure[{wave}]"})) == ""
    # Retired: nothing delivers it any more, and other waves are delivered.
    followup = story.home.landing / "followup"
    shutil.copytree(followup / wave, followup / "2024-2026")
    for drop in followup.glob(f"{wave}*"):
        shutil.rmtree(drop)
    assert why() == ""


def test_an_altered_release_is_not_taken_over(safe: Safe, tmp_path: Path) -> None:
    releases = tmp_path / "releases"
    shutil.copytree(safe.story.home.releases, releases, symlinks=True)
    name = safe.story.release().name
    other = releases / name / "results.csv"
    other.chmod(0o600)
    other.write_text("wave\n")
    backup = open_backup(safe.folder)
    shutil.rmtree(safe.story.release())
    shutil.rmtree(safe.folder)
    back_up(safe.story.home, safe.folder)
    safe.lose_the_home()
    restored = Home(safe.target, safe.story.home.landing)
    done = restore(safe.folder, restored, safe.key, [releases])
    assert backup.manifest.key == open_backup(safe.folder).manifest.key
    assert "is not what was published" in " ".join(done.notes)
    assert not (restored.releases / name).exists()


def test_a_home_that_was_moved_is_the_same_home(story: Story, tmp_path: Path) -> None:
    back_up(story.home, tmp_path / "backups")
    moved = tmp_path / "moved" / "here"
    moved.parent.mkdir()
    os.rename(story.home.root, moved)  # noqa: PTH104
    there = Story(Home(moved, moved / "landing"))
    assert there.steps() == []
    assert_intact(there.home)
    back_up(there.home, tmp_path / "backups")


@pytest.mark.parametrize("command", [("status",), ("refresh",), ("verify",), ("backup", "elsewhere")])
def test_a_home_of_a_newer_version_is_refused_in_one_line(story: Story, command: tuple[str, ...]) -> None:
    (story.home.root / "home.json").write_text('{"format": 99, "by": "stegvis 7.0"}')
    refused = stegvis_here(*command, home=story.home.root)
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert len(refused.stderr.splitlines()) == 1
    assert "stegvis 7.0" in refused.stderr
    assert "Install that version" in refused.stderr
    (story.home.root / "home.json").write_text("{")
    assert "is damaged" in stegvis_here(*command, home=story.home.root).stderr

"""A landing zone in object storage: what is mirrored, what stays there, and when a drop is complete."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from stegvis.storage.home import Home, LandingAddressError
from stegvis.storage.landing import Drop, LandedFile, Landing, scan
from stegvis.storage.landing_mirror import FILE, UNATTENDED, MirroredObjects, is_stand_in, mirror_landing
from stegvis.storage.objects import ObjectStorageError
from stegvis.storage.remote_files import SCRATCH_VARIABLE, FaultyObjectError, local_files
from stegvis.storage.storage_settings import FILE as SETTINGS
from stegvis.storage.tasks import UnfitWorkerError
from tests.s3_server import BUCKET, Bucket, Trouble
from tests.small_disk import small_disk

RAW = bytes(range(256)) * 100


class Zone:
    """A home whose landing zone is a folder of the bucket, reached through the proxy."""

    def __init__(self, folder: Path, server: str, trouble: Trouble, name: str) -> None:
        self.bucket, self.prefix, self.trouble = Bucket(server), name, trouble
        self.home = Home(folder / "home", folder / "home" / "landing").create()
        self.said: list[str] = []
        (self.home.root / SETTINGS).write_text(
            f'landing = "s3://{BUCKET}/{name}"\n'
            f'[s3]\nendpoint = "{trouble.address}"\nattempts = 2\nwait = 0.01\nseconds = 5.0'
        )

    def put(self, name: str, content: bytes | str) -> None:
        self.bucket.put(f"{self.prefix}/{name}", content if isinstance(content, bytes) else content.encode())

    def complete(self, drop: str, **files: bytes) -> None:
        """Upload the files of a drop whose names end as given, and its manifest."""
        named = {name.replace("__", "."): content for name, content in files.items()}
        for name, content in named.items():
            self.put(f"{drop}/{name}", content)
        self.put(f"{drop}/drop.json", self.manifest(named))

    @staticmethod
    def manifest(files: dict[str, bytes]) -> str:
        return json.dumps({"files": {n: {"sha256": hashlib.sha256(c).hexdigest()} for n, c in files.items()}})

    def look(self) -> Landing:
        """Mirror and scan, as every command does; counts only its own requests."""
        self.trouble.asked.clear()
        self.said.clear()
        mirror_landing(self.home, self.said.append)
        return scan(self.home.landing, self.home.hash_cache)

    def mirrored(self) -> dict[str, int]:
        landing = self.home.landing
        return {f.relative_to(landing).as_posix(): f.stat().st_size for f in landing.rglob("*") if f.is_file()}


@pytest.fixture
def zone(tmp_path: Path, server: str, trouble: Trouble, request: pytest.FixtureRequest) -> Zone:
    return Zone(tmp_path, server, trouble, request.node.name)


def only(landing: Landing) -> Drop:
    (drop,) = landing.accepted
    assert landing.waiting + landing.rejected == []
    return drop


def file_of(drop: Drop, name: str) -> LandedFile:
    return next(file for file in drop.files if file.name == name)


def test_tables_are_copied_and_recordings_stay(zone: Zone, tmp_path: Path) -> None:
    zone.complete(
        "recordings/north",
        P2__csv=b"timestamp\n",
        days__csv=b"person\n",
        **{"P1_back__cwa": RAW, "P1_thigh__cwa": RAW[::-1]},
    )
    drop = only(zone.look())
    assert zone.mirrored() | {"recordings/north/drop.json": 0} == {
        "recordings/north/P1_back.cwa": 1024,
        "recordings/north/P1_thigh.cwa": 1024,
        "recordings/north/P2.csv": 0,
        "recordings/north/days.csv": 7,
        "recordings/north/drop.json": 0,
    }
    assert file_of(drop, "days.csv").content == zone.home.landing / "recordings/north/days.csv"
    back = file_of(drop, "P1_back.cwa")
    assert (zone.home.landing / "recordings/north/P1_back.cwa").read_bytes() == RAW[:1024]
    assert back.sha256 == hashlib.sha256(RAW).hexdigest()
    with local_files([back.content, file_of(drop, "P2.csv").content]) as (raw, signal):
        assert (raw.read_bytes(), signal.read_bytes()) == (RAW, b"timestamp\n")
        assert "P1" not in str(raw), "scratch names no person"
    assert not raw.parent.exists()
    assert is_stand_in(zone.home, zone.home.landing / "recordings/north")
    assert not is_stand_in(zone.home, tmp_path)
    assert b"P1" not in (zone.home.root / FILE).read_bytes(), "nor does what is recorded"


def test_only_what_is_new_is_read(zone: Zone) -> None:
    zone.complete("recordings/north", P1_back__cwa=RAW, P1_thigh__cwa=RAW)
    first = zone.look()
    assert zone.trouble.count("GET", "north/") == 3
    assert zone.look() == first
    assert zone.trouble.count("GET", "north/") == 0
    zone.complete("followup/2024", questionnaire__csv=b"person\n")
    assert len(zone.look().accepted) == 2
    assert zone.trouble.count("GET", "north/") == 0
    # Within the time for which a listing counts as new, nothing is asked.
    zone.trouble.asked.clear()
    mirror_landing(zone.home, fresh=UNATTENDED)
    assert zone.trouble.asked == []


def test_a_drop_is_complete_when_its_manifest_and_files_are_there(zone: Zone) -> None:
    files = {"P1_back.cwa": RAW, "P1_thigh.cwa": RAW}
    zone.put("recordings/north/P1_back.cwa", RAW)
    (waiting,) = zone.look().waiting
    assert [issue.rule for issue in waiting.issues] == ["no_manifest"]
    zone.put("recordings/north/drop.json", zone.manifest(files))
    (waiting,) = zone.look().waiting
    assert [issue.rule for issue in waiting.issues] == ["file_not_there_yet"]
    zone.put("recordings/north/P1_thigh.cwa", RAW)
    assert only(zone.look()).name == "north"
    zone.bucket.delete(f"{zone.prefix}/recordings/north/P1_back.cwa")
    (waiting,) = zone.look().waiting
    assert [issue.rule for issue in waiting.issues] == ["file_not_there_yet"]
    for name in ("P1_thigh.cwa", "drop.json"):
        zone.bucket.delete(f"{zone.prefix}/recordings/north/{name}")
    assert zone.look() == Landing()
    assert zone.mirrored() == {}


def test_a_table_that_is_not_what_its_manifest_says_is_rejected(zone: Zone) -> None:
    zone.complete("followup/2024", questionnaire__csv=b"person\n1\n")
    zone.put("followup/2024/questionnaire.csv", "person\n2\n")
    (rejected,) = zone.look().rejected
    assert [issue.rule for issue in rejected.issues] == ["hash_mismatch"]


def test_a_recording_that_is_not_what_its_manifest_says_is_found_when_it_is_read(zone: Zone) -> None:
    other = RAW[:-1] + b"!"
    zone.complete("recordings/north", P1_back__cwa=RAW, P1_thigh__cwa=RAW)
    zone.put("recordings/north/P1_thigh.cwa", other)
    thigh = file_of(only(zone.look()), "P1_thigh.cwa")
    with pytest.raises(FaultyObjectError) as caught, local_files([thigh.content]):
        pytest.fail("it must not be used")
    assert "P1" not in str(caught.value)
    MirroredObjects.of(zone.home.root).mark_faulty([caught.value.file])
    (rejected,) = zone.look().rejected
    assert [(issue.file, issue.rule) for issue in rejected.issues] == [("P1_thigh.cwa", "hash_mismatch")]
    # The right one is uploaded.
    zone.put("recordings/north/P1_thigh.cwa", RAW)
    with local_files([file_of(only(zone.look()), "P1_thigh.cwa").content]) as (raw,):
        assert raw.read_bytes() == RAW
    zone.bucket.delete(f"{zone.prefix}/recordings/north/P1_thigh.cwa")
    with pytest.raises(FaultyObjectError), local_files([thigh.content]):
        pytest.fail("it is gone")


def test_a_changed_object_is_noticed_while_it_is_used(zone: Zone) -> None:
    zone.complete("recordings/north", P1_back__cwa=RAW, P1_thigh__cwa=RAW)
    back = file_of(only(zone.look()), "P1_back.cwa")
    assert back.is_unchanged
    zone.put("recordings/north/P1_back.cwa", RAW[:-1] + b"!")  # the same size, second and header
    zone.look()
    assert not back.is_unchanged


def test_what_was_put_into_the_folder_by_hand_stays(zone: Zone) -> None:
    folder = zone.home.landing / "withdrawals"
    folder.mkdir()
    (folder / "june.csv").write_text("person\nP9\n")
    zone.complete("followup/2024", questionnaire__csv=b"person\n1\n")
    zone.put("withdrawals/june.csv", "person\nP8\n")
    zone.look()
    assert (folder / "june.csv").read_text() == "person\nP9\n"
    assert len(zone.said) == 1
    assert zone.said[0].startswith("withdrawals: a file put into the landing folder has the name of another object")
    # A lost record of what was mirrored does no harm.
    (zone.home.root / FILE).unlink()
    assert [drop.name for drop in zone.look().accepted] == ["2024"]
    zone.bucket.delete(f"{zone.prefix}/followup/2024/questionnaire.csv")
    zone.look()
    assert not (zone.home.landing / "followup/2024/questionnaire.csv").exists()
    assert (folder / "june.csv").exists()


def test_names_that_lead_out_of_the_folder_are_ignored(zone: Zone) -> None:
    for name in ("recordings/north/../../../evil.csv", "recordings/.hidden/x.csv", "recordings/a\\b.csv"):
        zone.put(name, "x")
    assert zone.look() == Landing()
    assert zone.mirrored() == {}
    assert not list(zone.home.root.rglob("evil*"))


def test_storage_that_fails_halfway_leaves_what_is_whole_and_goes_on(zone: Zone) -> None:
    zone.complete("followup/2024", questionnaire__csv=b"person\n1\n")
    zone.complete("recordings/north", P1_back__cwa=RAW, P1_thigh__cwa=RAW)
    zone.trouble.answer = lambda method, path: "500" if "P1_thigh" in path else "pass"
    with pytest.raises(ObjectStorageError, match=r"recordings/north/\*\.cwa: the object storage answered 500, tried 2"):
        zone.look()
    assert not [name for name in zone.mirrored() if name.endswith((".part", "drop.json"))], "no drop is complete"
    assert not scan(zone.home.landing, zone.home.hash_cache).accepted
    zone.trouble.answer = lambda method, path: "pass"
    assert len(zone.look().accepted) == 2


def test_what_a_killed_process_left_unfinished_goes(zone: Zone) -> None:
    zone.complete("followup/2024", questionnaire__csv=b"person\n1\n")
    zone.look()
    (zone.home.landing / "followup/2024/.0123456789abcdef.part").write_text("half")
    zone.look()
    assert set(zone.mirrored()) == {"followup/2024/questionnaire.csv", "followup/2024/drop.json"}


def test_a_recording_that_the_scratch_cannot_hold_is_for_another_worker(
    zone: Zone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = RAW * 100
    zone.complete("recordings/north", P1_back__cwa=large, P1_thigh__cwa=large)
    back = file_of(only(zone.look()), "P1_back.cwa")
    with small_disk(tmp_path / "scratch", 1):
        monkeypatch.setenv(SCRATCH_VARIABLE, str(tmp_path / "scratch"))
        with pytest.raises(UnfitWorkerError, match="the scratch disk is full"), local_files([back.content]):
            pytest.fail("it is larger than the disk")
        assert list((tmp_path / "scratch").iterdir()) == []
    monkeypatch.setenv(SCRATCH_VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(UnfitWorkerError, match=SCRATCH_VARIABLE), local_files([back.content]):
        pytest.fail("there is no such folder")


def test_an_address_in_the_place_of_a_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEGVIS_LANDING", "s3://study/landing")
    with pytest.raises(LandingAddressError, match=r"storage\.toml"):
        Home.find(tmp_path)

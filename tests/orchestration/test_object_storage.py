"""A home whose recordings and lake are in object storage, classified on a cluster that shares no folder with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from stegvis.orchestration.instance import open_instance
from stegvis.orchestration.monitoring.causes import causes
from stegvis.orchestration.refresh import Refresh
from stegvis.orchestration.withdraw import register
from stegvis.storage.home import Home
from stegvis.storage.objects import ObjectStorageError
from stegvis.storage.storage_settings import FILE as SETTINGS
from stegvis.storage.tasks import SCHEDULER_VARIABLE
from stegvis.twin.raw import write_raw_pair
from tests.orchestration.dagster_view import Automation
from tests.orchestration.raw_pairs import copies, empty_home
from tests.orchestration.story import Story
from tests.s3_server import BUCKET, Bucket, Trouble, proxy, s3_server
from tests.stegvis.storage.clusters import two_workers
from tests.study import CODEBOOK, PROTOCOL

pytestmark = pytest.mark.slow

# Long enough that no bytes of a compressed file are alike.
PEOPLE = ["PERSON-1", "PERSON-2"]
RAW = ".cwa"


class Site:
    """A home, the bucket with its deliveries and the copy of its lake, and the proxy in front of it."""

    def __init__(self, folder: Path, server: str, trouble: Trouble) -> None:
        self.folder, self.bucket, self.trouble = folder, Bucket(server), trouble
        self.story = self.home_on_a_new_machine("home")

    def home_on_a_new_machine(self, name: str) -> Story:
        """A home with these settings, and nothing else."""
        story = empty_home(self.folder / name)
        (story.home.root / SETTINGS).write_text(
            f'landing = "s3://{BUCKET}/landing"\nlake = "s3://{BUCKET}/lake"\n'
            f'[s3]\nendpoint = "{self.trouble.address}"\nattempts = 3\nwait = 0.05\nseconds = 20.0\n'
        )
        return story

    def deliver(self, batch: str, pair: Path, people: list[str]) -> None:
        """Upload a batch of raw pairs, each the same but for its name."""
        made = self.folder / "made" / batch
        copies(pair, made, people)
        self.bucket.upload(made, f"landing/recordings/{batch}")

    def refresh(self, story: Story | None = None) -> Refresh:
        self.trouble.asked.clear()
        return (story or self.story).refresh()

    def read_recordings(self) -> int:
        """How many requests read recordings, apart from their headers: a day's file is one block."""
        return self.trouble.count("GET", RAW)


def failed(done: Refresh) -> dict[str, str]:
    """What failed, and why; the baseline, of which nothing was delivered, apart."""
    return {asset: why for asset, _, why in done.failed if asset != "baseline_questionnaire"}


def recordings(story: Story) -> pd.DataFrame:
    return story.table("select batch, person, status, hours, shard from recordings order by batch, person")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good pair of a day."""
    folder = tmp_path_factory.mktemp("pair")
    write_raw_pair(folder, "P", 1, seed=19, protocol=PROTOCOL)
    return folder


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.delenv(SCHEDULER_VARIABLE, raising=False)
    with s3_server() as server, proxy(server) as trouble:
        yield Site(tmp_path, server, trouble)


def copied_lake(site: Site) -> list[str]:
    """The files of the copy of the lake, without their digests."""
    return [key.removeprefix("lake/").rpartition(".")[0] for key in site.bucket.keys("lake")]


def local_lake(home: Home) -> list[str]:
    files = [*(home.lake / "epochs").rglob("*"), *(home.lake / "recordings").rglob("*")]
    return sorted(file.relative_to(home.lake).as_posix() for file in files if file.is_file())


def test_from_the_bucket_over_a_cluster_to_the_bucket(
    site: Site, pair: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = site.story.home
    site.deliver("north", pair, PEOPLE)
    with two_workers(tmp_path) as address:
        monkeypatch.setenv(SCHEDULER_VARIABLE, address)
        assert failed(site.refresh()) == {}
        assert not list(tmp_path.glob("scratch-*/**/*.cwa")), "scratch is empty again"
    monkeypatch.delenv(SCHEDULER_VARIABLE)
    found = recordings(site.story)
    assert found["status"].to_list() == ["accepted"] * len(PEOPLE)
    # This machine has the headers only; the lake and its copy are equal.
    assert {file.stat().st_size for file in home.landing.rglob("*.cwa")} == {1024}
    assert copied_lake(site) == local_lake(home) != []
    # A batch that comes later costs itself.
    site.deliver("south", pair, ["Q1"])
    before = site.bucket.keys("lake")
    assert failed(site.refresh()) == {}
    assert len({path for method, path in site.trouble.asked if RAW in path}) == 2
    assert set(before) < set(site.bucket.keys("lake"))
    # A new machine: the warehouse and the lake are made again from the copy, and no recording is read.
    other = site.home_on_a_new_machine("other")
    assert failed(site.refresh(other)) == {}
    pd.testing.assert_frame_equal(recordings(other), recordings(site.story))
    assert local_lake(other.home) == local_lake(home)
    headers = 2 * (len(PEOPLE) + 1)
    assert site.read_recordings() == headers
    # Who withdraws is gone from the lake and from its copy.
    people = tmp_path / "gone.csv"
    people.write_text("person\nPERSON-2\n")
    register(home, people, CODEBOOK["withdrawals"])
    (gone,) = found.loc[found["person"] == "PERSON-2", "shard"]
    assert any(gone in key for key in site.bucket.keys("lake"))
    site.refresh()
    assert not any(gone in key for key in site.bucket.keys("lake"))
    assert copied_lake(site) == local_lake(home)
    assert not any(b"PERSON-2" in site.bucket.read(key) for key in site.bucket.keys("lake"))


def test_storage_that_fails_is_retried_then_reported_and_nothing_is_half_written(site: Site, pair: Path) -> None:
    home = site.story.home
    site.deliver("north", pair, PEOPLE[:2])
    # Every request fails the first time: nobody notices.
    asked: set[tuple[str, str]] = set()

    def second_time(method: str, path: str) -> str:
        known = (method, path) in asked
        asked.add((method, path))
        return "pass" if known else "500"

    site.trouble.answer = second_time
    assert failed(site.refresh()) == {}
    assert recordings(site.story)["status"].to_list() == ["accepted"] * 2
    # One recording cannot be read: the batch is not published, what is done is kept.
    site.deliver("south", pair, ["Q1", "Q2"])
    site.trouble.answer = lambda method, path: "500" if "Q2_thigh" in path and "recordings" in path else "pass"
    with pytest.raises(ObjectStorageError, match=r"south/\*\.cwa: the object storage answered 500, tried 3 times"):
        site.refresh()
    header_was_read = {"Q2_thigh": False}

    def after_the_header(method: str, path: str) -> str:
        if "Q2_thigh" not in path:
            return "pass"
        if not header_was_read["Q2_thigh"]:
            header_was_read["Q2_thigh"] = True
            return "pass"
        return "500"

    site.trouble.answer = after_the_header
    (why,) = set(failed(site.refresh()).values())
    assert f"s3://{BUCKET}/landing/recordings/south/*.cwa: the object storage answered 500, tried 3 times" in why
    assert "Q2" not in why
    assert recordings(site.story)["batch"].to_list() == ["north"] * 2
    assert copied_lake(site) == [name for name in local_lake(home) if "north" in name]
    # The state of the home is shown while nothing answers.
    site.trouble.answer = lambda method, path: "500"
    facts = site.story.status()
    assert "answered 500, tried 3 times" in facts["object_storage"]
    assert [each["batch"] for each in facts["batches"]] == ["north", "south"]
    assert facts["ok"] is False
    assert any(cause.sentence.startswith(f"FAILED object storage: s3://{BUCKET}/landing") for cause in causes(facts))
    with open_instance(home) as instance:
        daemon = Automation(home, instance)
        daemon.landing_tick()  # does not fail, and knows what was mirrored
        assert instance.get_dynamic_partitions("batch") == ["north", "south"]
    # Now the copy of the lake cannot be written: nothing is published without it.
    site.trouble.answer = lambda method, path: "500" if method == "PUT" else "pass"
    (why,) = set(failed(site.refresh()).values())
    assert "answered 500" in why
    assert not any("Q1" in path for _, path in site.trouble.asked), "the other one is not classified again"
    assert recordings(site.story)["batch"].to_list() == ["north"] * 2
    site.trouble.answer = lambda method, path: "pass"
    assert failed(site.refresh()) == {}
    assert not any("Q2" in path for _, path in site.trouble.asked)
    assert recordings(site.story)["status"].to_list() == ["accepted"] * 4
    assert copied_lake(site) == local_lake(home)


def test_a_recording_that_differs_rejects_its_drop_until_it_is_right(site: Site, pair: Path) -> None:
    site.deliver("north", pair, PEOPLE[:2])
    right = site.bucket.read("landing/recordings/north/PERSON-2_thigh.cwa")
    site.bucket.put("landing/recordings/north/PERSON-2_thigh.cwa", right[:-1] + b"!")
    (why,) = set(failed(site.refresh()).values())
    assert why.endswith("1 recordings in object storage are gone, or not the files that drop.json describes. Their "
                        "drop is rejected until they are uploaded again; stegvis status names them")  # fmt: skip
    (rejected,) = site.refresh().landing.rejected
    assert [issue.rule for issue in rejected.issues] == ["hash_mismatch"]
    site.bucket.put("landing/recordings/north/PERSON-2_thigh.cwa", right)
    assert failed(site.refresh()) == {}
    assert recordings(site.story)["status"].to_list() == ["accepted"] * 2
    assert not any("PERSON-1" in path for _, path in site.trouble.asked)

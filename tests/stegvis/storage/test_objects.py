"""Object storage: what is read and written, and what happens when it answers 500, late, half, or not at all."""

from __future__ import annotations

import hashlib
import pickle
import sys
import time
from pathlib import Path

import pytest

from stegvis.storage import objects
from stegvis.storage.objects import ObjectGoneError, ObjectStorageError, ObjectStore
from stegvis.storage.storage_settings import StorageSettings, storage_settings
from tests.s3_server import BUCKET, Bucket, Trouble


def store(address: str, prefix: str, **settings: float) -> ObjectStore:
    return ObjectStore(f"s3://{BUCKET}/{prefix}", address, **{"wait": 0.01, "seconds": 5.0, **settings})  # type: ignore[arg-type]


def test_objects_are_written_listed_read_and_deleted(server: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(objects, "BLOCK", 1000)
    place = store(server, "plain")
    assert place.objects() == {}
    content = bytes(range(256)) * 20
    place.within("a").write("b.bin", content)
    place.write("empty", b"")
    found = place.objects()
    assert {name: state.size for name, state in found.items()} == {"a/b.bin": 5120, "empty": 0}
    assert abs(found["a/b.bin"].modified - time.time()) < 60
    assert place.read("a/b.bin", 10, 300) == content[10:300]
    assert place.fetch("a/b.bin", 5120, tmp_path / "b") == hashlib.sha256(content).hexdigest()
    assert (tmp_path / "b").read_bytes() == content
    place.delete("a/b.bin")
    place.delete("a/b.bin")
    assert list(place.objects()) == ["empty"]
    again: ObjectStore = pickle.loads(pickle.dumps(place))
    assert list(again.objects()) == ["empty"]


def test_trouble_that_passes_is_not_noticed(trouble: Trouble, server: str, tmp_path: Path) -> None:
    content = b"0123456789" * 100
    Bucket(server).put("passing/x", content)
    for how in ("500", "short", "slow"):
        failures = iter([how, how])
        trouble.answer = lambda method, path, left=failures: next(left, "pass")  # type: ignore[misc]
        trouble.asked.clear()
        place = store(trouble.address, "passing", seconds=0.5)
        assert place.fetch("x", 1000, tmp_path / how) == hashlib.sha256(content).hexdigest(), how
        assert trouble.count("GET", "x") == 3


def test_trouble_that_stays_is_one_line_after_as_many_attempts_as_are_stated(
    trouble: Trouble, server: str, tmp_path: Path
) -> None:
    Bucket(server).put("staying/x", b"12345")
    for how, said in (
        ("500", "the object storage answered 500"),
        ("slow", "no answer within 0.5 s"),
        ("short", "the answer was cut short"),
    ):
        place = store(trouble.address, "staying", attempts=3, seconds=0.5)
        place.objects()  # so that it is connected
        trouble.answer = lambda method, path, how=how: how  # type: ignore[misc]
        trouble.asked.clear()
        with pytest.raises(
            ObjectStorageError, match=rf"^s3://{BUCKET}/staying/x: ({said}).*, tried 3 times in \d+ s\."
        ):
            place.fetch("x", 5, tmp_path / "x")
        assert trouble.count("GET") == 3, "nothing else retries"
        assert not (tmp_path / "x").exists()
        trouble.answer = lambda method, path: "pass"
    trouble.answer = lambda method, path: "500"
    trouble.asked.clear()
    with pytest.raises(ObjectStorageError, match="answered 500, tried 3 times"):
        place.write("y", b"half")
    assert trouble.count("PUT") == 3
    assert Bucket(server).keys("staying") == ["staying/x"]


def test_the_pauses_grow(trouble: Trouble) -> None:
    trouble.answer = lambda method, path: "500"
    begin = time.monotonic()
    with pytest.raises(ObjectStorageError):
        store(trouble.address, "pauses", attempts=4, wait=0.1).objects()
    assert time.monotonic() - begin >= 0.1 + 0.2 + 0.4


def test_what_does_not_help_is_not_tried_again(server: str, tmp_path: Path) -> None:
    with pytest.raises(ObjectGoneError, match="there is no such object"):
        store(server, "gone").fetch("recordings/b/P1_back.cwa", 5, tmp_path / "x")
    with pytest.raises(ObjectGoneError, match="bucket"):
        ObjectStore("s3://no-such-bucket/x", server).objects()
    with pytest.raises(ObjectStorageError, match=r"cannot be reached .*tried 2 times"):
        store("http://127.0.0.1:9", "nobody", attempts=2).objects()


def test_a_message_does_not_name_a_recording(server: str, tmp_path: Path) -> None:
    with pytest.raises(ObjectGoneError) as caught:
        store(server, "gone").fetch("recordings/b/P1_back.cwa", 5, tmp_path / "x")
    assert "P1" not in str(caught.value)
    assert f"s3://{BUCKET}/gone/recordings/b/*.cwa" in str(caught.value)


def test_without_the_packages_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    objects._filesystem.cache_clear()
    with pytest.raises(ObjectStorageError, match=r"pip install 'stegvis\[cluster\]'"):
        store("http://127.0.0.1:9", "x").objects()


def test_settings_are_read_and_faults_are_named(tmp_path: Path) -> None:
    assert storage_settings(tmp_path) == StorageSettings()
    file = tmp_path / "storage.toml"
    file.write_text(
        'landing = "s3://bucket/a"\nlake = "s3://bucket/b"\n[s3]\nendpoint = "http://10.0.0.1"\nattempts = 2'
    )
    found = storage_settings(tmp_path)
    assert found.landing == "s3://bucket/a"
    assert found.store("s3://bucket/a") == ObjectStore("s3://bucket/a", "http://10.0.0.1", 2)
    for text, said in (
        ('landing = "https://x/y"', "landing: String should match"),
        ('landnig = "s3://bucket/a"', "landnig: Extra inputs"),
        ("[s3]\nattempts = 0", r"s3\.attempts: Input should be greater"),
        ('landing = "s3://bucket/a"\nlake = "s3://bucket/a/lake"', "beside each other"),
        ("landing = ", "cannot be read"),
    ):
        file.write_text(text)
        with pytest.raises(ObjectStorageError, match=rf"storage\.toml.*{said}"):
            storage_settings(tmp_path)

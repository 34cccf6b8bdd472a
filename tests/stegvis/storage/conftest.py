"""A server of object storage, and a proxy in front of it that can fail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.s3_server import Trouble, proxy, s3_server


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with s3_server() as address:
        yield address


@pytest.fixture
def trouble(server: str) -> Iterator[Trouble]:
    with proxy(server) as found:
        yield found

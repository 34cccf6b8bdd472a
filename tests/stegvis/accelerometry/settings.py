"""The shipped protocol, and its sections that the tests pass on."""

from __future__ import annotations

from stegvis.accelerometry.method import Method
from tests.study import PROTOCOL

METHOD = Method.of(PROTOCOL)
EPOCHS = METHOD.epochs
SIZE, RATE_HZ = EPOCHS.samples_per_epoch, EPOCHS.sampling_rate_hz

"""The method by which recordings become epochs: its version, and the settings of the protocol that it uses.

Classifying raw recordings costs core-days, so their epochs do not become stale whenever code or a library changes. They
become stale when one of these changes: ``CLASSIFICATION_VERSION``, a value of ``Method``, the model file, the signal
layout of the codebook, or the delivered files. Nothing else may decide an epoch.
"""

from __future__ import annotations

from stegvis.study.protocol import (
    CalibrationRules,
    Epochs,
    Protocol,
    RawRecordings,
    SynchronizationRules,
    WalkingSpeed,
    WearRules,
)
from stegvis.study.settings import Section

# Raise this number in the same commit as any change that gives different epochs for the same files and settings:
# in reading, calibration, synchronization, wear, features, smoothing, walking speed, or in what the lake stores of an
# epoch; a lake in another layout is converted (``EpochLake.convert``).
# ``tests/stegvis/accelerometry/test_golden_recordings.py`` fails when epochs change, and says what to do. A change
# that only makes the code faster or clearer keeps the number. A new model or protocol value needs no new number.
CLASSIFICATION_VERSION = "4"


class Method(Section):
    """The sections of the protocol that decide epochs, as plain values that can be sent to a worker process."""

    epochs: Epochs
    walking_speed: WalkingSpeed
    raw_recordings: RawRecordings
    synchronization: SynchronizationRules
    calibration: CalibrationRules
    wear: WearRules

    @classmethod
    def of(cls, protocol: Protocol) -> Method:
        """The method that a protocol prescribes."""
        return cls.model_validate({name: protocol.value(name) for name in cls.model_fields})


# The names of these sections, for the fingerprint of a recording.
METHOD_SECTIONS: tuple[str, ...] = tuple(Method.model_fields)

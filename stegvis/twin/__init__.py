"""The synthetic twin: deliveries of a population that does not exist, drawn from a stated stochastic model.

The real cohort's data may not be copied out of its archive. The twin stands in for them, with the same files, columns,
codes, missingness and margins, and with a truth that is known. ``parameters.toml`` is the model, each number with its
source. The twin shares no rule with the pipeline it feeds: nothing here reads deliveries or estimates from them.
"""

from stegvis.twin.cohort import TooFewPeopleError
from stegvis.twin.deliveries import write_twin
from stegvis.twin.truth import Truth

__all__ = ["TooFewPeopleError", "Truth", "write_twin"]

"""The synthetic twin: deliveries of a population that does not exist, drawn from a stated stochastic model.

The real cohort's data cannot leave its archive; the twin stands in for them, with the same files, columns, codes,
missingness and margins, and with a truth that is known. ``parameters.toml`` is the model, each number with its source.

Belongs here: the model (``population``, ``walking``, ``outcome``, ``epochs``, ``signals``), its parameters and how they
are found (``calibrate``), what is true of it (``observed``, ``expected``), and the writer of deliveries
(``deliveries``). Does not belong here: anything that reads deliveries or estimates from them; the twin shares no rule
with the pipeline it feeds, so that each can be wrong only once.
"""

from stegvis.twin.deliveries import Truth, write_twin
from stegvis.twin.faults import TooFewPeopleError

__all__ = ["TooFewPeopleError", "Truth", "write_twin"]

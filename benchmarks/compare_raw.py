"""A raw pair of recordings, from files to epochs, beside ActiMotus, which classifies, and cwa-reader-rs, which reads.

python -m benchmarks --only raw [--days 1]
"""

from __future__ import annotations

from benchmarks.measure import Cost, Measure, Peer, alone, cheapest
from benchmarks.peers import INTERPRETER, Peers


def compare(peers: Peers, days: int, repeats: int) -> list[Measure]:
    """Files to epochs, by turns."""
    from benchmarks import raw_chain

    files = raw_chain.pair(days)
    ours, reading, classifying = list[Cost](), list[Cost](), list[Cost]()
    why = peers.missing("acti-motus")
    for _ in range(repeats):
        ours.append(_cost(raw_chain.alone("classification", files, 1)))
        reading.append(_cost(raw_chain.alone("peer", files, 1)))
        if not why:
            classifying.append(_cost(alone(raw_chain.actimotus, str(peers.interpreter), files)))
        print(f"  raw pair: {ours[-1].processor:.2f} s of processor", flush=True)
    how = f"python -m benchmarks.raw_chain --days {days} --peer {INTERPRETER}"
    return [
        Measure(
            "raw_pair",
            f"A raw pair of {days} day{'s' if days > 1 else ''}, from files to epochs",
            "Stegvis reads both files, calibrates, finds wear, synchronizes the clocks, resamples, classifies and "
            "measures pace. ActiMotus only classifies, the same signals after Stegvis has prepared them; cwa-reader-rs "
            "only reads the two files. One thread each.",
            how,
            cheapest(ours),
            [
                Peer("ActiMotus, classification only", how, cheapest(classifying) if classifying else None, why),
                Peer("cwa-reader-rs, reading only", how, cheapest(reading), yardstick=True),
            ],
        )
    ]


def _cost(found: dict[str, float]) -> Cost:
    return Cost(found["seconds"], found.get("wall"), found["megabytes"])

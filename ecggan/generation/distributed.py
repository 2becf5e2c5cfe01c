"""Draw a set on a Dask cluster, one part on each worker."""

from pathlib import Path
from typing import Any

from tqdm import tqdm

from ecggan.checkpoints.open import NAMED
from ecggan.compute.dask import DaskWorkers
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.generation.generate import generate_part
from ecggan.generation.resumable_set import num_drawn


def generate_on_workers(
    cluster: DaskWorkers, checkpoint: str | Path, num_records: int, *, out: str | Path, **arguments: Any
) -> ECGSet:
    """Draw a set of ECGs on a cluster: bit-identical to the set that [generate][ecggan.generate] draws on a CPU.

    If a worker is lost, another resumes its part from the journal.

    Args:
        cluster: its workers must see `checkpoint` and the place of `out` under the same names.
        checkpoint: as for [generate][ecggan.generate].
        num_records: of the set.
        out: a new folder for the set.
        arguments: the other arguments of [generate][ecggan.generate].

    Raises:
        Exception: as for [generate][ecggan.generate].
        OSError: the cluster was lost.
    """
    out = Path(out).resolve()
    if str(checkpoint) not in NAMED and Path(checkpoint).exists():
        checkpoint = Path(checkpoint).resolve()
    progress = arguments.pop("progress", True)
    num_parts = cluster.capacity
    parts = ((checkpoint, num_records, out, part, num_parts, arguments) for part in range(num_parts))
    notes = out.with_name(f"{out.name}.unfinished")
    with tqdm(total=num_records, unit="ECG", desc="generating", disable=not progress) as bar:

        def look() -> None:
            bar.update(min(num_drawn(notes), num_records) - bar.n)

        for _ in cluster.each(_draw_part, parts, while_waiting=look):
            look()
        bar.update(num_records - bar.n)
    return ECGSet.open(out)


def _draw_part(
    checkpoint: str | Path, num_records: int, out: Path, part: int, num_parts: int, arguments: dict[str, Any]
) -> None:
    generate_part(checkpoint, num_records, out=out, part=part, num_parts=num_parts, progress=False, **arguments)

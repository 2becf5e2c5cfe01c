"""Fit a beat transport to one's own ECGs: a trained generator draws ECGs like them after minutes, not days.

The run's folder is like that of a training, of two generators: epoch 0 is the one that was given, epoch 1 the same with
the transport. Both are compared with real ECGs that nothing was fitted on, so that where the transport is no gain,
``epoch=best`` is the generator as it was.
"""

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Int16

from ecggan.checkpoints.generator_file import TrainedGenerator, generator_contents, save_generator
from ecggan.checkpoints.open import open_generator
from ecggan.checkpoints.published import PUBLISHED
from ecggan.compute.workers import each
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.manifest import new_manifest
from ecggan.data.sets.training_records import KEY as TRAINED_ON
from ecggan.data.sets.training_records import encode_hashes, training_hashes
from ecggan.ecg import LARGEST_STORED_MV, MICROVOLTS_PER_MILLIVOLT, ECGFormat, to_microvolts
from ecggan.files.atomic import atomic_file
from ecggan.models.layers import folded
from ecggan.quoting import as_argument
from ecggan.run_folder import DISTANCE, RunFolder
from ecggan.stats.resampling import evenly_spaced
from ecggan.training.datamodule import ECGDataModule
from ecggan.training.provenance import RunRecord
from ecggan.training.resume import AUTO, resolve_resume_checkpoint
from ecggan.transport.beat_transport import BeatTransport, registered
from ecggan.transport.registered_beat import RegisteredECG

log = logging.getLogger(__name__)

_RECORDS_AT_A_TIME = 64
_BATCH = 16


@dataclass(frozen=True)
class FittedTransport:
    """What a fit came to.

    Attributes:
        folder: of the run.
        before: physiological distance of the generator's ECGs from the real ones held out.
        after: the same once they have passed through the transport.
        is_gain: whether the transport has the better checkpoint score, so that ``epoch=best`` draws with it.
    """

    folder: RunFolder
    before: float
    after: float
    is_gain: bool

    @property
    def distance(self) -> float:
        """That of ``epoch=best``."""
        return self.after if self.is_gain else self.before

    def __str__(self) -> str:
        folder = os.path.relpath(self.folder.path)
        best = (
            ""
            if self.is_gain
            else " The checkpoint score, in which recall counts too, is worse: epoch=best draws without the transport, "
            "epoch=1 with it."
        )
        return (
            f"Physiological distance {self.before:.3f} before, {self.after:.3f} after.{best} Saved to {folder}; draw "
            f"ECGs from it with: python generate.py {as_argument('run', folder)} out=DIR"
        )


def fit_transport(
    source: Callable[[], ECGSet],
    ecg: ECGFormat,
    folder: str | Path,
    *,
    init: str | None,
    weights: str,
    epoch: int | str,
    num_generated: int,
    num_compared: int,
    compare: Callable[[ECGSet, ECGSet, ECGSet | None], Mapping[str, int | float]],
    seed: int,
    num_workers: int | None,
    resume: str | None,
    out: str,
    record: Mapping[str, Any],
) -> FittedTransport:
    """Fit a transport from a generator's ECGs to real ones, and keep it with the generator.

    Args:
        source: gives the real ECGs; fitted on its training split.
        ecg: their format, which must be the generator's.
        folder: of the run.
        init: the generator: a run's folder or a file; "published" or None for the published one.
        weights: "ema" or "raw", of a run or a file.
        epoch: of a run's folder.
        num_generated: ECGs to draw for the fit.
        num_compared: ECGs to draw, others than these, for the comparison; of those moved, the ones that can be.
        compare: real, generated and training set -> figures, among them the physiological distance.
        seed: of the noise.
        num_workers: processes that find beats; None for one a core.
        resume: "auto" to leave a complete run as it is.
        out: what the user calls the folder, for messages.
        record: what ``run.json`` is to hold of this start.

    Raises:
        FileExistsError: the folder holds files.
        ValueError: the generator draws ECGs of another format or has a transport already, or too few ECGs can be
            registered; or `resume` is a training checkpoint, which a fit does not write.
    """
    run = RunFolder(folder)
    for name, number in (("num_generated", num_generated), ("num_compared", num_compared)):
        if number < 1:
            raise ValueError(f"method.{name} must be at least 1; got {number}")
    if resume not in (None, AUTO):
        raise ValueError(
            f"resume={resume}: a beat transport is fitted in minutes and has no training checkpoint to resume from; "
            "give that generator as init=…, or leave resume out"
        )
    init = PUBLISHED if init is None else init
    if resume == AUTO and run.epochs() == [0, 1] and len(run.curve()) == 2:
        return _fitted(run)
    resolve_resume_checkpoint(resume, run, out, check_folder=True)
    start = open_generator(init, weights, epoch)
    if start.ecg != ecg:
        raise ValueError(f"the generator {init} draws {start.ecg}; the real ECGs are {ecg}: change ecg=…")
    if start.transport is not None:
        raise ValueError(f"{init} has a beat transport already; give the generator that it was fitted on (epoch=0)")
    if start.conditions is not None:
        raise ValueError(
            f"{init} has conditions ({', '.join(start.conditions.names)}), which a beat transport knows nothing of; "
            "give a generator without"
        )
    noted = RunRecord(run.path, {**record, "resumed_from": None})
    noted.begin()
    with noted.until_the_end(epochs=1):
        data = ECGDataModule(source, ecg, batch_size=1, num_workers=0, seed=seed)
        data.prepare_data()
        data.setup("fit")
        assert data.train is not None
        noted.describe(data.ecgs, next(start.network.parameters()).device)
        real = _registered(data.train.millivolts(slice(None)), ecg, num_workers)
        drawn = _draw(start, num_generated + num_compared, seed)
        generated = _registered(drawn[:num_generated] / MICROVOLTS_PER_MILLIVOLT, ecg, num_workers)
        log.info("fitting on %d of %d real ECGs", len(real), len(data.train))
        transport = BeatTransport.fit(real, generated, ecg.leads)
        compared = drawn[num_generated:]
        found = (transport(one, ecg.sampling_rate) for one in compared / MICROVOLTS_PER_MILLIVOLT)
        moved = [one for one in found if one is not None]
        if not moved:
            raise ValueError(f"none of the {num_compared} ECGs to compare can be moved; raise method.num_compared")
        after = to_microvolts(np.stack(moved).clip(-LARGEST_STORED_MV, LARGEST_STORED_MV))
        reference = data.reference()
        reference = reference.subset(evenly_spaced(len(reference), num_compared))
        training = None if data.validation is None else data.train
        rows = [
            {"epoch": i, **compare(reference, _generated_set(microvolts, ecg, seed), training)}
            for i, microvolts in enumerate((compared, after))
        ]
        run.checkpoints.mkdir(parents=True, exist_ok=True)
        with atomic_file(run.curve_path) as file:  # before the generators, whose second says that the run is complete
            pd.DataFrame(rows).to_csv(file, index=False)
        _keep(run, start, transport, data.train, {"transport_seed": seed, "transport_init": init})
    return _fitted(run)


def _keep(
    run: RunFolder, start: TrainedGenerator, transport: BeatTransport, train: ECGSet, facts: dict[str, Any]
) -> None:
    computed = ("checkpoint", "weights_sha256", TRAINED_ON)
    before = {key: value for key, value in start.description.items() if key not in computed}
    hashes = training_hashes(start.description)
    arrays = {name: torch.from_numpy(array) for name, array in transport.arrays().items()}
    for epoch, (seen, arrays_or_none) in enumerate(((hashes, None), (hashes | set(train.hashes()), arrays))):
        trained = {"started_from": before, **facts, **({TRAINED_ON: encode_hashes(seen)} if seen else {})}
        contents = generator_contents(start.network, start.network, start.ecg, trained, arrays_or_none)
        save_generator(run.generator_path(epoch), contents)


def _fitted(run: RunFolder) -> FittedTransport:
    before, after = run.curve().set_index("epoch")[DISTANCE].loc[[0, 1]]
    return FittedTransport(run, float(before), float(after), run.best_epoch() == 1)


def _draw(start: TrainedGenerator, count: int, seed: int) -> Int16[np.ndarray, "record lead time"]:
    rng, network, drawn = torch.Generator().manual_seed(seed), folded(start.network), []
    shape = start.network.latent_shape
    assert isinstance(shape, tuple)
    with torch.inference_mode():
        for first in range(0, count, _BATCH):
            noise = torch.rand((min(_BATCH, count - first), *shape), generator=rng) * 2 - 1
            drawn.append(start.ecg.from_network(network(noise)).to(torch.int16).numpy())
    return np.concatenate(drawn)


def _registered(millivolts: np.ndarray, ecg: ECGFormat, num_workers: int | None) -> list[RegisteredECG]:
    starts = range(0, len(millivolts), _RECORDS_AT_A_TIME)
    tasks = ((millivolts[first : first + _RECORDS_AT_A_TIME], ecg.sampling_rate) for first in starts)
    return [one for some in each(registered, tasks, len(starts), num_workers) for one in some]


def _generated_set(microvolts: np.ndarray, ecg: ECGFormat, seed: int) -> ECGSet:
    made_by = {"how": "drawn in training", "seed": seed}
    manifest = new_manifest(ecg.leads, ecg.sampling_rate, ecg.num_samples, "generated", made_by)
    return ECGSet.in_memory(microvolts, [{"record": str(i)} for i in range(len(microvolts))], manifest)

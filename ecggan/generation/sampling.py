"""Seeds to noise, noise to ECGs, ECGs to a set.

Record k of a set is drawn from noise that depends on (seed, k) alone, so a set is the same whatever the batch size,
and any of its records can be made again.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int16
from torch import Tensor, nn
from tqdm import tqdm

from ecggan.atomic import require_new_folder
from ecggan.data.ecg_set import ECGSet, create_ecg_set, new_manifest
from ecggan.ecg import EIGHT_LEADS, TWELVE_LEADS, ECGFormat, select_leads
from ecggan.generation.checkpoints import open_generator

LARGEST_SEED = 2**63 - 1


def draw_noise(latent_shape: Sequence[int], seed: int, indices: Sequence[int]) -> Float[Tensor, "batch ..."]:
    """Noise uniform on [−1, 1), one independent stream for each (seed, index).

    Philox is a counter-based generator: its key is the pair itself, and no two pairs share a stream. It runs on the
    CPU, so that the noise is the same on every device.

    Source: Salmon et al. 2011, Parallel random numbers: as easy as 1, 2, 3.
    """
    noise = np.empty((len(indices), *latent_shape), dtype=np.float32)
    for row, index in zip(noise, indices, strict=True):
        key = np.array([seed, index], dtype=np.uint64)
        np.random.Generator(np.random.Philox(key=key)).random(dtype=np.float32, out=row)
    return torch.from_numpy(noise).mul_(2).sub_(1)


def draw(
    network: nn.Module, ecg: ECGFormat, seed: int, indices: Sequence[int], batch_size: int, device: torch.device
) -> Iterator[Int16[np.ndarray, "batch lead time"]]:
    """Yield ECGs in µV, a batch at a time, in the order of the indices.

    Values are cut towards zero to whole µV, as the published generator does, so that its output is ours.
    """
    network = network.to(device).eval()
    latent_shape = network.latent_shape
    assert isinstance(latent_shape, tuple)
    for start in range(0, len(indices), batch_size):
        noise = draw_noise(latent_shape, seed, indices[start : start + batch_size]).to(device)
        with torch.inference_mode():
            output = network(noise)
            if not torch.isfinite(output).all():
                raise ValueError("the generator draws NaN: its training diverged; take an earlier checkpoint")
            yield ecg.from_network(output).to(torch.int16).cpu().numpy()


def generate(
    checkpoint: str | Path,
    num_records: int | None = None,
    seed: int = 0,
    *,
    indices: Sequence[int] | None = None,
    leads: int | Sequence[str] | None = None,
    weights: str = "ema",
    epoch: int | str = "best",
    ecg: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    batch_size: int = 64,
    device: str = "auto",
    progress: bool = True,
) -> ECGSet:
    """Draw a set of ECGs.

    Args:
        checkpoint: "published" (the paper's Pulse2Pulse), a run's folder, or a file of any layout that
            [open_generator][ecggan.generation.checkpoints.open_generator] knows.
        num_records: how many; they have the indices 0, 1, 2 …
        seed: another seed, another set.
        indices: instead of `num_records`: these records of the set alone.
        leads: 8, 12 (III, aVR, aVL and aVF derived), or names; None for the network's own.
        weights: the generator's moving average over training ("ema"), or its last state ("raw").
        epoch: of a run's folder: a number, "last", or "best", whose ECGs were nearest to real ones while it trained.
        ecg: what a checkpoint of others does not say of its ECGs, e.g. ``{"full_scale_mv": 1.0}``.
        out: a new folder for the set. None keeps it in memory (80 kB a record).
        batch_size: records drawn at once; it changes the speed, not the set.
        device: "auto" (a GPU if there is one), "cpu", "cuda", "cuda:1", "mps".
        progress: show a progress bar.

    Raises:
        FileNotFoundError: no such checkpoint.
        FileExistsError: `out` is there already. Nothing is overwritten.
        ValueError: an argument out of range, named in the message, or a generator that draws NaN.
    """
    if (num_records is None) == (indices is None):
        raise ValueError("give either num_records or indices")
    if indices is not None and (len(indices) == 0 or min(indices) < 0 or len(set(indices)) != len(indices)):
        raise ValueError("indices must be at least one whole number, none below 0 and none twice")
    for name, number, least in (("num_records", num_records, 1), ("seed", seed, 0), ("batch_size", batch_size, 1)):
        if number is not None and not (_is_whole(number) and least <= number <= LARGEST_SEED):
            raise ValueError(f"{name} must be a whole number, at least {least} and below 2^63; got {number!r}")
    seed = int(seed)
    if out is not None:
        require_new_folder(out)
    chosen: Sequence[int] = range(num_records or 0) if indices is None else list(indices)
    trained = open_generator(checkpoint, weights, epoch, ecg)
    drawn, names = trained.ecg, _lead_names(leads, trained.ecg)
    where = _device(device)
    made_by = {
        "how": "generated",
        "seed": seed,
        "torch": torch.__version__,
        "device": where.type,
        **trained.description,
    }

    def chunks() -> Iterator[tuple[np.ndarray, list[dict[str, object]]]]:
        with tqdm(total=len(chosen), unit="ECG", desc="generating", disable=not progress) as bar:
            done = 0
            for signals in draw(trained.network, drawn, seed, chosen, batch_size, where):
                batch = chosen[done : done + len(signals)]
                yield select_leads(signals, drawn.leads, names), [_row(seed, index) for index in batch]
                done += len(signals)
                bar.update(len(signals))

    if out is None:
        manifest = new_manifest(names, drawn.sampling_rate, drawn.num_samples, "generated", made_by)
        signals, rows = zip(*chunks(), strict=True)
        return ECGSet.in_memory(np.concatenate(signals), [row for batch in rows for row in batch], manifest)
    with create_ecg_set(out, names, drawn.sampling_rate, drawn.num_samples, "generated", made_by) as writer:
        for microvolts, batch_rows in chunks():
            writer.append(microvolts, batch_rows)
    return ECGSet.open(out, check_hashes=False)


def _is_whole(number: object) -> bool:
    return isinstance(number, int | np.integer) and not isinstance(number, bool)


def _row(seed: int, index: int) -> dict[str, object]:
    return {"record": f"seed{seed}_{index:06d}", "seed": seed, "index": index}


def _lead_names(leads: int | Sequence[str] | None, ecg: ECGFormat) -> tuple[str, ...]:
    if leads is None:
        return tuple(ecg.leads)
    if _is_whole(leads):
        if leads not in (8, 12):
            raise ValueError(f"leads must be 8, 12, or a list of names; got {leads}")
        return EIGHT_LEADS if leads == 8 else TWELVE_LEADS
    assert not isinstance(leads, int)
    names = (leads,) if isinstance(leads, str) else tuple(leads)
    if not names or len(set(names)) != len(names):
        raise ValueError(f"leads must be 8, 12, or distinct names; got {list(names)}")
    return names


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"device {name!r} cannot be used here: {str(error).splitlines()[0]}") from error
    return device

"""From an ECG set to training batches.

A batch is transferred as µV in 16 bits, half the size of the network's numbers, and converted on the device. If the
accelerator has room, it holds the whole training split (579 MB for the paper's 7,233 records), and only indices are
transferred.
"""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from jaxtyping import Float32, Int64
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torch.utils.data.distributed import DistributedSampler

from ecggan import checks
from ecggan.data.sets.conditions import Conditions, condition_table
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import ECGFormat

log = logging.getLogger(__name__)

_RECORDS_AT_A_TIME = 256
_MOST_OF_FREE = 0.25  # of the free memory of the accelerator, or of the memory of the machine


class MappedRecords(Dataset):
    """The records of a set in µV, read from disk one batch at a time, with their conditions if there are any."""

    def __init__(self, ecgs: ECGSet, encoded: Float32[Tensor, "record value"] | None = None) -> None:
        self.ecgs, self.encoded = ecgs, encoded

    def __len__(self) -> int:
        return len(self.ecgs)

    def __getitems__(self, indices: Sequence[int]) -> Tensor | tuple[Tensor, Tensor]:
        microvolts = torch.from_numpy(self.ecgs.microvolts(list(indices)))
        return microvolts if self.encoded is None else (microvolts, self.encoded[list(indices)])


class RecordNumbers(Dataset):
    """The indices of records held on the device."""

    def __init__(self, num_records: int) -> None:
        self.num_records = num_records

    def __len__(self) -> int:
        return self.num_records

    def __getitems__(self, indices: Sequence[int]) -> Int64[Tensor, " batch"]:
        return torch.tensor(list(indices))


class EpochOrder(DistributedSampler):
    """The order of the records in an epoch, from (seed, epoch) alone: a resumed training reads the same batches.

    Used on one device too. Lightning sets the epoch.

    Attributes:
        already_seen: the number of records of this device that the next pass skips, in an interrupted epoch.
    """

    already_seen = 0

    def __iter__(self) -> Iterator[int]:
        order = list(super().__iter__())[self.already_seen :]
        self.already_seen = 0
        return iter(order)


class ECGDataModule(pl.LightningDataModule):
    """The training split of a source, in batches.

    Args:
        source: returns the set; called once a node to prepare it (packing, downloading), then by each process.
        ecg: the format of the networks; the set must have it.
        batch_size: records a batch and device.
        num_workers: processes that read ahead; 0 reads in the training process. So is a set of at most a quarter of the
            memory, a batch of which is read in less time than its transfer between processes takes.
        seed: of the order of the records.
        on_device: keep the training split on the accelerator: True, False, or "auto", if it takes at most a quarter
            of the accelerator's free memory. It changes the speed, not the batches.
        conditions: that the networks take; a batch is then the records and the conditions of each.
    """

    def __init__(
        self,
        source: Callable[[], ECGSet],
        ecg: ECGFormat,
        batch_size: int,
        num_workers: int,
        seed: int,
        on_device: bool | str = "auto",
        conditions: Conditions | None = None,
    ) -> None:
        super().__init__()
        checks.whole_number("batch_size", batch_size, at_least=1)
        if on_device not in (True, False, "auto"):
            raise ValueError(f"on_device must be true, false or auto; got {on_device!r}")
        self.source = source
        self.ecg = ecg
        self.batch_size = batch_size
        self.num_workers = num_workers
        self.seed = seed
        self.on_device = on_device
        self.conditions = conditions
        self._on_device: Tensor | None = None  # (record, lead, time) int16, µV
        self._encoded: Tensor | None = None  # (record, value), on the device too if the records are
        self.ecgs: ECGSet | None = None  # with all its splits
        self.train: ECGSet | None = None
        self.validation: ECGSet | None = None
        self._prepared: ECGSet | None = None

    def prepare_data(self) -> None:
        self._prepared = self.source()

    def setup(self, stage: str) -> None:
        ecgs = self.source() if self._prepared is None else self._prepared
        found = (ecgs.leads, ecgs.sampling_rate, ecgs.num_samples)
        wanted = (self.ecg.leads, self.ecg.sampling_rate, self.ecg.num_samples)
        if found != wanted:
            raise ValueError(
                f"{ecgs.path} has (leads, Hz, samples) = {found}; the networks are set up for {wanted}; change ecg=…"
            )
        self.ecgs = ecgs
        # The user splits a set without splits: all of it is for training.
        self.train = ecgs.where_split("train") if "split" in ecgs.records else ecgs
        held_out = "split" in ecgs.records and (ecgs.records["split"] == "validation").any()
        self.validation = ecgs.where_split("validation") if held_out else None
        log.info("training on %d of the %d records of %s", len(self.train), len(ecgs), ecgs.path)
        if self.trainer is None or self.trainer.is_global_zero:  # reads the whole set, once
            self._warn_beyond_full_scale(self.train)

    def encoded(self, ecgs: ECGSet) -> Float32[Tensor, "record value"] | None:
        """The conditions of records in numbers; None for networks without."""
        if self.conditions is None:
            return None
        table = condition_table(ecgs.records, self.conditions.names, str(ecgs.path))
        return torch.from_numpy(self.conditions.encode(table))

    def reference(self) -> ECGSet:
        """The real ECGs for comparisons while training: the validation split, or else the training records."""
        assert self.train is not None
        if self.validation is None:
            log.info("there is no validation split: generated ECGs are compared with the training records")
            return self.train
        return self.validation

    def _warn_beyond_full_scale(self, ecgs: ECGSet) -> None:
        largest = np.zeros(len(ecgs))
        beyond = 0
        for batch in ecgs.batches(_RECORDS_AT_A_TIME):
            network = np.abs(self.ecg.to_network(ecgs.microvolts(batch)))
            largest[batch] = network.max(axis=(1, 2))
            beyond += int((network > 1).sum())
        if beyond:
            log.warning(
                "%d of %d records reach beyond full scale, %g mV (the largest %.2f mV; %.2g %% of all samples): the "
                "generator cannot draw that; leave them out (quality.max_amplitude_mv) or raise ecg.full_scale_mv",
                (largest > 1).sum(),
                len(ecgs),
                self.ecg.full_scale_mv,
                largest.max() * self.ecg.full_scale_mv,
                100 * beyond / (len(ecgs) * len(ecgs.leads) * ecgs.num_samples),
            )

    def train_dataloader(self) -> DataLoader:
        assert self.train is not None
        self._on_device = self._move_to_device(self.train)
        encoded = self.encoded(self.train)
        records: Dataset = RecordNumbers(len(self.train))
        if self._on_device is None:
            records = MappedRecords(self.train, encoded)
        elif encoded is not None:
            self._encoded = encoded.to(self._on_device.device)
        num_workers = self.num_workers if self._on_device is None and not _fits_in_memory(self.train) else 0
        world_size, rank, batches_seen = 1, 0, 0
        if self.trainer is not None:
            world_size, rank = self.trainer.world_size, self.trainer.global_rank
            progress = self.trainer.fit_loop.epoch_loop.batch_progress
            at_an_end = progress.is_last_batch and progress.current.ready == progress.current.completed
            if self.trainer.fit_loop.restarting and not at_an_end:  # stopped within an epoch
                batches_seen = progress.current.completed
        order = EpochOrder(records, world_size, rank, shuffle=True, seed=self.seed)
        # A smaller last batch would weigh its records more; a set smaller than a batch is used whole.
        drop_last = len(order) >= self.batch_size
        order.already_seen = batches_seen * self.batch_size
        return DataLoader(
            records,
            batch_size=self.batch_size,
            sampler=order,
            drop_last=drop_last,
            num_workers=num_workers,
            persistent_workers=num_workers > 0,
            collate_fn=_identity,
            pin_memory=torch.accelerator.is_available(),
        )

    def on_after_batch_transfer(
        self, batch: Tensor | Sequence[Tensor], dataloader_idx: int
    ) -> Float32[Tensor, "batch lead time"] | tuple[Tensor, Tensor]:
        """The batch on the device, in the network's range; with conditions, they and the conditions of each."""
        if self._on_device is not None:
            assert isinstance(batch, Tensor)
            condition = None if self._encoded is None else self._encoded[batch]
            microvolts = self._on_device[batch]
        else:
            microvolts, condition = (batch, None) if isinstance(batch, Tensor) else batch
        ecg = self.ecg.to_network(microvolts.float())
        return ecg if condition is None else (ecg, condition)

    def _move_to_device(self, ecgs: ECGSet) -> Tensor | None:
        """The records on the device, or None if they stay on disk."""
        device = torch.device("cpu") if self.trainer is None else self.trainer.strategy.root_device
        needed = len(ecgs) * len(ecgs.leads) * ecgs.num_samples * 2
        wanted = self.on_device
        if wanted == "auto":
            wanted = device.type == "cuda" and needed <= _MOST_OF_FREE * torch.cuda.mem_get_info(device)[0]
        if not wanted:
            return None
        log.info("the training records, %.0f MB, are kept on %s", needed / 1e6, device)
        moved = torch.empty((len(ecgs), len(ecgs.leads), ecgs.num_samples), dtype=torch.int16, device=device)
        for batch in ecgs.batches(_RECORDS_AT_A_TIME):
            moved[batch] = torch.from_numpy(ecgs.microvolts(batch)).to(device)
        return moved


def _fits_in_memory(ecgs: ECGSet) -> bool:
    """Whether the page cache can hold the mapped records; reading ahead would then cost more than it saves."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not on every system
        return False
    return len(ecgs) * len(ecgs.leads) * ecgs.num_samples * 2 <= _MOST_OF_FREE * memory


def _identity(batch: Any) -> Any:
    return batch  # __getitems__ has returned a tensor

"""From an ECG set to the batches that a network learns from."""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from jaxtyping import Float32
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torch.utils.data.distributed import DistributedSampler

from ecggan.data.ecg_set import ECGSet
from ecggan.ecg import ECGFormat

log = logging.getLogger(__name__)

_RECORDS_AT_A_TIME = 256


class NetworkRecords(Dataset):
    """The records of a set in the network's range; a whole batch is read at once."""

    def __init__(self, ecgs: ECGSet, ecg: ECGFormat) -> None:
        self.ecgs = ecgs
        self.ecg = ecg

    def __len__(self) -> int:
        return len(self.ecgs)

    def __getitems__(self, indices: Sequence[int]) -> Float32[Tensor, "batch lead time"]:
        return self.ecg.to_network(torch.from_numpy(self.ecgs.microvolts(list(indices))).float())

    def __getitem__(self, index: int) -> Float32[Tensor, "lead time"]:
        return self.__getitems__([index])[0]


class EpochOrder(DistributedSampler):
    """The order of the records in an epoch, from (seed, epoch) alone: a resumed training reads what it would have read.

    On one device too. Lightning tells it the epoch.

    Attributes:
        already_seen: records of this device that the next pass leaves out; those of an epoch begun before.
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
        ecg: what the networks expect; the set must agree.
        batch_size: records a batch and device.
        num_workers: processes that read ahead; 0 reads in the training process.
        seed: of the order of the records.
    """

    def __init__(
        self, source: Callable[[], ECGSet], ecg: ECGFormat, batch_size: int, num_workers: int, seed: int
    ) -> None:
        super().__init__()
        if not isinstance(batch_size, int) or batch_size < 1:
            raise ValueError(f"batch_size must be a whole number, at least 1; got {batch_size!r}")
        self.source = source
        self.ecg = ecg
        self.batch_size = batch_size
        self.num_workers = num_workers
        self.seed = seed
        self.ecgs: ECGSet | None = None  # with all its splits
        self.train: ECGSet | None = None
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
        # A set without splits is one that the user has split: all of it is for training.
        self.train = ecgs.where_split("train") if "split" in ecgs.records else ecgs
        log.info("training on %d of the %d records of %s", len(self.train), len(ecgs), ecgs.path)
        if self.trainer is None or self.trainer.is_global_zero:  # once is enough to read the whole set
            self._report_what_cannot_be_drawn(self.train)

    def _report_what_cannot_be_drawn(self, ecgs: ECGSet) -> None:
        largest = np.zeros(len(ecgs))
        beyond = 0
        for start in range(0, len(ecgs), _RECORDS_AT_A_TIME):
            network = np.abs(self.ecg.to_network(ecgs.microvolts(slice(start, start + _RECORDS_AT_A_TIME))))
            largest[start : start + len(network)] = network.max(axis=(1, 2))
            beyond += int((network > 1).sum())
        if beyond:
            log.warning(
                "%d of %d records reach beyond full scale, %g mV (the largest %.2f mV; %.2g %% of all samples): the "
                "generator cannot draw that; leave them out (data.quality) or raise ecg.full_scale_mv",
                (largest > 1).sum(),
                len(ecgs),
                self.ecg.full_scale_mv,
                largest.max() * self.ecg.full_scale_mv,
                100 * beyond / (len(ecgs) * len(ecgs.leads) * ecgs.num_samples),
            )

    def train_dataloader(self) -> DataLoader:
        assert self.train is not None
        records = NetworkRecords(self.train, self.ecg)
        world_size, rank, batches_seen = 1, 0, 0
        if self.trainer is not None:
            world_size, rank = self.trainer.world_size, self.trainer.global_rank
            progress = self.trainer.fit_loop.epoch_loop.batch_progress
            at_an_end = progress.is_last_batch and progress.current.ready == progress.current.completed
            if self.trainer.fit_loop.restarting and not at_an_end:  # it was stopped within an epoch
                batches_seen = progress.current.completed
        order = EpochOrder(records, world_size, rank, shuffle=True, seed=self.seed)
        # A last, smaller batch would weigh its records more; but a set smaller than a batch is used as it is.
        drop_last = len(order) >= self.batch_size
        order.already_seen = batches_seen * self.batch_size
        return DataLoader(
            records,
            batch_size=self.batch_size,
            sampler=order,
            drop_last=drop_last,
            num_workers=self.num_workers,
            persistent_workers=self.num_workers > 0,
            collate_fn=_as_it_is,
            pin_memory=torch.accelerator.is_available(),
        )


def _as_it_is(batch: Any) -> Any:
    return batch  # __getitems__ has made a tensor of it

import logging
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from ecggan.data.datamodule import ECGDataModule, NetworkRecords
from ecggan.data.ecg_set import ECGSet, new_manifest
from ecggan.ecg import EIGHT_LEADS, ECGFormat


@pytest.fixture
def split_set() -> ECGSet:
    """Ten records of a constant each, 100 to 1000 µV; seven for training."""
    microvolts = np.repeat(np.arange(100, 1100, 100, dtype=np.int16), 8 * 2500).reshape(10, 8, 2500)
    splits = ["train"] * 7 + ["validation", "test", "test"]
    rows = [{"record": str(i), "split": split} for i, split in enumerate(splits)]
    return ECGSet.in_memory(microvolts, rows, new_manifest(EIGHT_LEADS, 500, 2500, "real", {}))


ECG = ECGFormat(EIGHT_LEADS, 500, 2500, 6.0)


def module(ecgs: ECGSet, batch_size: int = 3, ecg: ECGFormat = ECG) -> ECGDataModule:
    data = ECGDataModule(lambda: ecgs, ecg, batch_size, num_workers=0, seed=0)
    data.prepare_data()
    data.setup("fit")
    return data


def test_batches_are_training_records_in_the_networks_range(split_set):
    batches = list(module(split_set).train_dataloader())
    assert [tuple(batch.shape) for batch in batches] == [(3, 8, 2500)] * 2
    seen = {round(float(record[0, 0]) * 6000) for batch in batches for record in batch}
    assert len(seen) == 6
    assert seen <= set(range(100, 800, 100))


def test_a_set_smaller_than_a_batch_is_used_as_it_is(split_set):
    (batch,) = module(split_set, batch_size=32).train_dataloader()
    assert len(batch) == 7


def test_a_set_without_splits_is_all_for_training(split_set):
    whole = ECGSet.in_memory(
        split_set.microvolts(), split_set.records[["record"]].to_dict("records"), split_set.manifest
    )
    data = module(whole)
    assert data.train is not None
    assert len(data.train) == 10


def test_the_order_is_repeated_by_the_seed(split_set):
    first, second = (torch.cat(list(module(split_set).train_dataloader())) for _ in range(2))
    assert torch.equal(first, second)


def test_network_and_millivolts_agree(split_set):
    network = NetworkRecords(split_set, ECG)[9]
    assert float(network[0, 0]) * ECG.full_scale_mv == pytest.approx(split_set.millivolts([9])[0, 0, 0])


def test_a_set_of_another_shape_is_refused(split_set):
    with pytest.raises(ValueError, match=r"networks are set up for .*5000"):
        module(split_set, ecg=ECGFormat(EIGHT_LEADS, 500, 5000, 6.0))


def test_a_batch_size_below_one_is_refused(split_set):
    with pytest.raises(ValueError, match="batch_size must be a whole number, at least 1; got 0"):
        module(split_set, batch_size=0)


def test_a_set_without_training_records_is_refused(split_set):
    only_test = split_set.where_split("test")
    assert isinstance(only_test.records, pd.DataFrame)
    with pytest.raises(ValueError, match="no record of split 'train'"):
        module(only_test)


def test_records_beyond_full_scale_are_counted_before_training(split_set, caplog):
    with caplog.at_level(logging.WARNING):
        module(split_set)
    assert not caplog.records  # 1 mV at most
    with caplog.at_level(logging.WARNING):
        module(split_set, ecg=replace(ECG, full_scale_mv=0.55))
    assert "2 of 7 records reach beyond full scale, 0.55 mV (the largest 0.70 mV; 29 % of all samples)" in caplog.text

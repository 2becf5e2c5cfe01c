import logging
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from ecggan.data.sets.ecg_set import ECGSet, new_manifest
from ecggan.ecg import EIGHT_LEADS, ECGFormat
from ecggan.training.datamodule import ECGDataModule


@pytest.fixture
def split_set() -> ECGSet:
    """Ten records of a constant each, 100 to 1000 µV; seven for training."""
    microvolts = np.repeat(np.arange(100, 1100, 100, dtype=np.int16), 8 * 2500).reshape(10, 8, 2500)
    splits = ["train"] * 7 + ["validation", "test", "test"]
    rows = [{"record": str(i), "split": split} for i, split in enumerate(splits)]
    return ECGSet.in_memory(microvolts, rows, new_manifest(EIGHT_LEADS, 500, 2500, "real", {}))


ECG = ECGFormat(EIGHT_LEADS, 500, 2500, 6.0)


def module(ecgs: ECGSet, batch_size: int = 3, ecg: ECGFormat = ECG, on_device: bool | str = False) -> ECGDataModule:
    data = ECGDataModule(lambda: ecgs, ecg, batch_size, num_workers=0, seed=0, on_device=on_device)
    data.prepare_data()
    data.setup("fit")
    return data


def batches_of(data: ECGDataModule) -> list[torch.Tensor]:
    """What the network is given."""
    return [data.on_after_batch_transfer(batch, 0) for batch in data.train_dataloader()]


def test_batches_are_training_records_in_the_networks_range(split_set):
    batches = batches_of(module(split_set))
    assert [tuple(batch.shape) for batch in batches] == [(3, 8, 2500)] * 2
    seen = {round(float(record[0, 0]) * 6000) for batch in batches for record in batch}
    assert len(seen) == 6
    assert seen <= set(range(100, 800, 100))


def test_records_on_the_device_are_the_same_batches_and_only_numbers_travel(split_set):
    mapped, moved = module(split_set), module(split_set, on_device=True)
    for a, b in zip(batches_of(mapped), batches_of(moved), strict=True):
        assert torch.equal(a, b)
    assert next(iter(mapped.train_dataloader())).dtype == torch.int16
    assert next(iter(moved.train_dataloader())).shape == (3,)


def test_where_records_lie_is_true_false_or_auto(split_set):
    with pytest.raises(ValueError, match="on_device must be true, false or auto; got 'gpu'"):
        module(split_set, on_device="gpu")


def test_a_set_smaller_than_a_batch_is_used_as_it_is(split_set):
    (batch,) = batches_of(module(split_set, batch_size=32))
    assert len(batch) == 7


def test_a_set_without_splits_is_all_for_training(split_set):
    whole = ECGSet.in_memory(
        split_set.microvolts(), split_set.records[["record"]].to_dict("records"), split_set.manifest
    )
    data = module(whole)
    assert data.train is not None
    assert len(data.train) == 10


def test_the_order_is_repeated_by_the_seed(split_set):
    first, second = (torch.cat(batches_of(module(split_set))) for _ in range(2))
    assert torch.equal(first, second)


def test_network_and_millivolts_agree(split_set):
    data = module(split_set, batch_size=7)
    numbers = list(data.train_dataloader().sampler)
    (network,) = batches_of(data)
    millivolts = split_set.millivolts(numbers)
    assert np.allclose(network.numpy() * ECG.full_scale_mv, millivolts, atol=1e-6)


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

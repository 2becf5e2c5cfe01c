"""The error of recognised conditions: against figures by hand, and what it teaches."""

import numpy as np
import pandas as pd
import pytest
import torch

from ecggan.data.sets.conditions import Conditions, condition_table
from ecggan.training.recognition import RecognitionLoss

TABLE = pd.DataFrame(
    {
        "sex": ["male", "female"] * 20,
        "age": [20.0, 40.0, 60.0, np.nan] * 10,
        "labels": (["A|B"] + ["A"] * 4) * 8,
    }
)
CONDITIONS = Conditions.of(condition_table(TABLE, ["sex", "age", "labels"], "the set"), "the set")
LOSS = RecognitionLoss(CONDITIONS)


def error(recognised: np.ndarray, table: pd.DataFrame) -> float:
    told = torch.tensor(recognised, dtype=torch.float32)[:, None].expand(-1, 3, -1)  # three critics that agree
    return float(LOSS(told, torch.from_numpy(CONDITIONS.encode(table))))


def test_knowing_the_mean_alone_is_an_error_of_one():
    known = TABLE.loc[TABLE["age"].notna(), ["sex", "age"]]
    conditions = Conditions.of(condition_table(known, ["sex", "age"], "the set"), "the set")
    encoded = torch.from_numpy(conditions.encode(known))
    mean = encoded.mean(dim=0).expand(len(encoded), 1, -1)
    assert float(RecognitionLoss(conditions)(mean, encoded)) == pytest.approx(1)


def test_what_is_unknown_has_no_say():
    encoded = CONDITIONS.encode(TABLE)
    wrong = encoded.copy()
    wrong[TABLE["age"].isna(), 3] = 7.0
    wrong[:, [2, 4, 7]] = 7.0  # that something is unknown is not to be recognised
    assert error(encoded, TABLE) == error(wrong, TABLE) == 0


def test_each_condition_weighs_the_same():
    encoded, is_known = CONDITIONS.encode(TABLE), TABLE["age"].notna().to_numpy()
    for columns, of in (([0, 1], np.full(40, True)), ([3], is_known), ([5, 6], np.full(40, True))):
        wrong = encoded.copy()
        wrong[:, columns] += 1
        variances = encoded[of][:, columns].var(axis=0).clip(0.04)
        assert error(wrong, TABLE) == pytest.approx(of.mean() * (1 / variances).mean() / 3, rel=1e-5)

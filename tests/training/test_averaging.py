import copy

import pytest
import torch
from torch import nn

from ecggan.training.averaging import average_of, continue_from


def network(value):
    made = nn.Linear(1, 1, bias=False)
    nn.init.constant_(made.weight, value)
    return made


def averaged(average, values):
    for value in values:
        average.update_parameters(network(value))
    return float(average.module.weight)


def test_each_step_counts_as_its_ramp_says():
    values = torch.randn(2000, generator=torch.Generator().manual_seed(0)).tolist()
    expected = values[0]
    for n, value in enumerate(values[1:], start=1):
        decay = min(0.99, (1 + n) / (10 + n))  # which 891 steps reach
        expected = decay * expected + (1 - decay) * value
    assert averaged(average_of(network(5.0), 0.99, ramps_up=True), values) == pytest.approx(expected, abs=1e-5)


def test_an_average_follows_from_the_beginning_where_it_ramps_up():
    """Of weights that grow evenly, an average lags by a tenth of the steps so far, or by its whole length."""
    grown = [step / 1000 for step in range(1001)]
    assert averaged(average_of(network(0.0), 0.999, ramps_up=True), grown) == pytest.approx(0.9, abs=0.01)
    assert averaged(average_of(network(0.0), 0.999, ramps_up=False), grown) < 0.4


def test_the_ramp_goes_on_where_a_training_resumes():
    values = [float(value) for value in range(20)]
    whole = average_of(network(0.0), 0.999, ramps_up=True)
    begun = average_of(network(0.0), 0.999, ramps_up=True)
    averaged(begun, values[:7])
    resumed = average_of(network(9.0), 0.999, ramps_up=True)
    resumed.load_state_dict(copy.deepcopy(begun.state_dict()))
    assert averaged(resumed, values[7:]) == averaged(whole, values)


def test_trained_weights_are_left_at_the_pace_of_the_whole_average():
    average = average_of(network(0.0), 0.99, ramps_up=True)
    continue_from(average, network(1.0))
    assert float(average.module.weight) == 1
    assert averaged(average, [2.0]) == pytest.approx(1.01)

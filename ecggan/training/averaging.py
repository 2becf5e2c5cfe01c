"""The generator's moving average: short at first, as long as asked for later.

With a decay of 0.999 an average remembers some 1,000 steps. In the first few thousand steps of a training from random
weights a generator moves faster than that, and its average draws what none of its states would: waves of half their
height. So the decay begins low and grows with the number of steps: the average remembers at most a ninth of them.

Sources: TensorFlow's ExponentialMovingAverage (`num_updates`); Karras et al. 2020, Training generative adversarial
networks with limited data (a ramp for random weights, none where a training starts from trained ones).
"""

from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

Tensors = tuple[Tensor, ...] | list[Tensor]

_LONG_AGO = 10**9  # steps, after which a ramp is over


def average_of(network: nn.Module, decay: float, ramps_up: bool) -> AveragedModel:
    """A network whose weights are the exponential moving average of another's, as of its `update_parameters`.

    Args:
        network: from whose weights it starts.
        decay: of the average, a step: 0 to 1.
        ramps_up: whether the decay of the n-th step is at most (1 + n) / (10 + n).

    Raises:
        ValueError: the decay lies outside 0 to 1.
    """
    lasting = get_ema_multi_avg_fn(decay)

    def ramped(averages: Tensors, weights: Tensors, num_steps: Tensor | int) -> None:
        n = int(num_steps)
        get_ema_multi_avg_fn(min(decay, (1 + n) / (10 + n)))(averages, weights, num_steps)

    return AveragedModel(network, multi_avg_fn=ramped if ramps_up else lasting).requires_grad_(False)


def continue_from(average: AveragedModel, network: nn.Module) -> None:
    """Give an average the weights of a trained network, as if it had averaged them for long: no ramp follows."""
    average.module.load_state_dict(network.state_dict())
    average.n_averaged.fill_(_LONG_AGO)

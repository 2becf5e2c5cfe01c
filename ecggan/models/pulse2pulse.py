"""The Pulse2Pulse generator: a U-Net from noise shaped like an ECG to an ECG.

Source: Thambawita et al. 2021, DeepFake electrocardiograms using generative adversarial networks, figure 8; sizes as in
the published weights.
"""

from itertools import pairwise

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ecggan.models.decoder import FACTORS, Decoder, check_size, widths
from ecggan.models.film import FiLM, check_condition, modulated
from ecggan.models.layers import KERNEL_SIZE, Conv1d


class Pulse2PulseGenerator(nn.Module):
    """Noise ``(lead, time)``, uniform on [−1, 1] -> an ECG in ±1 of full scale.

    Args:
        num_leads: leads of the ECG, and channels of the noise.
        num_samples: a multiple of 2500.
        model_size: the width d; 50 in the paper.
        condition_size: numbers of a condition; 0 for a generator without.

    Raises:
        ValueError: a size that the strides do not allow; the message names the rule.
    """

    def __init__(self, num_leads: int, num_samples: int, model_size: int, condition_size: int = 0) -> None:
        super().__init__()
        check_size(num_leads, num_samples, model_size)
        self.hyperparameters = {"num_leads": num_leads, "num_samples": num_samples, "model_size": model_size}
        self.latent_shape = (num_leads, num_samples)
        self.condition_size = condition_size
        if condition_size:
            self.hyperparameters["condition_size"] = condition_size
        self.encoder = nn.ModuleList(
            Conv1d(ins, outs, KERNEL_SIZE, stride, padding=KERNEL_SIZE // 2)
            for (ins, outs), stride in zip(pairwise((num_leads, *widths(model_size))), FACTORS[::-1], strict=True)
        )
        self.decoder = Decoder(num_leads, model_size, with_skips=True)
        encoded = widths(model_size)
        self.film = FiLM(condition_size, (*encoded, *encoded[-2::-1])) if condition_size else None

    def forward(
        self, noise: Float[Tensor, "batch lead time"], condition: Float[Tensor, "batch value"] | None = None
    ) -> Float[Tensor, "batch lead time"]:
        check_condition(condition, self.film)
        changes = [] if self.film is None else self.film(condition)
        x, outputs = noise, []
        for i, layer in enumerate(self.encoder):
            x = layer(x) if not changes else modulated(layer(x), changes[i])
            x = F.leaky_relu(x, 0.01, inplace=True)
            outputs.append(x)
        skips = outputs[-2:0:-1]  # conv_5, conv_4, conv_3, conv_2
        return self.decoder(x, skips, changes[len(outputs) :])

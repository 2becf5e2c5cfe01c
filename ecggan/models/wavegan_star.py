"""The WaveGAN* generator: a noise vector to an ECG.

Source: Thambawita et al. 2021, DeepFake electrocardiograms using generative adversarial networks, figure 7, after
Donahue et al. 2019, Adversarial Audio Synthesis.
"""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ecggan import checks
from ecggan.models.decoder import SHORTENING, Decoder, check_size, widths
from ecggan.models.film import FiLM, check_condition, modulated


class WaveGANStarGenerator(nn.Module):
    """Noise ``(latent_size,)``, uniform on [−1, 1] -> an ECG in ±1 of full scale.

    Args:
        num_leads: leads of the ECG.
        num_samples: a multiple of 2500.
        model_size: the width d; 50 in the paper.
        latent_size: the length of the noise vector; 100 in the paper.
        condition_size: numbers of a condition; 0 for a generator without.

    Raises:
        ValueError: a size that the strides do not allow; the message names the rule.
    """

    def __init__(
        self, num_leads: int, num_samples: int, model_size: int, latent_size: int, condition_size: int = 0
    ) -> None:
        super().__init__()
        check_size(num_leads, num_samples, model_size)
        checks.whole_number("latent_size", latent_size, at_least=1)
        self.hyperparameters = {
            "num_leads": num_leads,
            "num_samples": num_samples,
            "model_size": model_size,
            "latent_size": latent_size,
        }
        self.latent_shape = (latent_size,)
        self.condition_size = condition_size
        if condition_size:
            self.hyperparameters["condition_size"] = condition_size
        self.bottom_shape = (5 * model_size, num_samples // SHORTENING)
        self.linear = nn.Linear(latent_size, self.bottom_shape[0] * self.bottom_shape[1])
        nn.init.kaiming_normal_(self.linear.weight)  # as in the original, for this layer alone
        self.decoder = Decoder(num_leads, model_size, with_skips=False)
        self.film = FiLM(condition_size, widths(model_size)[::-1]) if condition_size else None

    def forward(
        self, noise: Float[Tensor, "batch latent"], condition: Float[Tensor, "batch value"] | None = None
    ) -> Float[Tensor, "batch lead time"]:
        check_condition(condition, self.film)
        x = self.linear(noise)
        if self.film is None:
            return self.decoder(F.relu(x).unflatten(1, self.bottom_shape))
        first, *others = self.film(condition)
        return self.decoder(F.relu(modulated(x.unflatten(1, self.bottom_shape), first)), changes=others)

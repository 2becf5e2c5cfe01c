import warnings

import pytest
import torch

from ecggan.checkpoints.published import published_generator
from ecggan.models.pulse2pulse import Pulse2PulseGenerator
from ecggan.models.wavegan_star import WaveGANStarGenerator


def test_published_weights_give_the_published_generators_output():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package calls a deprecated function
        from deepfakeecg import Generator

        published = Generator().eval()
    import importlib.metadata

    weights = importlib.metadata.distribution("deepfake-ecg").locate_file("deepfakeecg/checkpoints/g_stat.pt")
    published.load_state_dict(torch.load(str(weights), map_location="cpu")["stat_dict"])
    noise = torch.rand(3, 8, 5000, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.inference_mode():
        difference = (published_generator().network(noise) - published(noise)).abs().max()
    assert difference <= 1e-5


def test_pulse2pulse_has_the_published_layers_and_no_others():
    generator = Pulse2PulseGenerator(num_leads=8, num_samples=5000, model_size=50)
    shapes = [tuple(layer.weight.shape) for layer in generator.encoder]
    assert shapes == [(10, 8, 25), (25, 10, 25), (50, 25, 25), (150, 50, 25), (250, 150, 25), (250, 250, 25)]
    shapes = [tuple(layer.conv.weight.shape) for layer in generator.decoder.layers]
    assert shapes == [(250, 250, 25), (150, 500, 25), (50, 300, 25), (25, 100, 25), (10, 50, 25), (8, 10, 25)]
    assert sum(p.numel() for p in generator.parameters()) == 6_617_728


def test_pulse2pulse_shortens_as_published():
    generator = Pulse2PulseGenerator(8, 5000, 5)
    x, lengths = torch.zeros(1, 8, 5000), []
    for layer in generator.encoder:
        x = layer(x)
        lengths.append(x.shape[2])
    assert lengths == [2500, 500, 250, 50, 10, 2]


def test_wavegan_star_has_the_published_layers_and_no_others():
    generator = WaveGANStarGenerator(num_leads=8, num_samples=5000, model_size=50, latent_size=100)
    assert tuple(generator.linear.weight.shape) == (500, 100)
    shapes = [tuple(layer.conv.weight.shape) for layer in generator.decoder.layers]
    assert shapes == [(250, 250, 25), (150, 250, 25), (50, 150, 25), (25, 50, 25), (10, 25, 25), (8, 10, 25)]


@pytest.mark.parametrize(("leads", "samples", "size"), [(8, 5000, 10), (12, 2500, 7), (1, 7500, 5), (2, 10000, 23)])
def test_generators_of_any_allowed_size_draw_their_format_within_full_scale(leads, samples, size):
    for generator in (
        Pulse2PulseGenerator(leads, samples, size),
        WaveGANStarGenerator(leads, samples, size, latent_size=30),
    ):
        ecg = generator(torch.rand(2, *generator.latent_shape) * 2 - 1)
        assert ecg.shape == (2, leads, samples)
        assert ecg.abs().max() <= 1


@pytest.mark.parametrize("build", [Pulse2PulseGenerator, lambda *size: WaveGANStarGenerator(*size, latent_size=100)])
def test_generators_refuse_sizes_that_the_strides_do_not_allow(build):
    with pytest.raises(ValueError, match=r"multiple of 2500.*got 4096"):
        build(8, 4096, 50)
    with pytest.raises(ValueError, match=r"model_size must be at least 5.*got 4"):
        build(8, 5000, 4)
    with pytest.raises(ValueError, match="num_leads must be a whole number, at least 1; got 0"):
        build(0, 5000, 50)


def test_wavegan_star_refuses_an_empty_latent():
    with pytest.raises(ValueError, match="latent_size must be a whole number, at least 1; got 0"):
        WaveGANStarGenerator(8, 5000, 10, latent_size=0)

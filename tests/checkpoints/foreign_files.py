"""Files in the layouts of other projects, with random weights."""

import importlib.metadata
from collections import OrderedDict

import torch

from ecggan.ecg import EIGHT_LEADS
from tests.generation.original_layout import (
    discriminator_state,
)

SIX_MV = {"full_scale_mv": 6.0}


def repository_file(path, state, epoch=950):
    weight = torch.zeros(3, requires_grad=True)
    optimizer = torch.optim.Adam([weight])
    weight.sum().backward()
    optimizer.step()
    torch.save(
        {
            "epoch": epoch,
            "netG_state_dict": OrderedDict(state),
            "netD_state_dict": OrderedDict(discriminator_state()),
            "optimizerG_state_dict": optimizer.state_dict(),
            "optimizerD_state_dict": optimizer.state_dict(),
        },
        path,
    )
    return path


def ecgen_file(path, state, info=None, family="pulse2pulse", **options):
    """A checkpoint of ecgen; of before 1.1 where `info` is None."""
    tensors = {f"netG.{name}": tensor for name, tensor in state.items()}
    tensors |= {f"netD.{name}": tensor for name, tensor in discriminator_state().items()}
    contents = {
        "epoch": 2,
        "global_step": 12,
        "pytorch-lightning_version": "2.6.6",
        "state_dict": OrderedDict(tensors),
        "hparams_name": None,
        "hyper_parameters": {"model_size": 10, "num_channels": 8, "seq_length": 5000, "conditioning": None, **options},
    }
    if info is not None:
        contents |= {"ecgen_family": family, "ecgen_data_info": info}
    torch.save(contents, path)
    return path


def info(**changes):
    return {"lead_names": list(EIGHT_LEADS), "fs": 500, "seq_length": 5000, "scale": "none", **changes}


def published_file():
    return str(importlib.metadata.distribution("deepfake-ecg").locate_file("deepfakeecg/checkpoints/g_stat.pt"))


def difference(network, expected):
    noise = torch.rand(2, *network.latent_shape) * 2 - 1
    with torch.inference_mode():
        drawn = expected(noise)
        assert drawn.abs().max() > 0.1  # else nothing is compared
        return (network(noise) - drawn).abs().max()

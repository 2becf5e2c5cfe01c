"""A packer as the configuration makes it."""

from dataclasses import replace
from pathlib import Path

from hydra.utils import instantiate
from omegaconf import OmegaConf

from ecggan.data.packing.packer import Packer
from tests.data.quality_rules import RULES

SHAPING = instantiate(OmegaConf.load(Path(__file__).parents[2] / "configs/shaping/default.yaml"))


def packer(ecg, cache, **changes):
    """One that reads in this process, unless told otherwise."""
    made = Packer(ecg, SHAPING, RULES, cache, num_workers=0, seconds_a_record=5)
    return replace(made, **changes)

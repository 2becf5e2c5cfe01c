"""The rules as the configuration has them, for the paper's full scale."""

from pathlib import Path

from hydra.utils import instantiate
from omegaconf import OmegaConf

_DEFAULT = OmegaConf.load(Path(__file__).parents[2] / "configs/quality/default.yaml")
RULES = instantiate(OmegaConf.merge(_DEFAULT, {"max_amplitude_mv": 6.0}))

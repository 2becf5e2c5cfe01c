"""Files of the code that the paper's generators were trained with: deepfake-ecg and the repository Pulse2Pulse.

Both name their tensors alike (``conv_1.weight``, ``deconv_1.conv1d.weight``):

- the package deepfake-ecg: ``stat_dict``, the published weights;
- the repository Pulse2Pulse, a ``.pt``: ``netG_state_dict``, ``netD_state_dict``, optimizer states, ``epoch``;
- a bare state dict of either.

Source: deepfake-ecg 1.1.2; https://github.com/vlbthambawita/Pulse2Pulse.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor

from ecggan.ecg import EIGHT_LEADS
from ecggan.models.decoder import SHORTENING

DEEPFAKE_ECG, REPOSITORY, STATE_DICT = "deepfake-ecg", "Pulse2Pulse repository", "state dict"
_KNOWN = (
    "known are ecggan's runs, generator files and safetensors, deepfake-ecg's g_stat.pt (stat_dict), the Pulse2Pulse "
    "repository's .pt (netG_state_dict) and ecgen's Pulse2Pulse .ckpt (state_dict with netG.…)"
)
_PAPER = {"leads": EIGHT_LEADS, "sampling_rate": 500, "num_samples": 5000}
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class ThirdPartyFile:
    """A generator's tensors under the original code's names, and what is known of its ECGs.

    Attributes:
        layout: the program that wrote the file.
        state: the tensors.
        stated: facts of its ECGs in the file, by the names of [ECGFormat][ecggan.ecg.ECGFormat].
        defaults: that program's facts, for those that the file lacks.
        note: added to the message that asks the user for missing facts.
        epochs: trained for, or None if the file does not say.
    """

    layout: str
    state: dict[str, Tensor]
    stated: dict[str, Any] = field(default_factory=dict)
    defaults: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    epochs: int | None = None


def deepfake_ecg_file(contents: dict[str, Any], path: str | Path) -> ThirdPartyFile | None:
    """The published weights; None for another layout."""
    if "stat_dict" not in contents:
        return None
    defaults = {**_PAPER, "full_scale_mv": 6.0}  # the package multiplies the output by 6000 µV
    return ThirdPartyFile(DEEPFAKE_ECG, state_dict_of(contents["stat_dict"], path), defaults=defaults)


def repository_file(contents: dict[str, Any], path: str | Path) -> ThirdPartyFile | None:
    """A training checkpoint of the repository Pulse2Pulse; None for another layout."""
    if "netG_state_dict" not in contents:
        return None
    state, epoch = state_dict_of(contents["netG_state_dict"], path), contents.get("epoch")
    return ThirdPartyFile(REPOSITORY, state, defaults=_PAPER, epochs=epoch if isinstance(epoch, int) else None)


def bare_state_dict(contents: dict[str, Any], path: str | Path) -> ThirdPartyFile:
    """Tensors by name and nothing else, possibly under the key ``state_dict``.

    Raises:
        ValueError: no such tensors.
    """
    state = state_dict_of(contents.get("state_dict", contents), path)
    return ThirdPartyFile(STATE_DICT, state, defaults=_PAPER)


def state_dict_of(state: Any, path: str | Path) -> dict[str, Tensor]:
    """A state dict without the name prefixes of DataParallel and torch.compile.

    Raises:
        ValueError: no mapping of names to tensors.
    """
    if not isinstance(state, Mapping) or not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise unknown_layout(path, state)
    wrappers = ("module", "_orig_mod")
    return {
        ".".join(part for part in str(name).split(".") if part not in wrappers): value for name, value in state.items()
    }


def unknown_layout(path: str | Path, contents: Any) -> ValueError:
    names = [str(name) for name in contents] if isinstance(contents, Mapping) else [type(contents).__name__]
    preview = ", ".join(names[:6]) + (f" … ({len(names)} in all)" if len(names) > 6 else "")
    return ValueError(f"{path} holds no generator that is known here, but {preview or 'nothing'}; {_KNOWN}")


def from_original_names(state: Mapping[str, _Value]) -> dict[str, _Value]:
    """A state dict of the original code under our names, without the layers that the original never uses.

    Unused are a transposed convolution beside each upsampling one (`Conv1dTrans`, in ecgen `conv1d_transpose`), a
    512-tap filter (`ppfilter1`) and, in Pulse2Pulse, a linear layer (`fc1`), which is WaveGAN*'s first. Any other
    unknown tensor is kept, so that strict loading names it.
    """
    is_pulse2pulse = "conv_1.weight" in state
    renamed = {}
    for name, value in state.items():
        if re.search(r"\.(Conv1dTrans|conv1d_transpose)\.|^ppfilter1\.", name):
            continue
        if name.startswith("fc1.") and is_pulse2pulse:
            continue
        new = re.sub(r"^conv_([1-6])\.", lambda match: f"encoder.{int(match[1]) - 1}.", name)
        # There is no deconv_4.
        new = re.sub(
            r"^deconv_([123567])\.conv1d\.",
            lambda match: f"decoder.layers.{'123567'.index(match[1])}.conv.",
            new,
        )
        renamed[re.sub(r"^fc1\.", "linear.", new)] = value
    return renamed


def architecture_of(state: dict[str, Tensor], path: str | Path) -> tuple[str, dict[str, int]]:
    """The architecture that these names belong to, and its sizes, read from the tensors' shapes.

    Raises:
        ValueError: neither Pulse2Pulse nor WaveGAN*.
    """
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    first, third, last = (shapes.get(f"deconv_{i}.conv1d.weight", ()) for i in (1, 3, 7))
    if not len(first) == len(third) == len(last) == 3:
        raise unknown_layout(path, state)
    sizes = {"num_leads": last[0], "model_size": third[0]}
    if "conv_1.weight" in shapes:
        return "pulse2pulse", sizes
    linear = shapes.get("fc1.weight", ())
    if len(linear) != 2:
        raise unknown_layout(path, state)
    sizes["num_samples"] = linear[0] * SHORTENING // max(1, 5 * sizes["model_size"])
    return "wavegan_star", {**sizes, "latent_size": linear[1]}

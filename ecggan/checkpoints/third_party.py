"""Generators trained by other projects: recognise the file, settle the ECG format, build the network.

[ecggan.checkpoints.pulse2pulse_repo][] and [ecggan.checkpoints.ecgen][] recognise the layouts. All these generators
draw from noise uniform on [−1, 1] and end in tanh. They differ in the mV that ±1 stands for, which only ecgen states.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ecggan.checkpoints.ecgen import ecgen_file
from ecggan.checkpoints.generator_file import ARCHITECTURES
from ecggan.checkpoints.pulse2pulse_repo import (
    REPOSITORY,
    STATE_DICT,
    ThirdPartyFile,
    architecture_of,
    bare_state_dict,
    deepfake_ecg_file,
    from_original_names,
    repository_file,
)
from ecggan.ecg import ECGFormat

log = logging.getLogger(__name__)

ECG_KEYS = ("leads", "sampling_rate", "num_samples", "full_scale_mv")
_UNSCALED_LAYOUTS = (REPOSITORY, STATE_DICT)


def third_party_generator(
    contents: dict[str, Any], path: str | Path, given: Mapping[str, Any]
) -> tuple[nn.Module, ECGFormat, dict[str, Any]]:
    """Build the generator of a file of one of these layouts, in evaluation mode on the CPU.

    Args:
        contents: of the file.
        path: for the messages.
        given: the user's facts of its ECGs, by the names of [ECGFormat][ecggan.ecg.ECGFormat]; the file's own take
            precedence.

    Returns:
        The network, the format of what it draws, and the file's description.

    Raises:
        ValueError: another model, one that is not the same function as ours, or too little known of its ECGs.
    """
    file = _recognise(contents, path)
    architecture, sizes = architecture_of(file.state, path)
    num_leads = sizes["num_leads"]
    stated = file.stated | {key: size for key, size in sizes.items() if key == "num_samples"}
    defaults = {key: value for key, value in file.defaults.items() if key != "leads" or len(value) == num_leads}
    ecg = {**defaults, **given, **stated}
    is_scaled_by_height = "full_scale_mv" not in ecg and file.layout in _UNSCALED_LAYOUTS
    missing = [key for key in ECG_KEYS if key not in ecg and not (is_scaled_by_height and key == "full_scale_mv")]
    if missing:
        remedy = f"say it with ecg={{{', '.join(f'{key}: …' for key in missing)}}}"
        raise ValueError(
            f"{path} draws {num_leads} leads, and does not say {', '.join(missing)} of its ECGs; "
            f"{'. '.join(filter(None, (remedy, file.note)))}"
        )
    sizes["num_samples"] = ecg["num_samples"]
    network = _build_network(architecture, sizes, file.state, path)
    if is_scaled_by_height:
        ecg["full_scale_mv"] = _full_scale_by_height(network)
        log.warning(
            "%s does not say what its ±1 stands for: by the height of its ECGs, %g mV. ecg={full_scale_mv: …} says it",
            path,
            ecg["full_scale_mv"],
        )
    try:
        ecg_format = ECGFormat(**{key: ecg[key] for key in ECG_KEYS})
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    if len(ecg_format.leads) != num_leads:
        raise ValueError(
            f"{path} draws {num_leads} leads; {len(ecg_format.leads)} are named: {', '.join(ecg_format.leads)}"
        )
    sources = {"the file": stated, "the user": given, file.layout: defaults, "the height of its ECGs": ecg}
    description = {
        "layout": file.layout,
        "full_scale_mv": ecg_format.full_scale_mv,
        "full_scale_told_by": next(source for source, facts in sources.items() if "full_scale_mv" in facts),
    }
    if file.epochs is not None:
        description["epochs"] = file.epochs
    return network, ecg_format, description


def _recognise(contents: dict[str, Any], path: str | Path) -> ThirdPartyFile:
    for recogniser in (deepfake_ecg_file, repository_file, ecgen_file):
        if (file := recogniser(contents, path)) is not None:
            return file
    return bare_state_dict(contents, path)


def _build_network(architecture: str, sizes: dict[str, int], state: dict[str, Tensor], path: str | Path) -> nn.Module:
    what = f"a {architecture} of {', '.join(f'{name} {size}' for name, size in sizes.items())}"
    try:
        network = ARCHITECTURES[architecture](**sizes)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path} looks like {what}, which cannot be: {error}") from error
    renamed, theirs = from_original_names(state), from_original_names({name: name for name in state})
    ours = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    for name in [*ours, *renamed]:
        if name not in renamed:
            raise ValueError(f"{path} is not {what}: its tensor {name} is missing")
        if name not in ours:
            raise ValueError(f"{path} is not {what}: that has no tensor {theirs[name]}")
        if tuple(renamed[name].shape) != ours[name]:
            raise ValueError(
                f"{path} is not {what}: {theirs[name]} is {tuple(renamed[name].shape)}, and should be {ours[name]}"
            )
    network.load_state_dict(renamed)
    return network.eval()


def _full_scale_by_height(network: nn.Module) -> float:
    """6 or 1 mV: the repository Pulse2Pulse trains on µV / 6000 or on PTB-XL in mV; its files do not say which.

    A real record's largest deflection is 1.2 to 3.5 mV (5th and 95th percentile over 378 of PTB-XL, 8 leads): within
    0.6 of ±6 mV, and beyond ±1 mV, where the network is then at its limit. Of the published generator, on 6 mV, the
    median is 0.27.
    """
    shape = network.latent_shape
    assert isinstance(shape, tuple)
    noise = torch.rand(16, *shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.inference_mode():
        heights = network(noise).abs().amax(dim=(1, 2))
    return 1.0 if heights.median() > 0.6 else 6.0

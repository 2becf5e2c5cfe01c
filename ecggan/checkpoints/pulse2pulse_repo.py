"""Generators that others' code has trained: which layout a file has, which tensor is which, and what its ECGs are.

Three programs name their tensors alike (``conv_1.weight``, ``deconv_1.conv1d.weight``):

- the package deepfake-ecg: ``stat_dict``, the published weights;
- the repository Pulse2Pulse, in a ``.pt``: ``netG_state_dict``, ``netD_state_dict``, optimizers' states, ``epoch``;
- the package ecgen: a Lightning ``.ckpt``, the generator's tensors under ``netG.``.

All draw from noise uniform on [−1, 1] and end in tanh. They differ in what ±1 stands for, which only ecgen's files say.

Source: deepfake-ecg 1.1.2; https://github.com/vlbthambawita/Pulse2Pulse; ecgen 0.4.0 to 1.1.0.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from ecggan.checkpoints.generator_file import ARCHITECTURES
from ecggan.ecg import EIGHT_LEADS, ECGFormat, canonical_lead
from ecggan.models.decoder import SHORTENING

log = logging.getLogger(__name__)

KNOWN = (
    "known are ecggan's runs, generator files and safetensors, deepfake-ecg's g_stat.pt (stat_dict), the Pulse2Pulse "
    "repository's .pt (netG_state_dict) and ecgen's Pulse2Pulse .ckpt (state_dict with netG.…)"
)
ECG_KEYS = ("leads", "sampling_rate", "num_samples", "full_scale_mv")
_PAPERS = {"leads": EIGHT_LEADS, "sampling_rate": 500, "num_samples": 5000}
_SILENT_ON_SCALE = ("Pulse2Pulse repository", "state dict")
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class _Found:
    """A generator's tensors, under the original code's names, and what is known of its ECGs.

    Attributes:
        layout: whose file it is.
        state: the tensors.
        says: what the file says of its ECGs, by the names of [ECGFormat][ecggan.ecg.ECGFormat].
        usual: what that program's ECGs are where its files are silent.
        note: what a user should know who has to say the rest.
        epochs: how many it was trained for, where the file says so.
    """

    layout: str
    state: dict[str, Tensor]
    says: dict[str, Any] = field(default_factory=dict)
    usual: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    epochs: int | None = None


def foreign_generator(
    contents: dict[str, Any], path: str | Path, given: Mapping[str, Any]
) -> tuple[nn.Module, ECGFormat, dict[str, Any]]:
    """Build the generator of a file of one of these layouts, in evaluation mode on the CPU.

    Args:
        contents: of the file.
        path: for the messages.
        given: what the user says of its ECGs, by the names of [ECGFormat][ecggan.ecg.ECGFormat]; what the file says
            goes before it.

    Returns:
        The network, the format of what it draws, and what is known of it.

    Raises:
        ValueError: another model, one that is not the same function as ours, or too little known of its ECGs.
    """
    found = _recognise(contents, path)
    architecture, sizes = _architecture_of(found.state, path)
    says = found.says | {key: size for key, size in sizes.items() if key == "num_samples"}
    usual = {key: value for key, value in found.usual.items() if key != "leads" or len(value) == sizes["num_leads"]}
    ecg = {**usual, **given, **says}
    by_height = "full_scale_mv" not in ecg and found.layout in _SILENT_ON_SCALE
    missing = [key for key in ECG_KEYS if key not in ecg and not (by_height and key == "full_scale_mv")]
    if missing:
        remedy = f"say it with ecg={{{', '.join(f'{key}: …' for key in missing)}}}"
        raise ValueError(
            f"{path} draws {sizes['num_leads']} leads, and does not say {', '.join(missing)} of its ECGs; "
            f"{'. '.join(filter(None, (remedy, found.note)))}"
        )
    sizes["num_samples"] = ecg["num_samples"]
    network = _build(architecture, sizes, found.state, path)
    if by_height:
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
    if len(ecg_format.leads) != sizes["num_leads"]:
        raise ValueError(
            f"{path} draws {sizes['num_leads']} leads; {len(ecg_format.leads)} are named: {', '.join(ecg_format.leads)}"
        )
    told_by = {"the file": says, "the user": given, found.layout: usual, "the height of its ECGs": ecg}
    description = {
        "layout": found.layout,
        "full_scale_mv": ecg_format.full_scale_mv,
        "full_scale_told_by": next(who for who, told in told_by.items() if "full_scale_mv" in told),
    }
    if found.epochs is not None:
        description["epochs"] = found.epochs
    return network, ecg_format, description


def from_original_names(state: Mapping[str, _Value]) -> dict[str, _Value]:
    """A state dict of the original code, under our names, without the layers that it never uses.

    Never used are a transposed convolution beside each upsampling one (`Conv1dTrans`, in ecgen `conv1d_transpose`), a
    512-tap filter (`ppfilter1`) and, in Pulse2Pulse, a linear layer (`fc1`), which is WaveGAN*'s first. Anything else
    that is unknown is kept, so that strict loading names it.
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


def _recognise(contents: dict[str, Any], path: str | Path) -> _Found:
    if "stat_dict" in contents:
        usual = {**_PAPERS, "full_scale_mv": 6.0}  # it multiplies its output by 6000 µV
        return _Found("deepfake-ecg", _tensors(contents["stat_dict"], path), usual=usual)
    if "netG_state_dict" in contents:
        state, epoch = _tensors(contents["netG_state_dict"], path), contents.get("epoch")
        return _Found("Pulse2Pulse repository", state, usual=_PAPERS, epochs=epoch if isinstance(epoch, int) else None)
    inner = contents.get("state_dict", contents)
    if "ecgen_family" in contents or (isinstance(inner, Mapping) and any(str(n).startswith("netG.") for n in inner)):
        return _ecgen(contents, path)
    return _Found("state dict", _tensors(inner, path), usual=_PAPERS)


def _ecgen(contents: dict[str, Any], path: str | Path) -> _Found:
    """ecgen's checkpoint: since 1.1 it says leads, rate and scale; before, nothing of its ECGs."""
    family = contents.get("ecgen_family")
    if family not in (None, "pulse2pulse"):
        raise ValueError(f"{path} is of ecgen's family {family}; of ecgen's models ecggan opens pulse2pulse alone")
    options, info = (
        dict(value) if isinstance(value := contents.get(key), Mapping) else {}
        for key in ("hyper_parameters", "ecgen_data_info")
    )
    if options.get("conditioning"):
        raise ValueError(f"{path} is ecgen's Pulse2Pulse that draws under conditions; ecggan's generators take none")
    state = _tensors(contents.get("state_dict"), path)
    state = {name.removeprefix("netG."): tensor for name, tensor in state.items() if name.startswith("netG.")}
    says: dict[str, Any] = {}
    if isinstance(info.get("lead_names"), list | tuple):
        says["leads"] = tuple(canonical_lead(str(lead)) for lead in info["lead_names"])
    if info.get("fs"):
        says["sampling_rate"] = info["fs"]
    if options.get("seq_length"):
        says["num_samples"] = options["seq_length"]
    output_scale, scale = options.get("output_scale", 1.0), info.get("scale")
    if scale == "none":
        says["full_scale_mv"] = 1.0 * output_scale
    elif isinstance(scale, int | float):  # what the ECGs in mV were divided by
        says["full_scale_mv"] = float(scale) * output_scale
    note = f"Its training ECGs were scaled by {scale!r}"
    if scale == "zscore" or not info:
        note = (
            f"Its training ECGs were z-scored, which leaves no unit: full_scale_mv is {output_scale:g} × the mV that "
            "an SD is to stand for (the median over PTB-XL's records is 0.2)"
        )
    if not info:
        note = f"ecgen before 1.1 learned from I, II, III, aVR, aVF, aVL, V1, V2 of MIMIC-IV-ECG. {note}"
    epoch = contents.get("epoch")  # counted from 0
    return _Found("ecgen", state, says, {"sampling_rate": 500}, note, epoch + 1 if isinstance(epoch, int) else None)


def _tensors(state: Any, path: str | Path) -> dict[str, Tensor]:
    """A state dict, without what DataParallel and torch.compile put into the names."""
    if not isinstance(state, Mapping) or not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise _unknown(path, state)
    wrappers = ("module", "_orig_mod")
    return {
        ".".join(part for part in str(name).split(".") if part not in wrappers): value for name, value in state.items()
    }


def _unknown(path: str | Path, holding: Any) -> ValueError:
    names = [str(name) for name in holding] if isinstance(holding, Mapping) else [type(holding).__name__]
    some = ", ".join(names[:6]) + (f" … ({len(names)} in all)" if len(names) > 6 else "")
    return ValueError(f"{path} holds no generator that is known here, but {some or 'nothing'}; {KNOWN}")


def _architecture_of(state: dict[str, Tensor], path: str | Path) -> tuple[str, dict[str, int]]:
    """The network that these names are of, and the sizes that their shapes tell."""
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    first, third, last = (shapes.get(f"deconv_{i}.conv1d.weight", ()) for i in (1, 3, 7))
    if not len(first) == len(third) == len(last) == 3:
        raise _unknown(path, state)
    sizes = {"num_leads": last[0], "model_size": third[0]}
    if "conv_1.weight" in shapes:
        return "pulse2pulse", sizes
    linear = shapes.get("fc1.weight", ())
    if len(linear) != 2:
        raise _unknown(path, state)
    sizes["num_samples"] = linear[0] * SHORTENING // max(1, 5 * sizes["model_size"])
    return "wavegan_star", {**sizes, "latent_size": linear[1]}


def _build(architecture: str, sizes: dict[str, int], state: dict[str, Tensor], path: str | Path) -> nn.Module:
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
    """6 or 1 mV: the repository Pulse2Pulse trains on µV / 6000, or on PTB-XL in mV, and its files do not say which.

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

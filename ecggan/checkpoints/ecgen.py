"""Files of the package ecgen: a Lightning ``.ckpt``, the generator's tensors under ``netG.``.

Source: ecgen 0.4.0 to 1.1.0.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ecggan.checkpoints.pulse2pulse_repo import ThirdPartyFile, state_dict_of
from ecggan.ecg import canonical_lead


def ecgen_file(contents: dict[str, Any], path: str | Path) -> ThirdPartyFile | None:
    """A checkpoint of ecgen's Pulse2Pulse; None for another layout.

    Since 1.1 the file states leads, rate and scale; earlier files state nothing of their ECGs.

    Raises:
        ValueError: another model of ecgen.
    """
    if not _is_ecgen(contents):
        return None
    family = contents.get("ecgen_family")
    if family not in (None, "pulse2pulse"):
        raise ValueError(f"{path} is of ecgen's family {family}; of ecgen's models ecggan opens pulse2pulse alone")
    options, info = (
        dict(value) if isinstance(value := contents.get(key), Mapping) else {}
        for key in ("hyper_parameters", "ecgen_data_info")
    )
    if options.get("conditioning"):
        raise ValueError(f"{path} is ecgen's Pulse2Pulse that draws under conditions; ecggan's generators take none")
    state = state_dict_of(contents.get("state_dict"), path)
    state = {name.removeprefix("netG."): tensor for name, tensor in state.items() if name.startswith("netG.")}
    epoch = contents.get("epoch")  # counted from 0
    return ThirdPartyFile(
        layout="ecgen",
        state=state,
        stated=_stated(options, info),
        defaults={"sampling_rate": 500},
        note=_note(options, info),
        epochs=epoch + 1 if isinstance(epoch, int) else None,
    )


def _is_ecgen(contents: dict[str, Any]) -> bool:
    state = contents.get("state_dict", contents)
    names = map(str, state) if isinstance(state, Mapping) else ()
    return "ecgen_family" in contents or any(name.startswith("netG.") for name in names)


def _stated(options: Mapping[str, Any], info: Mapping[str, Any]) -> dict[str, Any]:
    stated: dict[str, Any] = {}
    if isinstance(info.get("lead_names"), list | tuple):
        stated["leads"] = tuple(canonical_lead(str(lead)) for lead in info["lead_names"])
    if info.get("fs"):
        stated["sampling_rate"] = info["fs"]
    if options.get("seq_length"):
        stated["num_samples"] = options["seq_length"]
    output_scale, scale = options.get("output_scale", 1.0), info.get("scale")
    if scale == "none":
        stated["full_scale_mv"] = 1.0 * output_scale
    elif isinstance(scale, int | float):  # the ECGs in mV were divided by it
        stated["full_scale_mv"] = float(scale) * output_scale
    return stated


def _note(options: Mapping[str, Any], info: Mapping[str, Any]) -> str:
    scale = info.get("scale")
    note = f"Its training ECGs were scaled by {scale!r}"
    if scale == "zscore" or not info:
        note = (
            "Its training ECGs were z-scored, which leaves no unit: full_scale_mv is "
            f"{options.get('output_scale', 1.0):g} × the mV that an SD is to stand for (the median over PTB-XL's "
            "records is 0.2)"
        )
    if not info:
        note = f"ecgen before 1.1 learned from I, II, III, aVR, aVF, aVL, V1, V2 of MIMIC-IV-ECG. {note}"
    return note

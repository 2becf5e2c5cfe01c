"""The generator that comes with ecggan: the published one, its ECGs moved to the law of PTB-XL's normal ECGs.

The weights are those of the package deepfake-ecg; the beat transport is the file beside this module. What it was fitted
on, how good its ECGs are and where they fail: docs/reference/ptbxl_generator.md.
"""

from dataclasses import replace
from pathlib import Path

from ecggan.checkpoints.generator_file import TrainedGenerator, tensors_sha256
from ecggan.checkpoints.published import published_generator
from ecggan.checkpoints.safetensors_file import load_transport_alone

PTBXL = "ptbxl"
FILE = Path(__file__).with_name("ptbxl_transport.safetensors")


def ptbxl_generator() -> TrainedGenerator:
    """The published generator with the transport to PTB-XL.

    Raises:
        FileNotFoundError: the package deepfake-ecg is not installed, or without its weights.
        ValueError: the transport was fitted on other weights than those installed.
    """
    published = published_generator()
    arrays, facts = load_transport_alone(FILE)
    if facts["weights_sha256"] != published.description["weights_sha256"]:
        raise ValueError(
            f"checkpoint={PTBXL} was fitted on the weights of deepfake-ecg 1.1.2; {published.description['package']} "
            "has others: pip install deepfake-ecg==1.1.2"
        )
    description = {**published.description, **facts, "checkpoint": PTBXL, "transport_sha256": tensors_sha256(arrays)}
    return replace(published, transport=arrays, description=description)

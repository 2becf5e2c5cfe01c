"""The generator that the paper published, from the installed package deepfake-ecg."""

import importlib.metadata
from pathlib import Path

from ecggan.checkpoints.generator_file import TrainedGenerator, read_tensors, weights_sha256
from ecggan.checkpoints.third_party import third_party_generator
from ecggan.ecg import EIGHT_LEADS, ECGFormat

PUBLISHED = "published"
PUBLISHED_FORMAT = ECGFormat(leads=EIGHT_LEADS, sampling_rate=500, num_samples=5000, full_scale_mv=6.0)


def published_generator() -> TrainedGenerator:
    """The paper's Pulse2Pulse generator, from the weights in the package deepfake-ecg.

    The package is located without importing it, because its import needs packages that it does not declare.

    Raises:
        FileNotFoundError: the package is not installed, or without its weights.
    """
    try:
        package = importlib.metadata.distribution("deepfake-ecg")
    except importlib.metadata.PackageNotFoundError as error:
        raise FileNotFoundError(
            "the published weights come with the package deepfake-ecg, which is not installed: "
            "pip install deepfake-ecg==1.1.2"
        ) from error
    weights = Path(str(package.locate_file("deepfakeecg/checkpoints/g_stat.pt")))
    network, ecg, details = third_party_generator(read_tensors(weights), weights, {})
    assert ecg == PUBLISHED_FORMAT
    description = {"checkpoint": PUBLISHED, "package": f"deepfake-ecg {package.version}", "layout": details["layout"]}
    return TrainedGenerator(network, ecg, {**description, "weights_sha256": weights_sha256(network)})

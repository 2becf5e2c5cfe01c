"""Overlap of the real set with the training ECGs of a generator, by which it must not be evaluated."""

from collections.abc import Mapping

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.training_records import training_hashes


def check_no_overlap(real: ECGSet, generated: Mapping[str, ECGSet], training: ECGSet | None = None) -> None:
    """Raise if real ECGs are among the training ECGs, as the manifests of generated sets and the user give them.

    Args:
        real: the reference.
        generated: the sets to evaluate, by name; sets whose manifest names no training ECGs are not checked.
        training: the training ECGs of all of them, as given by the user.

    Raises:
        ValueError: the same samples are in both, naming the sets, the number and the first record.
    """
    known = {name: training_hashes(ecgs.manifest.get("made_by") or {}) for name, ecgs in generated.items()}
    if training is not None:
        known["the training set"] = set(training.hashes())
    if not any(known.values()):
        return
    hashes = real.hashes()
    for name, those in known.items():
        shared = [i for i, digest in enumerate(hashes) if digest in those]
        if shared:
            first = real.records["record"].iloc[shared[0]]
            learned = (
                "are in the training set" if name == "the training set" else f"are among those that {name} learned from"
            )
            raise ValueError(
                f"{len(shared)} of the {len(real)} real ECGs {learned} ({first} is the first): that would evaluate a "
                "generator on its training ECGs. Give ECGs that it has not seen, such as data.split=test, or allow it "
                "with allow_overlap=true"
            )

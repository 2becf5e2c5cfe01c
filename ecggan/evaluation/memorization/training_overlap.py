"""A generator is not to be judged by the ECGs that it learned from."""

from collections.abc import Mapping

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.training_records import hashes_in


def check_no_overlap(real: ECGSet, generated: Mapping[str, ECGSet], training: ECGSet | None = None) -> None:
    """Raise where real ECGs are among those that a generator learned from, as its sets and the user say.

    Args:
        real: the reference.
        generated: what is judged, by name; sets of generators that do not say what they learned from are not asked.
        training: what the user says that all of them learned from.

    Raises:
        ValueError: the same samples are in both, naming the sets, the number and the first record.
    """
    known = {name: hashes_in(ecgs.manifest.get("made_by") or {}) for name, ecgs in generated.items()}
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
                f"{len(shared)} of the {len(real)} real ECGs {learned} ({first} is the first): that would judge a "
                "generator by what it knows. Give ECGs that it has not seen, such as data.split=test, or "
                "allow_overlap=true to go on all the same"
            )

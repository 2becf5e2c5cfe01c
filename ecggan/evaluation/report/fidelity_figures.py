"""The pictures of a report on how varied and how new a generated set is: clouds, nearest neighbours, closest pairs."""

from typing import TYPE_CHECKING

import numpy as np

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.evaluation.assessment import Assessment
from ecggan.evaluation.formatting import signed
from ecggan.evaluation.memorization.memorization_verdict import CLOUD_WORDS
from ecggan.evaluation.set_evaluation import CLOUDS, points_of
from ecggan.plotting import plot_clouds, plot_distributions, plot_ecg

if TYPE_CHECKING:
    import matplotlib.figure

NUM_PAIRS = 3
_NEAREST_WORDS = {
    "correlation_training": ("By the course of 6.5 s", "correlation"),
    "beat_correlation_training": ("By the median beat", "correlation"),
}


def draw_clouds(assessment: Assessment) -> "matplotlib.figure.Figure | None":
    """Each generated set over the real one, on the two directions in which the real set varies most."""
    panels = {}
    for name, some in assessment.generated.items():
        for kind in CLOUDS:
            clouds = assessment.judgements[name].clouds
            points = (
                None if clouds is None or kind not in set(clouds["cloud"]) else points_of(kind, assessment.real, some)
            )
            if points is not None:
                title = CLOUD_WORDS[kind].capitalize()
                panels[title if len(assessment.generated) == 1 else f"{name}: {title.lower()}"] = _on_a_plane(*points)
    only = next(iter(assessment.generated)) if len(assessment.generated) == 1 else "generated"
    return plot_clouds(panels, ("real", only)) if panels else None


def _on_a_plane(real: np.ndarray, generated: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    centre = real.mean(axis=0)
    _, vectors = np.linalg.eigh(np.cov((real - centre).T))
    axes = vectors[:, -2:][:, ::-1]  # eigenvalues ascend
    axes = axes * np.where(axes.sum(axis=0) < 0, -1, 1)  # of the two signs of each, one for all
    return (real - centre) @ axes, (generated - centre) @ axes


def draw_nearest(assessment: Assessment) -> "matplotlib.figure.Figure | None":
    """How near the nearest training ECG is: to held-out real ECGs, and to generated ones."""
    sets: dict[str, dict[str, np.ndarray]] = {}
    for name, judgement in assessment.judgements.items():
        novelty = judgement.novelty
        if novelty is None:
            continue
        if novelty.held_out_nearest is not None:
            sets["held-out real ECGs"] = {c: novelty.held_out_nearest[c].to_numpy() for c in _NEAREST_WORDS}
        sets[name] = {c: novelty.nearest[c].replace(-np.inf, np.nan).to_numpy() for c in _NEAREST_WORDS}
    return plot_distributions(sets, _NEAREST_WORDS) if sets else None


def draw_pairs(assessment: Assessment, name: str) -> "list[tuple[str, str, matplotlib.figure.Figure]]":
    """The generated ECGs that match a training ECG best, over it: title, caption, figure."""
    novelty, some = assessment.judgements[name].novelty, assessment.generated[name]
    others = assessment.training if assessment.training is not None else assessment.real.ecgs
    if novelty is None:
        return []
    drawn = []
    whose = "training" if assessment.training is not None else "real"
    for row in novelty.pairs.head(NUM_PAIRS).to_dict("records"):
        copy, original = int(row["position"]), int(row["of_position"])
        names = [str(ecgs.records["record"].iloc[i]) for ecgs, i in ((some.ecgs, copy), (others, original))]
        beneath = overlay(some.ecgs, others, original, float(row["shift_ms"]), float(row["gain"]))
        title = f"{name} {names[0]} over {whose} {names[1]}"
        caption = (
            f"{'A copy' if row['is_copy'] else 'No copy'}: {name} {names[0]} (black) over {whose} {names[1]} (blue, "
            f"shifted by {signed(row['shift_ms'], 0)} ms and × {row['gain']:.2f}); correlation "
            f"{row['correlation']:.2f}, and {1000 * row['rest_mv']:.0f} µV RMS that the blue one does not explain."
        )
        figure = plot_ecg(some.ecgs.millivolts([copy])[0], some.ecgs.leads, some.ecgs.sampling_rate, title, beneath)
        drawn.append((title, caption, figure))
    return drawn


def overlay(ecgs: ECGSet, others: ECGSet, position: int, shift_ms: float, gain: float) -> np.ndarray:
    """A record of another set as it lies under one of this: in its leads, at its times, in its size."""
    record = others.millivolts([position])[0]
    times = np.arange(ecgs.num_samples) / ecgs.sampling_rate - shift_ms / 1000
    own = np.arange(others.num_samples) / others.sampling_rate
    lead_of = {
        lead: np.interp(times, own, values, np.nan, np.nan) for lead, values in zip(others.leads, record, strict=True)
    }
    nothing = np.full(ecgs.num_samples, np.nan)
    return gain * np.stack([lead_of.get(lead, nothing) for lead in ecgs.leads])

"""Fit, on generated and real ECGs, the map that takes the ones to the law of the others; apply it to an ECG.

Five steps: the mean RR interval, how much it varies and how unlike the beats are, each by quantiles; landmarks and
waves together, given the RR interval, by the optimal map between Gaussians; then along single waves of single leads by
quantiles again, since a T wave that is seldom flat is no Gaussian; and what lies further out than real ECGs do is drawn
in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from jaxtyping import Float

from ecggan.ecg import DERIVED_LEADS, select_leads
from ecggan.transport.optimal_map import QuantileMap, RadialMap, SlicedMap, gaussian_map
from ecggan.transport.registered_beat import GRID_MS, RegisteredECG, fade, register, spread_of
from ecggan.transport.retiming import NewTimes, retime

FEWEST_ECGS = 50
_MOST_PARTS = 50  # principal components of the waves
_ECGS_A_PART = 5  # so that few ECGs have few
_WAVE_FLOOR_MV = 0.02  # added to the SD of each lead and time: what varies less than noise has no say
_RIDGE = 1e-3
_NUM_SWEEPS = 2
_LANDMARK_UNIT_MS = np.array([18.0, 16.0, 8.0, 8.0, 26.0])  # about an SD of each
_LANDMARK_WEIGHT = 0.3  # of an SD of a landmark, in SDs of the largest part of the waves
_LOOKED_AT_MS = (  # of a usual beat
    *(-172, -156, -142, -128, -112),  # P
    *(-28, -14, 0, 14, 28, 42),  # QRS
    *(120, 180, 230, 250, 270, 300),  # ST and T
)
_NUM_PARTS_LOOKED_AT = 12
_SPREAD_FACTORS = (0.3, 3.0)  # of RR intervals and sizes
_REST_FACTORS = (0.4, 1.5)
_REST_FLOOR = 0.01  # SDs


@dataclass(frozen=True)
class BeatTransport:
    """A map from ECG to ECG; made by `BeatTransport.fit`, kept as arrays.

    Args:
        scale: of the waves, in mV.
        centre: of the scaled waves.
        parts: their principal components.
        landmark_scale: ms to a number beside the parts.
        source_given_rr: intercept and slope of each number on the logarithm of the RR interval, generated.
        target_given_rr: likewise, real.
        linear: the optimal map between Gaussians.
        directions: of the [SlicedMap][ecggan.transport.optimal_map.SlicedMap], and likewise its moves and quantiles.
        moves: see there.
        slice_source: its source.
        slice_target: its target.
        whitening: of the [RadialMap][ecggan.transport.optimal_map.RadialMap].
        radius: its quantiles, generated and real.
        rr: quantiles of the logarithm of the RR interval, generated and real.
        rr_spread: likewise of its spread.
        size_spread: likewise of the spread of the beats' sizes; None in an older map, which leaves them.
        rest: factor of what the parts leave of the waves; None in an older map, which leaves it.
    """

    scale: Float[np.ndarray, "lead grid"]
    centre: Float[np.ndarray, " wave"]
    parts: Float[np.ndarray, "part wave"]
    landmark_scale: Float[np.ndarray, " landmark"]
    source_given_rr: Float[np.ndarray, "2 number"]
    target_given_rr: Float[np.ndarray, "2 number"]
    linear: Float[np.ndarray, "_ _"]
    directions: Float[np.ndarray, "_ _"]
    moves: Float[np.ndarray, "_ _"]
    slice_source: Float[np.ndarray, "_ quantile"]
    slice_target: Float[np.ndarray, "_ quantile"]
    whitening: Float[np.ndarray, "_ _"]
    radius: Float[np.ndarray, "2 quantile"]
    rr: Float[np.ndarray, "2 quantile"]
    rr_spread: Float[np.ndarray, "2 quantile"]
    size_spread: Float[np.ndarray, "2 quantile"] | None = None
    rest: Float[np.ndarray, "lead grid"] | None = None

    @classmethod
    def fit(
        cls, real: Sequence[RegisteredECG], generated: Sequence[RegisteredECG], leads: Sequence[str]
    ) -> "BeatTransport":
        """Fit the map that makes generated ECGs like real ones.

        Args:
            real: a few hundred, of as many patients as can be.
            generated: as many or more.
            leads: their names; with I and II among them the limb leads that follow from these are looked at too.

        Raises:
            ValueError: too few of either.
        """
        for name, ecgs in (("real", real), ("generated", generated)):
            if len(ecgs) < FEWEST_ECGS:
                raise ValueError(
                    f"a beat transport is fitted on at least {FEWEST_ECGS} {name} ECGs with P, QRS and T in every "
                    f"lead; got {len(ecgs)}: give more records"
                )
        waves = [np.stack([ecg.waves for ecg in ecgs]) for ecgs in (real, generated)]
        alike = np.concatenate([waves[0], waves[1][: len(waves[0])]])
        scale = alike.std(axis=0) + _WAVE_FLOOR_MV
        scaled = (alike / scale).reshape(len(alike), -1)
        centre = scaled.mean(axis=0)
        parts = np.linalg.svd(scaled - centre, full_matrices=False)[2][: min(_MOST_PARTS, len(real) // _ECGS_A_PART)]
        largest = ((scaled - centre) @ parts[0]).std()
        landmark_scale = _LANDMARK_WEIGHT * largest / _LANDMARK_UNIT_MS
        numbers = [
            np.stack([_numbers(ecg, scale, centre, parts, landmark_scale) for ecg in ecgs])
            for ecgs in (real, generated)
        ]
        rr = [np.array([ecg.log_rr for ecg in ecgs]) for ecgs in (real, generated)]
        lines = [np.linalg.lstsq(_line(x), y, rcond=None)[0] for x, y in zip(rr, numbers, strict=True)]
        target, source = (y - _line(x) @ line for x, y, line in zip(rr, numbers, lines, strict=True))
        linear = gaussian_map(source, target, _RIDGE)
        directions = _directions(scale, parts, target, leads)
        sliced = SlicedMap.fit(source @ linear, target, directions, _NUM_SWEEPS)
        radial = RadialMap.fit(sliced(source @ linear), target)
        rests = [np.stack([_rest(ecg, scale, centre, parts) for ecg in ecgs]) for ecgs in (real, generated)]
        fitted = cls(
            scale,
            centre,
            parts,
            landmark_scale,
            lines[1],
            lines[0],
            linear,
            sliced.directions,
            sliced.moves,
            sliced.source,
            sliced.target,
            radial.whitening,
            np.stack([radial.source, radial.target]),
            rr=_quantiles("log_rr", real, generated),
            rr_spread=_quantiles("log_rr_spread", real, generated),
            size_spread=_quantiles("log_size_spread", real, generated),
            rest=_rest_factor(*rests),
        )
        return cls.from_arrays(fitted.arrays())  # so that it moves ECGs as it will when it has been kept in a file

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "BeatTransport":
        """From what `arrays` gave.

        Raises:
            ValueError: an array is missing, unknown, or not of the shape that the others ask for.
        """
        known = cls.__dataclass_fields__
        if not set(known) - {"size_spread", "rest"} <= set(arrays) <= set(known):
            raise ValueError(f"a beat transport has the arrays {', '.join(known)}; got {', '.join(arrays)}")
        transport = cls(**{name: np.asarray(array, dtype=np.float64) for name, array in arrays.items()})
        num_numbers = len(transport.landmark_scale) + len(transport.parts)
        num_waves = transport.scale.shape[0] * len(GRID_MS)
        fits = (
            transport.scale.shape[1:] == (len(GRID_MS),)
            and transport.centre.shape == (num_waves,)
            and transport.parts.shape[1:] == (num_waves,)
            and transport.linear.shape == (num_numbers, num_numbers)
            and len(transport.whitening) == num_numbers
            and transport.directions.shape == transport.moves.shape == (len(transport.slice_source), num_numbers)
        )
        if not fits:
            shapes = {name: array.shape for name, array in transport.arrays().items()}
            raise ValueError(f"the arrays of a beat transport do not fit each other: {shapes}")
        return transport

    def arrays(self) -> dict[str, Float[np.ndarray, "..."]]:
        """What it is made of, in 32 bits."""
        return {name: np.asarray(array, dtype=np.float32) for name, array in asdict(self).items() if array is not None}

    def __call__(
        self, millivolts: Float[np.ndarray, "lead time"], sampling_rate: int
    ) -> Float[np.ndarray, "lead time"] | None:
        """The ECG moved; None where it cannot be registered."""
        ecg = register(millivolts, sampling_rate)
        if ecg is None:
            return None
        new, change = self.target(ecg)
        return retime(millivolts, ecg, new, change)

    def target(self, ecg: RegisteredECG) -> tuple[NewTimes, Float[np.ndarray, "lead grid"]]:
        """Where the beats and waves of an ECG are to be, and what is to be added to each beat, in mV."""
        before = _numbers(ecg, self.scale, self.centre, self.parts, self.landmark_scale)
        log_rr = float(QuantileMap(*self.rr)(ecg.log_rr))
        alone = before - _line(np.array([ecg.log_rr]))[0] @ self.source_given_rr
        sliced = SlicedMap(self.directions, self.moves, self.slice_source, self.slice_target)
        radial = RadialMap(self.whitening, *self.radius)
        after = radial(sliced((alone @ self.linear)[None]))[0] + _line(np.array([log_rr]))[0] @ self.target_given_rr
        num_landmarks = len(self.landmark_scale)
        new = NewTimes(
            float(np.exp(log_rr)),
            _factor(self.rr_spread, ecg.log_rr_spread),
            after[:num_landmarks] / self.landmark_scale,
            1.0 if self.size_spread is None else _factor(self.size_spread, ecg.log_size_spread),
        )
        change = ((after - before)[num_landmarks:] @ self.parts).reshape(self.scale.shape)
        if self.rest is not None:
            change += (self.rest - 1) * _rest(ecg, self.scale, self.centre, self.parts)
        return new, change * self.scale * fade()


def _numbers(
    ecg: RegisteredECG, scale: np.ndarray, centre: np.ndarray, parts: np.ndarray, landmark_scale: np.ndarray
) -> Float[np.ndarray, " number"]:
    """An ECG's landmarks and parts of its waves, in one unit."""
    return np.concatenate([ecg.landmarks_ms * landmark_scale, parts @ ((ecg.waves / scale).ravel() - centre)])


def _rest(
    ecg: RegisteredECG, scale: np.ndarray, centre: np.ndarray, parts: np.ndarray
) -> Float[np.ndarray, "lead grid"]:
    """What the parts leave of an ECG's scaled waves."""
    alone = (ecg.waves / scale).ravel() - centre
    return (alone - parts.T @ (parts @ alone)).reshape(scale.shape)


def _rest_factor(real: np.ndarray, generated: np.ndarray) -> Float[np.ndarray, "lead grid"]:
    """By how much larger the rest is, lead by lead and time by time, in real ECGs."""
    sizes = [np.sqrt((rest**2).mean(axis=0)) + _REST_FLOOR for rest in (real, generated)]
    return np.clip(sizes[0] / sizes[1], *_REST_FACTORS)


def _quantiles(
    name: str, real: Sequence[RegisteredECG], generated: Sequence[RegisteredECG]
) -> Float[np.ndarray, "2 quantile"]:
    """The arrays of the map of one property from generated ECGs to real ones."""
    fitted = QuantileMap.fit(*(np.array([getattr(ecg, name) for ecg in ecgs]) for ecgs in (generated, real)))
    return np.stack([fitted.source, fitted.target])


def _factor(quantiles: Float[np.ndarray, "2 quantile"], log_spread: float) -> float:
    """By what a spread is to be multiplied."""
    wanted = spread_of(float(QuantileMap(*quantiles)(log_spread)))
    return float(np.clip(wanted / max(spread_of(log_spread), 1e-4), *_SPREAD_FACTORS))


def _line(x: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n 2"]:
    return np.stack([np.ones_like(x), x], axis=1)


def _directions(
    scale: np.ndarray, parts: np.ndarray, target: np.ndarray, leads: Sequence[str]
) -> Float[np.ndarray, "direction number"]:
    """One number each: a wave in a lead, a landmark, one of the parts along which real ECGs vary most."""
    num_numbers = target.shape[1]
    num_landmarks = num_numbers - len(parts)
    by_lead = parts.reshape(len(parts), len(leads), -1) * scale
    derived = [lead for lead in DERIVED_LEADS if lead not in leads] if {"I", "II"} <= set(leads) else []
    by_lead = select_leads(by_lead, leads, [*leads, *derived])
    rows = []
    for ms in _LOOKED_AT_MS:
        at = int(np.argmin(np.abs(GRID_MS - ms)))
        rows += [np.concatenate([np.zeros(num_landmarks), millivolts]) for millivolts in by_lead[:, :, at].T]
    rows += list(np.eye(num_numbers)[:num_landmarks])
    largest = np.linalg.eigh(np.cov(target, rowvar=False))[1][:, ::-1].T
    return np.stack([*rows, *largest[:_NUM_PARTS_LOOKED_AT]])


def registered(records: Float[np.ndarray, "record lead time"], sampling_rate: int) -> list[RegisteredECG]:
    """Those of the records, in mV, that can be registered."""
    found = (register(record, sampling_rate) for record in records)
    return [ecg for ecg in found if ecg is not None]

import numpy as np
import pytest

from ecggan.ecg import EIGHT_LEADS
from ecggan.measurement.measure_set import measure
from ecggan.transport.beat_transport import BeatTransport, registered
from ecggan.transport.registered_beat import register

pytestmark = pytest.mark.slow

NUM_REAL, NUM_GENERATED, NUM_NEW = 70, 80, 40


@pytest.fixture(scope="module")
def laws(ecg_of_known_intervals):
    """Two laws of ECGs: the generated ones are slower in the QRS, of small waves, of a narrow rate and uneven beats."""

    def records(num, seed, rate, pr, qrs, gain, uneven):
        made = []
        for i in range(num):
            rng = np.random.default_rng((seed, i))
            ecg = ecg_of_known_intervals(
                rng.normal(*rate), rng.normal(*pr), rng.normal(*qrs), noise_mv=0.01, seed=int(rng.integers(1_000_000))
            )
            sizes = np.interp(np.arange(5000), np.arange(0, 5001, 400), 1 + uneven * rng.normal(size=13))
            made.append(ecg * sizes * rng.lognormal(np.log(gain), 0.15, (8, 1)))
        return np.stack(made)

    real = records(NUM_REAL, 1, (72, 9), (150, 10), (88, 4), 1.2, 0.01)
    generated = records(NUM_GENERATED, 2, (68, 4), (165, 8), (98, 4), 1.0, 0.06)
    new = records(NUM_NEW, 3, (68, 4), (165, 8), (98, 4), 1.0, 0.06)
    return real, generated, new


@pytest.fixture(scope="module")
def transport(laws):
    return BeatTransport.fit(registered(laws[0], 500), registered(laws[1], 500), EIGHT_LEADS)


@pytest.fixture(scope="module")
def tables(laws, transport):
    moved = np.stack([transport(record, 500) for record in laws[2]])
    return [measure(records, EIGHT_LEADS, 500, num_workers=1, progress=False) for records in (laws[0], laws[2], moved)]


MOVED = ("heart_rate_bpm", "pr_interval_ms", "qrs_duration_ms", "r_amplitude_v5_mv", "p_amplitude_ii_mv")


@pytest.mark.parametrize("name", MOVED)
def test_ecgs_it_was_not_fitted_on_come_nearer_to_the_real_ones(tables, name):
    real, before, after = (table[name].dropna().to_numpy() for table in tables)
    assert abs(after.mean() - real.mean()) < 0.4 * real.std()
    if name != "heart_rate_bpm":  # whose mean was near already
        assert abs(after.mean() - real.mean()) < 0.5 * abs(before.mean() - real.mean())


def test_the_rate_is_spread_as_in_the_real_ones(tables):
    real, before, after = (table["heart_rate_bpm"].std() for table in tables)
    assert before < 0.6 * real < 0.75 * real < after < 1.4 * real


def test_beats_become_as_even_as_in_the_real_ones(tables):
    real, before, after = (table["qrs_size_sd_percent"].median() for table in tables)
    assert before > 3 * real
    assert abs(after - real) < 0.15 * abs(before - real)


def test_limb_leads_that_follow_from_i_and_ii_are_looked_at_too(laws, transport):
    chest = BeatTransport.fit(registered(laws[0], 500), registered(laws[1], 500), [f"V{i}" for i in range(1, 9)])
    assert chest.directions.shape[1] == transport.directions.shape[1]
    assert len(transport.directions) / len(chest.directions) == pytest.approx(12 / 8, rel=0.1)


def test_every_ecg_stays_measurable(tables):
    assert tables[2]["is_measurable"].all()


def test_the_same_law_is_left_where_it_is(laws):
    same = BeatTransport.fit(registered(laws[1], 500), registered(laws[1], 500), EIGHT_LEADS)
    assert np.abs(same(laws[2][0], 500) - laws[2][0]).max() < 0.02


def test_arrays_make_the_same_transport_again(laws, transport):
    again = BeatTransport.from_arrays(transport.arrays())
    assert np.array_equal(again(laws[2][0], 500), transport(laws[2][0], 500))


def test_a_map_of_before_sizes_were_moved_leaves_them(laws, transport):
    older = {name: array for name, array in transport.arrays().items() if name not in ("size_spread", "rest")}
    moved = BeatTransport.from_arrays(older)(laws[2][0], 500)
    sizes = [
        100 * np.exp(register(ecg, 500).log_size_spread) for ecg in (laws[2][0], moved, transport(laws[2][0], 500))
    ]
    assert sizes[1] == pytest.approx(sizes[0], rel=0.25)
    assert sizes[2] < 0.5 * sizes[0]


def test_what_cannot_be_registered_is_not_moved(transport):
    assert transport(np.zeros((8, 5000)), 500) is None


def test_too_few_ecgs_are_refused(laws):
    some = registered(laws[0][:10], 500)
    with pytest.raises(ValueError, match=r"at least 50 real ECGs .* got 10"):
        BeatTransport.fit(some, some, EIGHT_LEADS)


def test_arrays_that_do_not_fit_are_refused(transport):
    arrays = transport.arrays()
    with pytest.raises(ValueError, match="got scale"):
        BeatTransport.from_arrays({"scale": arrays["scale"]})
    with pytest.raises(ValueError, match="do not fit each other"):
        BeatTransport.from_arrays(arrays | {"linear": arrays["linear"][:-1]})


def test_no_real_beat_lies_in_it(laws, transport):
    beats = np.stack([ecg.waves.ravel() for ecg in registered(laws[0], 500)])
    beats -= beats.mean(axis=0)
    for part in transport.parts:
        pattern = part * transport.scale.ravel()
        alike = np.abs(beats @ pattern) / np.linalg.norm(beats, axis=1) / np.linalg.norm(pattern)
        assert alike.max() < 0.99

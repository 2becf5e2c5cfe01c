"""Wanted against measured, on ECGs whose rate and waves are known."""

import json
from dataclasses import replace

import numpy as np
import pytest

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import EIGHT_LEADS
from ecggan.evaluation.obedience.obedience import assess_obedience
from ecggan.jobs import Obedience
from ecggan.measurement.measure_set import measure
from ecggan.measurement.normality.screen import screen


@pytest.fixture(scope="module")
def ecgs(known_ecg):
    """Make 20 ECGs of 5 s of rates from 55 to 100 bpm, those of women half as large."""

    def make(kind: str, seed: int) -> ECGSet:
        rates = np.random.default_rng(seed).uniform(55, 100, 20)
        sexes = np.array(["male", "female"] * 10)
        signals = [known_ecg(1, rate, num_samples=2500, seed=int(seed * 100 + i)) for i, rate in enumerate(rates)]
        signals = np.concatenate(signals) * np.where(sexes == "female", 0.5, 1.0)[:, None, None]
        made = ECGSet.from_arrays(signals, EIGHT_LEADS, 500, kind=kind)
        return replace(made, records=made.records.assign(sex=sexes, heart_rate=rates))

    return make


@pytest.fixture(scope="module")
def real(ecgs) -> ECGSet:
    made = ecgs("real", 1)
    return replace(made, records=made.records.drop(columns="heart_rate"))


@pytest.fixture(scope="module")
def result(real, ecgs, tmp_path_factory):
    out = tmp_path_factory.mktemp("obedience") / "out"
    return Obedience(real=real, generated=ecgs("generated", 2), num_workers=1, out=out).run()


@pytest.fixture
def obedient(result):
    return result.value


def test_an_obedient_set_has_the_rates_that_were_asked_for(obedient):
    rates = obedient.heart_rates
    assert (rates.num_records, rates.num_asked, rates.num_measured) == (20, 20, 20)
    assert rates.correlation[0] > 0.99
    assert rates.correlation[1] <= rates.correlation[0] <= rates.correlation[2]
    assert rates.mean_error[0] < 2
    assert abs(rates.bias) < 1
    of_rate = obedient.effects.loc[obedient.effects["condition"] == "heart_rate", "measurement"]
    assert "heart_rate_bpm" not in set(of_rate)  # of real ECGs it would be compared with itself


@pytest.fixture(scope="module")
def half_asked(ecgs) -> ECGSet:
    """Of four of 20 no rate is asked for; three others are half empty, so that their rate is not to be trusted."""
    made = ecgs("generated", 2)
    rates = made.records["heart_rate"].to_numpy().copy()
    slowest_first = np.argsort(rates)  # of the fastest, half are beats enough for a rate
    signals = made.millivolts(slice(None))
    signals[slowest_first[-3:], :, 1250:] = 0
    rates[slowest_first[:4]] = np.nan
    empty = ECGSet.from_arrays(signals, EIGHT_LEADS, 500, kind="generated")
    return replace(empty, records=made.records.assign(heart_rate=rates))


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("measured")


@pytest.fixture(scope="module")
def measured(half_asked, cache):
    """Its measurements; of the three, rates without being measurable."""
    table = measure(half_asked, num_workers=1, progress=False, cache=cache)
    doubtful = table.loc[~table["is_measurable"].astype(bool), "heart_rate_bpm"]
    assert len(doubtful) == 3
    assert doubtful.notna().all()
    return table


def test_what_was_not_asked_for_and_what_could_not_be_measured_are_counted_apart(
    real, half_asked, measured, cache, tmp_path
):
    found = Obedience(real=real, generated=half_asked, num_workers=1, cache=cache, out=tmp_path / "out").run()
    rates = found.value.heart_rates
    assert (rates.num_records, rates.num_asked, rates.num_measured) == (20, 16, 13)
    assert "16 of 20 ECGs were asked for a rate, and 13 of these could be measured" in str(found)
    assert json.loads((found.path.parent / "summary.json").read_text())["heart_rate"]["num_asked"] == 16


def test_rates_of_real_ecgs_that_could_not_be_measured_are_no_conditions(real, half_asked, measured, cache):
    as_real = replace(half_asked, manifest=real.manifest, records=half_asked.records.drop(columns="heart_rate"))
    found = assess_obedience(as_real, half_asked, num_workers=1, progress=False, cache=cache)
    of_rate = found.effects.set_index(["condition", "measurement"]).loc["heart_rate", "real"]
    known = measured[measured["is_measurable"].astype(bool)]
    slope = np.polyfit(known["heart_rate_bpm"] / 10, screen(known)["is_normal"].astype(float), 1)[0]
    assert of_rate["share_normal"] == pytest.approx(slope)


def test_an_obedient_set_differs_by_sex_as_real_ecgs_do(obedient):
    row = obedient.effects.set_index(["condition", "measurement"]).loc[("sex", "r_amplitude_v5_mv")]
    assert row["real"] == pytest.approx(-0.65, abs=0.1)
    assert row["generated"] == pytest.approx(row["real"], abs=0.1)
    shown = obedient.shown_by_real()
    is_sex = (shown["condition"] == "sex") & (shown["measurement"] == "r_amplitude_v5_mv")
    assert obedient.followed()[is_sex].all()


def test_a_set_that_does_as_it_likes_is_found_out(real, ecgs):
    made = ecgs("generated", 3)
    order = np.random.default_rng(0).permutation(20)
    shuffled = made.records.assign(**{name: made.records[name].to_numpy()[order] for name in ("sex", "heart_rate")})
    found = assess_obedience(real, replace(made, records=shuffled), num_workers=1, progress=False)
    assert abs(found.heart_rates.correlation[0]) < 0.6
    assert found.heart_rates.mean_error[0] > 8
    row = found.effects.set_index(["condition", "measurement"]).loc[("sex", "r_amplitude_v5_mv")]
    assert abs(row["generated"]) < 0.35


def test_the_job_writes_what_it_found(result):
    assert {path.name for path in result.path.parent.iterdir()} == {"obedience.md", "effects.csv", "summary.json"}
    assert "Heart rate, wanted and measured: r = 0.99" in str(result)
    assert "women − men" in str(result)


def test_a_set_without_conditions_is_refused(real, ecgs, tmp_path):
    with pytest.raises(ValueError, match="generated must be given: generated=ECG_SET, drawn with conditions"):
        Obedience(real=real, out=tmp_path / "out")
    bare = ecgs("generated", 2)
    bare = replace(bare, records=bare.records[["record"]])
    with pytest.raises(ValueError, match="holds none of the conditions sex, age, heart_rate, labels in its table"):
        Obedience(real=real, generated=bare, out=tmp_path / "out").run()
    unlike = replace(real, records=real.records.drop(columns="sex"))
    with pytest.raises(ValueError, match=r"condition=\[sex\] needs the column 'sex', which the real set does not have"):
        Obedience(real=unlike, generated=ecgs("generated", 2), num_workers=1, out=tmp_path / "out").run()

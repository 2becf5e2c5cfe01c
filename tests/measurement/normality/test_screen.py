import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from ecggan.ecg import EIGHT_LEADS, TWELVE_LEADS
from ecggan.measurement.measure_record import row_without_numbers
from ecggan.measurement.measure_set import measure
from ecggan.measurement.normality.screen import RULES, findings, screen, share_normal

NORMAL = {
    "heart_rate_bpm": 70.0,
    "rr_mean_ms": 857.0,
    "rr_sd_ms": 30.0,
    "qrs_size_sd_percent": 2.0,
    "p_duration_ms": 100.0,
    "pr_interval_ms": 160.0,
    "qrs_duration_ms": 90.0,
    "qt_interval_ms": 390.0,
    "qtc_fridericia_ms": 410.0,
    "qrs_axis_deg": 45.0,
    "t_axis_deg": 40.0,
}
COLUMNS = [
    *("record", "is_normal", "is_otherwise_normal", "probability_normal", "is_normal_by_score", "reasons"),
]
WAVES_MV = {  # P, Q, R, S, ST, T
    "I": (0.08, -0.02, 0.7, -0.1, 0.02, 0.25),
    "II": (0.13, -0.02, 0.9, -0.1, 0.02, 0.3),
    "III": (0.05, -0.02, 0.3, -0.1, 0.0, 0.05),
    "aVR": (-0.1, -0.7, 0.05, 0.0, -0.02, -0.27),
    "aVL": (0.02, -0.02, 0.3, -0.1, 0.01, 0.1),
    "aVF": (0.1, -0.02, 0.6, -0.1, 0.01, 0.17),
    "V1": (0.03, 0.0, 0.2, -0.9, 0.04, 0.05),
    "V2": (0.06, 0.0, 0.5, -1.4, 0.1, 0.5),
    "V3": (0.06, 0.0, 0.9, -0.8, 0.1, 0.5),
    "V4": (0.06, -0.02, 1.3, -0.4, 0.05, 0.4),
    "V5": (0.06, -0.05, 1.4, -0.2, 0.03, 0.35),
    "V6": (0.06, -0.05, 1.1, -0.1, 0.02, 0.3),
}


def table_of(leads: tuple[str, ...] = TWELVE_LEADS, **changes: float | str | bool) -> pd.DataFrame:
    """One normal record's row of measurements, with some of them changed."""
    row: dict[str, float | str | bool] = {"record": "a", "is_measurable": True, "reason": "", "missing": "", **NORMAL}
    for lead in leads:
        for wave, value in zip("pqrst", np.delete(WAVES_MV[lead], 4), strict=True):
            row[f"{wave}_amplitude_{lead.lower()}_mv"] = float(value)
        row[f"st_level_{lead.lower()}_mv"] = WAVES_MV[lead][4]
    return pd.DataFrame([row | changes])


def fired(**changes: float | str | bool) -> set[str]:
    found = findings(table_of(**changes)).iloc[0]
    return set(found.index[found != ""])


def q_of(lead: str, duration_ms: float, amplitude_mv: float) -> dict[str, float]:
    return {f"q_duration_{lead.lower()}_ms": duration_ms, f"q_amplitude_{lead.lower()}_mv": amplitude_mv}


# Each rule, just within its limit and just beyond it.
LIMITS = [
    ("rate", {"heart_rate_bpm": 50.0}, {"heart_rate_bpm": 49.9}),
    ("rate", {"heart_rate_bpm": 100.0}, {"heart_rate_bpm": 100.1}),
    ("rhythm", {"rr_mean_ms": 800.0, "rr_sd_ms": 200.0}, {"rr_mean_ms": 800.0, "rr_sd_ms": 201.0}),
    ("beats", {"qrs_size_sd_percent": 8.0}, {"qrs_size_sd_percent": 8.1}),
    ("p_wave", {"p_amplitude_ii_mv": -0.05}, {"p_amplitude_ii_mv": -0.051}),
    ("p_wave", {"p_amplitude_avr_mv": 0.05}, {"p_amplitude_avr_mv": 0.051}),
    ("pr", {"pr_interval_ms": 90.0}, {"pr_interval_ms": 89.0}),
    ("pr", {"pr_interval_ms": 240.0}, {"pr_interval_ms": 241.0}),
    ("p_size", {"p_duration_ms": 160.0}, {"p_duration_ms": 161.0}),
    ("p_size", {"p_amplitude_ii_mv": 0.35}, {"p_amplitude_ii_mv": 0.351}),
    ("qrs", {"qrs_duration_ms": 125.0}, {"qrs_duration_ms": 126.0}),
    ("qtc", {"qtc_fridericia_ms": 340.0}, {"qtc_fridericia_ms": 339.0}),
    ("qtc", {"qtc_fridericia_ms": 500.0}, {"qtc_fridericia_ms": 501.0}),
    ("qrs_axis", {"qrs_axis_deg": -45.0}, {"qrs_axis_deg": -46.0}),
    ("qrs_axis", {"qrs_axis_deg": 100.0}, {"qrs_axis_deg": 101.0}),
    ("qrs_axis", {"qrs_axis_deg": np.nan}, {"qrs_axis_deg": np.nan, "missing": "QRS axis: no net area"}),
    ("qrs_t_angle", {"t_axis_deg": -55.0}, {"t_axis_deg": -56.0}),
    ("qrs_t_angle", {"t_axis_deg": 145.0}, {"t_axis_deg": 146.0}),
    ("r_waves", {"r_amplitude_v3_mv": 0.1}, {"r_amplitude_v3_mv": 0.099}),
    ("r_waves", {"r_amplitude_v1_mv": 0.8, "s_amplitude_v1_mv": -0.5}, {"r_amplitude_v1_mv": 0.91}),
    ("r_waves", {"r_prime_amplitude_v1_mv": 0.3}, {"r_prime_amplitude_v1_mv": 0.301}),
    ("q_waves", {"q_duration_v2_ms": 29.9}, {"q_duration_v2_ms": 30.0}),
    ("q_waves", q_of("III", 50, -0.5), q_of("III", 50, -0.5) | q_of("aVF", 30, -0.1)),  # in III alone it is normal
    ("q_waves", q_of("I", 29, -0.3) | q_of("aVL", 40, -0.3), q_of("I", 30, -0.3) | q_of("aVL", 40, -0.3)),
    ("q_waves", q_of("V5", 40, -0.09) | q_of("V6", 40, -0.3), q_of("V5", 40, -0.1) | q_of("V6", 40, -0.3)),
    ("st_low", {"st_level_v5_mv": -0.12}, {"st_level_v5_mv": -0.121}),
    ("st_low", {"st_level_v5_mv": -0.08, "st_level_v6_mv": -0.07}, {"st_level_v5_mv": -0.08, "st_level_v6_mv": -0.071}),
    ("st_low", {"st_level_v1_mv": -0.2}, {"st_level_v1_mv": -0.2, "st_level_v2_mv": -0.08}),
    ("st_low", {"st_level_iii_mv": -0.2, "st_level_v1_mv": -0.2}, {"st_level_iii_mv": -0.2, "st_level_avf_mv": -0.08}),
    ("st_high", {"st_level_v2_mv": 0.5, "st_level_v3_mv": 0.4}, {"st_level_v2_mv": 0.5, "st_level_v3_mv": 0.41}),
    ("st_high", {"st_level_ii_mv": 0.2}, {"st_level_ii_mv": 0.2, "st_level_avf_mv": 0.16}),
    ("t_waves", {"t_amplitude_v6_mv": 0.0}, {"t_amplitude_v6_mv": -0.001}),
    ("t_waves", {"t_amplitude_avl_mv": -0.15}, {"t_amplitude_avl_mv": -0.151}),
    ("t_waves", {"t_amplitude_v2_mv": -0.15}, {"t_amplitude_v2_mv": -0.151}),
    ("t_waves", {"t_amplitude_v1_mv": -0.5}, {"t_amplitude_ii_mv": -0.001}),
    ("t_waves", {"t_amplitude_v5_mv": 0.05}, {"t_amplitude_v5_mv": 0.049}),
    ("high_voltage", {"r_amplitude_v5_mv": 4.59}, {"r_amplitude_v5_mv": 4.61}),
    ("high_voltage", {"r_amplitude_v6_mv": 4.59}, {"r_amplitude_v6_mv": 4.61}),
    ("high_voltage", {"r_amplitude_avl_mv": 2.79}, {"r_amplitude_avl_mv": 2.81}),
    ("leads", {"missing": "V3: noise; RR SD: fewer than three beats"}, {"missing": "V3: noise; V6: no signal"}),
]


@pytest.mark.parametrize(("rule", "within", "beyond"), LIMITS)
def test_rule_fires_just_beyond_its_limit_and_not_just_within(rule: str, within: dict, beyond: dict) -> None:
    assert fired(**within) == set()
    assert fired(**beyond) == {rule}


def test_low_voltage_needs_every_limb_lead_or_every_chest_lead_to_be_small() -> None:
    limb = {f"{w}_amplitude_{k}_mv": 0.0 for w in "qs" for k in ("i", "ii", "iii", "avr", "avl", "avf")}
    limb |= {f"r_amplitude_{k}_mv": 0.49 for k in ("i", "ii", "iii", "avr", "avl", "avf")}
    assert fired(**limb) == {"low_voltage"}
    assert fired(**limb | {"r_amplitude_iii_mv": 0.51}) == set()
    chest = {f"{w}_amplitude_v{k}_mv": 0.0 for w in "qs" for k in range(1, 7)}
    chest |= {f"r_amplitude_v{k}_mv": 0.7 for k in range(1, 7)}
    assert fired(**chest) == {"low_voltage"}
    assert fired(**chest | {"r_amplitude_v4_mv": 1.01}) == set()


def test_every_rule_has_its_limits_tested_and_says_what_it_asks_and_who_says_so() -> None:
    assert {rule for rule, _, _ in LIMITS} | {"low_voltage", "score"} == set(RULES)
    for name, rule in RULES.items():
        assert rule.name == name
        assert rule.title
        assert rule.source


def test_a_normal_ecg_passes_without_a_reason() -> None:
    screened = screen(table_of())
    assert list(screened) == COLUMNS
    assert screened[["is_normal", "is_otherwise_normal", "reasons"]].to_numpy().tolist() == [[True, True, ""]]


def test_rate_and_sinus_arrhythmia_leave_an_otherwise_normal_ecg() -> None:
    slow = screen(table_of(heart_rate_bpm=45.0, rr_mean_ms=1333.0, rr_sd_ms=400.0))
    assert slow[["is_normal", "is_otherwise_normal"]].to_numpy().tolist() == [[False, True]]
    assert "heart rate 45 bpm, below 50" in slow["reasons"].item()
    flat = screen(table_of(heart_rate_bpm=45.0, t_amplitude_v5_mv=-0.1))
    assert flat[["is_normal", "is_otherwise_normal"]].to_numpy().tolist() == [[False, False]]


def test_a_known_ecg_passes_from_signal_to_screen(known_ecg: Callable[..., np.ndarray]) -> None:
    table = measure(known_ecg(num_records=3), leads=EIGHT_LEADS, sampling_rate=500, num_workers=1, progress=False)
    assert screen(table)["reasons"].tolist() == ["", "", ""]


def test_reasons_name_measurement_value_limit_and_leads() -> None:
    screened = screen(table_of(qrs_duration_ms=134.4, t_amplitude_v5_mv=-0.2, t_amplitude_v6_mv=-0.1))
    assert not screened["is_normal"].item()
    assert screened["reasons"].item() == "QRS duration 134 ms, above 125; T flat or inverted in V5, V6"


def test_a_rule_that_is_off_never_fires() -> None:
    for rule, _, beyond in LIMITS:
        assert screen(table_of(**beyond), rules={rule: False})["is_normal"].item(), rule
        assert not screen(table_of(**beyond), rules={rule: True})["is_normal"].item(), rule


def test_without_a_p_wave_one_rule_fires_and_those_on_its_intervals_do_not() -> None:
    lost = {
        "p_duration_ms": np.nan,
        "pr_interval_ms": np.nan,
        "p_amplitude_ii_mv": np.nan,
        "p_amplitude_avr_mv": np.nan,
    }
    assert screen(table_of(**lost))["reasons"].item() == "no P wave"
    assert screen(table_of(**lost), rules={"p_wave": False})["is_normal"].item()


def test_what_is_not_measurable_is_never_normal_and_has_no_other_reason() -> None:
    table = pd.DataFrame([{"record": "a", **row_without_numbers(TWELVE_LEADS, "flat")}])
    for rules in (None, dict.fromkeys(RULES, False)):
        screened = screen(table, rules)
        assert not screened["is_normal"].item()
        assert screened["reasons"].item() == "not measurable: flat"
    odd = table_of(is_measurable=False, reason="too few beats", heart_rate_bpm=20.0)
    assert screen(odd)["reasons"].item() == "not measurable: too few beats"


@pytest.mark.parametrize("leads", [("I", "II"), ("V2", "V5"), ("II",), TWELVE_LEADS])
def test_rules_do_not_apply_to_leads_that_a_set_does_not_have(leads: tuple[str, ...]) -> None:
    table = table_of(leads)
    assert screen(table)["reasons"].tolist() == [""]
    joined = pd.concat([table, table_of()], ignore_index=True)  # the absent leads' columns are there, as NaN
    assert screen(joined)["is_normal"].all()


def test_a_record_is_judged_by_its_own_row() -> None:
    table = pd.concat([table_of(**beyond) for _, _, beyond in LIMITS] + [table_of()], ignore_index=True)
    together = screen(table)
    alone = pd.concat([screen(table.iloc[[i]]) for i in range(len(table))], ignore_index=True)
    pd.testing.assert_frame_equal(together, alone)
    backwards = screen(table.iloc[::-1])
    assert backwards["reasons"].tolist() == together["reasons"].tolist()[::-1]


def test_an_empty_table_has_no_share() -> None:
    empty = screen(table_of().iloc[:0])
    assert list(empty) == COLUMNS
    assert np.isnan(share_normal(empty))


def test_share_counts_what_is_not_measurable_as_not_normal() -> None:
    table = pd.concat([table_of(), table_of(), table_of(is_measurable=False, reason="flat")], ignore_index=True)
    assert share_normal(screen(table)) == pytest.approx(2 / 3)


def test_an_unknown_rule_is_an_error_that_names_the_known() -> None:
    with pytest.raises(ValueError, match="unknown rule 'qt'; known are leads, rate, rhythm, beats, p_wave"):
        screen(table_of(), rules={"qt": False})


def test_another_table_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"lacks is_measurable, reason, missing; give the table that ecggan\.measure"):
        screen(pd.DataFrame({"record": ["a"]}))


def test_a_hundred_thousand_records_take_seconds() -> None:
    table = pd.concat([table_of(), table_of(qrs_duration_ms=150.0)] * 500, ignore_index=True)
    table = pd.concat([table] * 100, ignore_index=True)
    start = time.process_time()
    assert share_normal(screen(table)) == 0.5
    assert time.process_time() - start < 10

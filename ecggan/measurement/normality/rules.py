"""The rules of the normality screen: what makes an ECG abnormal, with limits and sources.

The limits of the guidelines, applied together, fail many ECGs that cardiologists call normal, because each of 18
rules fails a few. So most limits lie further out than the guidelines', where next to no normal ECG is, and say what is
wrong with a clearly abnormal one; a last rule, `score`, weighs all that is less clear. The limits that are **chosen on
PTB-XL** were chosen on three quarters of the patients of a cross-section (docs/results/screen.md). ST is measured 60 ms
after the J point, not at it. Sex and age of a generated ECG are unknown, so no limit depends on them; if a guideline
has a limit for each, the one that passes more ECGs is used.

A missing value breaks one rule. Without a P wave the rule `p_wave` is broken, and the rules on its intervals are not. A
lead of the set without a usable signal breaks `leads` and no other rule; a lead that the set does not have breaks none.
A QRS axis without a direction breaks `qrs_axis`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ecggan.ecg import CHEST_LEADS, LIMB_LEADS, TWELVE_LEADS
from ecggan.measurement.columns import q_duration_column
from ecggan.measurement.normality.criteria import (
    LIMB_NEIGHBOURS,
    Criterion,
    above,
    amplitudes_mv,
    below,
    first_of,
    in_neighbours,
    name_leads,
    outside,
    qrs_depth_mv,
    texts_where,
    values,
    where,
)
from ecggan.measurement.normality.score import normality_score

LEADS = (*LIMB_NEIGHBOURS, *CHEST_LEADS)

# A value at its limit is normal; the sources are with the rules below.
MOST_LOST_LEADS = 1
RATE_BPM = (50, 100)
LARGEST_RR_SD_SHARE = 0.25  # of the mean RR interval
LARGEST_QRS_SIZE_SD_PERCENT = 8
PR_MS = (90, 240)
LONGEST_P_MS, TALLEST_P_II_MV, INVERTED_P_MV = 160, 0.35, 0.05
LONGEST_QRS_MS = 125
QTC_MS = (340, 500)
QRS_AXIS_DEG = (-45, 100)
WIDEST_QRS_T_ANGLE_DEG = 100
SMALLEST_R_V3_MV, TALLEST_R_V1_MV, TALLEST_R_PRIME_V1_MV = 0.1, 0.8, 0.3
DEEPEST_Q_MV, LONGEST_Q_MS = 0.1, 30
Q_LEADS = tuple(lead for lead in LEADS if lead != "V1")  # a QS in V1 is usual
LOWEST_ST_MV = dict.fromkeys(("aVL", "I", "II", "aVF", *CHEST_LEADS[1:]), -0.12)
LOWEST_ST_NEIGHBOURS_MV = dict.fromkeys(LEADS, -0.07)
HIGHEST_ST_NEIGHBOURS_MV = dict.fromkeys(LIMB_NEIGHBOURS, 0.15)
HIGHEST_ST_NEIGHBOURS_MV |= {"V1": 0.2, "V2": 0.4, "V3": 0.4, "V4": 0.3, "V5": 0.2, "V6": 0.15}
LOWEST_T_MV = {"I": 0.05, "II": 0.0, "V3": 0.0, "V4": 0.0, "V5": 0.05, "V6": 0.0}
LOWEST_T_MV |= dict.fromkeys(("aVL", "aVF", "V2"), -0.15)
HIGHEST_SOKOLOW_MV, HIGHEST_CORNELL_MV = 5.5, 3.6
SMALLEST_LIMB_QRS_MV, SMALLEST_CHEST_QRS_MV = 0.5, 1.0

AHA_III, AHA_IV, AHA_V = (f"AHA/ACCF/HRS 2009, part {part}" for part in ("III", "IV", "V"))
MI_2018 = "Fourth Universal Definition of Myocardial Infarction 2018"
MINNESOTA = "Minnesota code"
CHOSEN = "chosen on PTB-XL"


@dataclass(frozen=True)
class Rule:
    """One reason for which an ECG is not normal.

    Args:
        name: its key.
        title: what a normal ECG shows.
        source: of the limit, and what was chosen here.
        why_not_normal: a table of measurements -> a text for each record, empty if it does not break the rule.
    """

    name: str
    title: str
    source: str
    why_not_normal: Criterion


def _lost_leads(table: pd.DataFrame) -> np.ndarray:
    missing = table["missing"].astype(str)
    lost = np.stack([missing.str.contains(rf"(?:^|; ){lead}: ").to_numpy(dtype=bool) for lead in TWELVE_LEADS])
    return name_leads("no usable signal", TWELVE_LEADS, lost & (lost.sum(axis=0) > MOST_LOST_LEADS))


def _irregular(table: pd.DataFrame) -> np.ndarray:
    share = values(table, "rr_sd_ms") / values(table, "rr_mean_ms")
    return texts_where(share > LARGEST_RR_SD_SHARE, lambda i: f"irregular rhythm, SD of RR {share[i]:.0%} of its mean")


def _has_gap(table: pd.DataFrame) -> np.ndarray:
    return values(table, "num_gaps") > 0


def _has_no_p(table: pd.DataFrame) -> np.ndarray:
    return np.isnan(values(table, "pr_interval_ms"))


def _has_no_sinus_p(table: pd.DataFrame) -> np.ndarray:
    return (amplitudes_mv(table, "P", "II") < -INVERTED_P_MV) | (amplitudes_mv(table, "P", "aVR") > INVERTED_P_MV)


def _axis_is_lost(table: pd.DataFrame) -> np.ndarray:
    return table["missing"].astype(str).str.contains("QRS axis: ", regex=False).to_numpy(dtype=bool)


def _wide_angle(table: pd.DataFrame) -> np.ndarray:
    angle = np.abs((values(table, "qrs_axis_deg") - values(table, "t_axis_deg") + 180) % 360 - 180)
    return texts_where(angle > WIDEST_QRS_T_ANGLE_DEG, lambda i: f"T axis {angle[i]:.0f}° from the QRS axis")


def _has_small_r_v3(table: pd.DataFrame) -> np.ndarray:
    return amplitudes_mv(table, "R", "V3") < SMALLEST_R_V3_MV


def _has_tall_r_v1(table: pd.DataFrame) -> np.ndarray:
    r = amplitudes_mv(table, "R", "V1")
    return (r > TALLEST_R_V1_MV) & (r > qrs_depth_mv(table, "V1"))


def _is_pathological_q(table: pd.DataFrame, lead: str) -> np.ndarray:
    is_long = values(table, q_duration_column(lead)) >= LONGEST_Q_MS
    return is_long & (-amplitudes_mv(table, "Q", lead) >= DEEPEST_Q_MV)


def _is_long_q_v2(table: pd.DataFrame) -> np.ndarray:
    return values(table, q_duration_column("V2")) >= LONGEST_Q_MS


def _has_sokolow_lyon(table: pd.DataFrame) -> np.ndarray:
    r = np.fmax(amplitudes_mv(table, "R", "V5"), amplitudes_mv(table, "R", "V6"))
    return qrs_depth_mv(table, "V1") + r > HIGHEST_SOKOLOW_MV


def _has_cornell(table: pd.DataFrame) -> np.ndarray:
    return amplitudes_mv(table, "R", "aVL") + qrs_depth_mv(table, "V3") > HIGHEST_CORNELL_MV


def _has_low_voltage(table: pd.DataFrame) -> np.ndarray:
    low = [
        # the largest of the leads: NaN, and so not low, unless all are present
        np.stack([amplitudes_mv(table, "R", lead) + qrs_depth_mv(table, lead) for lead in leads]).max(axis=0) < smallest
        for leads, smallest in ((LIMB_LEADS, SMALLEST_LIMB_QRS_MV), (CHEST_LEADS, SMALLEST_CHEST_QRS_MV))
    ]
    return low[0] | low[1]


_ALL = (
    Rule(
        "leads",
        "at most one lead without a usable signal",
        f"one {CHOSEN}; what cannot be seen cannot be called normal",
        _lost_leads,
    ),
    Rule(
        "rate",
        f"{RATE_BPM[0]} to {RATE_BPM[1]} bpm",
        "ACC/AHA/HRS 2018 (bradycardia is below 50); above 100 tachycardia; 12SL's normal ECGs begin at 60",
        outside("heart_rate_bpm", *RATE_BPM),
    ),
    Rule(
        "rhythm",
        f"SD of the RR intervals at most {LARGEST_RR_SD_SHARE:.0%} of their mean, and no gap of 1.6 times the usual",
        f"{CHOSEN}, where sinus arrhythmia is normal",
        first_of(_irregular, where("a gap in the rhythm", _has_gap)),
    ),
    Rule(
        "beats",
        f"QRS complexes of one size: SD over the similar beats at most {LARGEST_QRS_SIZE_SD_PERCENT} %",
        f"{CHOSEN}, of whose normal ECGs none exceeds 7.4 %; breathing makes it 1 to 5 %",
        outside("qrs_size_sd_percent", high=LARGEST_QRS_SIZE_SD_PERCENT),
    ),
    Rule(
        "p_wave",
        f"a P wave that repeats, not below -{INVERTED_P_MV} mV in II nor above {INVERTED_P_MV} mV in aVR",
        f"sinus rhythm as every textbook defines it; the limit {CHOSEN}",
        first_of(where("no P wave", _has_no_p), where("P wave not from the sinus node", _has_no_sinus_p)),
    ),
    Rule(
        "pr",
        f"PR {PR_MS[0]} to {PR_MS[1]} ms",
        f"{CHOSEN}; {MINNESOTA} 6-3: above 220 ms, 6-5: below 120",
        outside("pr_interval_ms", *PR_MS),
    ),
    Rule(
        "p_size",
        f"P up to {LONGEST_P_MS} ms, and up to {TALLEST_P_II_MV} mV in II",
        f"{CHOSEN}; {AHA_V}: 120 ms and 0.25 mV",
        first_of(outside("p_duration_ms", high=LONGEST_P_MS), outside("p_amplitude_ii_mv", high=TALLEST_P_II_MV)),
    ),
    Rule(
        "qrs",
        f"QRS up to {LONGEST_QRS_MS} ms",
        f"{CHOSEN}; {AHA_III}: from 120 ms a complete block, from 110 an incomplete one",
        outside("qrs_duration_ms", high=LONGEST_QRS_MS),
    ),
    Rule(
        "qtc",
        f"QTc (Fridericia) {QTC_MS[0]} to {QTC_MS[1]} ms",
        f"{CHOSEN}; {AHA_IV}: 460 ms for women, 450 for men; ESC 2015 (ventricular arrhythmias): short up to 340",
        outside("qtc_fridericia_ms", *QTC_MS),
    ),
    Rule(
        "qrs_axis",
        f"QRS axis {QRS_AXIS_DEG[0]} to {QRS_AXIS_DEG[1]}°",
        f"{AHA_III}: -30 to 90°, left anterior fascicular block from -45; the upper limit {CHOSEN}",
        first_of(outside("qrs_axis_deg", *QRS_AXIS_DEG), where("QRS axis indeterminate", _axis_is_lost)),
    ),
    Rule(
        "qrs_t_angle",
        f"T axis within {WIDEST_QRS_T_ANGLE_DEG}° of the QRS axis",
        f"{CHOSEN}; usual is 90° (Oehler et al. 2014, QRS-T angle: a review)",
        _wide_angle,
    ),
    Rule(
        "r_waves",
        f"R in V3 at least {SMALLEST_R_V3_MV} mV; R in V1 up to S, or up to {TALLEST_R_V1_MV} mV, and R′ up to "
        f"{TALLEST_R_PRIME_V1_MV} mV",
        f"{CHOSEN}; Zema and Kligfield 1979: 0.3 mV in V3; {AHA_V}: 0.6 mV in V1; {AHA_III}: an R′ in incomplete right "
        "bundle branch block",
        first_of(
            where(f"R in V3 below {SMALLEST_R_V3_MV} mV", _has_small_r_v3),
            where("R taller than S in V1", _has_tall_r_v1),
            outside("r_prime_amplitude_v1_mv", high=TALLEST_R_PRIME_V1_MV),
        ),
    ),
    Rule(
        "q_waves",
        f"no Q of {LONGEST_Q_MS} ms and {DEEPEST_Q_MV} mV in two neighbours, none of {LONGEST_Q_MS} ms in V2",
        f"{MI_2018}, which has 20 ms in V2",
        first_of(in_neighbours("pathological Q", Q_LEADS, _is_pathological_q), where("Q in V2", _is_long_q_v2)),
    ),
    Rule(
        "st_low",
        "ST not below -0.12 mV (III, aVR and V1 apart), nor below -0.07 mV in two neighbours",
        f"{CHOSEN}, 60 ms after J; {MI_2018}: -0.05 mV at J in two leads",
        first_of(below("ST low", "ST", LOWEST_ST_MV), below("ST low", "ST", LOWEST_ST_NEIGHBOURS_MV, in_neighbours)),
    ),
    Rule(
        "st_high",
        "ST up to 0.15 mV, in V1 to V6 to 0.2, 0.4, 0.4, 0.3, 0.2 and 0.15 mV, unless in one lead alone",
        f"{CHOSEN}, 60 ms after J; {MI_2018}: 0.1 mV at J in two leads, 0.15 to 0.25 mV in V2 and V3",
        above("ST high", "ST", HIGHEST_ST_NEIGHBOURS_MV, in_neighbours),
    ),
    Rule(
        "t_waves",
        "T upright in II, V3, V4 and V6, at least 0.05 mV in I and V5, -0.15 mV in aVL, aVF and V2",
        f"{AHA_IV}: upright in I, II and V3 to V6, flat below 0.1 mV; the limits {CHOSEN}",
        below("T flat or inverted", "T", LOWEST_T_MV),
    ),
    Rule(
        "high_voltage",
        f"S in V1 and R in V5 or V6 up to {HIGHEST_SOKOLOW_MV} mV; R in aVL and S in V3 up to {HIGHEST_CORNELL_MV} mV",
        f"{CHOSEN}, voltage alone being often normal; Sokolow, Lyon 1949: 3.5 mV; Casale et al. 1987: 2.8",
        first_of(where("Sokolow-Lyon voltage", _has_sokolow_lyon), where("Cornell voltage", _has_cornell)),
    ),
    Rule(
        "low_voltage",
        f"QRS of {SMALLEST_LIMB_QRS_MV} mV in one limb lead and of {SMALLEST_CHEST_QRS_MV} mV in one chest lead",
        f"{MINNESOTA} 9-1",
        where("low voltage", _has_low_voltage),
    ),
    Rule(
        "score",
        f"a probability of being normal of at least {normality_score().operating_point}",
        f"{CHOSEN}: a logistic regression on the measurements, see normality/score.py",
        lambda table: normality_score().why_unlikely(table),
    ),
)
RULES: Mapping[str, Rule] = {rule.name: rule for rule in _ALL}

import pytest

import ecggan
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.measurement.normality.rules import RULES


@pytest.fixture(scope="module")
def ecgs() -> ECGSet:
    """ECGs of the published generator, the last of them flat."""
    drawn = ecggan.generate("published", num_records=24, seed=2, progress=False)
    millivolts = drawn.millivolts()
    millivolts[-1] = 0
    return ECGSet.from_arrays(millivolts, drawn.leads, drawn.sampling_rate, "generated")


def test_normal_ecgs_are_those_that_the_screen_passes(ecgs):
    reasons = ecggan.NormalityFilter("normal", num_workers=1)(ecgs)
    screened = ecggan.screen(ecggan.measure(ecgs, progress=False))
    assert [reason is None for reason in reasons] == list(screened["is_normal"])
    assert 0 < sum(reason is None for reason in reasons) < 24
    for reason, text in zip(reasons, screened["reasons"], strict=True):
        if reason is not None:
            assert reason[0] in {"not_measurable", *RULES}
            assert text.startswith(reason[1])
    assert reasons[-1] == ("not_measurable", screened["reasons"].iloc[-1])


def test_measurable_ecgs_need_not_be_normal(ecgs):
    reasons = ecggan.NormalityFilter("measurable", num_workers=1)(ecgs)
    assert [reason is None for reason in reasons] == list(ecggan.measure(ecgs, progress=False)["is_measurable"])
    assert reasons[-1][0] == "not_measurable"


def test_a_rule_that_is_switched_off_leaves_nothing_out(ecgs):
    without = ecggan.NormalityFilter("normal", rules=dict.fromkeys(RULES, False), num_workers=1)
    assert [reason is None for reason in without(ecgs)] == [True] * 23 + [False]
    assert without.description == {"what": "normal", "rules": []}
    assert "qtc" in ecggan.NormalityFilter("normal").description["rules"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("good",), "keep must be measurable or normal; got 'good'"), (("normal", {"x": True}), "unknown rule 'x'")],
)
def test_an_unknown_screen_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        ecggan.NormalityFilter(*arguments)


def test_a_set_of_normal_ecgs_holds_none_that_the_screen_refuses():
    ecgs = ecggan.generate("published", num_records=20, seed=2, keep=ecggan.NormalityFilter("normal"), progress=False)
    assert len(ecgs) == 20
    assert ecggan.screen(ecggan.measure(ecgs, progress=False))["is_normal"].all()
    account = ecgs.manifest["account"]
    assert account["read"] == ecgs.records["index"].iloc[-1] + 1
    assert account["kept"] == 20
    assert sum(map(len, account["left_out"].values())) == account["read"] - 20


def test_the_old_name_keep_if_is_the_normality_filter_and_deprecated():
    with pytest.warns(DeprecationWarning, match=r"ecggan\.NormalityFilter"):
        assert ecggan.KeepIf is ecggan.NormalityFilter

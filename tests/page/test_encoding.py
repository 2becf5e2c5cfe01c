"""Signals on their way to the page's scripts and back."""

import numpy as np
import pytest

from ecggan.page.encoding import decode, encode, signals


def test_signals_come_back_to_the_microvolt_and_gaps_stay_gaps() -> None:
    millivolts = np.random.default_rng(0).normal(0, 3, (3, 50)).round(3)
    millivolts[1, 7], millivolts[2, 0], millivolts[0, 1] = np.nan, np.inf, 40.0
    back = decode(encode(millivolts), 3)
    assert np.isnan(back[1, 7])
    assert np.isnan(back[2, 0])
    assert back[0, 1] == pytest.approx(32.767)
    known = np.isfinite(millivolts) & (np.abs(millivolts) < 32)
    np.testing.assert_allclose(back[known], millivolts[known], atol=1e-6)


@pytest.mark.parametrize(("text", "num_leads"), [("", 1), ("AAA", 1), ("!!!!", 1), ("MTIzNDU2Nzg=", 3)])
def test_other_text_is_refused(text: str, num_leads: int) -> None:
    with pytest.raises(ValueError, match=r"leads|base64|padding|characters"):
        decode(text, num_leads)


def test_leads_that_follow_are_added_and_those_that_cannot_are_not() -> None:
    assert signals(np.zeros((3, 4)), ["V1", "II", "I"], 500)["leads"] == ["I", "II", "III", "aVR", "aVL", "aVF", "V1"]
    assert signals(np.zeros((2, 4)), ["V2", "II"], 500)["leads"] == ["II", "V2"]

import pandas as pd
import pytest

from ecggan.jobs import ReaderKit


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"num_each": 0}, "num_each must be a whole number, at least 1; got 0"),
        ({"generated": None}, "one generated set beside the real one: give generated=ECG_SET or baseline=deepfake"),
        ({"generated": ["b", "c"]}, r"one generated set .* got generated=\['b', 'c'\]"),
        ({"baseline": {"name": "deepfake"}}, "got generated=b, baseline=deepfake"),
        ({"seed": 0.5}, "seed must be a whole number, at least 0; got 0.5"),
    ],
)
def test_values_that_cannot_be_are_refused_at_once(parameters, message):
    with pytest.raises(ValueError, match=message):
        ReaderKit(**{"real": "a", "generated": "b", "out": "out", **parameters})


def test_a_kit_holds_as_many_real_as_generated_ecgs_and_its_key_is_apart(real, generated, tmp_path):
    result = ReaderKit(real=real, generated=generated, num_each=2, seed=3, out=tmp_path / "kit").run()
    assert result.value == tmp_path / "kit-key"
    assert pd.read_csv(result.value / "key.csv")["origin"].value_counts().to_dict() == {"real": 2, "generated": 2}
    assert f"Saved to {tmp_path / 'kit'}; the answer key" in str(result)


def test_a_baseline_takes_the_place_of_a_generated_set(real, generated, tmp_path):
    baseline = {"name": "deepfake", "source": lambda: generated}
    result = ReaderKit(real=real, baseline=baseline, num_each=1, out=tmp_path / "kit").run()
    assert len(pd.read_csv(result.path / "sheet.csv")) == 2

import pandas as pd
import pytest

from ecggan.jobs import ReaderKit, ReaderScores


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"key": None}, "key must be given: key=KIT-key/key.csv"),
        ({"readers": None}, r"readers must be given: readers=\[ann.csv,bob.csv\]"),
        ({"seed": -1}, "seed must be a whole number"),
    ],
)
def test_values_that_cannot_be_are_refused_at_once(parameters, message):
    with pytest.raises(ValueError, match=message):
        ReaderScores(**{"readers": ["a.csv"], "key": "k.csv", "out": "out", **parameters})


@pytest.mark.parametrize(
    ("readers", "message"), [(["a.csv"], "no file at k.csv"), (5, "readers must be filled-in sheets")]
)
def test_sheets_and_key_must_be_there(readers, message, tmp_path):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        ReaderScores(readers=readers, key="k.csv", out=tmp_path / "out").run()


def test_sheets_are_scored(real, generated, tmp_path):
    kit = ReaderKit(real=real, generated=generated, num_each=2, out=tmp_path / "kit").run()
    key, sheet = pd.read_csv(kit.value / "key.csv"), pd.read_csv(kit.path / "sheet.csv")
    sheet.assign(answer=key["origin"]).to_csv(tmp_path / "ann.csv", index=False)
    result = ReaderScores(readers=[str(tmp_path / "ann.csv")], key=kit.value, out=tmp_path / "out").run()
    assert result.value.readers.set_index("reader").loc["ann", "accuracy"] == 1
    assert str(result).endswith(f"\nSaved to {tmp_path / 'out' / 'scores.md'}")

"""The command line of the page, and the names of its sources."""

from pathlib import Path

import pytest

from ecggan.page.__main__ import main
from ecggan.page.command_line import HELP, Settings, parse
from ecggan.page.serve import listen
from ecggan.page.sources import Address, name_reports, name_sources


def test_without_a_source_the_published_generator_is_taken() -> None:
    assert parse([]) == Settings(checkpoint=("published",))
    assert parse(["ecg_set=A", "ecg_set=B"]) == Settings(ecg_set=("A", "B"))


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ("checkpiont=x", "checkpoint"),
        ("published", "parameters"),
        ("port=http", "port"),
        ("port=70000", "65535"),
        ("num_workers=1", "num_workers"),
        ("checkpoint=", "checkpoint"),
        ("checkpoint=[a,]", "checkpoint"),
    ],
)
def test_a_wrong_parameter_is_refused(argument: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse([argument])


def test_help_names_every_parameter(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--help"])
    assert capsys.readouterr().out == HELP
    assert all(f"\n{name} " in HELP for name in Settings.__dataclass_fields__)


def test_names_are_unique_and_safe_in_an_address(tmp_path: Path) -> None:
    names = list(name_sources(["published", "a/my gan.pt"], ["x/run 1"], ["y/run 1", "Å/ö"]))
    assert names == ["published", "my-gan", "run-1", "run-1-2", "source"]
    assert name_sources([], ["ptbxl"], [])["ptbxl"].path == "./ptbxl"  # a folder, not the generator of that name
    with pytest.raises(FileNotFoundError, match=r"report\.html"):
        name_reports([str(tmp_path)])


def test_a_port_that_is_taken_is_told() -> None:
    with listen("127.0.0.1", 0) as taken, pytest.raises(OSError, match="port=0"):
        listen("127.0.0.1", taken.getsockname()[1])


@pytest.mark.parametrize(("seed", "index"), [(-1, 0), (2**63, 0), (0, -1), (0, 10**9)])
def test_an_address_out_of_range_is_refused(seed: int, index: int) -> None:
    with pytest.raises(ValueError, match=r"seed|ECG"):
        Address("published", seed, index)

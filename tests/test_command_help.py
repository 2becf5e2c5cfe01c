"""What --help prints, and that it prints what Hydra would."""

from pathlib import Path

import pytest

from ecggan.command_help import help_text

CONFIGS = Path(__file__).parents[1] / "configs"


@pytest.mark.parametrize("script", ["train", "generate", "evaluate"])
def test_help_opens_with_commands_and_holds_the_configuration(script):
    text = help_text(CONFIGS, script, [])
    assert f"python {script}.py" in text[:400]
    assert "\nConfiguration (set with key=value):\n\n" in text
    assert "$" not in text.replace("${", "")


def test_help_of_a_job_shows_the_parameters_of_that_job_and_the_overrides():
    text = help_text(CONFIGS, "generate", ["job=export", "export=wfdb"])
    assert "\necg_set: null\nexport: wfdb\n" in text
    assert "checkpoint:" not in text.partition("Configuration")[2]


def test_help_lists_each_group_with_its_options():
    text = help_text(CONFIGS, "evaluate", [])
    assert "\njob: checkpoints, convert, data_report, export, generate, obedience, pack, reader_kit" in text
    assert "\npacking/keep: " in text
    assert "\nhydra" not in text

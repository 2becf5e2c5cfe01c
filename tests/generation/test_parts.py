import pytest

from ecggan.generation.parts import part_of

ARRAY = {
    "SLURM_ARRAY_TASK_ID": "6",
    "SLURM_ARRAY_TASK_MIN": "2",
    "SLURM_ARRAY_TASK_MAX": "8",
    "SLURM_ARRAY_TASK_STEP": "2",
    "SLURM_ARRAY_TASK_COUNT": "4",
}
SRUN = {"SLURM_STEP_NUM_TASKS": "3", "SLURM_PROCID": "1"}


@pytest.mark.parametrize(
    ("part", "environment", "expected"),
    [
        (None, {**ARRAY, **SRUN}, (0, 1)),  # an array may be used for other things
        (None, {"RANK": "1", "WORLD_SIZE": "2"}, (0, 1)),
        (None, {"TORCHELASTIC_RUN_ID": "none", "RANK": "1", "WORLD_SIZE": "2"}, (1, 2)),
        ("3/4", {}, (3, 4)),
        ("slurm", ARRAY, (2, 4)),
        ("slurm", SRUN, (1, 3)),
        ("slurm", {**ARRAY, **SRUN}, (7, 12)),
    ],
)
def test_a_process_knows_its_part(part, environment, expected):
    assert part_of(part, environment) == expected


@pytest.mark.parametrize(
    ("part", "environment", "message"),
    [
        ("4/4", {}, "part must be slurm, or one of 0/4, 1/4, .*; got 4/4"),
        ("half", {}, "got half"),
        ("slurm", {"SLURM_JOB_ID": "1"}, "part=slurm is for a job array or for processes that srun starts"),
        ("slurm", {**ARRAY, "SLURM_ARRAY_TASK_COUNT": "3"}, "needs a job array without gaps, such as --array=0-2"),
    ],
)
def test_what_is_no_part_is_refused(part, environment, message):
    with pytest.raises(ValueError, match=message):
        part_of(part, environment)


def test_every_part_of_an_array_of_sruns_is_there_once():
    parts = [
        part_of("slurm", {**ARRAY, **SRUN, "SLURM_ARRAY_TASK_ID": str(task), "SLURM_PROCID": str(process)})
        for task in (2, 4, 6, 8)
        for process in range(3)
    ]
    assert parts == [(part, 12) for part in range(12)]

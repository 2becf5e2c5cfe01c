"""Which part of a set this process draws, where several fill one set."""

import re
from collections.abc import Mapping


def part_of(part: str | None, environment: Mapping[str, str]) -> tuple[int, int]:
    """The part of this process, counted from 0, and how many there are.

    Args:
        part: "1/4" for the second of four; "slurm" for the part of this task of an srun or a job array; None for the
            whole set, or torchrun's rank.
        environment: variables, as in `os.environ`.

    Raises:
        ValueError: another `part`, or "slurm" without the variables of srun or a job array.

    >>> part_of("1/4", {}), part_of(None, {})
    ((1, 4), (0, 1))
    >>> part_of("slurm", {"SLURM_ARRAY_TASK_ID": "7", "SLURM_ARRAY_TASK_MIN": "5", "SLURM_ARRAY_TASK_COUNT": "3"})
    (2, 3)
    """
    if part is None:
        if "TORCHELASTIC_RUN_ID" in environment:
            return int(environment["RANK"]), int(environment["WORLD_SIZE"])
        return 0, 1
    if part == "slurm":
        return _slurm(environment)
    match = re.fullmatch(r"(\d+)/(\d+)", part)
    if not match or int(match[1]) >= int(match[2]):
        raise ValueError(
            f"part must be slurm, or one of 0/4, 1/4, 2/4, 3/4 where four processes fill a set; got {part}"
        )
    return int(match[1]), int(match[2])


def _slurm(environment: Mapping[str, str]) -> tuple[int, int]:
    part, num_parts = 0, 1
    if "SLURM_ARRAY_TASK_ID" in environment:
        names = ("ID", "MIN", "MAX", "STEP", "COUNT")
        task, first, last, step, num_parts = (
            int(environment.get(f"SLURM_ARRAY_TASK_{name}", default))
            for name, default in zip(names, ("0", "0", "-1", "1", "1"), strict=True)
        )
        if last >= first and (last - first) // step + 1 != num_parts:
            raise ValueError(f"part=slurm needs a job array without gaps, such as --array=0-{num_parts - 1}")
        part = (task - first) // step
    if "SLURM_STEP_NUM_TASKS" in environment:
        num_tasks = int(environment["SLURM_STEP_NUM_TASKS"])
        return part * num_tasks + int(environment["SLURM_PROCID"]), num_parts * num_tasks
    if "SLURM_ARRAY_TASK_ID" not in environment:
        raise ValueError("part=slurm is for a job array or for processes that srun starts, and this is neither")
    return part, num_parts

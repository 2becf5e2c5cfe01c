"""A training in a Slurm job: which one it is, and how it is queued again before its time is up.

Source: Slurm's manual pages of sbatch (--signal, --requeue) and scontrol (requeue, show job).
"""

import logging
import os
import signal
import subprocess

log = logging.getLogger(__name__)

# what Slurm is asked to send some time before the end: by our job scripts, and by submitit
BEFORE_THE_END = (signal.SIGUSR1, signal.SIGUSR2)


def job_id() -> str | None:
    """The job that this process belongs to; of an array, the id of its own task."""
    return os.environ.get("SLURM_JOB_ID")


def may_be_requeued(job: str) -> bool:
    """Whether a job that was sent SIGTERM should come back: it was submitted so, and nobody has cancelled it.

    A pre-empted job and one whose time is up get SIGTERM, but so does one that its user has cancelled.
    """
    answer = _scontrol("show", "job", "--oneliner", job)
    if isinstance(answer, OSError):
        log.warning("it is not known whether job %s may be queued again: %s", job, answer)
        return False
    facts = dict(word.split("=", 1) for word in answer.split() if "=" in word)
    return facts.get("Requeue") == "1" and facts.get("JobState") != "CANCELLED"


def requeue(job: str, checkpoint: object) -> None:
    """Queue the job again, or say in one line that it was not and where the training can go on from."""
    answer = _scontrol("requeue", job)
    if isinstance(answer, OSError):
        log.error(
            "job %s could not be queued again: %s; submit it again, the checkpoint is %s", job, answer, checkpoint
        )
    else:
        log.info("job %s is queued again and goes on from %s, if it was started with resume=auto", job, checkpoint)


def _scontrol(*arguments: str) -> str | OSError:
    """What scontrol answers, or what hindered it."""
    command = ["scontrol", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return OSError(str(error))
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        return OSError(f"{' '.join(command)}: {said[-1]}")
    return done.stdout

"""Training in a Slurm job: its tasks, its id, and requeueing before its time limit.

Source: Slurm's manual pages of sbatch (--signal, --requeue) and scontrol (requeue, show job).
"""

import logging
import os
import signal
import subprocess

from pytorch_lightning.plugins.environments import ClusterEnvironment, LightningEnvironment, SLURMEnvironment

from ecggan.programs import ask

log = logging.getLogger(__name__)

# sent before the time limit to jobs that ask for it, as our job scripts and submitit do
BEFORE_THE_END = (signal.SIGUSR1, signal.SIGUSR2)


def cluster_environment() -> ClusterEnvironment | None:
    """How Lightning learns of the other processes of a Slurm job; None outside of one.

    A script that was started without srun is the only process of its job, however many tasks the job asked for.

    Raises:
        ValueError: the job runs several tasks in a way that Lightning does not support.
    """
    if not SLURMEnvironment.detect():
        return None
    if not _is_a_task():
        return LightningEnvironment()
    num_tasks = int(os.environ["SLURM_NTASKS"])
    if num_tasks > 1 and "SLURM_NTASKS_PER_NODE" not in os.environ:
        raise ValueError(
            f"this Slurm job has --ntasks={num_tasks}, each one a process: ask for --ntasks=1 for one device, for "
            "--ntasks-per-node=N with trainer=ddp trainer.devices=N for several (with --nodes=M, trainer.num_nodes=M)"
        )
    # GracefulStop requeues the job; Lightning would do so in its own way
    return SLURMEnvironment(auto_requeue=False)


def _is_a_task() -> bool:
    """Whether srun started this process; Slurm numbers the steps of scripts and shells from 0xFFFFFFFA on."""
    step = os.environ.get("SLURM_STEP_ID", os.environ.get("SLURM_STEPID", ""))
    return step.isdecimal() and int(step) < 0xFFFFFFFA


def job_id() -> str | None:
    """The id of this process's job; in an array, of its task."""
    return os.environ.get("SLURM_JOB_ID")


def may_be_requeued(job: str) -> bool:
    """Whether a job that got SIGTERM should be requeued: Slurm may requeue it, and it is not cancelled.

    Slurm sends SIGTERM on pre-emption, at the time limit, and when the user cancels.
    """
    answer = _scontrol("show", "job", "--oneliner", job)
    if isinstance(answer, OSError):
        log.warning("it is not known whether job %s may be queued again: %s", job, answer)
        return False
    facts = dict(word.split("=", 1) for word in answer.split() if "=" in word)
    return facts.get("Requeue") == "1" and facts.get("JobState") != "CANCELLED"


def requeue(job: str, checkpoint: object) -> None:
    """Queue the job again, or log one line with the reason and the checkpoint to resume from."""
    answer = _scontrol("requeue", job)
    if isinstance(answer, OSError):
        log.error(
            "job %s could not be queued again: %s; submit it again, the checkpoint is %s", job, answer, checkpoint
        )
    else:
        log.info("job %s is queued again and resumes from %s, if it was started with resume=auto", job, checkpoint)


def _scontrol(*arguments: str) -> str | OSError:
    """The output of scontrol, or its error."""
    command = ["scontrol", *arguments]
    try:
        done = ask(command)
    except (OSError, subprocess.TimeoutExpired) as error:
        return OSError(str(error))
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        return OSError(f"{' '.join(command)}: {lines[-1]}")
    return done.stdout

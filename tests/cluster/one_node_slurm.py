"""A Slurm cluster of this machine alone, with Debian's slurm-wlm and munge, for the time of a test run.

`NORMAL` jobs may be pre-empted by `URGENT` ones: they get SIGTERM, 60 s to end, and are queued again. No cgroups, no
accounting, no systemd; needs root.
"""

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NORMAL, URGENT = "normal", "urgent"
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "scontrol")
_WAIT_S = 60

_CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmdPort={node_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=1
MinJobAge=600
KillWait=5
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=4000
PartitionName={normal} Nodes={host} Default=YES MaxTime=INFINITE State=UP PriorityTier=1 GraceTime=60
PartitionName={urgent} Nodes={host} MaxTime=INFINITE State=UP PriorityTier=10
"""


def missing() -> list[str]:
    """The programs that are not there; with them, and as root, a cluster can be started."""
    return [program for program in PROGRAMS if shutil.which(program, path=_path()) is None]


@contextmanager
def cluster(folder: Path) -> Iterator[dict[str, str]]:
    """Start one in a folder and stop it in the end; gives the environment in which its commands find it."""
    host = socket.gethostname().split(".")[0]
    for name in ("munge", "state", "spool"):
        (folder / name).mkdir(parents=True)
    configuration = folder / "slurm.conf"
    port, node_port = _free_ports()
    text = _CONFIGURATION.format(folder=folder, host=host, port=port, node_port=node_port, normal=NORMAL, urgent=URGENT)
    configuration.write_text(text)
    environment = {**os.environ, "PATH": _path(), "SLURM_CONF": str(configuration)}
    key = folder / "munge" / "key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    munge = [
        "munged",
        "--foreground",
        "--force",
        f"--socket={folder}/munge/socket",
        f"--key-file={key}",
        f"--log-file={folder}/munge/log",
        f"--pid-file={folder}/munge/pid",
        f"--seed-file={folder}/munge/seed",
    ]
    commands = [munge, ["slurmctld", "-D"], ["slurmd", "-D", "-N", host]]
    daemons = []
    is_over = threading.Event()
    try:
        for command in commands:
            with open(folder / f"{command[0]}.out", "w", encoding="utf-8") as out:
                daemons.append(subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT))
        _wait_until_idle(environment, folder)
        threading.Thread(target=_hasten, args=(environment, is_over), daemon=True).start()
        yield environment
    finally:
        is_over.set()
        subprocess.run(["scancel", "--state=RUNNING", "--user=root"], env=environment, check=False)
        for daemon in reversed(daemons):
            daemon.terminate()
        for daemon in daemons:
            try:
                daemon.wait(timeout=10)
            except subprocess.TimeoutExpired:  # slurmd may wait for its last job
                daemon.kill()
                daemon.wait()


def _hasten(environment: dict[str, str], is_over: threading.Event) -> None:
    """Start jobs that were queued again soon: Slurm would let them wait two minutes.

    Not at once: a job that starts in the second in which it was ended is not let in ("job credential revoked").
    """
    waited: set[str] = set()
    while not is_over.wait(timeout=3):
        squeue = ["squeue", "--noheader", "--states=PENDING", "-o", "%A %r"]
        done = subprocess.run(squeue, env=environment, capture_output=True, text=True, check=False)
        waiting = {line.split()[0] for line in done.stdout.splitlines() if line.endswith(" BeginTime")}
        for job in waiting & waited:
            update = ["scontrol", "update", f"JobId={job}", "StartTime=now"]
            subprocess.run(update, env=environment, capture_output=True, check=False)
        waited = waiting


def _wait_until_idle(environment: dict[str, str], folder: Path) -> None:
    end = time.monotonic() + _WAIT_S
    said = ""
    while time.monotonic() < end:
        sinfo = ["sinfo", "--noheader", "-o", "%T"]
        done = subprocess.run(sinfo, env=environment, capture_output=True, text=True, check=False)
        said = done.stdout + done.stderr
        if "idle" in done.stdout:
            return
        time.sleep(0.5)
    logs = "\n".join(file.read_text(errors="replace")[-2000:] for file in sorted(folder.glob("*.log")))
    raise RuntimeError(f"the cluster did not come up in {_WAIT_S} s: {said}\n{logs}")


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def _path() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/sbin"

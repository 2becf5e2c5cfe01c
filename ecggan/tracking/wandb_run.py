"""Starting a W&B run: online if W&B answers in time, else offline in the run's folder."""

import logging
import os
import secrets
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ecggan.files.atomic import atomic_file

log = logging.getLogger(__name__)

_ID_FILE = "wandb_id.txt"
_HTTP_TIMEOUT = "WANDB_HTTP_TIMEOUT"


def start_run(options: Mapping[str, Any], folder: Path, start_timeout_s: int, finish_timeout_s: int) -> Any:
    """Start a run, or continue the one whose id is in the folder.

    Args:
        options: of ``wandb.init``; None stands for its default.
        folder: of the run; keeps the id and W&B's files.
        start_timeout_s: how long W&B may take to answer.
        finish_timeout_s: how long it may take to receive the rest at the end.

    Returns:
        W&B's run; an offline one, after a warning, if W&B cannot be used.
    """
    import wandb

    folder.mkdir(parents=True, exist_ok=True)
    limits: dict[str, Any] = {"finish_timeout": finish_timeout_s, "finish_timeout_raises": True}
    is_new = not (folder / _ID_FILE).exists()
    given = {name: value for name, value in options.items() if value is not None}
    given |= {"id": _id_of_folder(folder), "settings": wandb.Settings(**limits)}
    if wandb.setup().settings.mode in ("offline", "dryrun", "disabled"):
        return wandb.init(**given)
    why_not = _why_not_online(start_timeout_s)
    if why_not is None:
        try:
            # A new run is not resumed online, so that what is sent again of it replaces what was received. Offline it
            # is: an earlier start may have been sent before it.
            answer_within = wandb.Settings(**limits, init_timeout=start_timeout_s)
            return wandb.init(**given | {"resume": None if is_new else "allow", "settings": answer_within})
        except Exception as error:  # W&B's errors have no common class, and none may cost a training
            why_not = f"W&B could not be used ({reason(error, start_timeout_s)})"
            wandb.teardown()  # else it holds on to the id
    log.warning("%s: logging offline; send it later with: wandb sync %s", why_not, shell_quoted(folder / "wandb"))
    return wandb.init(**given | {"mode": "offline"})


def _why_not_online(start_timeout_s: int) -> str | None:
    """Why W&B cannot be used; None if the user is logged in and W&B accepts the key."""
    import wandb

    try:
        with _http_timeout(start_timeout_s):
            return None if wandb.login(prompt=False, verify=True) else "not logged in to W&B"
    except Exception as error:  # of the network, of W&B's server, of the key: none may cost a training
        return f"W&B could not be used ({reason(error, start_timeout_s)})"


def _id_of_folder(folder: Path) -> str:
    path = folder / _ID_FILE
    if not path.exists():
        with atomic_file(path) as unfinished:
            unfinished.write_text(secrets.token_hex(4) + "\n", encoding="utf-8")
    return path.read_text(encoding="utf-8").strip()


@contextmanager
def _http_timeout(seconds: int) -> Iterator[None]:
    """Limit W&B's answer to the login, unless the user has set a limit."""
    before = os.environ.get(_HTTP_TIMEOUT)
    os.environ.setdefault(_HTTP_TIMEOUT, str(seconds))
    try:
        yield
    finally:
        if before is None:
            del os.environ[_HTTP_TIMEOUT]


def shell_quoted(path: str | Path) -> str:
    """A path as it can be typed after a command."""
    return shlex.quote(os.path.relpath(path))


def reason(error: Exception, seconds: int) -> str:
    """The first line of an error of W&B's; of its several time-outs, one sentence."""
    first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
    is_timeout = "did not respond in time" in first_line or "deadline exceeded" in first_line
    return f"no answer within {seconds} s" if is_timeout else first_line

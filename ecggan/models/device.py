"""The device that a network runs on, by the name that users give it."""

import os

import torch


def usable_device(name: str) -> torch.device:
    """The device of this name; of "auto" an accelerator if there is one.

    Raises:
        ValueError: it cannot be used here.
    """
    if name == "auto":
        found = torch.accelerator.current_accelerator(check_available=True)
        if found is None:
            return torch.device("cpu")
        # torchrun and srun number the processes of a machine, which may see all of its GPUs or each only its own
        number = int(os.environ.get("LOCAL_RANK") or os.environ.get("SLURM_LOCALID") or 0)
        return torch.device(found.type, number % max(1, torch.accelerator.device_count()))
    try:
        device = torch.device(name)
        torch.empty(0, device=device).cpu()
    except (RuntimeError, AssertionError, TypeError, NotImplementedError) as error:
        raise ValueError(f"device {name!r} cannot be used here: {str(error).splitlines()[0]}") from error
    return device

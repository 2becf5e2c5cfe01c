"""Do the workers run the code and packages of this process? Else their results could differ."""

import hashlib
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

_PACKAGES = ("ecggan", "numpy", "scipy", "pandas", "neurokit2")  # what a result may depend on


def code_and_packages() -> dict[str, str]:
    """What results depend on beside the data: the versions of Python and packages, and a hash of all our code."""
    code = hashlib.sha256()
    for file in sorted(Path(__file__).parents[1].rglob("*.py")):
        code.update(file.read_bytes())
    versions = {package: metadata.version(package) for package in _PACKAGES}
    return {"Python": platform.python_version(), **versions, "code of ecggan": code.hexdigest()[:12]}


def check_same_code(of_workers: Mapping[str, Mapping[str, str]], name: str) -> None:
    """Raise ValueError where a worker has other code or packages than this process."""
    ours = code_and_packages()
    for worker, theirs in of_workers.items():
        for what, version in ours.items():
            if theirs.get(what) != version:
                raise ValueError(
                    f"worker {worker} of {name} has {what} {theirs.get(what)}, here it is {version}: results could "
                    "differ; give the workers the same environment"
                )

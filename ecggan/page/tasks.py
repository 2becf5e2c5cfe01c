"""All that the server asks of its processes. It imports what computes when it runs: the server itself stays light."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ecggan.page.sources import Address, Source

BLOCK = 16  # records that are drawn and measured together: a CPU draws so many in any case


def prepare(sources: Mapping[str, Source]) -> None:
    """Of each process that draws and measures, before its first task."""
    from ecggan.page.in_process import opened

    opened.prepare(sources)


def warm_up() -> None:
    from ecggan.page.in_process import opened

    opened.warm_up()


def describe_sources() -> dict[str, dict[str, Any]]:
    from ecggan.page.in_process import opened

    return opened.describe_sources()


def microvolts(source: str, seed: int, first: int, num_records: int) -> np.ndarray:
    from ecggan.page.in_process import opened

    return opened.microvolts(source, seed, first, num_records)


def describe_ecg(millivolts: np.ndarray, leads: Sequence[str], sampling_rate: int | float) -> dict[str, Any]:
    from ecggan.page.in_process import measured

    return measured.describe_ecg(millivolts, leads, sampling_rate)


def measured_block(source: str, seed: int, block: int) -> dict[str, list[Any]]:
    from ecggan.page.in_process import tables

    return tables.measured_block(source, seed, block)


def comparison(reference: Mapping[str, list[Any]], other: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    from ecggan.page.in_process import tables

    return tables.comparison(reference, other)


def nearest(source: str, millivolts: np.ndarray, leads: Sequence[str], sampling_rate: int | float) -> dict[str, Any]:
    from ecggan.page.in_process import nearest

    return nearest.nearest(source, millivolts, leads, sampling_rate)


def kit_facts(real: str, generated: str, num_each: int, seed: int) -> dict[str, Any]:
    from ecggan.page.in_process import kits

    return kits.facts(real, generated, num_each, seed)


def kit_ecg(real: str, generated: str, num_each: int, seed: int, number: int) -> dict[str, Any]:
    from ecggan.page.in_process import kits

    return kits.ecg(real, generated, num_each, seed, number)


def kit_scores(
    real: str, generated: str, num_each: int, seed: int, answers: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    from ecggan.page.in_process import kits

    return kits.scores(real, generated, num_each, seed, answers)


def download(
    address: Address, form: str, num_records: int | None, leads: int | None, normal: bool
) -> tuple[str, bytes]:
    from ecggan.page.in_process import exported

    return exported.download(address, form, num_records, leads, normal)


def prepare_to_read() -> None:
    """Of the process that reads a file, before the file is there: the readers load what they need."""
    import ecggan.page.in_process.own_file  # noqa: F401


def read_file(folder: Path, name: str, layout: Mapping[str, Any], position: int, start_s: float) -> dict[str, Any]:
    from ecggan.page.in_process import own_file

    return own_file.read(folder, name, layout, position, start_s)

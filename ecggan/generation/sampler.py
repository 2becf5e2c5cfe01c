"""Seeds to noise, noise to ECGs.

Record k is drawn from noise that depends on (seed, k) alone. On a CPU it is also always drawn by the same arithmetic,
in a block of 16 records at place k mod 16 by one thread, so that it is the same to the bit whatever else is drawn with
it, by however many threads, processes or restarts. On a GPU it is the same up to rounding.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import groupby, islice
from threading import Lock
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Float, Int16
from torch import Tensor, nn

from ecggan.ecg import LARGEST_STORED_MV, ECGFormat
from ecggan.models.layers import folded

_BLOCK = 16  # as quick as any larger one, and small enough to make a single record again
_FEWEST_AHEAD = 2

_LOCK = Lock()
_NUM_THREADS: list[int] = []  # torch's setting, and again for each that is drawing

Item = TypeVar("Item")
Result = TypeVar("Result")


def draw_noise(latent_shape: Sequence[int], seed: int, indices: Sequence[int]) -> Float[Tensor, "batch ..."]:
    """Noise uniform on [−1, 1), one independent stream for each (seed, index).

    Philox is a counter-based generator: its key is the pair itself, and no two pairs share a stream. It runs on the
    CPU, so that the noise is the same on every device.

    Source: Salmon et al. 2011, Parallel random numbers: as easy as 1, 2, 3.
    """
    noise = np.empty((len(indices), *latent_shape), dtype=np.float32)
    for row, index in zip(noise, indices, strict=True):
        key = np.array([seed, index], dtype=np.uint64)
        np.random.Generator(np.random.Philox(key=key)).random(dtype=np.float32, out=row)
        np.multiply(row, 2, out=row)
        np.subtract(row, 1, out=row)
    return torch.from_numpy(noise)


class DegenerateGeneratorError(ValueError):
    """None of this generator's ECGs, or hardly any, can be used; what was drawn is not worth keeping."""


class Drawer:
    """A generator that draws the records of one seed.

    Args:
        network: noise to the network's range.
        ecg: what the network draws.
        seed: of the set.
        device: where.
        batch_size: records at once on a GPU; a CPU takes its blocks.

    Raises:
        ValueError: the network's full scale is more than an ECG set can hold.
    """

    def __init__(self, network: nn.Module, ecg: ECGFormat, seed: int, device: torch.device, batch_size: int) -> None:
        if ecg.full_scale_mv > LARGEST_STORED_MV:
            raise ValueError(
                f"full_scale_mv must be at most {LARGEST_STORED_MV}, 16 bits of µV; got {ecg.full_scale_mv}"
            )
        shape = network.latent_shape
        assert isinstance(shape, tuple)
        self.latent_shape = shape
        self.network = folded(network).to(device)
        self.ecg, self.seed, self.device, self.batch_size = ecg, seed, device, batch_size

    def draw(self, groups: Iterable[Sequence[int]]) -> Iterator[Int16[np.ndarray, "group lead time"]]:
        """Yield for each group of indices their ECGs in µV, as they are asked for and in their order.

        Values are cut towards zero to whole µV, as the published generator does, so that its output is ours.

        Raises:
            DegenerateGeneratorError: it draws NaN.
            ValueError: it draws another number of leads or samples than it should.
        """
        if self.device.type == "cpu":
            return _in_order(self._draw_blocks, groups)
        return self._draw_batches(groups)

    def _draw_batches(self, groups: Iterable[Sequence[int]]) -> Iterator[Int16[np.ndarray, "group lead time"]]:
        noises = _in_order(lambda group: draw_noise(self.latent_shape, self.seed, group), groups)
        while some := _of_at_least(self.batch_size, noises):
            drawn = self._microvolts(torch.cat(some).to(self.device))
            yield from np.split(drawn, np.cumsum([len(noise) for noise in some])[:-1])

    def _draw_blocks(self, indices: Sequence[int]) -> Int16[np.ndarray, "group lead time"]:
        drawn = []
        for _, some in groupby(indices, lambda index: index // _BLOCK):
            block = list(some)
            noise = draw_noise(self.latent_shape, self.seed, block)
            if block == list(range(block[0], block[0] + _BLOCK)):
                drawn.append(self._microvolts(noise))
                continue
            places = [index % _BLOCK for index in block]
            whole = torch.zeros(_BLOCK, *self.latent_shape)
            whole[places] = noise
            drawn.append(self._microvolts(whole)[places])
        return np.concatenate(drawn)

    def _microvolts(self, noise: Float[Tensor, "batch ..."]) -> Int16[np.ndarray, "batch lead time"]:
        with torch.inference_mode():
            output = self.network(noise)
            expected = (len(noise), len(self.ecg.leads), self.ecg.num_samples)
            if output.shape != expected:
                raise ValueError(f"the generator draws {tuple(output.shape[1:])}; its file says {expected[1:]}")
            if torch.isnan(output.sum()):  # it ends in tanh
                raise DegenerateGeneratorError(
                    "the generator draws NaN: its training diverged; take an earlier checkpoint"
                )
            return self.ecg.from_network(output).to(torch.int16).cpu().numpy()


def _of_at_least(batch_size: int, noises: Iterator[Tensor]) -> list[Tensor]:
    """The next ones, until they are a batch; none at the end."""
    some: list[Tensor] = []
    while sum(map(len, some)) < batch_size and (more := list(islice(noises, 1))):
        some += more
    return some


def _in_order(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """The results in the order of the items, each by one of as many threads as torch has, which itself uses no more.

    Items are taken only a few ahead of the results, so that memory does not grow with their number.
    """
    with _threads_of_their_own() as num_threads:
        ahead = num_threads + _FEWEST_AHEAD
        waiting: deque[Future[Result]] = deque()
        items = iter(items)
        pool = ThreadPoolExecutor(num_threads, initializer=torch.set_num_threads, initargs=(1,))
        try:
            while True:
                waiting += (pool.submit(function, item) for item in islice(items, ahead - len(waiting)))
                if not waiting:
                    return
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _threads_of_their_own() -> Iterator[int]:
    """How many threads torch uses, while threads are begun that set it to one.

    torch keeps a thread's setting as that of all threads begun later; the last to leave puts it back.
    """
    with _LOCK:
        if not _NUM_THREADS:
            _NUM_THREADS.append(torch.get_num_threads())
        _NUM_THREADS.append(_NUM_THREADS[0])
    try:
        yield _NUM_THREADS[0]
    finally:
        with _LOCK:
            num_threads = _NUM_THREADS.pop()
            if len(_NUM_THREADS) == 1:
                _NUM_THREADS.clear()
            torch.set_num_threads(num_threads)

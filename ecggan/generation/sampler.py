"""Seeds to noise, noise to ECGs.

Record k is drawn from noise that depends on (seed, k) alone. On a CPU it is always drawn by the same arithmetic, at
place k mod 16 of a block of 16 records, by one thread. So it is bit-identical whatever records are drawn with it, for
any number of threads, processes or restarts. On a GPU it is the same up to rounding. Where a beat transport finds no P,
QRS and T to move, the record is drawn again, from noise that depends on (seed, k) too.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import groupby, islice
from threading import Lock
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Float, Float32, Int16
from torch import Tensor, nn

from ecggan.ecg import LARGEST_STORED_MV, MICROVOLTS_PER_MILLIVOLT, ECGFormat, to_microvolts
from ecggan.models.layers import folded

BLOCK = 16
"""Records that a CPU draws at once: as fast as any more, and few enough to draw a single one again."""
_FEWEST_AHEAD = 2
_MOST_ATTEMPTS = 100  # a generator of which one ECG in ten can be moved fails in one of 40,000

_LOCK = Lock()
_NUM_THREADS: list[int] = []  # torch's setting, repeated for each caller that is drawing

Item = TypeVar("Item")
Result = TypeVar("Result")


def draw_noise(
    latent_shape: Sequence[int], seed: int, indices: Sequence[int], attempt: int = 0
) -> Float[Tensor, "batch ..."]:
    """Noise uniform on [−1, 1), one independent stream for each (seed, index) and attempt.

    Philox is a counter-based generator: the pair is its key, and no two pairs share a stream; a further attempt begins
    far on in it, beyond what conditions are drawn from. It runs on the CPU, so that the noise is the same on every
    device.

    Source: Salmon et al. 2011, Parallel random numbers: as easy as 1, 2, 3.
    """
    noise = np.empty((len(indices), *latent_shape), dtype=np.float32)
    for row, index in zip(noise, indices, strict=True):
        key = np.array([seed, index], dtype=np.uint64)
        bits = np.random.Philox(key=key)
        if attempt:
            bits = bits.jumped(1 + attempt)
        np.random.Generator(bits).random(dtype=np.float32, out=row)
        np.multiply(row, 2, out=row)
        np.subtract(row, 1, out=row)
    return torch.from_numpy(noise)


class DegenerateGeneratorError(ValueError):
    """No ECG of this generator, or hardly any, can be used; the records drawn so far are not worth keeping."""


class Sampler:
    """Draws the records of one seed from a generator network.

    Args:
        network: noise to an ECG in ±1.
        ecg: the format of the network's ECGs.
        seed: of the set.
        device: of the network.
        batch_size: records at once on a GPU; a CPU draws blocks of 16.
        transport: each ECG drawn, in mV with its sampling rate, passes through it; where it gives None that record is
            drawn again from other noise of its own. None leaves ECGs as drawn; not for a network with conditions.
        conditions: indices -> the conditions of these records in numbers, each from (seed, index) alone; None for a
            network without.

    Raises:
        ValueError: the network's full scale is more than an ECG set can hold.
    """

    def __init__(
        self,
        network: nn.Module,
        ecg: ECGFormat,
        seed: int,
        device: torch.device,
        batch_size: int,
        transport: Callable[[np.ndarray, int], np.ndarray | None] | None = None,
        conditions: Callable[[Sequence[int]], Float32[np.ndarray, "record value"]] | None = None,
    ) -> None:
        if ecg.full_scale_mv > LARGEST_STORED_MV:
            raise ValueError(
                f"full_scale_mv must be at most {LARGEST_STORED_MV}, 16 bits of µV; got {ecg.full_scale_mv}"
            )
        shape = network.latent_shape
        assert isinstance(shape, tuple)
        self.latent_shape = shape
        self.network = folded(network).to(device)
        self.ecg, self.seed, self.device, self.batch_size = ecg, seed, device, batch_size
        self.transport, self.conditions = transport, conditions

    def draw(self, groups: Iterable[Sequence[int]]) -> Generator[Int16[np.ndarray, "group lead time"], None, None]:
        """Yield the ECGs of each group of indices in µV, in order.

        Values are truncated towards zero to whole µV, as by the published generator, so that our output equals its.
        Closing the iterator joins the threads.

        Raises:
            DegenerateGeneratorError: the generator draws NaN, or nothing that the transport can move.
            ValueError: the generator draws another number of leads or samples than its file states.
        """
        if self.device.type == "cpu":
            return self._draw_blocks(groups)
        return self._draw_batches(groups)

    def _draw_batches(
        self, groups: Iterable[Sequence[int]]
    ) -> Generator[Int16[np.ndarray, "group lead time"], None, None]:
        with closing(_in_order(lambda group: (group, self._inputs(group)), groups)) as inputs:
            while some := _of_at_least(self.batch_size, inputs):
                indices = [index for group, _ in some for index in group]
                joined = [torch.cat(parts).to(self.device) for parts in zip(*(given for _, given in some), strict=True)]
                drawn = self._transported(self._microvolts(*joined), indices)
                yield from np.split(drawn, np.cumsum([len(group) for group, _ in some])[:-1])

    def _draw_blocks(
        self, groups: Iterable[Sequence[int]]
    ) -> Generator[Int16[np.ndarray, "group lead time"], None, None]:
        num_blocks: deque[int] = deque()  # of each group that has been taken

        def blocks() -> Iterator[list[int]]:
            for group in groups:
                of_group = [list(block) for _, block in groupby(group, lambda index: index // BLOCK)]
                num_blocks.append(len(of_group))
                yield from of_group

        with closing(_in_order(self._draw_block, blocks())) as drawn:
            for first in drawn:
                yield np.concatenate([first, *islice(drawn, num_blocks.popleft() - 1)])

    def _draw_block(self, indices: Sequence[int]) -> Int16[np.ndarray, "record lead time"]:
        """Draw some records of one block, each at its place in the whole block."""
        return self._transported(self._microvolts_in_block(indices, self._inputs(indices)), indices)

    def _microvolts_in_block(
        self, indices: Sequence[int], inputs: tuple[Tensor, ...]
    ) -> Int16[np.ndarray, "record lead time"]:
        if list(indices) == list(range(indices[0], indices[0] + BLOCK)):
            return self._microvolts(*inputs)
        places = [index % BLOCK for index in indices]
        blocks = [torch.zeros(BLOCK, *some.shape[1:]) for some in inputs]
        for block, some in zip(blocks, inputs, strict=True):
            block[places] = some
        return self._microvolts(*blocks)[places]

    def _inputs(self, indices: Sequence[int]) -> tuple[Tensor, ...]:
        """What the network takes for these records: noise, and conditions if it takes them."""
        noise = draw_noise(self.latent_shape, self.seed, indices)
        return (noise,) if self.conditions is None else (noise, torch.from_numpy(self.conditions(indices)))

    def _transported(
        self, microvolts: Int16[np.ndarray, "batch lead time"], indices: Sequence[int]
    ) -> Int16[np.ndarray, "batch lead time"]:
        if self.transport is None:
            return microvolts
        moved = np.stack([self._moved(*record) for record in zip(microvolts, indices, strict=True)])
        return to_microvolts(moved.clip(-LARGEST_STORED_MV, LARGEST_STORED_MV))

    def _moved(self, microvolts: Int16[np.ndarray, "lead time"], index: int) -> Float[np.ndarray, "lead time"]:
        """The ECG of an index moved; where it cannot be, the next one of that index that can."""
        assert self.transport is not None
        for attempt in range(_MOST_ATTEMPTS):
            if attempt:
                microvolts = self._drawn_again(index, attempt)
            moved = self.transport(microvolts / MICROVOLTS_PER_MILLIVOLT, self.ecg.sampling_rate)
            if moved is not None:
                return moved
        raise DegenerateGeneratorError(
            f"none of {_MOST_ATTEMPTS} ECGs drawn in a row has the P, QRS and T that the beat transport moves; "
            "the generator draws hardly any ECGs: take another (run=, epoch=)"
        )

    def _drawn_again(self, index: int, attempt: int) -> Int16[np.ndarray, "lead time"]:
        noise = draw_noise(self.latent_shape, self.seed, [index], attempt)
        if self.device.type == "cpu":
            return self._microvolts_in_block([index], (noise,))[0]
        return self._microvolts(noise.to(self.device))[0]

    def _microvolts(
        self, noise: Float[Tensor, "batch ..."], *condition: Tensor
    ) -> Int16[np.ndarray, "batch lead time"]:
        with torch.inference_mode():
            output = self.network(noise, *condition)
            expected = (len(noise), len(self.ecg.leads), self.ecg.num_samples)
            if output.shape != expected:
                raise ValueError(f"the generator draws {tuple(output.shape[1:])}; its file says {expected[1:]}")
            if torch.isnan(output.sum()):  # it ends in tanh
                raise DegenerateGeneratorError(
                    "the generator draws NaN: its training diverged; take an earlier checkpoint"
                )
            return self.ecg.from_network(output).to(torch.int16).cpu().numpy()


def _of_at_least(
    batch_size: int, inputs: Iterator[tuple[Sequence[int], tuple[Tensor, ...]]]
) -> list[tuple[Sequence[int], tuple[Tensor, ...]]]:
    """The next groups of indices, with their inputs, that make a batch; empty at the end."""
    some: list[tuple[Sequence[int], tuple[Tensor, ...]]] = []
    while sum(len(group) for group, _ in some) < batch_size and (more := list(islice(inputs, 1))):
        some += more
    return some


def _in_order(function: Callable[[Item], Result], items: Iterable[Item]) -> Generator[Result, None, None]:
    """Yield the results in the order of the items, computed by as many threads as torch is set to use.

    Within each thread torch uses one thread. Items are taken only a few ahead of the results, so that memory does not
    grow with their number. The threads are joined when the iterator ends or is closed.
    """
    with _single_threaded_torch() as num_threads:
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
def _single_threaded_torch() -> Iterator[int]:
    """Yield torch's number of threads, and restore it after threads were started that set it to one.

    torch applies a thread's setting to all threads that are started later; the last caller to leave restores it.
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

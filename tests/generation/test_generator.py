import numpy as np
import pytest

import ecggan


@pytest.fixture(scope="module")
def generator():
    return ecggan.Generator("published", leads=12)


def test_a_ready_generator_draws_the_records_of_the_set(generator):
    ecgs = ecggan.generate("published", seed=4, indices=[3, 15, 16], leads=12, device="cpu", progress=False)
    assert np.array_equal(generator.draw(4, [3, 15, 16]), ecgs.millivolts())
    assert np.array_equal(generator.draw(4, 16), ecgs.millivolts()[2])
    assert not np.array_equal(generator.draw(5, 16), ecgs.millivolts()[2])
    assert (generator.leads, generator.sampling_rate) == (ecgs.leads, 500)


@pytest.mark.parametrize(("seed", "k", "named"), [(-1, 0, "seed"), (0, -1, "k must"), (0, [], "k must")])
def test_what_it_cannot_draw_is_named(generator, seed, k, named):
    with pytest.raises(ValueError, match=named):
        generator.draw(seed, k)

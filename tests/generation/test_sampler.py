import numpy as np
import pytest
import torch

from ecggan.checkpoints.published import published_generator
from ecggan.ecg import ECGFormat
from ecggan.generation.sampler import DegenerateGeneratorError, Sampler, _in_order, draw_noise
from ecggan.models.layers import folded
from ecggan.models.wavegan_star import WaveGANStarGenerator

CPU = torch.device("cpu")


@pytest.fixture
def small_sampler():
    torch.manual_seed(0)
    network = WaveGANStarGenerator(2, 2500, 20, latent_size=4)
    return Sampler(network, ECGFormat(("I", "II"), 500, 2500, 6.0), seed=3, device=CPU, batch_size=20)


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_noise_of_a_record_is_uniform_and_its_own():
    noise = draw_noise((8, 5000), seed=1, indices=[0, 1])
    assert noise.min() >= -1
    assert noise.max() < 1
    assert abs(noise.mean()) < 0.02
    assert noise.var() == pytest.approx(1 / 3, abs=0.01)
    assert torch.equal(noise[1:], draw_noise((8, 5000), seed=1, indices=[1]))
    assert np.corrcoef(noise[0].flatten(), noise[1].flatten())[0, 1] == pytest.approx(0, abs=0.03)


def test_a_record_is_the_same_to_the_bit_whatever_is_drawn_with_it():
    trained = published_generator()
    sampler = Sampler(trained.network, trained.ecg, seed=1, device=CPU, batch_size=64)
    whole = np.concatenate(list(sampler.draw([range(30)])))
    assert len(whole) == 30
    pieces = np.concatenate(list(sampler.draw([range(3), range(3, 17), range(17, 30)])))
    assert np.array_equal(pieces, whole)
    some = next(sampler.draw([[29, 4, 5, 21]]))
    assert np.array_equal(some, whole[[29, 4, 5, 21]])


def test_a_record_is_the_same_to_the_bit_by_one_thread_or_several(small_sampler, one_thread):
    groups = [range(start, start + 10) for start in range(0, 50, 10)]
    by_one = np.concatenate(list(small_sampler.draw(groups)))
    torch.set_num_threads(3)
    assert np.array_equal(np.concatenate(list(small_sampler.draw(groups))), by_one)
    assert torch.get_num_threads() == 3


def test_batches_of_an_accelerator_hold_the_same_ecgs_up_to_rounding(small_sampler):
    groups = [range(12), range(12, 40), [7], range(40, 45)]
    blocks, batches = list(small_sampler.draw(groups)), list(small_sampler._draw_batches(groups))
    assert [len(batch) for batch in batches] == [12, 28, 1, 5]
    for block, batch in zip(blocks, batches, strict=True):
        assert np.abs(block.astype(int) - batch).max() <= 1


def test_a_folded_network_gives_the_same_output_and_leaves_the_other_alone():
    network = WaveGANStarGenerator(2, 2500, 20, latent_size=4)
    noise, parameters = torch.rand(3, 4), len(list(network.parameters()))
    with torch.inference_mode():
        torch.testing.assert_close(folded(network)(noise), network(noise), rtol=0, atol=1e-6)
    assert len(list(network.parameters())) == parameters
    assert all(parameter.requires_grad for parameter in network.parameters())


def test_items_are_taken_only_a_few_ahead_of_the_results():
    taken = []

    def items():
        for item in range(100):
            taken.append(item)
            yield item

    for result in _in_order(lambda item: 2 * item, items()):
        assert len(taken) <= result // 2 + 1 + torch.get_num_threads() + 2
    assert result == 198


def test_what_a_thread_raises_comes_out_and_ends_the_others():
    def refuse(item):
        if item == 2:
            raise ValueError("no 2")
        return item

    results = _in_order(refuse, range(100))
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="no 2"):
        next(results)


def test_a_full_scale_that_no_set_can_hold_is_refused():
    network = WaveGANStarGenerator(2, 2500, 20, latent_size=4)
    with pytest.raises(ValueError, match=r"full_scale_mv must be at most 32\.767, 16 bits of µV; got 40"):
        Sampler(network, ECGFormat(("I", "II"), 500, 2500, 40.0), seed=0, device=CPU, batch_size=1)


def test_two_that_draw_at_once_leave_torchs_threads_as_they_were():
    before = torch.get_num_threads()
    first, second = (_in_order(lambda item: item, range(20)) for _ in range(2))
    assert next(first) == next(second) == 0
    list(first)
    list(second)
    assert torch.get_num_threads() == before
    abandoned = _in_order(lambda item: item, range(20))
    next(abandoned)
    abandoned.close()
    assert torch.get_num_threads() == before


def test_every_record_passes_through_the_transport_whatever_is_drawn_with_it(small_sampler):
    plain = np.concatenate(list(small_sampler.draw([range(20)])))
    network, ecg = small_sampler.network, small_sampler.ecg
    seen = []

    def doubled(millivolts, sampling_rate):
        seen.append((millivolts.shape, sampling_rate))
        return millivolts * 2

    sampler = Sampler(network, ecg, seed=3, device=CPU, batch_size=20, transport=doubled)
    assert np.array_equal(next(sampler.draw([range(20)])), plain * 2)
    assert set(seen) == {((2, 2500), 500)}
    assert np.array_equal(next(sampler.draw([[17, 3]])), plain[[17, 3]] * 2)
    assert np.abs(np.concatenate(list(sampler._draw_batches([range(20)]))) - plain * 2).max() <= 4


def test_what_cannot_be_moved_is_drawn_again_from_noise_of_its_own(small_sampler):
    network, ecg = small_sampler.network, small_sampler.ecg
    plain = np.concatenate(list(small_sampler.draw([range(40)])))
    size = np.abs(plain / 1000).mean(axis=(1, 2))
    most = float(np.median(size))

    def small_alone(millivolts, _):
        return millivolts if np.abs(millivolts).mean() <= most else None

    sampler = Sampler(network, ecg, seed=3, device=CPU, batch_size=20, transport=small_alone)
    drawn = next(sampler.draw([range(40)]))
    stays = size <= most
    assert 10 < stays.sum() < 30
    assert np.array_equal(drawn[stays], plain[stays])
    assert (np.abs(drawn / 1000).mean(axis=(1, 2)) <= most).all()
    assert len(np.unique(drawn, axis=0)) == 40
    some = [7, 8, 30, 31, 39]
    assert np.array_equal(next(sampler.draw([some])), drawn[some])
    assert np.abs(np.concatenate(list(sampler._draw_batches([range(40)]))) - drawn).max() <= 2


def test_a_generator_of_which_nothing_can_be_moved_is_refused(small_sampler):
    sampler = Sampler(small_sampler.network, small_sampler.ecg, 3, CPU, 20, transport=lambda *_: None)
    with pytest.raises(DegenerateGeneratorError, match="none of 100 ECGs drawn in a row has the P, QRS and T"):
        next(sampler.draw([[0]]))


def test_further_attempts_are_other_noise_than_conditions_and_records_have():
    first, second, third = (draw_noise((8, 500), seed=1, indices=[4], attempt=i) for i in range(3))
    assert not torch.isclose(first, second, atol=1e-3).all()
    assert np.abs(np.corrcoef([some.numpy().ravel() for some in (first, second, third)]) - np.eye(3)).max() < 0.05


def test_what_a_transport_makes_too_large_is_cut_to_what_a_set_can_hold(small_sampler):
    sampler = Sampler(
        small_sampler.network, small_sampler.ecg, 3, CPU, 20, transport=lambda millivolts, _: millivolts * 1e6
    )
    assert np.abs(next(sampler.draw([[0]])).astype(int)).max() == 32_767

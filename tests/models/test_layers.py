import pytest
import torch
import torch.nn.functional as F

from ecggan.models.layers import UpsampledConv1d, adjoint_conv1d, adjoint_phase_shuffle, conv1d, phase_shuffle

LENGTHS = pytest.mark.parametrize("length", [1, 10, 39, 40, 41, 200, 600])  # before the kernel's 25
STRIDES = pytest.mark.parametrize(("stride", "padding"), [(1, 3), (5, 12), (2, 12)])


@LENGTHS
@STRIDES
def test_convolution_of_any_length_is_torchs(length, stride, padding):
    x, weight, bias = torch.randn(2, 3, length + 25), torch.randn(4, 3, 25), torch.randn(4)
    plain = F.conv1d(x, weight, bias, stride, padding)
    torch.testing.assert_close(conv1d(x, weight, bias, stride, padding), plain, rtol=1e-4, atol=1e-4)


@LENGTHS
@STRIDES
def test_adjoint_of_convolution_takes_back_its_gradients(length, stride, padding):
    x, weight = torch.randn(2, 3, length + 25, dtype=torch.double), torch.randn(4, 3, 25, dtype=torch.double)
    y, back = torch.func.vjp(lambda x: F.conv1d(x, weight, None, stride, padding), x)
    gradients = torch.randn_like(y)
    ours = adjoint_conv1d(gradients, weight, x.shape[2], stride, padding)
    torch.testing.assert_close(ours, back(gradients)[0])


@pytest.mark.parametrize("factor", [2, 3, 5])
@pytest.mark.parametrize("length", [1, 2, 50])
def test_upsampled_convolution_equals_upsampling_padding_and_convolving(factor, length):
    layer = UpsampledConv1d(3, 4, factor)
    x = torch.randn(2, 3, length)
    plain = F.conv1d(F.pad(F.interpolate(x, scale_factor=factor), (12, 12)), layer.conv.weight, layer.conv.bias)
    torch.testing.assert_close(layer(x), plain, rtol=1e-4, atol=1e-5)


def test_upsampled_convolution_has_the_gradients_of_the_plain_one():
    layer = UpsampledConv1d(3, 4, 5).double()
    x = torch.randn(2, 3, 10, dtype=torch.double)
    (layer(x) ** 2).sum().backward()
    folded = layer.conv.weight.grad.clone()
    layer.zero_grad()
    (layer.conv(F.pad(F.interpolate(x, scale_factor=5), (12, 12))) ** 2).sum().backward()
    torch.testing.assert_close(folded, layer.conv.weight.grad)


def test_upsampled_convolution_keeps_only_the_25_taps_in_its_state():
    assert {name: tuple(t.shape) for name, t in UpsampledConv1d(3, 4, 5).state_dict().items()} == {
        "conv.weight": (4, 3, 25),
        "conv.bias": (4,),
    }


def shifted(record: torch.Tensor, shift: int) -> torch.Tensor:
    """WaveGAN's way, one record at a time: cut at one end, mirror at the other."""
    if shift > 0:
        return F.pad(record[..., :-shift], (shift, 0), mode="reflect")
    return F.pad(record[..., -shift:], (0, -shift), mode="reflect")


def test_phase_shuffle_shifts_each_record_by_its_own_amount_and_mirrors_the_ends():
    x, shifts = torch.randn(5, 3, 20), torch.tensor([-2, 2, 0, 1, -1])
    y = phase_shuffle(x, shifts)
    for before, after, shift in zip(x, y, shifts.tolist(), strict=True):
        assert torch.equal(shifted(before, shift), after)


def test_adjoint_of_phase_shuffle_takes_back_its_gradients():
    x, shifts = torch.randn(5, 3, 7), torch.tensor([-3, 3, 0, 1, -2])
    y, back = torch.func.vjp(lambda x: phase_shuffle(x, shifts), x)
    gradients = torch.randn_like(y)
    torch.testing.assert_close(adjoint_phase_shuffle(gradients, shifts), back(gradients)[0])

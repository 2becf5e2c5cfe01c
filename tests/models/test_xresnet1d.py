import torch

from ecggan.models.xresnet1d import XResNet1d, _Block


def test_an_ecg_of_any_length_has_a_logit_for_each_class():
    network = XResNet1d(num_leads=8, num_classes=5).eval()
    for length in (32, 250, 1000):
        assert network(torch.randn(2, 8, length)).shape == (2, 5)


def test_a_block_passes_on_what_is_positive_before_it_has_learned():
    x = torch.rand(2, 6, 20)
    torch.testing.assert_close(_Block(6, 6, stride=1)(x), x)


def test_every_weight_learns():
    network = XResNet1d(2, 3)
    for block in network.modules():
        if isinstance(block, _Block):  # nothing passes through it at first
            torch.nn.init.ones_(block.convs[1][1].weight)
    network(torch.randn(4, 2, 64)).square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in network.parameters())

"""Training on several devices: the same networks on each, gradients averaged as they come."""

from collections.abc import Sequence

import torch
import torch.distributed as dist
from pytorch_lightning.strategies import DDPStrategy
from torch import Tensor
from torch.utils.hooks import RemovableHandle


class AveragedGradients(DDPStrategy):
    """Data-parallel training of networks that take turns in learning.

    torch's DistributedDataParallel expects every weight to have a gradient in every backward pass. Here one network
    rests while the other learns, so it would have to search each graph for the weights that it leaves out, and would
    send the resting network's gradients too. So the module is not wrapped: each gradient is averaged over the devices
    as soon as it is there, while the backward pass goes on, and the pass ends when all averages have come. A resting
    network has no gradients and costs nothing. All processes run the same graph, hence send in the same order.

    Weights, Adam's two moments and gradients of the paper's critic, 204 M parameters, are 3.3 GB, and the generator
    adds a thirtieth: they fit one device. Nothing is gained by spreading them over several (FSDP), which would have to
    gather them again for the slope in the gradient penalty.

    Source: Li et al. 2020, PyTorch Distributed: experiences on accelerating data parallel training, section 3.2.
    """

    _hooks: Sequence[RemovableHandle] = ()

    def configure_ddp(self) -> None:
        """Start from the first device's networks, and average each gradient from now on."""
        assert isinstance(self.model, torch.nn.Module)
        self._under_way: list[dist.Work] = []
        for tensor in self.model.state_dict().values():  # the moving average's too
            dist.broadcast(tensor, src=0)
        self._hooks = [
            parameter.register_post_accumulate_grad_hook(self._send)
            for parameter in self.model.parameters()
            if parameter.requires_grad
        ]

    def _send(self, parameter: Tensor) -> None:
        assert parameter.grad is not None
        parameter.grad.div_(self.world_size)  # before the sum: gloo knows no mean, and 16 bits could overflow
        work = dist.all_reduce(parameter.grad, async_op=True)
        assert work is not None
        self._under_way.append(work)

    def post_backward(self, closure_loss: Tensor) -> None:
        """Wait for the averages: nobody sees a gradient of one device alone."""
        for work in self._under_way:
            work.wait()
        self._under_way.clear()

    def teardown(self) -> None:
        """Leave the networks, which outlive this training, without hooks."""
        for hook in self._hooks:
            hook.remove()
        super().teardown()

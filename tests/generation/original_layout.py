"""State dicts with the names and shapes of the original code, and what its networks make of noise, in torch's words."""

import torch
import torch.nn.functional as F

STRIDES = (2, 5, 2, 5, 5, 5)  # of conv_1 to conv_6
DECONVS = ((1, 5, None), (2, 5, 4), (3, 5, 3), (5, 2, 2), (6, 5, 1), (7, 2, None))  # number, upsampling, skip


def pulse2pulse_state(model_size=10, leads=8, unused="Conv1dTrans"):
    d = model_size
    widths = (leads, d // 5, d // 2, d, 3 * d, 5 * d, 5 * d)
    state = {}
    for i in range(6):
        _layer(state, f"conv_{i + 1}", widths[i + 1], widths[i])
    _decoder(state, widths, unused, skips=True)
    return state


def wavegan_star_state(model_size=10, leads=8, latent_size=7):
    d = model_size
    state = {}
    _layer(state, "fc1", 10 * d, latent_size, kernel=())
    _decoder(state, (leads, d // 5, d // 2, d, 3 * d, 5 * d, 5 * d), "Conv1dTrans", skips=False)
    _layer(state, "ppfilter1", leads, leads, kernel=(512,))
    return state


def discriminator_state(model_size=2):
    state = {}
    for i in range(7):
        _layer(state, f"conv{i + 1}", model_size, model_size)
    _layer(state, "fc1", 1, 20, kernel=())
    return state


def draw_pulse2pulse(state, noise):
    x, outputs = noise, []
    for i, stride in enumerate(STRIDES, 1):
        x = F.leaky_relu(F.conv1d(x, state[f"conv_{i}.weight"], state[f"conv_{i}.bias"], stride, padding=12))
        outputs.append(x)
    return _draw_decoder(state, x, outputs)


def draw_wavegan_star(state, noise):
    x = F.relu(F.linear(noise, state["fc1.weight"], state["fc1.bias"]))
    return _draw_decoder(state, x.view(len(noise), -1, 2), None)


def _layer(state, name, outs, ins, kernel=(25,)):
    weight = torch.randn(outs, ins, *kernel)
    state[f"{name}.weight"] = weight * (2 / weight[0].numel()) ** 0.5
    state[f"{name}.bias"] = 0.1 * torch.randn(outs)


def _decoder(state, widths, unused, skips):
    for level, (number, _, skip) in enumerate(DECONVS):
        ins, outs = widths[6 - level], widths[5 - level]
        ins = 2 * ins if skips and skip is not None else ins
        _layer(state, f"deconv_{number}.conv1d", outs, ins)
        _layer(state, f"deconv_{number}.{unused}", ins, outs)


def _draw_decoder(state, x, outputs):
    for number, factor, skip in DECONVS:
        if outputs is not None and skip is not None:
            x = torch.cat((x, outputs[skip]), dim=1)
        x = F.pad(F.interpolate(x, scale_factor=factor), (12, 12))
        x = F.conv1d(x, state[f"deconv_{number}.conv1d.weight"], state[f"deconv_{number}.conv1d.bias"])
        x = torch.tanh(x) if number == 7 else F.relu(x)
    return x

"""Vectorized layers: modules are written for one network, and here get a leading axis of networks (members).

Shapes are (members, rows, …) where the layer of one network has (rows, …). No operation reduces over members, and the shape
of a member's own matrix products does not depend on how many members there are. So, on a CPU, a member's numbers are the same
bit for bit with and without other members.
"""

import copy
import math

import torch
import torch.nn.functional as F
from torch import nn

from stillhouse.errors import UserError
from stillhouse.networks.vectorized.draws import hashed, random_bytes, salt
from stillhouse.networks.vectorized.parameters import ALIGNED

# The kernel of batch norm processes at least eight features at a time, which must all be of the same member.
LANES = 16


class Keys:
    """The random keys of the current step, one for each member; the dropout layers of a vectorized network share them."""

    def __init__(self):
        self.of_step, self.layers = None, 0


def vectorized(modules):
    """Return one module that computes what each of these equally built modules computes, and its ``Keys``.

    A module with parameters or buffers of its own is either in ``LAYERS`` or states ``vectorizes = True``: its ``forward``
    also works with a leading axis of members in inputs and parameters. Raises ``TypeError`` otherwise.
    """
    keys = Keys()
    return _vectorized(modules, keys), keys


def _vectorized(modules, keys):
    first = modules[0]
    if layer := LAYERS.get(type(first)):
        return layer(modules, keys)
    if (first._parameters or first._buffers) and not getattr(first, "vectorizes", False):
        raise TypeError(
            f"a {type(first).__name__} has parameters and no vectorized counterpart; add it to vectorized/layers.py"
        )
    return _together(modules, lambda inner: _vectorized(inner, keys))


def parameter_of(modules, name):
    """Return one parameter that holds a parameter of each module, or None where they have none."""
    parts = [getattr(module, name) for module in modules]
    return None if parts[0] is None else nn.Parameter(torch.stack([part.detach() for part in parts]))


def product(x, weight, bias=None):
    """Return ``x @ weight + bias`` for each entry of the leading axis; shapes (n, rows, in), (n, in, out) and (n, out).

    A single product with a side of length one would use a matrix-vector kernel, which sums in another order than the batched
    kernel of several products; so it is computed twice.
    """
    if len(x) == 1 and 1 in (*x.shape[1:], weight.shape[-1]):
        twice = None if bias is None else bias.expand(2, -1)
        return product(x.expand(2, -1, -1), weight.expand(2, -1, -1), twice)[:1]
    if torch.is_autocast_enabled(x.device.type):
        kind = torch.get_autocast_dtype(x.device.type)
        x, weight, bias = x.to(kind), weight.to(kind), None if bias is None else bias.to(kind)
    return _Affine.apply(x, weight, bias)


class _Affine(torch.autograd.Function):
    """``x @ weight + bias``; the bias's gradient sums contiguous values, as the order of sums depends on strides."""

    @staticmethod
    def forward(ctx, x, weight, bias):
        ctx.save_for_backward(x, weight)
        return _aligned_product(x, weight, bias)

    @staticmethod
    def backward(ctx, slope):
        x, weight = ctx.saved_tensors
        slope = slope.contiguous()
        wants_x, _, wants_bias = ctx.needs_input_grad
        of_x = _aligned_product(slope, weight.mT) if wants_x else None
        return of_x, _aligned_product(x.mT, slope), slope.sum(dim=1) if wants_bias else None


def _aligned_product(x, weight, bias=None):
    """Return ``x @ weight + bias``, padded with columns of zeros so that every result starts at a multiple of 64 bytes.

    MKL sums small products in an order that depends on the address that they are written to.
    """
    unit = ALIGNED // math.gcd(x.shape[1], ALIGNED)
    wide = _in_lanes(weight, unit)
    result = torch.bmm(x, wide) if bias is None else torch.baddbmm(_in_lanes(bias, unit).unsqueeze(1), x, wide)
    return result[..., : weight.shape[-1]]


def _in_lanes(x, count):
    """Return ``x`` with zeros at the end of its last axis, up to a multiple of ``count``."""
    odd = -x.shape[-1] % count
    return F.pad(x, (0, odd)) if odd else x


class VectorizedLinear(nn.Module):
    """``nn.Linear`` of each member; the weight has shape (members, out, in)."""

    def __init__(self, modules, _):
        super().__init__()
        self.weight, self.bias = parameter_of(modules, "weight"), parameter_of(modules, "bias")

    def forward(self, x):
        """Return outputs (members, …, out) of inputs (members, …, in)."""
        flat = x.reshape(len(x), -1, x.shape[-1])
        return product(flat, self.weight.mT, self.bias).view(*x.shape[:-1], -1)


class BatchNorm(nn.BatchNorm1d):
    """``nn.BatchNorm1d`` with features on the last axis, after any other axes."""

    def forward(self, x):
        """Return normalised inputs (…, features)."""
        return super().forward(x.flatten(0, -2)).view(x.shape)


class VectorizedBatchNorm(nn.Module):
    """``BatchNorm`` of each member, in one fused kernel."""

    def __init__(self, modules, _):
        super().__init__()
        self.weight, self.bias = parameter_of(modules, "weight"), parameter_of(modules, "bias")
        for name in ("running_mean", "running_var"):
            self.register_buffer(name, torch.stack([getattr(module, name) for module in modules]))
        self.momentum, self.eps = modules[0].momentum, modules[0].eps

    def forward(self, x):
        """Return normalised inputs (members, …, features): by the batch in training, by the running statistics otherwise."""
        flat = x.reshape(len(x), -1, x.shape[-1])
        if self.training and flat.shape[1] < 2:
            raise UserError("batch norm needs at least 2 rows in a batch; raise `batch`, or take `norm: layer`")
        rows = _in_lanes(flat, LANES).transpose(0, 1).reshape(flat.shape[1], -1)
        statistics = self.running_mean, self.running_var
        mean, var, weight, bias = (_in_lanes(part, LANES).flatten().clone() for part in (*statistics, self.weight, self.bias))
        result = F.batch_norm(rows, mean, var, weight, bias, self.training, self.momentum, self.eps)
        if self.training:
            for kept, new in zip(statistics, (mean, var), strict=True):
                kept.copy_(new.view(len(x), -1)[:, : x.shape[-1]])
        return result.view(flat.shape[1], len(x), -1).transpose(0, 1)[..., : x.shape[-1]].reshape(x.shape)


class VectorizedLayerNorm(nn.Module):
    """``nn.LayerNorm`` of each member over the last axis."""

    def __init__(self, modules, _):
        super().__init__()
        self.weight, self.bias, self.eps = parameter_of(modules, "weight"), parameter_of(modules, "bias"), modules[0].eps

    def forward(self, x):
        """Return normalised inputs (members, …, features)."""
        between = [1] * (x.dim() - 2)
        weight, bias = (part.view(len(x), *between, -1) for part in (self.weight, self.bias))
        return torch.addcmul(bias, F.layer_norm(x, x.shape[-1:], eps=self.eps), weight)


class VectorizedDropout(nn.Module):
    """``nn.Dropout`` of each member with its own key; the rate is rounded to a multiple of 1/256."""

    def __init__(self, modules, keys):
        super().__init__()
        self.dropped, self.keys = min(255, round(modules[0].p * 256)), keys
        keys.layers += 1
        self.salt = salt(keys.layers)

    def forward(self, x):
        """Return inputs with random entries set to zero in training, and unchanged inputs otherwise."""
        if not self.training or not self.dropped:
            return x
        keys = hashed(self.keys.of_step + self.salt)
        kept = random_bytes(keys, x[0].numel()).view(x.shape) >= self.dropped
        return torch.ops.aten.native_dropout_backward(x, kept, 256 / (256 - self.dropped))


class VectorizedEach(nn.Module):
    """Layers of plain torch, computed member by member on a CPU and by all at once on a GPU.

    A kernel of several members would sum in another order than that of one. Parameters and buffers lie as in the layers of one
    member, with a leading axis of members.
    """

    def __init__(self, modules, _):
        super().__init__()
        # No part of this module: it computes with the parameters that it is given.
        self.__dict__["one"] = copy.deepcopy(modules[0])
        for name in modules[0]._modules:
            self.add_module(name, _stacked([module._modules[name] for module in modules]))

    def forward(self, x):
        """Return the outputs (members, rows, …) of inputs (members, rows, …)."""
        for own, layer in zip(self.one.children(), self.children(), strict=True):
            _set_modes(own, layer)
        tensors = {**dict(self.named_parameters()), **dict(self.named_buffers())}
        return self.one_by_one(x, tensors) if x.device.type == "cpu" else self.at_once(x, tensors)

    def at_once(self, x, tensors):
        """Return the outputs of all members, by kernels of several members."""
        return torch.func.vmap(lambda part, own: torch.func.functional_call(self.one, own, (part,)))(x, tensors)

    def one_by_one(self, x, tensors):
        """Return the outputs of all members, one after the other."""
        # Taken apart at once, as the gradient of each part by itself would be as large as the whole.
        parts = {name: tensor.unbind(0) for name, tensor in tensors.items()}
        each = [{name: own[member] for name, own in parts.items()} for member in range(len(x))]
        calls = zip(x.unbind(0), each, strict=True)
        return torch.stack([torch.func.functional_call(self.one, own, (part,)) for part, own in calls])


def _stacked(modules):
    """Return a module with the parameters and buffers of several, which computes nothing by itself."""
    return _together(modules, _stacked)


def _together(modules, inner):
    """Return a copy of the first module with the parameters and buffers of all, and ``inner`` of those in them.

    How many batches a norm has seen changes nothing of what it computes, and is left out.
    """
    whole = copy.copy(modules[0])
    buffers = [name for name in whole._buffers if name != "num_batches_tracked"]
    whole._parameters = {name: parameter_of(modules, name) for name in whole._parameters}
    whole._buffers = {name: torch.stack([module._buffers[name] for module in modules]) for name in buffers}
    whole._modules = {name: inner([module._modules[name] for module in modules]) for name in whole._modules}
    return whole


def _set_modes(module, like):
    """Have a module and those in it train, or not, as another one does."""
    module.training = like.training
    for own, other in zip(module.children(), like.children(), strict=True):
        _set_modes(own, other)


BATCH_NORMS = (VectorizedBatchNorm, nn.BatchNorm2d)
NORMS = (*BATCH_NORMS, VectorizedLayerNorm)

LAYERS = {
    nn.Linear: VectorizedLinear,
    BatchNorm: VectorizedBatchNorm,
    nn.LayerNorm: VectorizedLayerNorm,
    nn.Dropout: VectorizedDropout,
}

"""The parameters of all members as one matrix with a row for each member, so that updates are operations on rows."""

import math
from dataclasses import dataclass

import torch

from stillhouse.errors import UserError

# Parameters start at multiples of this many numbers: 64 bytes in single precision.
ALIGNED = 16


@dataclass(frozen=True)
class Segment:
    """Adjacent columns with the same factor on the learning rate and the same weight decay."""

    start: int
    stop: int
    factor: float
    decays: bool


class Rows:
    """The parameters and buffers of a vectorized network as views of ``values``, shape (members, columns).

    ``traits(name)`` returns a parameter's factor on the learning rate and whether it decays; with a factor of 0 it is frozen.
    Trained columns come first, in ``segments``; frozen parameters and buffers follow.
    """

    def __init__(self, network, traits):
        named = dict(network.named_parameters())
        kinds = {name: traits(name) for name in named}
        order = sorted(named, key=lambda name: (kinds[name][0] == 0, kinds[name]))
        self.trained = [name for name in order if kinds[name][0]]
        self.offsets, self.segments, start = {}, [], 0
        for name in order:
            stop = start + _padded(named[name][0].numel())
            self.offsets[name] = start
            if kinds[name][0]:
                self._extend_segments(start, stop, *kinds[name])
            start = stop
        if not self.trained:
            raise UserError("nothing is left to train, as every part is frozen; set one of `rates` above 0")
        self.width = self.segments[-1].stop
        self._lay_out(network, named, start)
        for name in named:
            named[name].requires_grad_(name in self.trained)
        self.parameters = [named[name] for name in self.trained]

    def _extend_segments(self, start, stop, factor, decays):
        last = self.segments[-1] if self.segments else None
        if last and (last.factor, last.decays) == (factor, decays):
            self.segments[-1] = Segment(last.start, stop, factor, decays)
        else:
            self.segments.append(Segment(start, stop, factor, decays))

    def _lay_out(self, network, named, start):
        tensors = dict(named)
        for name, buffer in network.named_buffers():
            self.offsets[name], tensors[name] = start, buffer
            start += _padded(buffer[0].numel())
        example = next(iter(tensors.values()))
        self.values = example.new_zeros(len(example), start)
        for name, tensor in tensors.items():
            view = self.view(self.values, name, tensor.shape)
            view.copy_(tensor.detach())
            tensor.data = view

    def view(self, matrix, name, shape):
        """Return the columns of one parameter in a matrix of this layout, in the parameter's shape."""
        start = self.offsets[name]
        return matrix[:, start : start + math.prod(shape[1:])].view(shape)

    def gradient(self, loss, into):
        """Write the gradient of a loss that is summed over members into a matrix of the trained columns."""
        for name, part in zip(self.trained, torch.autograd.grad(loss, self.parameters), strict=True):
            self.view(into, name, part.shape).copy_(part)


def _padded(count):
    return -(-count // ALIGNED) * ALIGNED


def load_row(module, network, rows, row):
    """Load one member of a vectorized network into a module of its own; ``row`` has its values, shape (columns,)."""
    state = {}
    for name, tensor in [*network.named_parameters(), *network.named_buffers()]:
        start = rows.offsets[name]
        state[name] = row[start : start + tensor[0].numel()].view(tensor.shape[1:])
    missing, unknown = module.load_state_dict(state, strict=False)
    if unknown or any(not name.endswith("num_batches_tracked") for name in missing):
        raise TypeError(f"a vectorized {type(module).__name__} has other parameters than a single one: {missing or unknown}")
    return module

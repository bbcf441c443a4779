"""Optimisers on a matrix with a row of parameters for each member; every member has its own learning rate and decay.

The update rules are those of ``torch.optim``; a test compares the numbers.
"""

import torch


class RowOptimizer:
    """An update rule over the trained columns of ``rows``; ``state`` has its matrices, of shape (members, columns).

    ``fuses`` says whether Adam runs in torch's fused kernels, which need rates as plain numbers and are the fastest on a CPU;
    otherwise a step reads tensors alone, as a captured one must.
    """

    def __init__(self, rows, name, momentum=0.9, fuses=None):
        self.rows, self.name, self.momentum = rows, name, momentum
        weights = rows.values[:, : rows.width]
        self.state = {key: torch.zeros_like(weights) for key in STATE_NAMES[name]}
        # The fused kernels take the count of steps as a tensor; single precision is exact up to 2**24.
        self.steps = torch.zeros((), dtype=torch.float32, device=weights.device)
        self.fuses = name in FUSED and (weights.device.type == "cpu" if fuses is None else fuses)

    def checkpoint(self):
        """Return the state, by name."""
        return {**self.state, "steps": self.steps}

    def load(self, checkpoint, members=slice(None)):
        """Restore the state of a checkpoint, of some of its members."""
        self.steps.copy_(checkpoint["steps"])
        for name, matrix in self.state.items():
            matrix.copy_(checkpoint[name][members])

    def step(self, gradient, rates, decays):
        """Update every row by its gradient; ``rates`` and ``decays`` have one number for each member, shape (members,)."""
        self.steps += 1
        if self.fuses:
            self._fused_step(gradient, rates.tolist(), decays.tolist())
            return
        rates, decays = rates.to(gradient.dtype)[:, None], decays.to(gradient.dtype)[:, None]
        for segment in self.rows.segments:
            part = slice(segment.start, segment.stop)
            weights, slope = self.rows.values[:, part], gradient[:, part]
            own = rates * segment.factor
            if segment.decays and self.name in DECOUPLED:
                weights.mul_(1 - own * decays)
            elif segment.decays:
                slope = torch.addcmul(slope, weights, decays)
            state = {key: matrix[:, part] for key, matrix in self.state.items()}
            direction = RULES[self.name](slope, state, steps=self.steps, momentum=self.momentum)
            weights.addcmul_(direction, own, value=-1)

    def _fused_step(self, gradient, rates, decays):
        together = {}
        for member, pair in enumerate(zip(rates, decays, strict=True)):
            together.setdefault(pair, []).append(member)
        matrices = (self.rows.values, gradient, self.state["mean"], self.state["square"])
        for segment in self.rows.segments:
            for (rate, decay), members in together.items():
                parts = [[matrix[member, segment.start : segment.stop] for member in members] for matrix in matrices]
                FUSED[self.name](
                    *parts,
                    [],
                    [self.steps] * len(members),
                    lr=rate * segment.factor,
                    beta1=0.9,
                    beta2=0.999,
                    weight_decay=decay if segment.decays else 0.0,
                    eps=1e-8,
                    amsgrad=False,
                    maximize=False,
                )


def sgd(slope, state, steps, momentum):
    """Return the direction of plain gradient descent."""
    return slope


def momentum(slope, state, steps, momentum):
    """Return the direction of gradient descent with momentum (Polyak 1964)."""
    return state["velocity"].mul_(momentum).add_(slope)


def nesterov(slope, state, steps, momentum):
    """Return the direction of gradient descent with Nesterov's momentum (Sutskever et al. 2013)."""
    return slope + momentum * state["velocity"].mul_(momentum).add_(slope)


def adagrad(slope, state, steps, momentum):
    """Return the direction of AdaGrad (Duchi, Hazan & Singer 2011)."""
    return slope / state["total"].add_(slope * slope).sqrt().add_(1e-10)


def rmsprop(slope, state, steps, momentum):
    """Return the direction of RMSProp (Tieleman & Hinton 2012)."""
    return slope / state["square"].mul_(0.99).add_(0.01 * slope * slope).sqrt().add_(1e-8)


def adadelta(slope, state, steps, momentum):
    """Return the direction of AdaDelta (Zeiler 2012)."""
    square = state["square"].mul_(0.9).add_(0.1 * slope * slope)
    direction = slope * (state["moved"] + 1e-6).sqrt() / (square + 1e-6).sqrt()
    state["moved"].mul_(0.9).add_(0.1 * direction * direction)
    return direction


def adam(slope, state, steps, momentum):
    """Return the direction of Adam (Kingma & Ba 2015)."""
    mean = state["mean"].lerp_(slope, 0.1)
    square = state["square"].mul_(0.999).addcmul_(slope, slope, value=0.001)
    # In double precision, as 1 - 0.999 has few digits left in single.
    bias, bias_of_square = (1 - share ** steps.double() for share in (0.9, 0.999))
    deviation = square.sqrt().div_(bias_of_square.sqrt().to(square.dtype)).add_(1e-8)
    return (mean / bias.to(mean.dtype)).div_(deviation)


RULES = {
    "sgd": sgd,
    "momentum": momentum,
    "nesterov": nesterov,
    "adagrad": adagrad,
    "rmsprop": rmsprop,
    "adadelta": adadelta,
    "adam": adam,
    "adamw": adam,
}
# Rules whose decay is no part of the gradient (Loshchilov & Hutter 2019).
DECOUPLED = {"adamw"}
# Private functions of torch: there is no public way to update rows with their own rates in one call.
FUSED = {"adam": torch._fused_adam_, "adamw": torch._fused_adamw_}
STATE_NAMES = {
    "sgd": (),
    "momentum": ("velocity",),
    "nesterov": ("velocity",),
    "adagrad": ("total",),
    "rmsprop": ("square",),
    "adadelta": ("square", "moved"),
    "adam": ("mean", "square"),
    "adamw": ("mean", "square"),
}

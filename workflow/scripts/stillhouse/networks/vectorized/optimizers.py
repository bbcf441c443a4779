"""Optimisers on a matrix with a row of parameters for each member; every member has its own learning rate and decay.

The update rules are those of ``torch.optim``; a test compares the numbers.
"""

import torch


class RowOptimizer:
    """An update rule over the trained columns of ``rows``; ``state`` has its matrices, of shape (members, columns)."""

    def __init__(self, rows, name, momentum=0.9):
        self.rows, self.name, self.momentum = rows, name, momentum
        weights = rows.values[:, : rows.width]
        self.state = {key: torch.zeros_like(weights) for key in STATE_NAMES[name]}
        # The fused kernels take the count of steps as a tensor; single precision is exact up to 2**24.
        self.steps = torch.zeros((), dtype=torch.float32, device=weights.device)

    def checkpoint(self):
        """Return the state, by name."""
        return {**self.state, "steps": self.steps}

    def load(self, checkpoint, members=slice(None)):
        """Restore the state of a checkpoint, of some of its members."""
        device = self.rows.values.device
        self.steps = checkpoint["steps"].to(device)
        self.state = {name: checkpoint[name][members].to(device) for name in self.state}

    def step(self, gradient, rates, decays):
        """Update every row by its gradient; ``rates`` and ``decays`` have one number for each member."""
        self.steps += 1
        if self.name in FUSED:
            self._fused_step(gradient, rates, decays)
            return
        columns = [torch.tensor(values, dtype=gradient.dtype, device=gradient.device)[:, None] for values in (rates, decays)]
        for segment in self.rows.segments:
            part = slice(segment.start, segment.stop)
            weights, slope = self.rows.values[:, part], gradient[:, part]
            if segment.decays:
                slope = slope + columns[1] * weights
            state = {key: matrix[:, part] for key, matrix in self.state.items()}
            direction = RULES[self.name](slope, state, first=int(self.steps) == 1, momentum=self.momentum)
            weights.sub_(columns[0] * segment.factor * direction)

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


def sgd(slope, state, first, momentum):
    """Return the direction of plain gradient descent."""
    return slope


def momentum(slope, state, first, momentum):
    """Return the direction of gradient descent with momentum (Polyak 1964)."""
    velocity = state["velocity"]
    return velocity.copy_(slope) if first else velocity.mul_(momentum).add_(slope)


def nesterov(slope, state, first, momentum):
    """Return the direction of gradient descent with Nesterov's momentum (Sutskever et al. 2013)."""
    velocity = state["velocity"]
    velocity = velocity.copy_(slope) if first else velocity.mul_(momentum).add_(slope)
    return slope + momentum * velocity


def adagrad(slope, state, first, momentum):
    """Return the direction of AdaGrad (Duchi, Hazan & Singer 2011)."""
    return slope / state["total"].add_(slope * slope).sqrt().add_(1e-10)


def rmsprop(slope, state, first, momentum):
    """Return the direction of RMSProp (Tieleman & Hinton 2012)."""
    return slope / state["square"].mul_(0.99).add_(0.01 * slope * slope).sqrt().add_(1e-8)


def adadelta(slope, state, first, momentum):
    """Return the direction of AdaDelta (Zeiler 2012)."""
    square = state["square"].mul_(0.9).add_(0.1 * slope * slope)
    direction = slope * (state["moved"] + 1e-6).sqrt() / (square + 1e-6).sqrt()
    state["moved"].mul_(0.9).add_(0.1 * direction * direction)
    return direction


RULES = {
    "sgd": sgd,
    "momentum": momentum,
    "nesterov": nesterov,
    "adagrad": adagrad,
    "rmsprop": rmsprop,
    "adadelta": adadelta,
}
# Private functions of torch: there is no public way to update rows with their own rates in one call (Kingma & Ba 2015;
# Loshchilov & Hutter 2019).
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

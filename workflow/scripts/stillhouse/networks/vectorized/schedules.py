"""Schedules: the factor on the learning rate in the course of training. Time is in epochs, with fractions."""

import math


def factor(options, epoch):
    """Return a schedule's factor at a time in epochs; the plateau schedule is each member's own, see ``members.py``."""
    warmup = options["warmup"]
    if epoch < warmup:
        return (epoch + 1e-3) / (warmup + 1e-3)
    left = max(1e-9, options["epochs"] - warmup)
    return SHAPES[options["schedule"]]((epoch - warmup) / left, options)


def constant(progress, options):
    """Return 1."""
    return 1.0


def step(progress, options):
    """Return a third at one third of the way, and a ninth at two thirds."""
    return 3.0 ** -min(2, math.floor(progress * 3))


def cosine(progress, options):
    """Return half a cosine wave from 1 to 0 (Loshchilov & Hutter 2017)."""
    return (1 + math.cos(math.pi * min(1, progress))) / 2


def cyclic(progress, options):
    """Return ``cycles`` half waves in turn, each from 1 to 0 (Huang et al. 2017)."""
    return cosine((progress * options["cycles"]) % 1, options)


def onecycle(progress, options):
    """Return a rise from 1/25 to 1 over the first 30 % and a fall to nearly 0 (Smith & Topin 2018)."""
    if progress < 0.3:
        return 1 / 25 + (1 - 1 / 25) * (1 - math.cos(math.pi * progress / 0.3)) / 2
    return cosine((progress - 0.3) / 0.7, options)


SHAPES = {
    "constant": constant,
    "plateau": constant,
    "step": step,
    "cosine": cosine,
    "cyclic": cyclic,
    "onecycle": onecycle,
}


def ends_cycle(options, epoch):
    """Return whether weights are scored and may be kept after an epoch: always, but inside cycles of the cyclic schedule."""
    if options["schedule"] != "cyclic":
        return True
    length = (options["epochs"] - options["warmup"]) / options["cycles"]
    before, after = ((time - options["warmup"]) / length for time in (epoch, epoch + 1))
    return math.floor(after + 1e-9) > max(0, math.floor(before + 1e-9))

"""Settings that a split chooses on its stop rows: random search over listed values (Bergstra & Bengio 2012)."""

import json

import numpy as np
import pandas as pd

from stillhouse.columns import PHASE, SEARCH, SETTINGS, STOP, WEIGHT
from stillhouse.distillation.soft_targets import clear_gains, stop_losses
from stillhouse.seeds import generator


def trials(search, most, seed):
    """Return combinations of the listed values as dictionaries: all of them, or ``most`` that are drawn by chance."""
    sizes = [len(values) for values in search.values()]
    count = int(np.prod(sizes))
    numbers = np.arange(count) if count <= most else generator(seed, "search").choice(count, most, replace=False)
    places = np.stack(np.unravel_index(np.sort(numbers), sizes), axis=1)
    return [{name: values[place] for (name, values), place in zip(search.items(), own, strict=True)} for own in places]


def searched(fit, sample, options, n_classes, seed):
    """Return the model of the best trial of those that ``fit`` makes of a sample, its settings, and a table of all trials.

    The first trial has the settings as they stand. It is kept unless another has a loss on the stop rows that is lower by more
    than the standard error of the difference: of many trials, the lowest loss on few rows is mostly luck.
    """
    stop, plain = sample[sample[STOP]], {name: options[name] for name in options["search"]}
    weight = stop[WEIGHT].to_numpy() / max(stop[WEIGHT].sum(), 1e-12)
    tried = [plain, *(settings for settings in trials(options["search"], options["trials"], seed) if settings != plain)]
    best, usual, kept, greatest, means = None, None, 0, 0.0, []
    for number, settings in enumerate(tried):
        model = fit(sample, {**options, **settings, "search": {}})
        losses = stop_losses(model, stop, n_classes)
        means.append(float(losses @ weight))
        best, usual = (model, losses) if best is None else (best, usual)
        gain = clear_gains(losses[None], usual, weight)[0]
        if gain > greatest:
            best, kept, greatest = model, number, gain
    lines = {PHASE: SEARCH, SETTINGS: [json.dumps(settings) for settings in tried], "stop_loss": means}
    table = pd.DataFrame(lines)
    return best, tried[kept], table.assign(kept=table.index == kept)

"""How well shift is estimated where the truth is known: density ratios, and class mixtures, for docs/benchmarks.md.

python benchmarks/shift.py
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import softmax

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "workflow" / "scripts"))

from stillhouse.config.completion import complete_options
from stillhouse.config.settings import load_schema, method_names
from stillhouse.preparation.weights import weighed
from stillhouse.shift.label_shift import estimate

SCHEMA = load_schema()
MOVE, ROWS = np.array([0.8, -0.6, 0, 0, 0]), 2000


def ratio_line(method, seed):
    """Return a weigher's correlation with the true log ratio, and the relative errors of the risk, plain and weighted."""
    rng = np.random.default_rng(seed)
    train, deploy = rng.normal(size=(ROWS, 5)), rng.normal(size=(ROWS, 5)) + MOVE
    table = pd.DataFrame(np.vstack([train, deploy]), columns=[f"n{place}:x" for place in range(5)])
    table = table.assign(row=range(2 * ROWS))
    folds = pd.DataFrame({"row": table["row"], "fold": np.repeat([1, -1], ROWS)})
    options = complete_options(SCHEMA, "weighers", {"method": method}, where=())
    weights, facts = weighed(table, folds, {"train": [1], "held_out": []}, options, seed=1)
    loss, truth = (train[:, 0] + 0.5 * train[:, 1] - 1) ** 2, (0.8 - 0.5 * 0.6 - 1) ** 2 + 1 + 0.5**2
    weight = weights["weight"].to_numpy()
    correlation = np.corrcoef(np.log(weight), train @ MOVE)[0, 1]
    return correlation, loss.mean() / truth - 1, np.average(loss, weights=weight) / truth - 1, facts["share"]


def mixture_line(seed, source=(0.2, 0.3, 0.5), target=(0.7, 0.2, 0.1), rows=20000, steep=3.0):
    """Return the mixtures that EM, BBSE and RLLS find for three Gaussian classes whose logits are overconfident."""
    rng = np.random.default_rng(seed)
    centres = np.array([[0, 0], [2, 0], [0, 2]])

    def drawn(prior):
        labels = rng.choice(3, rows, p=prior)
        X = centres[labels] + rng.normal(size=(rows, 2))
        logits = X @ centres.T - (centres**2).sum(axis=1) / 2 + np.log(source)
        return softmax(steep * logits, axis=1), labels

    (p, labels), (p_new, _) = drawn(source), drawn(target)
    found = estimate(p, labels, p_new, 50, 0.95, rng)
    return {name: found[name]["prior"] for name in ("em", "bbse", "rlls")}


if __name__ == "__main__":
    print("| weigher | correlation of log ratios | risk error unweighted | weighted | effective share |\n|---|---|---|---|---|")
    for method in method_names(SCHEMA["$defs"]["methods"]["weighers"]):
        for seed in range(3) if method != "none" else ():
            correlation, plain, weighted, share = ratio_line(method, seed)
            print(f"| {method}, seed {seed} | {correlation:.3f} | {plain:+.1%} | {weighted:+.1%} | {share:.2f} |", flush=True)
    print("\n| estimator | class mixture found where it is (.70, .20, .10) |\n|---|---|")
    for seed in range(3):
        for name, prior in mixture_line(seed).items():
            print(f"| {name}, seed {seed} | {', '.join(f'{share:.3f}' for share in prior)} |", flush=True)

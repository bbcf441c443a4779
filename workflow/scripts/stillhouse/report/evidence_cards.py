"""Cards of what a number rests on: what models cost, what their sets cover, where they err, and what they lean on."""

import pandas as pd

from stillhouse.config.models import upstream
from stillhouse.evaluation.metrics import LESS_IS_BETTER
from stillhouse.report import figures, words
from stillhouse.report.cards import MOST_BARS, card
from stillhouse.shipping.footprint import pareto_front

PRICES = {"milliseconds": "milliseconds of one row", "bytes": "bytes"}


def price_cards(run, main):
    """Return the score of every model against what it costs: the time of one row, and bytes."""
    prices = run["prices"]
    values = {name: run["metrics"][name]["held_out"]["metrics"][main]["value"] for name in prices}
    sign = -1 if main in LESS_IS_BETTER else 1
    made = []
    for key, label in PRICES.items() if prices else ():
        lines = [(name, found[key], values[name], found["form"]) for name, found in prices.items()]
        table = pd.DataFrame(lines, columns=["model", "price", "score", "form"])
        cheapest = pareto_front(prices, {name: sign * value for name, value in values.items()}, key)
        drawn = figures.front(table, cheapest, label, words.METRIC_WORDS[main])
        text = "The line joins what nothing cheaper beats. Preparation is inside; one core of the machine that made this."
        made.append(card(f"front-{key}", drawn, f"{words.METRIC_WORDS[main]} against {label}", text))
    return made


def coverage_cards(run):
    """Return how often each model's conformal sets hold the true label, on held-out rows and weighted for deploy rows."""
    wanted, made = run["settings"]["coverage"], []
    said = {
        "held_out": ("Coverage of conformal sets", "On held-out rows, by thresholds from rows of other folds."),
        "deploy_weighted": (
            "Coverage, weighted for deploy rows",
            "By weighted thresholds; rows count as deploy rows do.",
        ),
        "deploy": ("Coverage on labelled deploy rows", "By thresholds from all held-out rows, weighted where weights are."),
    }
    for part, (title, text) in said.items():
        names = [name for name in run["comparison"]["model"] if (run["metrics"][name].get(part) or {}).get("conformal")]
        found = [run["metrics"][name][part]["conformal"] for name in names]
        if names:
            ends = [[one[key] for one in found] for key in ("value", "low", "high")]
            label = f"share of rows whose set holds the truth; {100 * wanted:g} % wanted"
            made.append(card(f"coverage-{part}", figures.ranking(names, *ends, label, wanted=wanted), title, text))
    return made


def slice_cards(run):
    """Return the mean loss of the reference model on slices, those first that do worst."""
    table = run["slices"].sort_values("loss", ascending=False).head(MOST_BARS)
    if not len(table):
        return []
    drawn = figures.ranking(table["slice"].tolist(), table["loss"], table["loss_low"], table["loss_high"], "mean loss")
    text = (
        "Log loss, or squared error; less is better. The worst slices were looked for on one half of the rows, and scored on "
        "the other."
    )
    return [card("slices", drawn, f"Where {run['reference']} errs", text)]


def importance_cards(run, main):
    """Return how much the reference model loses when a column is shuffled."""
    if run["importance"] is None:
        return []
    table = run["importance"].head(MOST_BARS)
    drawn = figures.ranking(
        table["column"].tolist(), table["loss"], table["low"], table["high"], f"loss of {words.METRIC_WORDS[main]}"
    )
    text = "By how much it does worse on held-out rows whose values of a column are shuffled among them; lines are over folds."
    return [card("importance", drawn, f"What {run['reference']} leans on", text)]


def graph_card(run):
    """Return what was made from what: preparations, models, and the models that learn from these."""
    models, edges, layer = run["models"], [], {}

    def depth(name):
        return 1 + max((depth(source) for source in upstream(models[name])), default=0)

    for name, model in models.items():
        layer.setdefault(depth(name), []).append(name)
        if "prepare" in model:
            chain = words.chain(model["prepare"])
            layer.setdefault(0, [])
            if chain not in layer[0]:
                layer[0].append(chain)
            edges.append((chain, name))
        edges += [(source, name) for source in upstream(model)]
    drawn = figures.graph([layer[place] for place in sorted(layer)], edges)
    text = "From left to right: how rows are prepared, the models that learn from them, and the models that learn from models."
    return card("graph", drawn, "What is made from what", text)

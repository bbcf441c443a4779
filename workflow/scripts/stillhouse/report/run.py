"""What the report reads: the files of a run, by what they hold."""

from pathlib import Path

import pandas as pd

from stillhouse.config.models import verb
from stillhouse.evaluation.scores import scored
from stillhouse.splits import NONE
from stillhouse.tables import read_csv, read_json, read_split, read_table


def read_run(files, params, dataset):
    """Return the files of a run by name; ``files`` and ``params`` are those of the rule ``report``."""
    models, split = params.models, params.shown_split
    table, folds = read_table(files.table), read_table(files.folds)
    return {
        "dataset": dataset,
        "config": params.config,
        "settings": params.config["report"],
        "models": models,
        "plain": params.plain,
        "reference": params.reference,
        "shown_split": split,
        "table": table,
        "schema": read_json(files.schema),
        "metrics": each(models, files.metrics),
        "rows": {name: scored(read_table(path), table, folds) for name, path in zip(models, files.predictions, strict=True)},
        "comparison": read_csv(files.comparison, keep_default_na=False, na_values=[""]),
        **{name: read_csv(files[name]) for name in ("students", "pairs", "slices")},
        **explanations(files.explanations),
        "prices": read_json(files.footprints),
        "control": {"metrics": each(params.controlled, files.control), "level": params.config["report"]["level"]},
        "costs": each(params.exported, files.shipped),
        "histories": by_model(files.histories),
        "stacks": weights_of_stacks(models, files.stacks, split),
        "drift": each(params.exported, files.drift) if files.drift else {},
        "shift": read_json(files.shift) if files.shift else None,
        "weights": read_split(files.weights, NONE) if files.weights else None,
        "steps": seconds_by_step(params.logs),
    }


def each(names, paths):
    """Return the content of a JSON file for each name."""
    return dict(zip(names, map(read_json, paths), strict=True))


def explanations(paths):
    """Return what the reference model leans on and its surrogate, None where others made its predictions."""
    if not paths:
        return {"importance": None, "surrogate": None}
    return {"importance": read_csv(paths[0]), "surrogate": read_json(paths[1])}


def weights_of_stacks(models, paths, split):
    """Return the weights of each stack in a split."""
    stacks = [name for name, model in models.items() if verb(model) == "stack"]
    return {name: found[split]["weights"] for name, found in each(stacks, paths).items()}


def by_model(paths):
    """Return the tables of each model, one below the other; the model is the folder above that of the split."""
    tables = {}
    for path in map(Path, paths):
        tables.setdefault(path.parts[-3], []).append(read_table(path))
    return {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items()}


def seconds_by_step(folder):
    """Return what each job of a run took, the longest first, from Snakemake's benchmark files: step, seconds, megabytes."""
    found = []
    for path in sorted(Path(folder).rglob("*.tsv")):
        try:
            line = pd.read_csv(path, sep="\t", usecols=["s", "max_rss"]).iloc[-1]
        except (ValueError, IndexError):
            # A job that was cut short may leave an empty one.
            continue
        step = str(path.relative_to(folder).with_suffix(""))
        found.append({"step": step, "seconds": float(line["s"]), "megabytes": pd.to_numeric(line["max_rss"], errors="coerce")})
    return sorted(found, key=lambda one: -one["seconds"])

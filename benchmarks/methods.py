"""What every method costs as a table grows, for docs/benchmarks.md: seconds of a processor and memory of one fit.

    python benchmarks/methods.py [imputers weighers …] ROWS [ROWS ...]

The table of `scale.py` with 30 columns, one positive row in ten; each method in a process of its own, with its default
settings, on one core, ended after ten minutes. The slope is that of the logarithms between the two largest sizes; `at an hour`
is the number of rows at which a fit would take an hour, if it goes on like that.
"""

import resource
import subprocess
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(REPOSITORY / "workflow" / "scripts"), str(REPOSITORY / "benchmarks")]

KINDS = ("imputers", "weighers", "resamplers", "synthesizers", "estimators")
MOST_SECONDS = 600
HOUR = 3600


def names_of(kind):
    """Return the names of the methods of a kind, without those that need settings of one's own."""
    from stillhouse.methods import method_folders

    return [file.stem for file in sorted(method_folders(kind)[0].glob("[a-z]*.py")) if file.stem not in ("columns", "group")]


def table_of(rows):
    """Return a typed table, its columns, folds, and prepared features with label, weight, fold and stop."""
    import numpy as np
    import scale

    table = scale.drawn(np.random.default_rng(rows), rows, False)
    label = (table.pop("ill") == "yes").astype(float)
    kinds = {"x": "numeric", "c": "categorical"}
    columns = [
        {"name": name, "source": name, "position": place, "kind": kinds[name[0]]} for place, name in enumerate(table.columns)
    ]
    for column in columns:
        table[column["name"]] = table[column["name"]].astype("float64" if column["kind"] == "numeric" else "object")
    table.insert(0, "row", range(rows))
    return table, columns, label


def options_of(kind, method):
    """Return a method's default settings."""
    from stillhouse.config.completion import complete_options, shared_options
    from stillhouse.config.settings import load_schema

    schema = load_schema()
    shared = shared_options(schema, "fit", kind) if kind == "estimators" else None
    return complete_options(schema, kind, {"method": method}, where=(), **({"shared": shared} if shared else {}))


def fit(kind, method, rows):
    """Fit one method; returns its seconds of processor time."""
    import numpy as np
    import pandas as pd

    from stillhouse.preparation.features import preparation

    table, columns, label = table_of(rows)
    options = {} if kind == "synthesizers" else options_of(kind, method)
    median = options_of("imputers", "median")
    folds = pd.DataFrame({"row": table["row"], "fold": np.arange(rows) % 10 - (np.arange(rows) % 10 == 0)})
    features = (
        None
        if kind in ("imputers", "synthesizers")
        else preparation(columns, median, ["no", "yes"], 1).fit(table).transform(table)
    )
    begin = time.process_time()
    if kind == "imputers":
        preparation(columns, options, ["no", "yes"], 1).fit(table).transform(table)
    elif kind == "weighers":
        from stillhouse.preparation.weights import weighed
        from stillhouse.splits import Split

        weighed(features, folds, Split("none", list(range(1, 10)), [], {}), options, 1)
    elif kind == "resamplers":
        from stillhouse.preparation.sample import whole_sample

        sample = features.merge(folds, on="row").assign(label=label.to_numpy(), weight=1.0)
        whole_sample(sample, 2, options, 1)
    elif kind == "synthesizers":
        from stillhouse.preparation.transfer_rows import synthetic_rows

        synthetic_rows(table, folds, columns, {"method": method, "share": 0.1}, 1)
    else:
        from stillhouse.learning.fitting import fit as fitted

        sample = features.assign(fold=folds["fold"], label=label.to_numpy(), weight=1.0, stop=np.arange(rows) % 7 == 0)
        fitted(sample, options, 2, 1, 1)
    return time.process_time() - begin


def measured(kind, method, rows):
    """Return seconds and peak GB of a fit in a process of its own; None where it was ended."""
    command = [sys.executable, __file__, kind, method, str(rows)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=MOST_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return None
    if done.returncode:
        sys.exit(f"{kind} {method}: {done.stderr[-2000:]}")
    return [float(value) for value in done.stdout.split("returned ")[-1].split()]


def line(kind, method, sizes):
    """Return a line of the table."""
    import math

    found = [measured(kind, method, rows) for rows in sizes]
    cells = ["ended after 600 s" if one is None else f"{one[0]:.1f} {one[1]:.2f}" for one in found]
    slope = at_an_hour = ""
    if len(sizes) > 1 and None not in found[-2:]:
        (before, _), (after, _) = found[-2:]
        rise = math.log(after / before) / math.log(sizes[-1] / sizes[-2])
        slope, at_an_hour = f"{rise:.2f}", f"{sizes[-1] * (HOUR / after) ** (1 / max(rise, 0.5)):.1e}"
    return f"| {kind} | {method} | {' | '.join(cells)} | {slope} | {at_an_hour} |"


def main(kinds, sizes):
    """Print the table of methods of some kinds."""
    print(f"| kind | method | {' | '.join(f'{rows:,} rows: s, GB' for rows in sizes)} | slope | at an hour |")
    print("|---" * (len(sizes) + 4) + "|", flush=True)
    for kind in kinds:
        for method in names_of(kind):
            print(line(kind, method, sizes), flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] in KINDS and not sys.argv[2].isdigit():
        seconds = fit(sys.argv[1], sys.argv[2], int(sys.argv[3]))
        print("returned", seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)
    else:
        named = [argument for argument in sys.argv[1:] if argument in KINDS]
        main(named or KINDS, sorted(int(rows.replace("_", "")) for rows in sys.argv[1:] if rows not in KINDS))

"""From a table to its report, as a newcomer gets there: seconds and CPU seconds, for docs/benchmarks.md.

    python benchmarks/laptop.py FOLDER [wide narrow]

Tables are drawn: `wide` has 3,000 rows and 80 columns, with gaps, heavy tails and categories, and a price to predict; `narrow`
has 6,000 rows and 12 columns, and two classes. The configuration is what `new.py` writes. The run has two cores,
and its results stay in the folder.
"""

import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

REPOSITORY = Path(__file__).resolve().parent.parent


def wide():
    """Return a table with a numeric target, and the target's name."""
    rng, columns = np.random.default_rng(7), {}
    factors = rng.normal(size=(3000, 6))
    for place in range(38):
        values = factors @ rng.normal(size=6) + rng.normal(size=3000)
        values = np.exp(values / 2).round(2) if place % 4 == 0 else values
        columns[f"num{place}"] = np.clip((values * 3).round(), 0, None) if place % 4 == 1 else values
    for place in range(42):
        values, levels = factors @ rng.normal(size=6) + rng.normal(size=3000), rng.integers(2, 16)
        cuts = np.quantile(values, np.sort(rng.random(levels - 1)))
        columns[f"cat{place}"] = [f"L{level}" for level in np.searchsorted(cuts, values)]
    table = pd.DataFrame(columns)
    for name in table.columns[::3]:
        table.loc[rng.random(3000) < rng.choice([0.02, 0.1, 0.5]), name] = None
    logs = 0.3 * factors[:, 0] + 0.2 * factors[:, 1] * factors[:, 2] + 0.1 * np.abs(factors[:, 3]) + 0.1 * rng.normal(size=3000)
    return table.assign(price=np.exp(12 + logs).round()), "price"


def narrow():
    """Return a table with two classes, and the target's name."""
    rng = np.random.default_rng(8)
    numbers = rng.normal(size=(6000, 6))
    codes = [rng.integers(0, levels, 6000) for levels in (2, 3, 5, 8, 12, 4)]
    is_one = numbers[:, 0] * numbers[:, 1] + numbers[:, 2] + (codes[2] == 1) + rng.normal(size=6000) > 0.8
    table = pd.DataFrame(numbers.round(4), columns=[f"x{place}" for place in range(6)])
    table = table.assign(**{f"w{place}": [f"k{code}" for code in column] for place, column in enumerate(codes)})
    table.loc[rng.random(6000) < 0.05, "x1"] = None
    return table.assign(y=np.where(is_one, "yes", "no")), "y"


TABLES = {"wide": wide, "narrow": narrow}

if __name__ == "__main__":
    folder, names = Path(sys.argv[1]).resolve(), sys.argv[2:] or list(TABLES)
    folder.mkdir(parents=True, exist_ok=True)
    scripts = REPOSITORY / "workflow" / "scripts"
    print("| table | seconds | CPU seconds |\n|---|---|---|", flush=True)
    for name in names:
        table, target = TABLES[name]()
        table.to_csv(folder / f"{name}.csv", index=False)
        config = folder / f"{name}.yaml"
        new = [sys.executable, scripts / "new.py", folder / f"{name}.csv", "--target", target, "-o", config]
        subprocess.run(new, check=True, stdout=subprocess.DEVNULL, cwd=folder)
        run = [Path(sys.executable).with_name("snakemake"), "--snakefile", REPOSITORY / "Snakefile", "--directory", folder]
        before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        with (folder / f"{name}.log").open("w") as log:
            subprocess.run([*run, "--configfile", config, "--cores", "2"], check=True, stdout=log, stderr=log)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = sum(getattr(after, key) - getattr(before, key) for key in ("ru_utime", "ru_stime"))
        print(f"| {name} | {time.perf_counter() - begin:.0f} | {spent:.0f} |", flush=True)

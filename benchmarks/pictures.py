"""Models of pictures as `new.py` writes them: errors, costs, and what augmentation gives, for docs/benchmarks.md.

    python benchmarks/pictures.py TABLES FOLDER [--preset balanced | --minutes 15] [--names mnist-10k usps]

TABLES is the folder that stands for data/; FOLDER keeps the results, so that a second call takes them up. Of mnist-10k, 2,000
pictures drawn by seed 0 are held out; usps has test rows of its own, and is an HDF5 file, for which h5py has to be installed. A
network without augmentation is made after the run that is timed, and compared by McNemar's exact test on the held-out pictures.
"""

import argparse
import gzip
import json
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from students import REPOSITORY, make, seconds_of_run

from stillhouse.columns import LABEL, ROW

HELD_OUT, SEED = 2000, 0
NO_CHANGE = "augment: {turn: 0, zoom: 0, shear: 0, shift: 0}"


def parts_of(name, tables):
    """Return pixels (rows, height, width) and labels of a data set, by part: train and test."""
    if name == "usps":
        import h5py

        with h5py.File(tables / name / "usps.h5") as file:
            return {
                part: (np.rint(255 * file[part]["data"][:]).astype(np.uint8).reshape(-1, 16, 16), file[part]["target"][:])
                for part in ("train", "test")
            }
    content = [gzip.decompress(path.read_bytes()) for path in sorted((tables / name).glob("*.gz"))]
    pixels = np.frombuffer(content[0], np.uint8, offset=16).reshape(-1, 28, 28)
    labels = np.frombuffer(content[1], np.uint8, offset=8)
    order = np.random.default_rng(SEED).permutation(len(pixels))
    held_out, kept = np.sort(order[:HELD_OUT]), np.sort(order[HELD_OUT:])
    return {part: (pixels[rows], labels[rows]) for part, rows in (("train", kept), ("test", held_out))}


def write_idx(folder, parts):
    """Write the parts of a data set as IDX files."""
    for part, (pixels, labels) in parts.items():
        (folder / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">4I", 0x803, *pixels.shape) + pixels.tobytes())
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 0x801, len(labels)) + bytes(labels.tolist()))


def run(folder, asked):
    """Make all models of a data set by the workflow, in the seconds that are returned; without augmentation, one more."""
    new = [
        sys.executable,
        REPOSITORY / "workflow/scripts/new.py",
        "train-images-idx3-ubyte",
        "--test",
        "test-images-idx3-ubyte",
    ]
    path = folder / "new.yaml"
    if not path.exists():
        subprocess.run([*new, "--target", "label", "--cores", "2", "-o", path, *asked], check=True, cwd=folder)
    kept = folder / "seconds"
    if not kept.exists():
        kept.write_text(str(seconds_of_run(folder)))
    text = path.read_text()
    line = next(line for line in text.splitlines() if line.startswith("  network:"))
    plain = line.replace("  network:", "  plain:").replace("method: cnn", f"method: cnn, {NO_CHANGE}")
    (folder / "plain.yaml").write_text(text.replace(line, f"{line}\n{plain}"))
    target = "results/trainimagesidx3ubyte/models/plain/predictions.parquet"
    make(folder, "plain.yaml", target, rerun_triggers="mtime")
    return float(kept.read_text())


def mistakes(results, model):
    """Return which held-out pictures a model takes for another class."""
    table = pd.read_parquet(results / "table.parquet", columns=[ROW, LABEL])
    found = pd.read_parquet(results / f"models/{model}/predictions.parquet").merge(table, on=ROW).sort_values(ROW)
    classes = json.loads((results / "schema.json").read_text())["classes"]
    p = found[[f"p_{name}" for name in classes]].to_numpy()
    return p.argmax(axis=1) != found[LABEL].to_numpy(int)


def lines_of(results):
    """Yield lines of a table: the error of each model, and what distinguishes pairs of them."""
    wrong = {
        path.parent.name: mistakes(results, path.parent.name) for path in sorted(results.glob("models/*/predictions.parquet"))
    }
    for name, own in wrong.items():
        yield f"| {name} | {100 * own.mean():.2f} % |"
    for one, other in (("plain", "network"), ("studenttwin", "student")):
        better, worse = (wrong[one] & ~wrong[other]).sum(), (wrong[other] & ~wrong[one]).sum()
        p = binomtest(better, better + worse).pvalue if better + worse else 1.0
        said = f"right where that is wrong {better} times, wrong where that is right {worse} times, p = {p:.3f}"
        yield f"\n{other} beside {one}: {said}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("tables", type=lambda text: Path(text).resolve())
    parser.add_argument("folder", type=lambda text: Path(text).resolve())
    parser.add_argument("--preset")
    parser.add_argument("--minutes")
    parser.add_argument("--names", nargs="+", default=["mnist-10k", "usps"])
    given = parser.parse_args()
    asked = [part for key in ("preset", "minutes") if vars(given)[key] for part in (f"--{key}", vars(given)[key])]
    for name in given.names:
        folder = given.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "new.yaml").exists():
            write_idx(folder, parts_of(name, given.tables))
        seconds = run(folder, asked)
        results = folder / "results" / "trainimagesidx3ubyte"
        estimate = next(line for line in (folder / "new.yaml").read_text().splitlines() if line.startswith("estimate"))
        print(f"\n{name}: the run took {seconds / 60:.1f} minutes ({estimate})\n\n| model | error |\n|---|---|")
        print(*lines_of(results), sep="\n")
        costs = json.loads((results / "deploy/student.footprint.json").read_text())
        print(f"\nstudent: {costs}", flush=True)

"""What twenty networks trained as one program cost beside one trained the usual way, for docs/benchmarks.md.

    python benchmarks/networks.py

Five folds with four bootstrap draws each, ten epochs, whole processes with imports and reading, one thread, CPU seconds. The
usual way is one Lightning process with a DataLoader over a TensorDataset, a logger, checkpoints and early stopping. The lean
loop is plain torch with index batches and fused AdamW, counted a member and epoch, without imports. All take turns, three
times; the least of each counts. Then the peak memory of eighty networks and, where there is a GPU, what ``gpu.py`` prints.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "workflow" / "scripts"))

SIZES = {
    "64 x 2": {"rows": 4000, "features": 20, "width": 64, "depth": 2, "batch": 128},
    "256 x 3": {"rows": 20000, "features": 50, "width": 256, "depth": 3, "batch": 256},
}
FOLDS, DRAWS, EPOCHS, ROUNDS = 5, 4, 10, 3


def make_table(size, path):
    """Write a table with a label that depends on products of its columns."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(0)
    X = rng.normal(size=(size["rows"], size["features"])).astype(np.float32)
    label = (X[:, 0] * X[:, 1] + X[:, 2] + rng.normal(size=len(X)) > 0).astype(float)
    names = [f"n{place}:x" for place in range(size["features"])]
    table = pd.DataFrame(X, columns=names).assign(label=label, row=range(len(X)), weight=1.0, fold=np.arange(len(X)) % FOLDS)
    table.to_feather(path)


def sets_of(size, path, draws=DRAWS, folds=FOLDS, **given):
    """Return training sets of folds with bootstrap draws of plain networks, but for settings that are ``given``."""
    import pandas as pd

    from stillhouse.config.completion import complete_options, shared_options
    from stillhouse.config.settings import load_schema
    from stillhouse.networks.training_sets import TrainingSet

    schema = load_schema()
    plain = {name: size[name] for name in ("width", "depth", "batch")} | {"numbers": "none", "heads": 1, "epochs": EPOCHS}
    plain |= {"seeds": draws, "bag": True, "dropout": 0.0, **given}
    shared = shared_options(schema, "train", "architectures")
    settings = {"method": "mlp", **plain, "patience": plain["epochs"]}
    options = complete_options(schema, "architectures", settings, where=(), shared=shared)
    table = pd.read_feather(path)
    return [TrainingSet(table.assign(stop=table["fold"] == fold), None, options, 2, seed=fold) for fold in range(folds)]


def stillhouse(size, path, draws=DRAWS):
    """Train all folds and draws as the workflow does; returns CPU seconds in training a member and epoch."""
    from stillhouse.networks.training import train

    sets = sets_of(size, path, draws)
    start = time.process_time()
    found = train(sets)
    assert all(len(model.networks) == draws for model, _ in found)
    return (time.process_time() - start) / (FOLDS * draws * EPOCHS)


def eighty(size, path):
    """Train five folds with sixteen draws each; returns the peak resident memory in MB."""
    stillhouse(size, path, draws=16)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def network_of(size):
    """Return a plain multilayer perceptron."""
    from torch import nn

    sizes = [size["features"], *[size["width"]] * size["depth"]]
    layers = [layer for pair in pairwise(sizes) for layer in (nn.Linear(*pair), nn.ReLU())]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], 2))


def as_written(size, path, epochs=EPOCHS, accelerator="cpu"):
    """Train one network of one fold as Lightning is commonly written."""
    import pandas as pd
    import pytorch_lightning as pl
    import torch
    from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint
    from pytorch_lightning.loggers import CSVLogger
    from torch.utils.data import DataLoader, TensorDataset

    class Usual(pl.LightningModule):
        def __init__(self):
            super().__init__()
            self.network = network_of(size)

        def training_step(self, batch, _):
            loss = torch.nn.functional.cross_entropy(self.network(batch[0]), batch[1])
            self.log("loss", loss, on_step=True, on_epoch=True, prog_bar=True)
            return loss

        def validation_step(self, batch, _):
            self.log("stop_loss", torch.nn.functional.cross_entropy(self.network(batch[0]), batch[1]), prog_bar=True)

        def configure_optimizers(self):
            return torch.optim.AdamW(self.parameters(), lr=1e-3)

    table = pd.read_feather(path)
    X = torch.tensor(table.filter(like="n").filter(like=":").to_numpy())
    y, is_stop = torch.tensor(table["label"].to_numpy()).long(), torch.tensor((table["fold"] == 0).to_numpy())
    loaders = [
        DataLoader(TensorDataset(X[rows], y[rows]), size["batch"], shuffle=shuffle)
        for rows, shuffle in ((~is_stop, True), (is_stop, False))
    ]
    with tempfile.TemporaryDirectory() as folder:
        callbacks = [EarlyStopping("stop_loss", patience=epochs), ModelCheckpoint(folder, monitor="stop_loss")]
        shown = {"enable_progress_bar": accelerator == "cpu", "enable_model_summary": False}
        written = {"logger": CSVLogger(folder), "callbacks": callbacks, **shown}
        pl.Trainer(max_epochs=epochs, accelerator=accelerator, devices=1, **written).fit(Usual(), *loaders)


def lean(size, path):
    """Train one network of one fold in a plain loop; returns CPU seconds an epoch."""
    import pandas as pd
    import torch

    table = pd.read_feather(path)
    X = torch.tensor(table.filter(like=":").to_numpy())
    y, is_stop = torch.tensor(table["label"].to_numpy()).long(), torch.tensor((table["fold"] == 0).to_numpy())
    network, best, kept = network_of(size), float("inf"), None
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, fused=True)
    Xt, yt, Xs, ys = X[~is_stop], y[~is_stop], X[is_stop], y[is_stop]
    start = time.process_time()
    for _ in range(EPOCHS):
        order = torch.randperm(len(Xt))
        for rows in order[: len(order) // size["batch"] * size["batch"]].split(size["batch"]):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(network(Xt[rows]), yt[rows]).backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
        with torch.no_grad():
            loss = float(torch.nn.functional.cross_entropy(network(Xs), ys))
        if loss < best:
            best, kept = loss, {name: value.clone() for name, value in network.state_dict().items()}
    assert kept
    return (time.process_time() - start) / EPOCHS


WAYS = {"as written": as_written, "stillhouse": stillhouse, "lean": lean}
ALONE = {"eighty": eighty}


def child(way, size, path):
    """Run one way in this process and print what it returns."""
    import torch

    torch.set_num_threads(1)
    print("returned", {**WAYS, **ALONE}[way](SIZES[size], path))


def measured(way, size, path):
    """Return the CPU seconds of a process of its own, and what it returned."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, __file__, way, size, path]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    returned = done.stdout.split("returned ")[-1].strip()
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, returned


def has_gpu():
    """Return whether there is a GPU that torch can use."""
    import torch

    return torch.cuda.is_available()


def main():
    """Print the table."""
    print("| network | one as written, s | twenty, s | ratio | lean, ms an epoch | twenty, ms a member and epoch | ratio |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, size in SIZES.items():
            path = str(Path(folder) / "table.feather")
            make_table(size, path)
            rounds = [{way: measured(way, name, path) for way in WAYS} for _ in range(ROUNDS)]
            whole = {way: min(found[way][0] for found in rounds) for way in WAYS}
            epoch = {way: min(float(found[way][1]) for found in rounds) * 1000 for way in ("lean", "stillhouse")}
            print(
                f"| {name} | {whole['as written']:.2f} | {whole['stillhouse']:.2f} | "
                f"{whole['stillhouse'] / whole['as written']:.2f} | {epoch['lean']:.1f} | {epoch['stillhouse']:.1f} | "
                f"{epoch['stillhouse'] / epoch['lean']:.2f} |",
                flush=True,
            )
        print(f"\nEighty networks of {name}: {float(measured('eighty', name, path)[1]):.0f} MB at most.")
    if has_gpu():
        subprocess.run([sys.executable, Path(__file__).with_name("gpu.py")], check=True)


if __name__ == "__main__":
    child(*sys.argv[1:]) if sys.argv[1:] else main()

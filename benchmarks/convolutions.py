"""What ten networks of pictures trained as one program cost beside one trained the usual way, for docs/benchmarks.md.

    python benchmarks/convolutions.py TABLES

Five folds with two seeds each on mnist-10k, three epochs, whole processes with imports and reading, one thread, CPU seconds.
The usual way is one Lightning process with the same layers, a DataLoader over a Dataset that changes each picture by Pillow, a
logger, checkpoints and early stopping. All take turns, three times; the least of each counts.
"""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "workflow" / "scripts"))

FOLDS, SEEDS, EPOCHS, ROUNDS, BATCH, CHANNELS = 5, 2, 3, 3, 32, (16, 32, 64)
TURN, ZOOM, SHEAR, SHIFT = 10, 0.1, 0.1, 0.07


def read(tables):
    """Return pixels (rows, height, width), labels and folds of mnist-10k."""
    import gzip

    import numpy as np

    contents = [gzip.decompress(path.read_bytes()) for path in sorted((Path(tables) / "mnist-10k").glob("*.gz"))]
    pixels = np.frombuffer(contents[0], np.uint8, offset=16).reshape(-1, 28, 28)
    return pixels, np.frombuffer(contents[1], np.uint8, offset=8).astype(int), np.arange(len(pixels)) % FOLDS


def stillhouse(tables, folds=FOLDS, seeds=SEEDS):
    """Train networks of folds and seeds as the workflow does."""
    import pandas as pd

    from stillhouse.config.completion import complete_options, shared_options
    from stillhouse.config.settings import load_schema
    from stillhouse.networks.training import train
    from stillhouse.networks.training_sets import TrainingSet

    schema = load_schema()
    augment = {"turn": TURN, "zoom": ZOOM, "shear": SHEAR, "shift": SHIFT}
    settings = {"method": "cnn", "channels": list(CHANNELS), "heads": 1, "batch": BATCH, "epochs": EPOCHS, "augment": augment}
    shared = shared_options(schema, "train", "architectures")
    options = complete_options(schema, "architectures", {**settings, "seeds": seeds}, where=(), shared=shared)
    pixels, labels, fold = read(tables)
    sample = pd.DataFrame({"p0:picture 1x28x28": [one.tobytes() for one in pixels], "label": labels.astype(float)})
    sample = sample.assign(row=range(len(sample)), weight=1.0)
    sets = [TrainingSet(sample.assign(stop=fold == own), None, options, 10, seed=own) for own in range(folds)]
    assert all(len(model.networks) == seeds for model, _ in train(sets))


def one(tables):
    """Train one network of one fold as the workflow does."""
    stillhouse(tables, folds=1, seeds=1)


def as_written(tables):
    """Train one network of one fold as Lightning is commonly written."""
    import math
    import random

    import numpy as np
    import pytorch_lightning as pl
    import torch
    from PIL import Image
    from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint
    from pytorch_lightning.loggers import CSVLogger
    from torch import nn
    from torch.utils.data import DataLoader, Dataset

    class Pictures(Dataset):
        def __init__(self, pixels, labels, changes):
            self.pixels, self.labels, self.changes = pixels, labels, changes

        def __len__(self):
            return len(self.pixels)

        def __getitem__(self, row):
            image = Image.fromarray(self.pixels[row])
            if self.changes:
                turn, scale = math.radians(random.uniform(-TURN, TURN)), 1 + random.uniform(-ZOOM, ZOOM)
                shear, (across, down) = random.uniform(-SHEAR, SHEAR), (random.uniform(-SHIFT, SHIFT) * 28 for _ in range(2))
                a, b, d, e = (
                    scale * math.cos(turn),
                    shear - scale * math.sin(turn),
                    scale * math.sin(turn),
                    scale * math.cos(turn),
                )
                c, f = 14 - 14 * (a + b) + across, 14 - 14 * (d + e) + down
                image = image.transform((28, 28), Image.Transform.AFFINE, (a, b, c, d, e, f), Image.Resampling.BILINEAR)
            return torch.from_numpy(np.array(image, dtype=np.float32) / 255).sub(0.13).div(0.31)[None], int(self.labels[row])

    class Usual(pl.LightningModule):
        def __init__(self):
            super().__init__()
            layers = []
            for before, count in zip((1, *CHANNELS), CHANNELS, strict=False):
                layers += [
                    nn.Conv2d(before, count, 3, padding=1, bias=False),
                    nn.BatchNorm2d(count),
                    nn.ReLU(),
                    nn.MaxPool2d(2),
                ]
            hidden = [nn.Flatten(), nn.Dropout(0.1), nn.Linear(9 * CHANNELS[-1], 64), nn.ReLU(), nn.Dropout(0.1)]
            self.network = nn.Sequential(*layers, *hidden, nn.Linear(64, 10))

        def training_step(self, batch, _):
            loss = nn.functional.cross_entropy(self.network(batch[0]), batch[1])
            self.log("loss", loss, on_step=True, on_epoch=True, prog_bar=True)
            return loss

        def validation_step(self, batch, _):
            self.log("stop_loss", nn.functional.cross_entropy(self.network(batch[0]), batch[1]), prog_bar=True)

        def configure_optimizers(self):
            return torch.optim.AdamW(self.parameters(), lr=2e-3)

    pixels, labels, fold = read(tables)
    loaders = [
        DataLoader(Pictures(pixels[rows], labels[rows], is_train), BATCH, shuffle=is_train)
        for rows, is_train in ((fold != 0, True), (fold == 0, False))
    ]
    with tempfile.TemporaryDirectory() as folder:
        callbacks = [EarlyStopping("stop_loss", patience=EPOCHS), ModelCheckpoint(folder, monitor="stop_loss")]
        written = {"logger": CSVLogger(folder), "callbacks": callbacks, "enable_model_summary": False}
        pl.Trainer(max_epochs=EPOCHS, accelerator="cpu", devices=1, **written).fit(Usual(), *loaders)


WAYS = {"as written": as_written, "stillhouse": stillhouse, "one": one}


def measured(way, tables):
    """Return the CPU seconds of a process of its own."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, __file__, tables, way]
    subprocess.run(command, capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    if len(sys.argv) > 2:
        import torch

        torch.set_num_threads(1)
        WAYS[sys.argv[2]](sys.argv[1])
        sys.exit()
    rounds = [{way: measured(way, sys.argv[1]) for way in WAYS} for _ in range(ROUNDS)]
    least = {way: min(found[way] for found in rounds) for way in WAYS}
    print("| one as written, s | ten, s | ratio | one of ours, s |\n|---|---|---|---|")
    ratio = least["stillhouse"] / least["as written"]
    print(f"| {least['as written']:.1f} | {least['stillhouse']:.1f} | {ratio:.2f} | {least['one']:.1f} |")

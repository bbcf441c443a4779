"""Pictures of the table, where the configuration asks for them: certain mistakes, what carries a class, what networks see."""

import numpy as np
import pandas as pd

from stillhouse.columns import LABEL, PART, ROW, TRAIN
from stillhouse.config.models import verb
from stillhouse.evaluation.occlusion_maps import MOST_CLASSES, as_map
from stillhouse.intake import kinds
from stillhouse.intake.kinds import feature_columns
from stillhouse.intake.pictures import arrays
from stillhouse.predictions.predictions import columns_of
from stillhouse.report import figures
from stillhouse.report.text import percent
from stillhouse.seeds import generator

SHOWN = 12
ORANGE, BLUE = (213, 94, 0), (0, 114, 178)
# A map whose largest drop is below this share of a probability is that of a prediction that hangs on no part.
LEAST_DROP = 0.01
KEY = "pictures"


def pictures(run):
    """Return pictures of the first column of pictures; none unless ``report.pictures`` asks for them."""
    columns = [column for column in feature_columns(run.schema) if column["kind"] == kinds.IMAGE]
    if not columns or not run.settings[KEY]:
        return []
    return [*mistake_pictures(run, columns[0]), *map_pictures(run, columns[0]), *augmented_pictures(run, columns[0])]


def mistake_pictures(run, column):
    """Return the held-out pictures whose class the reference model takes for another one, the most certain first."""
    classes = run.task.classes
    if not classes:
        return []
    rows = run.held_out(run.reference)
    p, label = rows[columns_of(classes)].to_numpy(), rows[LABEL].to_numpy(int)
    said = p.argmax(axis=1)
    wrong = np.flatnonzero(said != label)
    wrong = wrong[np.argsort(-p[wrong, said[wrong]], kind="stable")][:SHOWN]
    if not len(wrong):
        return []
    captions = [f"{classes[label[row]]}, taken for\n{classes[said[row]]} ({percent(p[row, said[row]])})" for row in wrong]
    shown = shown_arrays(run, column, rows[ROW].to_numpy()[wrong])
    table = pd.DataFrame({ROW: rows[ROW].to_numpy()[wrong], "caption": captions})
    drawn, title = (figures.gallery(shown, captions), table), f"What {run.title(run.reference)} is most certainly wrong about"
    return [figures.Picture("mistakes", drawn, title, "Held-out pictures, each with its label and what it is taken for.")]


def map_pictures(run, column):
    """Return a typical picture of each class, and which parts of it carry the prediction."""
    if run.maps is None or not len(run.maps):
        return []
    shown, captions = [], []
    for number, fields in run.maps.groupby("row", sort=False):
        first, [picture] = fields.iloc[0], shown_arrays(run, column, [number])
        shown += [colourful(picture), overlaid(picture, as_map(fields, *picture.shape[:2]))]
        captions += [f"row {number}: {first['of']}\n({percent(first['predicted'])})", "what carries it"]
    text = (
        "A held-out picture of each class that is rightly predicted, as surely as most of its class. Where it is orange, the "
        "probability of the class falls if that part is covered by the mean colour; where it is blue, it rises."
    )
    if len(run.task.classes) > MOST_CLASSES:
        text += f" Shown are the first {MOST_CLASSES} of {len(run.task.classes)} classes."
    drawn, title = (figures.gallery(shown, captions), run.maps), f"What {run.title(run.reference)} looks at"
    return [figures.Picture("maps", drawn, title, text)]


def colourful(picture):
    """Return a picture with three colours; shape (height, width, 3)."""
    return np.broadcast_to(picture, (*picture.shape[:2], 3))


def overlaid(picture, drops):
    """Return a picture in grey, orange where drops (height, width) are above 0 and blue where below; the strongest is full."""
    grey = np.repeat(picture.mean(axis=2, keepdims=True), 3, axis=2)
    share = (drops / max(np.abs(drops).max(), LEAST_DROP))[:, :, None]
    colour = np.where(share > 0, ORANGE, BLUE)
    return (grey * (1 - np.abs(share)) + colour * np.abs(share)).round().astype(np.uint8)


def augmented_pictures(run, column):
    """Return training pictures as the first network that augments them sees them, each before and after."""
    models = {name: model[verb(model)] for name, model in run.models.items()}
    named = next((name for name, options in models.items() if any(options.get("augment", {}).values())), None)
    if named is None:
        return []
    # Reports without such pictures do not load torch.
    import torch

    from stillhouse.networks.pictures import DRAWS, changed

    train = run.table.loc[run.table[PART] == TRAIN, ROW].to_numpy()
    rng = generator(run.config["seed"], "augmented", run.dataset)
    rows = np.sort(rng.choice(train, min(SHOWN // 2, len(train)), replace=False))
    before = shown_arrays(run, column, rows)
    settings, drawn = models[named]["augment"], torch.tensor(rng.uniform(-1, 1, (len(rows), DRAWS)))
    x = torch.tensor(np.moveaxis(before, 3, 1), dtype=torch.float64)
    after = np.moveaxis(changed(x, drawn, settings).round().byte().numpy(), 1, 3)
    shown = np.stack([before, after], axis=1).reshape(-1, *before.shape[1:])
    captions = [caption for row in rows for caption in (f"row {row}", "in training")]
    table = pd.DataFrame({ROW: rows})
    text = "Training pictures, and what they may become: each is changed anew in each epoch."
    return [figures.Picture("augmented", (figures.gallery(shown, captions), table), f"What {run.title(named)} sees", text)]


def shown_arrays(run, column, numbers):
    """Return pictures of rows of these numbers as uint8; shape (rows, height, width, channels)."""
    cells = run.table.set_index(ROW)[column["name"]].loc[numbers]
    return np.moveaxis(arrays(cells, column), 1, 3)

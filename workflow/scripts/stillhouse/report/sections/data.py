"""The data: classes, and columns with gaps."""

from stillhouse.columns import DEPLOY, LABELLED, PART
from stillhouse.intake.kinds import feature_columns
from stillhouse.report import figures

MOST_BARS = 15


def pictures(run):
    """Return the number of rows of each class, and the share of gaps of each column that has any."""
    return [picture for picture in (class_picture(run), gap_picture(run)) if picture]


def class_picture(run):
    """Return the number of labelled rows of each class; None for a regression."""
    if not run.task.classes:
        return None
    counts = run.schema["class_rows"]
    drawn = figures.bars(list(counts), {"rows": list(counts.values())}, label="rows")
    return figures.Picture("classes", drawn, f"Classes of {run.schema['target']}", "Labelled rows of each class.")


def gap_picture(run):
    """Return the share of gaps in columns of labelled and of deploy rows; None without gaps."""
    columns, table = feature_columns(run.schema), run.table
    gappy = sorted((column for column in columns if column["missing"]), key=lambda column: -column["missing"])
    if not gappy:
        return None
    names = [column["name"] for column in gappy[:MOST_BARS]]
    parts = {"labelled rows": table[table[PART].isin(LABELLED)], "deploy rows": table[table[PART] == DEPLOY]}
    series = {title: part[names].isna().mean().tolist() for title, part in parts.items() if len(part)}
    drawn = figures.bars(names, series, label="share of missing values")
    return figures.Picture("gaps", drawn, "Gaps", f"{len(gappy)} of {len(columns)} columns have gaps.")

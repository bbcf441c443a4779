"""Figures, each with the numbers that it shows as a table; one column wide, so that they are legible on a phone.

Functions that draw return a figure and its table. Tables have the names of models, figures what ``title`` makes of these.
"""

import io
import textwrap
from dataclasses import dataclass

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

WIDTH = 5.0
INK, PALE, LINE = "#1d2733", "#8a97a6", "#d9dfe6"
MOST_POINTS = 4000
# The bars of a histogram.
MOST_BINS = 40
# The most lines of a name beside an axis.
MOST_LINES = 3
COLOURS = ["#0b6e99", "#d9730d", "#4d8a3d", "#9065b0", "#ad1a72", "#64473a", "#dfab01", "#0f7b6c"]

matplotlib.rcParams.update(
    {
        "svg.fonttype": "none",
        "font.family": "sans-serif",
        "font.size": 10,
        "axes.edgecolor": LINE,
        "axes.labelcolor": INK,
        "axes.titlesize": 10.5,
        "axes.titlelocation": "left",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.prop_cycle": matplotlib.cycler(color=COLOURS),
        "xtick.color": INK,
        "ytick.color": INK,
        "xtick.major.size": 0,
        "ytick.major.size": 0,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": LINE,
        "grid.linewidth": 0.6,
        "legend.frameon": False,
        "legend.fontsize": 9,
    }
)


@dataclass
class Picture:
    """A figure of a section, with its file name, the numbers that it shows, a title, and a sentence or two."""

    name: str
    drawn: tuple
    title: str
    text: str

    @property
    def svg(self):
        """The figure as SVG text."""
        return as_svg(self.drawn[0], self.name)

    @property
    def data(self):
        """The numbers that the figure shows."""
        return self.drawn[1]


def panel(height):
    """Return a new figure of the page's width and its axes."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots()


def gallery(arrays, captions):
    """Return a figure of pictures (pictures, height, width, channels), four beside each other, with a caption below each."""
    across = 4
    down = -(-len(arrays) // across)
    figure = Figure(figsize=(WIDTH, 1.62 * down), layout="constrained")
    for axes in figure.subplots(down, across, squeeze=False).flat:
        axes.set_axis_off()
    for axes, array, caption in zip(figure.axes, arrays, captions, strict=False):
        axes.imshow(array.squeeze(axis=2) if array.shape[2] == 1 else array, cmap="gray", vmin=0, vmax=255)
        axes.text(0.5, -0.04, caption, transform=axes.transAxes, fontsize=7.5, ha="center", va="top")
    return figure


def as_svg(figure, name):
    """Return a figure as SVG text; ``name`` keeps the identifiers of figures on one page apart."""
    # Dollar signs are the user's own text, not mathematics.
    for text in figure.findobj(matplotlib.text.Text):
        text.set_parse_math(False)
    with matplotlib.rc_context({"svg.hashsalt": name}):
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None}, transparent=True)
    svg = buffer.getvalue()
    return svg[svg.index("<svg") :]


def ranking(estimates, label, beside=None, wanted=None, title=str):
    """Draw a value with its interval for each name, the first on top; also others by their title, or a target.

    ``estimates`` has the columns name, value, low and high; ``beside`` maps titles to lists of estimates, with these keys.
    """
    names, data = [wrapped(title(name)) for name in estimates["name"]], estimates.copy()
    y, tall = rows_of(names, 0.32)
    figure, axes = panel(1.0 + tall)
    axes.hlines(y, estimates["low"], estimates["high"], color=COLOURS[0], linewidth=2.5, alpha=0.45)
    axes.plot(estimates["value"], y, "o", color=COLOURS[0], markersize=6, label="on held-out rows")
    beside = beside or {}
    for place, ((name, found), marker, colour) in enumerate(zip(beside.items(), "Ds", COLOURS[1:], strict=False), 1):
        values, low, high = (np.array([one[key] for one in found], dtype="float64") for key in ("value", "low", "high"))
        data[name] = values
        below = y - 0.07 * place
        axes.hlines(below, low, high, color=colour, linewidth=1.2, alpha=0.45)
        axes.plot(values, below, marker, color=colour, markersize=4, fillstyle="none", label=name)
    if beside:
        figure.legend(loc="outside lower center", ncols=min(2, 1 + len(beside)))
    if wanted is not None:
        data["wanted"] = wanted
        axes.axvline(wanted, color=PALE, linewidth=1.2, linestyle="--")
    axes.set_yticks(y, names)
    axes.set_ylim(-tall, 0)
    axes.set_xlabel(label)
    few_ticks(axes.xaxis)
    axes.grid(axis="y", visible=False)
    return figure, data


def rows_of(names, height):
    """Return where rows with these names beside them lie, from the top down, and how tall all are; in inches.

    A name of one line takes this height, and each further line a bit more.
    """
    tall = np.array([height + 0.14 * name.count("\n") for name in names])
    return tall / 2 - np.cumsum(tall), float(tall.sum())


def few_ticks(axis):
    """Give an axis few tick labels, large numbers in thousands or millions, so that they do not collide."""
    axis.set_major_locator(MaxNLocator(5))
    axis.set_major_formatter(FuncFormatter(lambda value, _: short_number(value)))


def short_number(value):
    """Return a number as a short text, such as 25k."""
    for limit, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= limit:
            return f"{value / (1e3 if letter == 'k' else limit):.4g}{letter}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}"


def curves(named, x_label, y_label, diagonal):
    """Draw one line per ``{name: (x, y)}``."""
    figure, axes = panel(4.0)
    if diagonal:
        axes.plot([0, 1], [0, 1], color=PALE, linewidth=1, linestyle="--")
    for name, (x, y) in named.items():
        axes.plot(x, y, linewidth=1.7, label=name)
    axes.set(xlabel=x_label, ylabel=y_label, xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    axes.legend(loc="best")
    return figure, lines(named, x_label, y_label)


def lines(named, x_label, y_label):
    """Return the points of named lines as one table."""
    parts = [pd.DataFrame({"name": name, x_label: x, y_label: y}) for name, (x, y) in named.items()]
    return pd.concat(parts, ignore_index=True)


def reliability(named):
    """Draw observed against predicted shares, one line per ``{name: (predicted, observed)}``."""
    figure, axes = panel(4.0)
    axes.plot([0, 1], [0, 1], color=PALE, linewidth=1, linestyle="--")
    for name, (predicted, observed) in named.items():
        axes.plot(predicted, observed, "o-", linewidth=1.5, markersize=4, label=name)
    axes.set(xlabel="predicted probability", ylabel="observed share")
    axes.legend(loc="best")
    return figure, lines(named, "predicted probability", "observed share")


def dependence(lines, label):
    """Draw predictions against the values of a column: curves of single rows, and their mean."""
    if lines["name"].any() or len(lines) < 3:
        return dependence_on_categories(lines, label)
    figure, axes = panel(3.4)
    for name in lines.columns[lines.columns.str.startswith("row ")]:
        axes.plot(lines["value"], lines[name], color=PALE, linewidth=0.6, alpha=0.6)
    axes.plot(lines["value"], lines["mean"], ".-", linewidth=2.2, color=COLOURS[0])
    axes.set(ylabel=label, xlabel=lines["column"].iloc[0])
    return figure, lines


def dependence_on_categories(lines, label):
    """Draw predictions for each category of a column, or each of two numbers, one below the other."""
    names = [name or short_number(value) for name, value in zip(lines["name"], lines["value"], strict=True)]
    named = [wrapped(name) for name in names]
    y, tall = rows_of(named, 0.3)
    figure, axes = panel(1.0 + tall)
    for name in lines.columns[lines.columns.str.startswith("row ")]:
        axes.plot(lines[name], y, "|", color=PALE, markersize=7, alpha=0.6)
    axes.plot(lines["mean"], y, "o", color=COLOURS[0])
    axes.set_yticks(y, named)
    axes.set_ylim(-tall, 0)
    axes.set(xlabel=label, ylabel=lines["column"].iloc[0])
    axes.grid(axis="y", visible=False)
    return figure, lines


def effects(lines, label):
    """Draw what columns did to a prediction as bars, the strongest on top; ``lines`` has the columns name and effect."""
    names = [wrapped(name) for name in lines["name"]]
    y, tall = rows_of(names, 0.26)
    figure, axes = panel(0.8 + tall)
    axes.barh(y, lines["effect"], height=0.16, color=[COLOURS[0] if effect >= 0 else COLOURS[1] for effect in lines["effect"]])
    axes.axvline(0, color=PALE, linewidth=1)
    axes.set_yticks(y, names)
    axes.set_ylim(-tall, 0)
    axes.set_xlabel(label)
    few_ticks(axes.xaxis)
    axes.grid(axis="y", visible=False)
    return figure, lines


def learning_curve(table, label, rows):
    """Draw a metric with its interval against the number of rows, on a logarithmic axis; ``rows`` says of which."""
    figure, axes = panel(3.6)
    low, high = table["low"].astype("float64"), table["high"].astype("float64")
    axes.fill_between(table["rows"], low, high, color=COLOURS[0], alpha=0.15, linewidth=0)
    axes.plot(table["rows"], table["value"], "o-", linewidth=1.9, color=COLOURS[0])
    axes.set(xlabel=rows, ylabel=label, xscale="log")
    axes.set_xticks(table["rows"], [f"{count:,.0f}" for count in table["rows"]])
    axes.minorticks_off()
    return figure, table


def calibration_curve(found, name):
    """Draw the smooth curve of observed against stated probabilities with its band, above the histogram of what is stated."""
    table = pd.DataFrame({key: found[key] for key in ("stated", "value", "low", "high")}).astype("float64")
    figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
    axes.plot([0, 1], [0, 1], color=PALE, linewidth=1, linestyle="--")
    axes.plot(table["stated"], table["value"], linewidth=1.9, color=COLOURS[0], label=name)
    axes.fill_between(table["stated"], table["low"], table["high"], color=COLOURS[0], alpha=0.15, linewidth=0)
    axes.set(ylabel="observed share", xlim=(0, 1), ylim=(0, 1))
    axes.legend(loc="best")
    edges = np.array(found["histogram"]["edges"])
    below.bar(edges[:-1], found["histogram"]["rows"], width=np.diff(edges), align="edge", color=COLOURS[0], alpha=0.6)
    below.set(xlabel="predicted probability", ylabel="rows")
    few_ticks(below.yaxis)
    return figure, table


def calibration_curves(found, names):
    """Draw the smooth calibration curve of each class with its band, two beside each other; ``names`` are those of classes."""
    down = -(-len(found) // 2)
    figure = Figure(figsize=(WIDTH, 0.3 + 2.2 * down), layout="constrained")
    for axes, one in zip(figure.subplots(down, 2, squeeze=False).flat, found, strict=False):
        low, high = (np.array(one[side], dtype="float64") for side in ("low", "high"))
        axes.plot([0, 1], [0, 1], color=PALE, linewidth=1, linestyle="--")
        axes.plot(one["stated"], one["value"], linewidth=1.6, color=COLOURS[0])
        axes.fill_between(one["stated"], low, high, color=COLOURS[0], alpha=0.15, linewidth=0)
        axes.set(title=shortened(names[one["class"]]), xlim=(0, 1), ylim=(0, 1))
    for axes in figure.axes[len(found) :]:
        axes.set_axis_off()
    figure.supxlabel("predicted probability", fontsize=10, color=INK)
    figure.supylabel("observed share", fontsize=10, color=INK)
    keys = ("stated", "value", "low", "high")
    return figure, pd.concat([pd.DataFrame({"class": names[one["class"]], **{key: one[key] for key in keys}}) for one in found])


def net_benefit(found, name):
    """Draw the net benefit of a model over thresholds with its interval, and those of treating all rows and none."""
    table = pd.DataFrame(found).astype("float64")
    figure, axes = panel(4.0)
    axes.plot(table["thresholds"], table["value"], linewidth=1.9, color=COLOURS[0], label=name)
    axes.fill_between(table["thresholds"], table["low"], table["high"], color=COLOURS[0], alpha=0.15, linewidth=0)
    axes.plot(table["thresholds"], table["all"], linewidth=1.4, color=COLOURS[1], label="act on all rows")
    axes.axhline(0, linewidth=1.4, color=PALE, label="act on none")
    largest = max(table["value"].max(), table["all"].max(), 0.01)
    axes.set(xlabel="threshold", ylabel="net benefit", xlim=(0, 1), ylim=(-0.15 * largest, 1.1 * largest))
    axes.legend(loc="best")
    return figure, table


def bars(names, series, label, title=str):
    """Draw horizontal bars, one colour per ``{title: values}``, the first name on top."""
    figure, axes = panel(0.8 + (0.2 + 0.14 * len(series)) * len(names))
    y = np.arange(len(names))[::-1].astype(float)
    height = 0.8 / len(series)
    for number, (series_name, values) in enumerate(series.items()):
        offset = 0.4 - height * (number + 0.5)
        axes.barh(y + offset, values, height=height * 0.9, label=series_name, color=COLOURS[number])
    axes.set_yticks(y, [shortened(title(name)) for name in names])
    axes.set_xlabel(label)
    few_ticks(axes.xaxis)
    axes.grid(axis="y", visible=False)
    if len(series) > 1:
        figure.legend(loc="outside lower center", ncols=2)
    return figure, pd.DataFrame({"name": names, **series})


def shortened(name, most=26):
    """Return a name, shortened in its middle to fit beside an axis: names that begin alike stay different."""
    name = " ".join(str(name).split())
    return name if len(name) <= most else f"{name[: most // 2]}…{name[len(name) - (most - most // 2 - 1) :]}"


def wrapped(name, most=30):
    """Return a name on as many lines as it takes beside an axis, at most three."""
    lines = textwrap.wrap(" ".join(str(name).split()), most) or [""]
    last = [] if len(lines) <= MOST_LINES else [shortened(" ".join(lines[MOST_LINES - 1 :]), most)]
    return "\n".join([*lines[: MOST_LINES - len(last)], *last])


def panels_below_each_other(count):
    """Return a new figure of panels below each other, and their axes."""
    figure = Figure(figsize=(WIDTH, 1.9 * count), layout="constrained")
    return figure, figure.subplots(count, 1, squeeze=False)[:, 0]


def concatenated(histories, columns):
    """Return some columns of ``{model: history}`` as one table."""
    return pd.concat([history[columns].assign(model=name) for name, history in histories.items()], ignore_index=True)


def by_batch(batches, series, alarms, label):
    """Draw a line of scores by batch per ``{title: values}``, and where alarms were raised."""
    figure, axes = panel(3.6)
    for title, values in series.items():
        axes.plot(batches, np.array(values, dtype=float), "o-", linewidth=1.5, markersize=4, label=title)
    for batch in sorted(set(alarms)):
        axes.axvline(batch, color=PALE, linewidth=1, linestyle=":")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="batch", ylabel=label)
    axes.legend(loc="best")
    return figure, pd.DataFrame({"batch": batches, **series}).assign(alarm=lambda table: table["batch"].isin(alarms))


def watch(points, threshold, alarms):
    """Draw a statistic after each row, its threshold, and the rows at which it was exceeded."""
    figure, axes = panel(3.0)
    rows, values = zip(*points, strict=True)
    axes.plot(rows, values, linewidth=1.3)
    axes.axhline(threshold, color=COLOURS[1], linewidth=1, linestyle="--", label="threshold")
    for row in alarms:
        axes.axvline(row, color=PALE, linewidth=1, linestyle=":")
    axes.set(xlabel="rows since the model was made", ylabel="statistic")
    axes.legend(loc="upper left")
    return figure, pd.DataFrame({"row": rows, "statistic": values, "threshold": threshold})


def scatter(x, y, x_label, y_label, diagonal):
    """Draw points, thinned out evenly if there are many, and a diagonal if both axes have the same unit."""
    x, y = (np.asarray(values)[:: 1 + len(x) // MOST_POINTS] for values in (x, y))
    figure, axes = panel(4.0)
    axes.plot(x, y, ".", markersize=3, alpha=0.4)
    if diagonal:
        ends = [min(np.min(x), np.min(y)), max(np.max(x), np.max(y))]
        axes.plot(ends, ends, color=PALE, linewidth=1, linestyle="--")
    axes.set(xlabel=x_label, ylabel=y_label)
    return figure, pd.DataFrame({x_label: x, y_label: y})


def histogram(values, label):
    """Draw how many rows have which values, the farthest thousandth at either end left out."""
    shown = values[(values >= np.quantile(values, 0.001)) & (values <= np.quantile(values, 0.999))]
    counts, edges = np.histogram(shown, MOST_BINS)
    figure, axes = panel(3.0)
    axes.bar(edges[:-1], counts, width=np.diff(edges), align="edge", color=COLOURS[0])
    axes.set(xlabel=label, ylabel="rows")
    few_ticks(axes.yaxis)
    return figure, pd.DataFrame({"from": edges[:-1], "to": edges[1:], "rows": counts})


def confusion(counts, classes):
    """Draw the confusion matrix, as shares of the true class."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, axes = panel(4.6)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    size = 7 if len(classes) > 12 else 9
    axes.set_xticks(range(len(classes)), [shortened(name, 18) for name in classes], rotation=90, fontsize=size)
    axes.set_yticks(range(len(classes)), [shortened(name, 18) for name in classes], fontsize=size)
    axes.set(xlabel="predicted", ylabel="true")
    axes.grid(visible=False)
    if len(classes) <= 12:
        for row, column in np.ndindex(shares.shape):
            colour = "white" if shares[row, column] > 0.5 else INK
            axes.text(column, row, f"{shares[row, column]:.2f}", ha="center", va="center", color=colour, fontsize=size)
    return figure, pd.DataFrame(counts.astype(int), columns=classes).assign(true=classes)


def flow(steps):
    """Draw how rows pass from step to step, downwards, and beside each arrow those that do not.

    ``steps`` are triples of a name, a number of rows, and a list of pairs (reason, rows) for those that do not pass on.
    """
    asides = ["\n".join(wrapped(f"{rows:,} {reason}", 34) for reason, rows in aside) for *_, aside in steps]
    heights = [1 + 0.25 * text.count("\n") for text in asides]
    y = -np.cumsum([0, *heights[:-1]])
    figure = Figure(figsize=(WIDTH, 0.7 * sum(heights)))
    axes, style = figure.add_axes((0, 0, 1, 1)), {"va": "center", "fontsize": 9}
    box = {"boxstyle": "round,pad=0.45", "facecolor": "white", "edgecolor": COLOURS[0], "linewidth": 1.2}
    arrow = {"arrowstyle": "-|>", "color": PALE, "shrinkA": 12, "shrinkB": 12}
    for place, (name, count, _) in enumerate(steps):
        axes.text(0.24, y[place], f"{count:,} {name}", ha="center", bbox=box, **style)
        if place + 1 < len(steps):
            axes.annotate("", (0.24, y[place + 1]), (0.24, y[place]), arrowprops=arrow)
        if asides[place]:
            middle = (y[place] + y[place + 1]) / 2
            axes.plot([0.24, 0.44], [middle, middle], color=PALE, linewidth=1)
            axes.text(0.46, middle, asides[place], linespacing=1.4, **style)
    axes.set(xlim=(0, 1), ylim=(y[-1] - 0.5, 0.5))
    axes.axis("off")
    rows = [
        {"step": name, "rows": count, "aside": reason, "aside_rows": left}
        for name, count, aside in steps
        for reason, left in aside or [("", 0)]
    ]
    return figure, pd.DataFrame(rows)


def graph(columns, edges, title=str):
    """Draw a graph from left to right; ``columns`` are lists of names, ``edges`` are pairs of names."""
    tallest = max(map(len, columns))
    named = {name: wrapped(title(name), 72 // len(columns)) for names in columns for name in names}
    height = 0.34 + 0.1 * max(text.count("\n") for text in named.values())
    figure = Figure(figsize=(WIDTH, 0.6 + height * tallest), layout="constrained")
    axes, positions = figure.subplots(), {}
    for x, names in enumerate(columns):
        for number, name in enumerate(names):
            positions[name] = x, (len(names) - 1) / 2 - number
    for first, second in edges:
        (x1, y1), (x2, y2) = positions[first], positions[second]
        axes.plot([x1, x2], [y1, y2], color=LINE, linewidth=1.2, zorder=0)
    for name, (x, y) in positions.items():
        box = {"boxstyle": "round,pad=0.3", "facecolor": "white", "edgecolor": COLOURS[0] if x else PALE, "linewidth": 1}
        axes.text(x, y, named[name], ha="center", va="center", fontsize=7, bbox=box)
    axes.set(xlim=(-0.55, len(columns) - 0.45), ylim=(-tallest / 2 - 0.2, tallest / 2 + 0.2))
    axes.axis("off")
    return figure, pd.DataFrame(edges, columns=["from", "to"])

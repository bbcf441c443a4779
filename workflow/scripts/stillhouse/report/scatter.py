"""A figure of points with a label at each."""

from matplotlib.ticker import LogLocator
from matplotlib.transforms import Bbox

from stillhouse.report.figures import COLOURS, PALE, panel, shortened

# Where a label may be, as horizontal alignment and shift in points, in the order of preference.
PLACES = (("left", 4, 5), ("left", 7, -3), ("left", 4, -11), ("right", -4, 5), ("right", -7, -3), ("right", -4, -11))
# Pixels around a point that labels leave free.
RADIUS = 4


def pareto(table, at_front, x_label, y_label, title=str):
    """Draw score against footprint, and the Pareto front; ``table`` has model, footprint, score and form."""
    figure, axes = panel(4.2)
    forms = sorted(set(table["form"]))
    for number, form in enumerate(forms):
        part = table[table["form"] == form]
        axes.plot(part["footprint"], part["score"], "o", markersize=6, color=COLOURS[number], label=form)
    line = table[table["model"].isin(at_front)].sort_values("footprint")
    axes.plot(line["footprint"], line["score"], color=PALE, linewidth=1.2, zorder=0)
    axes.set(xscale="log", xlabel=x_label, ylabel=y_label)
    is_narrow = table["footprint"].max() < 30 * table["footprint"].min()
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if is_narrow else (1,)))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}")
    axes.minorticks_off()
    axes.margins(x=0.18, y=0.1)
    if len(forms) > 1:
        figure.legend(loc="outside lower center", ncols=2)
    labels = [shortened(title(name), 24) for name in table["model"]]
    label_points(figure, axes, zip(table["footprint"], table["score"], labels, strict=True))
    return figure, table.assign(front=table["model"].isin(at_front))


def label_points(figure, axes, points):
    """Write the label of each point (x, y, label), at the first place where it covers no other point and no label."""
    figure.draw_without_rendering()
    points = sorted(points, key=lambda point: -point[1])
    places = axes.transData.transform([point[:2] for point in points])
    markers = [Bbox.from_extents(*place - RADIUS, *place + RADIUS) for place in places]
    labels = []
    for (x, y, label), own in zip(points, markers, strict=True):
        text = axes.annotate(label, (x, y), xytext=(0, 0), textcoords="offset points", fontsize=8)
        taken = [*labels, *(marker for marker in markers if marker is not own)]
        place_freely(text, taken)
        labels.append(text.get_window_extent())


def place_freely(text, taken):
    """Put a label at the first place where it covers none of these boxes, or else at the first of all."""
    for side, right, up in (*PLACES, PLACES[0]):
        text.set(position=(right, up), horizontalalignment=side)
        if not any(text.get_window_extent().overlaps(box) for box in taken):
            return

"""Later batches: scores of followed models, and alarms."""

from stillhouse.report import figures
from stillhouse.report.text import METRIC_TITLES, listed, number

MOST_ALARMS = 5


def pictures(run):
    """Return the pictures of each followed model."""
    return [picture for name in run.drift for picture in (batch_picture(run, name), watch_picture(run, name))]


def batch_picture(run, name):
    """Return the scores of a followed model by batch."""
    drift = run.drift[name]
    numbers = [batch["batch"] for batch in drift["batches"]]
    series = {
        state: [batch["states"][state][run.main]["value"] for batch in drift["batches"]]
        for state in drift["batches"][0]["states"]
    }
    alarms = [alarm["batch"] for alarm in drift["alarms"]]
    text = (
        "Each batch is predicted before it is learned from: by the shipped model (frozen), by that model trained further on "
        "every batch so far (updated), and by a model made from scratch on all rows so far (retrained). Dotted: alarms."
    )
    drawn = figures.by_batch(numbers, series, alarms, METRIC_TITLES[run.main])
    return figures.Picture(f"drift-{name}", drawn, f"{name} on later batches", text)


def watch_picture(run, name):
    """Return the statistic that watches the loss of a frozen model."""
    drift = run.drift[name]
    drawn = figures.watch(drift["statistic"], drift["threshold"], [alarm["after_rows"] for alarm in drift["alarms"]])
    text = f"Page-Hinkley statistic. {alarm_sentence(drift['alarms'])}"
    return figures.Picture(f"watch-{name}", drawn, f"Alarms for {name}", text)


def alarm_sentence(alarms):
    """Return after which rows the loss had risen by more than it varies among held-out rows."""
    if not alarms:
        return "The frozen model's loss has not risen by more than it varies among held-out rows."
    rows = listed([f"{alarm['after_rows']:,} (batch {alarm['batch']})" for alarm in alarms[:MOST_ALARMS]])
    more = f", and {len(alarms) - MOST_ALARMS} more times" if len(alarms) > MOST_ALARMS else ""
    return f"The frozen model's loss rose by more than it varies among held-out rows, as seen after row {rows}{more}."


def sentences(run):
    """Return the mean scores and the alarms of each followed model."""
    return [sentence(run, name) for name in run.drift]


def sentence(run, name):
    """Return a followed model's mean score over batches in each state, and its alarms."""
    drift, means = run.drift[name], {}
    for state in drift["batches"][0]["states"]:
        values = [batch["states"][state][run.main]["value"] for batch in drift["batches"]]
        known = [value for value in values if value is not None]
        means[state] = number(sum(known) / len(known) if known else None)
    return (
        f"Over {len(drift['batches'])} later batches, {run.quoted(name)} has a mean {METRIC_TITLES[run.main]} of "
        f"{means['frozen']} as shipped, {means['updated']} trained further with each batch, and {means['retrained']} "
        "retrained from scratch. "
        f"{alarm_sentence(drift['alarms'])}"
    )

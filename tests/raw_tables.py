"""A small table without a fault, which tests damage."""

import numpy as np
import pandas as pd


def good_table():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"age": rng.normal(50, 9, 80).round(2), "dose": rng.exponential(2, 80).round(3)})
    table["site"] = rng.choice(["north", "south"], 80)
    table["ill"] = np.where(table["age"] + 9 * rng.normal(size=80) > 55, "yes", "no")
    table.loc[::9, "dose"] = np.nan
    return table

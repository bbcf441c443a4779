"""Files of several splits, and features in one order whatever splits a file holds."""

import numpy as np
import pandas as pd

from stillhouse.columns import features
from stillhouse.tables import read_split, split_writer


def test_splits_of_different_columns_come_back_as_they_were(tmp_path):
    narrow = pd.DataFrame({"row": [0, 1], "n0:x": np.float32([1, np.nan])})
    wide = narrow.assign(**{"c1:site=a": np.float32([0, 1])})
    path = tmp_path / "split-all" / "features.parquet"
    path.parent.mkdir()
    with split_writer(path) as write:
        write("0", narrow)
        write("0+1", wide)
    pd.testing.assert_frame_equal(read_split(path, "0"), narrow)
    pd.testing.assert_frame_equal(read_split(path, "0+1"), wide)


def test_the_order_of_features_does_not_depend_on_other_splits(tmp_path):
    path = tmp_path / "split-all" / "features.parquet"
    path.parent.mkdir()
    here = pd.DataFrame({"row": [0], "n0:x": [1.0], "c1:s=b": [1.0], "c1:s=d": [0.0]})
    first = {"other": pd.DataFrame({"row": [0], "c1:s=d": [0.0], "n0:x": [1.0]}), "no": None}
    found = []
    for other in first.values():
        with split_writer(path) as write:
            if other is not None:
                write("1", other)
            write("0", here)
        found.append(features(read_split(path, "0")))
    assert found[0] == found[1] == ["n0:x", "c1:s=b", "c1:s=d"]

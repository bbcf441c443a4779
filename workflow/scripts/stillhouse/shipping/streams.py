"""Reading ahead, computing and writing behind, side by side: each of them leaves cores idle by itself."""

import csv
import io
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pandas as pd
import pyarrow as pa
from pyarrow.csv import WriteOptions, write_csv

# What tells that there are no more items.
END = object()
# The types of columns that Arrow writes as pandas does.
PLAIN = ("float64", "int64", "str")


def ahead(items):
    """Yield items, the next of which is made in a thread while one is used."""
    iterator = iter(items)
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, iterator, END)
        while (item := coming.result()) is not END:
            coming = pool.submit(next, iterator, END)
            yield item


@contextmanager
def written_behind(file):
    """Yield ``write(table)``, which appends a table to an open binary file as CSV while the next one is made.

    The first table's names are the header. All is written at the end, where an error of a thread is raised too.
    """
    with ThreadPoolExecutor(1) as pool:
        pending = []

        def write(table):
            is_first = not pending
            pending.append(pool.submit(lambda: file.write(as_csv(table, header=is_first))))
            if len(pending) > 1:
                pending[-2].result()
                pending[-2] = None

        yield write
        for left in filter(None, pending):
            left.result()


def as_csv(table, header):
    """Return a table as CSV in bytes, as ``DataFrame.to_csv`` writes it, but by Arrow where its columns are of plain types."""
    if not all(str(kind) in PLAIN for kind in table.dtypes):
        return table.to_csv(index=False, header=header, lineterminator="\n").encode()
    content = io.BytesIO()
    if header:
        names = io.StringIO()
        csv.writer(names, lineterminator="\n").writerow(table.columns)
        content.write(names.getvalue().encode())
    if len(table):
        arrow = pa.Table.from_pandas(pd.DataFrame(table), preserve_index=False)
        write_csv(arrow, content, WriteOptions(include_header=False, quoting_style="needed"))
    return content.getvalue()

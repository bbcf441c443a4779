"""Reading ahead, computing and writing behind, side by side: each of them leaves cores idle by itself."""

import csv
import io
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pyarrow as pa
from pyarrow.csv import WriteOptions, write_csv

# What tells that there are no more items.
END = object()
# The types of columns that Arrow writes; others are text before.
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
    """Return a table as CSV in bytes; numbers have as few digits as tell them apart, and text has quotes where it needs them.

    Arrow writes it, but for text that needs quotes, with which pandas writes all of it.
    """
    content = io.BytesIO()
    if header:
        names = io.StringIO()
        csv.writer(names, lineterminator="\n").writerow(table.columns)
        content.write(names.getvalue().encode())
    # Names may come twice, and are written above.
    plain = table.set_axis(range(table.shape[1]), axis=1)
    plain = plain.apply(lambda column: column if str(column.dtype) in PLAIN else column.astype("str").mask(column.isna()))
    try:
        options = WriteOptions(include_header=False, quoting_style="none")
        rows = io.BytesIO()
        write_csv(pa.Table.from_pandas(plain.rename(columns=str), preserve_index=False), rows, options)
    except pa.ArrowInvalid:
        rows = io.BytesIO(plain.to_csv(index=False, header=False, lineterminator="\n").encode())
    return content.getvalue() + rows.getvalue()

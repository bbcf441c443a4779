"""Write a commented configuration for a table: python workflow/scripts/new.py table.csv --target outcome"""

import argparse
import sys
from pathlib import Path

from stillhouse.errors import UserError
from stillhouse.intake.starter import Starter
from stillhouse.intake.template import PRESETS

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("table", help="a table: text, ARFF, JSON lines, a workbook, Parquet or Feather, also compressed")
parser.add_argument(
    "--target", required=True, help="the column to predict; by its place, from 1, where the table has no header"
)
parser.add_argument("--deploy", help="a table of rows from where the model will be used")
parser.add_argument(
    "--preset", choices=PRESETS, default="balanced", help="how much is made: a first look, the usual, or more (%(default)s)"
)
usual = "config/new.yaml" if Path("config").is_dir() else "new.yaml"
parser.add_argument("-o", "--out", default=usual, help="the file to write (%(default)s)")
arguments = parser.parse_args()

try:
    found = Starter(arguments.table, arguments.target, arguments.deploy)
    with Path(arguments.out).open("x", encoding="utf-8") as out:
        out.write(found.text(arguments.preset))
except UserError as error:
    sys.exit(f"stillhouse: {error}")
except FileExistsError:
    sys.exit(f"stillhouse: {arguments.out} is there already; choose another name with --out")
except OSError as error:
    sys.exit(f"stillhouse: {arguments.out}: cannot be written: {error.strerror}")
print(*found.summary(), sep="\n")
print(f"Wrote {arguments.out}; look through it, then: snakemake --configfile {arguments.out} --cores all")

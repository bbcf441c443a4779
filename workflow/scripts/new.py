"""Write a commented configuration for a table: python workflow/scripts/new.py table.csv --target outcome"""

import argparse
import os
import sys
from pathlib import Path

from stillhouse.errors import UserError
from stillhouse.intake.presets import PRESETS
from stillhouse.intake.starter import Starter

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("table", help="a table, or folder:PATH with a picture or a text for each row")
parser.add_argument("--target", required=True, help="the column to predict; by its place, from 1, without a header")
parser.add_argument("--test", help="a table of rows to score models on, which none learns from")
parser.add_argument("--deploy", help="a table of rows from where the model will be used")
size = parser.add_mutually_exclusive_group()
size.add_argument("--preset", choices=PRESETS, default="balanced", help="how much is made, from a first look on (%(default)s)")
size.add_argument("--minutes", type=float, help="make as much as takes so long, by an estimate")
parser.add_argument("--cores", type=int, default=os.cpu_count(), help="the cores that the run will have (%(default)s)")
usual = "config/new.yaml" if Path("config").is_dir() else "new.yaml"
parser.add_argument("-o", "--out", default=usual, help="the file to write (%(default)s)")
arguments = parser.parse_args()

try:
    found = Starter(arguments.table, arguments.target, arguments.deploy, arguments.test)
    preset = found.chosen(arguments.minutes, arguments.cores) if arguments.minutes is not None else arguments.preset
    text = found.text(preset, arguments.cores)
    with Path(arguments.out).open("x", encoding="utf-8") as out:
        out.write(text)
except UserError as error:
    sys.exit(f"stillhouse: {error}")
except FileExistsError:
    sys.exit(f"stillhouse: {arguments.out} is there already; choose another name with --out")
except OSError as error:
    sys.exit(f"stillhouse: {arguments.out}: cannot be written: {error.strerror}")
print(*found.summary(), sep="\n")
print(f"Wrote {arguments.out}; look through it, then: snakemake --configfile {arguments.out} --cores all")

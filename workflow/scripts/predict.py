"""Predict the rows of a table by a shipped model: python predict.py model.onnx rows.csv -o predictions.csv"""

import argparse
import sys

from stillhouse.errors import UserError
from stillhouse.shipping.serving import predict_file

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("model", help="the .onnx file that `export` wrote")
parser.add_argument("rows", help="a CSV, TSV or Parquet table with the columns that the model was made from")
parser.add_argument("-o", "--out", required=True, help="the CSV file to write, a line a row in the same order")
arguments = parser.parse_args()

try:
    predict_file(arguments.model, arguments.rows, arguments.out)
except UserError as error:
    sys.exit(f"stillhouse: {error}")

"""Predict the rows of a table by a shipped model: python predict.py model.onnx rows.csv -o predictions.csv"""

import argparse
import sys

from stillhouse.errors import UserError
from stillhouse.shipping.serving import predict_file

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("model", help="the .onnx file that `export` wrote")
parser.add_argument("rows", help="a table with the columns that the model was made from, in any format that training reads")
parser.add_argument("-o", "--out", required=True, help="the CSV file to write, a line a row in the same order")
parser.add_argument("--check", action="store_true", help="add a column with the number of values unlike those in training")
parser.add_argument("--sets", action="store_true", help="add the classes that a row may have, or the ends of an interval")
parser.add_argument("--explain", action="store_true", help="add what each column did to the prediction, which takes longer")
arguments = parser.parse_args()

try:
    predict_file(arguments.model, arguments.rows, arguments.out, arguments.check, arguments.sets, arguments.explain)
except UserError as error:
    sys.exit(f"stillhouse: {error}")

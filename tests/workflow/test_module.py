"""The workflow as a part of somebody else's: from another folder, out of a checkout that may not be written to."""

import shutil
import subprocess

import pytest
from conftest import REPOSITORY, SNAKEMAKE, Run
from raw_tables import good_table

pytestmark = pytest.mark.workflow
SNAKEFILE = """
configfile: "my.yaml"


module stillhouse:
    snakefile:
        "{checkout}/Snakefile"
    config:
        config["stillhouse"]


use rule * from stillhouse as stillhouse_*


rule mine:
    default_target: True
    input:
        rules.stillhouse_all.input,
        metrics="results/d/models/m/metrics.json",
    output:
        "mine.txt",
    shell:
        "wc -c {{input}} > {{output}}"
"""
CONFIG = """
stillhouse:
  datasets: {d: {train: table.csv, target: ill}}
  folds: {k: 3}
  models: {m: {fit: {method: logistic}}}
  export: [m]
  report: {draws: 100, control: []}
"""


@pytest.fixture
def read_only(checkout, tmp_path):
    """A checkout that nobody may write to: mounted so where the user is root, who may write everywhere else."""
    place = tmp_path / "checkout"
    place.mkdir()
    if not subprocess.run(["mount", "--bind", checkout, place], capture_output=True).returncode:
        subprocess.run(["mount", "-o", "remount,ro,bind", place], check=True)
        yield place
        subprocess.run(["umount", place], check=True)
        return
    shutil.copytree(checkout, place, dirs_exist_ok=True)
    subprocess.run(["chmod", "-R", "a-w", place], check=True)
    yield place
    subprocess.run(["chmod", "-R", "u+w", place], check=True)


def test_another_workflow_takes_it_as_a_module_from_a_read_only_checkout(read_only, tmp_path):
    run = Run(tmp_path / "mine")
    (run / "Snakefile").write_text(SNAKEFILE.format(checkout=read_only))
    (run / "my.yaml").write_text(CONFIG)
    good_table().to_csv(run / "table.csv", index=False)
    arguments = ["--cores", "2", "--workflow-profile", str(read_only / "profiles" / "default")]
    code, printed = run.execute(arguments)
    assert code == 0, printed[-3000:]
    assert "results/d/models/m/metrics.json" in (run / "mine.txt").read_text()
    assert (run / "results/d/deploy/m.onnx").stat().st_size > 0
    assert "Nothing to be done" in run.execute(arguments)[1]


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (["--list-rules"], "evaluate"),
        (["--rulegraph"], "digraph"),
        (["--rulegraph", "mermaid-js"], "flowchart"),
        (["--summary"], "results/breastcancer/report.html"),
        (["--lint"], "in a good condition"),
    ],
    ids=lambda value: "".join(value).strip("-"),
)
def test_what_snakemake_says_of_a_workflow_it_says_of_this_one(option, said, tmp_path):
    command = [*SNAKEMAKE, "--snakefile", REPOSITORY / "Snakefile", "--directory", tmp_path]
    command += ["--configfile", REPOSITORY / "config" / "examples" / "damaged.yaml", *option]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert said in done.stdout + done.stderr

"""The house: what a newcomer finds where, and how long it takes to read."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib import import_module

import pytest
import yaml
from conftest import REPOSITORY

from stillhouse import __version__
from stillhouse.config.digest import files_run_by

SCRIPTS = REPOSITORY / "workflow" / "scripts"
RULES = sorted((REPOSITORY / "workflow" / "rules").glob("*.smk"))
LIBRARY = sorted((SCRIPTS / "stillhouse").rglob("*.py"))
VERBS = "load fold synthesize impute weigh resample train fit distill stack read evaluate diagnose measure explain slice pool compare update drift report export".split()


def rules():
    text = "\n".join(path.read_text() for path in RULES)
    parts = re.split(r"^rule (\w+):\n", text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_verb_is_a_rule_with_a_script_of_its_name():
    assert sorted(rules()) == sorted(VERBS)
    assert sorted(path.stem for path in SCRIPTS.glob("*.py")) == sorted([*VERBS, "new", "predict"])


@pytest.mark.parametrize("name", VERBS)
def test_a_rule_declares_its_code_log_benchmark_and_script(name):
    rule = rules()[name]
    assert f'"../scripts/{name}.py"' in rule
    assert re.search(rf'code=(lambda wildcards: )?code(_with)?\(\s*"{name}\.py"', rule)
    assert {"log:", "benchmark:", "conda:", "script:"} <= set(rule.split())
    assert "run:" not in rule.split()
    order = re.findall(r"^    (\w+):$", rule, flags=re.M)
    expected = [
        "input",
        "output",
        "log",
        "benchmark",
        "wildcard_constraints",
        "conda",
        "threads",
        "resources",
        "params",
        "script",
    ]
    assert order == [part for part in expected if part in order]


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.py")), ids=lambda path: path.name)
def test_a_script_reads_calls_and_writes(path):
    tree = ast.parse(path.read_text())
    assert len(path.read_text().splitlines()) <= 40
    assert not [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    assert ast.get_docstring(tree)


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: str(path.relative_to(SCRIPTS)))
def test_no_function_is_longer_than_a_screen_and_none_mentions_the_engine(path):
    text = path.read_text()
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    assert [node.name for node in functions if node.end_lineno - node.lineno >= 40] == []
    assert not re.search(r"\bsnakemake\.|import snakemake", text)


def test_rules_stay_on_two_screens():
    lengths = {path.name: len(path.read_text().splitlines()) for path in RULES}
    assert {name: length for name, length in lengths.items() if length > 250} == {}


def test_the_door_imports_nothing_heavy():
    code = "import sys; import stillhouse.config.checks.configuration, stillhouse.config.digest; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=SCRIPTS, check=True).stdout
    assert not {"numpy", "pandas", "torch", "sklearn"} & set(loaded.split())


def test_preparing_data_does_not_run_code_of_networks():
    files = {path.name for path in files_run_by("impute.py", "preparation/imputers/median.py")}
    assert {"impute.py", "median.py", "features.py", "kinds.py"} <= files
    assert not files & {"training.py", "knn.py", "metrics.py", "audit.py"}


def test_only_evaluation_runs_metrics():
    running = {verb for verb in VERBS if "metrics.py" in {path.name for path in files_run_by(f"{verb}.py")}}
    assert running == {"evaluate", "explain", "slice", "pool", "compare", "drift", "report"}


@pytest.mark.parametrize("path", sorted((REPOSITORY / "benchmarks").glob("*.py")), ids=lambda path: path.name)
def test_a_benchmark_imports_what_the_library_has(path):
    imports = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    wanted = [(node.module, alias.name) for node in imports if node.module.startswith("stillhouse") for alias in node.names]
    assert [(module, name) for module, name in wanted if not hasattr(import_module(module), name)] == []


def test_the_newcomers_files_are_there():
    for name in (
        "README.md CHANGELOG.md CONTRIBUTING.md LICENSE CITATION.cff Snakefile Makefile pyproject.toml requirements.txt "
        "workflow/Snakefile .snakemake-workflow-catalog.yml .pre-commit-config.yaml .gitignore config/README.md config/config.yaml "
        "data/README.md docs/architecture.md profiles/default/config.yaml results/.gitkeep .ci/run"
    ).split():
        assert (REPOSITORY / name).is_file(), name


def test_snakemake_finds_nothing_to_lint():
    command = [sys.executable, "-m", "snakemake", "--lint"]
    linted = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY)
    assert linted.returncode == 0, linted.stderr


def test_the_environment_of_rules_states_the_ranges_of_the_project():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    environment = yaml.safe_load((REPOSITORY / "workflow" / "envs" / "stillhouse.yaml").read_text())
    of_conda = {"torch": "pytorch", "matplotlib": "matplotlib-base", "snakemake": "snakemake-minimal"}
    stated = dict(dependency.split(" ") for dependency in environment["dependencies"])
    wanted = {of_conda.get(name, name): f">={least}" for name, least in (one.split(">=") for one in project["dependencies"])}
    assert stated == wanted | {"python": project["requires-python"]}


def test_the_version_is_the_same_wherever_it_stands():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert project["version"] == __version__
    assert f"version: {__version__}" in (REPOSITORY / "CITATION.cff").read_text()
    assert f"## {__version__}" in (REPOSITORY / "CHANGELOG.md").read_text()

"""The workflow on a real Slurm of two nodes: the same results as on one machine, in few jobs, whatever happens to them."""

import shutil
from threading import Thread

import pandas as pd
import pytest
import yaml
from conftest import REPOSITORY, Run
from slurm import HERE, ClusterRun, Slurm

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(not shutil.which("sbatch"), reason="Slurm is not installed (make test-cluster installs it)"),
]
RESULTS = "results/breastcancer"
SMALL = {"method": "mlp", "width": 16, "epochs": 12}
SIX = {
    "datasets": {"breastcancer": {"train": "sklearn:breast_cancer", "target": "target", "positive": "malignant"}},
    "folds": {"k": 5},
    "models": {
        "teacher": {"train": SMALL},
        "bagged": {"fit": {"method": "tree", "bag": 5}},
        "boosted": {"fit": {"method": "boosting", "rounds": 20}},
        "stack": {"stack": {"method": "linear", "members": ["teacher", "boosted"]}},
        "student": {"distill": {**SMALL, "teacher": "stack"}},
    },
    "export": ["student"],
    "report": {"draws": 200},
}
# A job that gets two GPUs runs once all the same; twice, one of the two would find the other's claim and fail.
GPUS = "train:slurm_partition=gpu train:gpu=1 distill:slurm_partition=gpu distill:gpu=2".split()
# Enough epochs for a job to be found in the midst of them.
LONG = {
    **SIX,
    "models": {"long": {"train": {**SMALL, "width": 256, "epochs": 150, "patience": 150, "checkpoint": 1}}},
    "export": [],
}


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    with Slurm(tmp_path_factory.mktemp("slurm") / "lab") as running:
        yield running


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    run = Run(tmp_path_factory.mktemp("local"), SIX)
    run()
    return run


def assert_equal_results(one, other, names):
    for name in names:
        assert (one / RESULTS / name).read_bytes() == (other / RESULTS / name).read_bytes(), name


def partitions(jobs, rules):
    """The partitions of jobs whose rule is one of these."""
    return {partition for name, tries in jobs.items() if name.split("_")[1] in rules for _, partition, _ in tries}


def test_six_models_take_few_jobs_and_say_the_same_as_on_one_machine(slurm, local, tmp_path):
    run = ClusterRun(tmp_path / "together", slurm, SIX)
    run.options = [*HERE, "--set-resources", *GPUS]
    jobs = run.submitted()
    print(f"{sum(map(len, jobs.values()))} jobs together")
    assert sum(map(len, jobs.values())) <= 25
    assert {state for tries in jobs.values() for state, _, _ in tries} == {"COMPLETED"}
    assert partitions(jobs, {"train", "distill"}) == {"gpu"}
    assert partitions(jobs, {"fit", "stack", "intake", "preparation", "evaluation"}) == {"cpu"}
    assert {node for tries in jobs.values() for _, _, node in tries} == {"n1", "n2"}
    models = [*SIX["models"], "studenttwin"]
    names = [f"models/{model}/{name}" for model in models for name in ("metrics.json", "predictions.parquet")]
    assert_equal_results(run, local, [*names, "comparison.csv", "pairs.csv"])
    assert (run / RESULTS / "report.html").stat().st_size > 0


@pytest.mark.proof
def test_splits_apart_spread_over_nodes_and_say_the_same(slurm, local, tmp_path):
    run = ClusterRun(tmp_path / "apart", slurm, {**SIX, "splits": "apart"})
    jobs = run.submitted(f"{RESULTS}/models/teacher/metrics.json")
    print(f"{sum(map(len, jobs.values()))} jobs for the five splits of a network apart")
    assert sum(len(tries) for name, tries in jobs.items() if name.startswith("rule_train")) == 5
    assert partitions(jobs, {"train"}) == {"gpu"}
    assert_equal_results(run, local, ["models/teacher/metrics.json", "models/teacher/predictions.parquet"])


def demo(_):
    return yaml.safe_load((REPOSITORY / "config" / "examples" / "damaged.yaml").read_text())


def adult(tables):
    """The published example with less training, as its results matter less here than that they are the same."""
    config = yaml.safe_load((REPOSITORY / "config" / "examples" / "adult.yaml").read_text())
    dataset, models = config["datasets"]["adult"], config["models"]
    dataset |= {part: str(tables / dataset[part].removeprefix("data/")) for part in ("train", "test")}
    models["adaboost"]["fit"]["boost"], models["bagged"]["fit"]["bag"] = 20, 5
    for name, verb in (("teacher", "train"), ("student", "distill")):
        models[name][verb] |= {"epochs": 3, "alpha": 0.5} if verb == "distill" else {"epochs": 3}
    return config


@pytest.mark.proof
@pytest.mark.parametrize("configured", [demo, adult], ids=lambda function: function.__name__)
def test_the_demo_and_adult_end_to_end_say_the_same_together_apart_and_on_one_machine(configured, slurm, request, tmp_path):
    config = configured(request.getfixturevalue("shared_tables") if configured is adult else None)
    alone = Run(tmp_path / "alone", config)
    alone()
    for splits in ("together", "apart"):
        run = ClusterRun(tmp_path / splits, slurm, {**config, "splits": splits})
        jobs = run.submitted()
        print(f"{configured.__name__}: {sum(map(len, jobs.values()))} jobs {splits}")
        assert {state for tries in jobs.values() for state, _, _ in tries} == {"COMPLETED"}
        assert partitions(jobs, {"train", "distill"}) == {"gpu"}
        assert "gpu" not in partitions(jobs, {name.split("_")[1] for name in jobs} - {"train", "distill"})
        assert {node for tries in jobs.values() for _, _, node in tries} == {"n1", "n2"}
        names = [path.relative_to(alone / "results") for path in (alone / "results").glob("*/models/*/predictions.parquet")]
        assert len(names) > len(config["models"])
        for name in [*names, *(name.with_name("metrics.json") for name in names)]:
            assert (alone / "results" / name).read_bytes() == (run / "results" / name).read_bytes(), (splits, name)


def test_a_cancelled_and_then_preempted_training_goes_on_and_ends_as_an_unbroken_one(slurm, tmp_path):
    target = f"{RESULTS}/models/long/split-all/predictions.parquet"
    unbroken = Run(tmp_path / "unbroken", LONG)
    unbroken(target)
    run = ClusterRun(tmp_path / "broken", slurm, LONG)
    found = {}
    running = Thread(target=lambda: found.update(run.submitted(target)))
    running.start()
    slurm("scancel", in_training(slurm, run))
    second = in_training(slurm, run, after="resumes")
    slurm(*"sbatch --partition urgent --nodelist n1 --cpus-per-task 2 --output /dev/null --wrap".split(), "sleep 3")
    slurm.wait_until(lambda: second not in training_jobs(slurm), 60)
    running.join()
    assert "resumes after epoch" in text_of(run)
    (tries,) = (tries for name, tries in found.items() if "long" in name)
    assert sorted(state for state, _, _ in tries) == ["CANCELLED", "COMPLETED"]
    pd.testing.assert_frame_equal(pd.read_parquet(run / target), pd.read_parquet(unbroken / target), check_exact=True)
    assert not list((run / RESULTS).rglob("*.ckpt*"))


def in_training(slurm, run, after=""):
    """Wait for a job of the long training that has written a checkpoint, and return its id."""
    slurm.wait_until(lambda: training_jobs(slurm) and list((run / RESULTS).rglob("*.ckpt")) and after in text_of(run), 120)
    return training_jobs(slurm)[0]


def text_of(run):
    log = run / "logs/breastcancer/long/split-all.log"
    return log.read_text() if log.exists() else ""


def training_jobs(slurm):
    return [number for number, job in slurm.jobs().items() if job[0] == "RUNNING" and "long" in job[-1]]

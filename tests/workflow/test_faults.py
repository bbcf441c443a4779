"""What breaks around the workflow ends in one message or mends itself, and never in a wrong result."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import ColdRun, Run
from raw_tables import good_table

from stillhouse import claims
from stillhouse.errors import UserError
from stillhouse.networks.vectorized.lightning import PlainFiles
from stillhouse.report.run import job_footprints
from stillhouse.tables import (
    read_columns,
    read_csv,
    read_fitted,
    read_table,
    split_writer,
    write_fitted,
    write_json,
    write_table,
    written_beside,
)

TARGET = "results/d/models/m/metrics.json"
CONFIG = {
    "datasets": {"d": {"train": "table.csv", "target": "ill"}},
    "folds": {"k": 3},
    "models": {"m": {"fit": {"method": "tree"}}},
    "report": {"draws": 100},
}
MIDWAY = {
    "table": "results/d/table.parquet",
    "folds": "results/d/folds.parquet",
    "features": "results/d/prepared/impute-median/split-all/features.parquet",
    "sample": "results/d/prepared/impute-median/weigh-none/resample-none/split-all/sample.parquet",
    "predictions": "results/d/models/m/split-all/predictions.parquet",
    "schema": "results/d/schema.json",
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    run = Run(tmp_path_factory.mktemp("faults") / "finished", CONFIG)
    good_table().to_csv(run / "table.csv", index=False)
    run(TARGET)
    return run


@pytest.fixture
def copied(finished, tmp_path):
    """A copy of the finished run, to be broken."""
    shutil.copytree(finished.folder, tmp_path / "run", symlinks=True)
    return Run(tmp_path / "run")


@pytest.fixture
def fresh(tmp_path):
    """A run that has done nothing yet."""
    run = Run(tmp_path / "run", CONFIG)
    good_table().to_csv(run / "table.csv", index=False)
    return run


@pytest.fixture
def mounted():
    """Return a function that mounts a file system until the test ends; only root may."""
    places = []

    def mount(place, *options):
        place.mkdir(parents=True, exist_ok=True)
        if subprocess.run(["mount", *options, place], capture_output=True).returncode:
            pytest.skip("mounting needs root and a machine that lets it")
        places.append(place)

    yield mount
    for place in reversed(places):
        subprocess.run(["umount", place], check=True)


def messages(run):
    return [line for line in run.printed.splitlines() if line.startswith("stillhouse: ")]


def assert_same(run, finished):
    assert (run / TARGET).read_bytes() == (finished / TARGET).read_bytes()
    assert not list(run.folder.rglob("*.part"))


@pytest.mark.workflow
def test_a_full_disk_is_named_and_the_same_command_goes_on_once_there_is_room(fresh, finished, mounted):
    mounted(fresh / "results", "-t", "tmpfs", "-o", "size=1m", "tmpfs")
    (fresh / "results" / "filler").write_bytes(bytes(1024 * 1024 - 8192))
    fresh(TARGET, check=False)
    assert fresh.code == 1
    assert messages(fresh)[-1].endswith("cannot be written: No space left on device")
    assert "Traceback" not in fresh.printed
    assert not list(fresh.folder.rglob("*.part"))
    (fresh / "results" / "filler").unlink()
    fresh(TARGET)
    assert_same(fresh, finished)


@pytest.mark.workflow
def test_results_that_may_not_be_written_to_are_named(copied, finished, mounted):
    for path in ("models", "prepared"):
        shutil.rmtree(copied / "results/d" / path)
    mounted(copied / "results", "--bind", copied / "results")
    subprocess.run(["mount", "-o", "remount,ro,bind", copied / "results"], check=True)
    copied(TARGET, check=False)
    assert copied.code == 1
    assert "Read-only file system" in copied.printed
    subprocess.run(["mount", "-o", "remount,rw,bind", copied / "results"], check=True)
    copied(TARGET)
    assert_same(copied, finished)


@pytest.mark.workflow
@pytest.mark.parametrize("name", MIDWAY)
def test_a_damaged_file_of_the_workflows_own_is_named_and_made_anew_once_it_is_removed(name, copied, finished):
    path = copied / MIDWAY[name]
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0xFF
    path.write_bytes(content)
    for made in (copied / "results/d/models/m").glob("*.*"):
        made.unlink()
    copied(TARGET, check=False)
    assert copied.code == 1
    assert f"{MIDWAY[name]}: is damaged" in messages(copied)[-1]
    assert "Traceback" not in copied.printed
    path.unlink()
    copied(TARGET)
    assert_same(copied, finished)


@pytest.mark.workflow
def test_an_input_that_is_damaged_later_is_named_and_its_results_come_back_with_it(copied, finished):
    whole = (copied / "table.csv").read_text()
    (copied / "table.csv").write_text(whole[: len(whole) // 2 - 4])
    copied(TARGET, check=False)
    assert copied.code == 1
    assert "table.csv, line" in messages(copied)[-1]
    (copied / "table.csv").write_text(whole)
    copied(TARGET)
    assert_same(copied, finished)


@pytest.mark.workflow
def test_a_second_run_in_the_same_folder_is_refused_and_the_first_ends_well(fresh, finished):
    command = ColdRun(fresh.folder).command(TARGET)
    first = subprocess.Popen(command, cwd=fresh.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (fresh / "results/d/table.parquet").exists():
        assert first.poll() is None
        time.sleep(0.02)
    fresh(TARGET, check=False)
    assert fresh.code == 1
    assert "Directory cannot be locked" in fresh.printed
    assert first.wait(120) == 0
    assert_same(fresh, finished)


@pytest.mark.workflow
def test_a_clock_that_is_set_back_is_named_and_files_of_the_future_come_to_nothing(fresh, finished):
    fresh("results/d/models/m/split-all/predictions.parquet")
    date(fresh, time.time() + 86400)
    fresh(TARGET, check=False)
    assert fresh.code == 1
    assert "This could indicate a clock skew problem" in fresh.printed
    assert not list((fresh / "results/d/models/m").glob("*.*"))
    date(fresh, time.time())
    fresh(TARGET)
    assert_same(fresh, finished)
    assert fresh.jobs(TARGET) == {}


def date(run, seconds):
    """Give all files of a run, but for Snakemake's own, a time of the epoch."""
    for path in [path for name in ("results", "table.csv") for path in [run / name, *(run / name).rglob("*")]]:
        os.utime(path, (seconds, seconds))


def test_a_job_that_was_left_behind_writes_nothing(tmp_path, monkeypatch):
    """Two jobs make the same: the later one with other settings, while the earlier one is still at work."""
    monkeypatch.setattr(claims, "own", claims.Claim(tmp_path / "job.log"))
    earlier = claims.own
    with pytest.raises(UserError, match="the same job has been started again"), written_beside(tmp_path / "out.json") as beside:
        beside.write_text("old settings")
        monkeypatch.setattr(claims, "own", claims.Claim(tmp_path / "job.log"))
        write_json("new settings", tmp_path / "out.json")
        monkeypatch.setattr(claims, "own", earlier)
    assert (tmp_path / "out.json").read_text() == '"new settings"\n'
    assert not list(tmp_path.glob("*.part"))


def test_a_job_that_was_left_behind_leaves_what_the_later_one_is_writing_alone(tmp_path, monkeypatch):
    earlier, later = claims.Claim(tmp_path / "job.log"), claims.Claim(tmp_path / "job.log")
    monkeypatch.setattr(claims, "own", later)
    with written_beside(tmp_path / "out.json") as beside:
        beside.write_text("new settings")
        monkeypatch.setattr(claims, "own", earlier)
        with pytest.raises(UserError, match="the same job has been started again"):
            write_json("old settings", tmp_path / "out.json")
        monkeypatch.setattr(claims, "own", later)
    assert (tmp_path / "out.json").read_text() == "new settings"


def test_what_a_killed_job_had_begun_to_write_goes_with_the_next(tmp_path):
    (tmp_path / "out.json.0a1b2c3d.part").write_text("half")
    (tmp_path / "out.jsonl.0a1b2c3d.part").write_text("of another file")
    write_json([1], tmp_path / "out.json")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.json", "out.jsonl.0a1b2c3d.part"]


def test_no_flipped_byte_of_a_table_is_read_as_if_it_were_right(tmp_path):
    path, rng = tmp_path / "table.parquet", np.random.default_rng(0)
    table = pd.DataFrame({"row": range(400), "x": rng.normal(size=400), "word": rng.choice(["a", "b"], 400)})
    for write in (write_table, write_splits):
        write(table, path)
        whole, expected = path.read_bytes(), pd.read_parquet(path)
        assert read_table(path).equals(expected)
        for place in rng.choice(len(whole), 300, replace=False):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << int(rng.integers(8))
            path.write_bytes(damaged)
            try:
                found = rng.choice([read_table, read_columns])(path)
            except UserError as error:
                assert "is damaged" in str(error)
            else:
                pytest.fail(f"byte {place} of {len(whole)} was changed, and the table was read as {found.equals(expected)}")


def test_no_damage_to_what_was_fitted_is_read_as_if_it_were_right(tmp_path):
    path, rng = tmp_path / "split-all" / "fitted.joblib", np.random.default_rng(0)
    path.parent.mkdir()
    write_fitted({"0": {"coefficients": rng.normal(size=5000)}}, path)
    whole = path.read_bytes()
    cut_short = [whole[:length] for length in (0, 1, 2, 9, len(whole) // 2, len(whole) - 4, len(whole) - 1)]
    flipped = [whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :] for place in rng.integers(len(whole), size=200)]
    for damaged in (bytes(len(whole)), *cut_short, *flipped):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match="is damaged"):
            read_fitted([path], "0")


def test_an_empty_csv_of_the_workflows_own_is_named(tmp_path):
    (tmp_path / "pairs.csv").touch()
    with pytest.raises(UserError, match=r"pairs.csv: is damaged \(EmptyDataError\)"):
        read_csv(tmp_path / "pairs.csv")


def test_the_report_leaves_out_what_a_job_that_was_cut_short_took(tmp_path):
    (tmp_path / "fit.tsv").write_text("s\tmax_rss\n1.5\t10\n")
    (tmp_path / "load.tsv").touch()
    (tmp_path / "fold.tsv").write_text("s\tmax_rss\n")
    assert [(job["step"], job["seconds"], job["megabytes"]) for job in job_footprints(tmp_path)] == [("fit", 1.5, 10)]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_disk_that_is_full_when_a_checkpoint_is_written_says_so():
    with pytest.raises(OSError, match="No space left on device"):
        PlainFiles().save_checkpoint({"values": torch.zeros(1000)}, "/dev/full")


def write_splits(table, path):
    with split_writer(path) as write:
        write("0", table)
        write("1", table[::2])

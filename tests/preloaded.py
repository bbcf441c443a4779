"""Snakemake and its jobs in processes that begin with all libraries imported, as imports are most of what small jobs take.

Each process is forked from one that has imported libraries, nothing of ours, and has started no thread. All else is as on the
command line: Snakemake plans, checks and records, and each script runs by itself, from its own file, in a process of its own.
"""

import os
import queue
import runpy
import subprocess
import sys
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

LIBRARIES = (
    *("snakemake.cli", "pandas", "pyarrow.parquet", "scipy.stats", "sklearn.ensemble", "sklearn.linear_model"),
    *("sklearn.experimental.enable_iterative_imputer", "imblearn", "lightgbm", "pytorch_lightning"),
    *("matplotlib.figure", "matplotlib.backends.backend_svg", "onnx", "onnxruntime", "jinja2", "pygments.lexers"),
)
SERVER, FORK = get_context("forkserver"), get_context("fork")
SERVER.set_forkserver_preload(list(LIBRARIES))
# Scripts that run at a time, whatever Snakemake would start.
MOST = 4


def run(arguments, folder, output):
    """Run Snakemake in a folder, all that it and its jobs print going to a file, and return its exit code."""
    process = SERVER.Process(target=_snakemake, args=(arguments, folder, dict(os.environ), output))
    process.start()
    process.join()
    return process.exitcode


def _snakemake(arguments, folder, variables, output):
    from snakemake.cli import main
    from snakemake.script import PythonScript

    _begin(folder, variables, output)
    with _script_runners() as runners:
        PythonScript.execute_script = lambda job, script, edit=False: _execute(job, script, runners)
        main(arguments)


@contextmanager
def _script_runners():
    """Yield a queue of processes that run scripts, each with a connection; they are forked before Snakemake starts threads."""
    runners, connections = queue.SimpleQueue(), []
    for _ in range(MOST):
        ours, theirs = FORK.Pipe()
        connections.append(ours)
        process = FORK.Process(target=_run_scripts, args=(theirs, connections))
        process.start()
        runners.put((process.pid, ours))
        theirs.close()
    try:
        yield runners
    finally:
        for connection in connections:
            connection.close()


def _execute(job, script, runners):
    from snakemake.benchmark import benchmarked

    pid, connection = runner = runners.get()
    with benchmarked(pid, job.bench_record):
        connection.send((script, job.threads, dict(os.environ)))
        code = connection.recv()
    runners.put(runner)
    if code:
        raise subprocess.CalledProcessError(code, script)


def _run_scripts(requests, connections):
    """Run one script after the other, each in a process of its own, until Snakemake has ended."""
    for connection in connections:
        connection.close()
    while True:
        try:
            request = requests.recv()
        except EOFError:
            return
        process = FORK.Process(target=_script, args=request)
        process.start()
        process.join()
        requests.send(process.exitcode)


def _script(script, threads, variables):
    import torch
    from threadpoolctl import threadpool_limits

    # Jobs have the variables of their Snakemake; those for threads are read when a library is loaded.
    os.environ.update(variables)
    threadpool_limits(threads)
    torch.set_num_threads(threads)
    sys.path.insert(0, str(Path(script).parent))
    try:
        runpy.run_path(script, run_name="__main__")
    except Exception:
        sys.excepthook(*sys.exc_info())
        sys.exit(1)


def _begin(folder, variables, output):
    """Become a process of its own, in the folder, variables, output and module path that it would have been started with."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    with Path(output).open("a") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    # The tests' own path has the library of this checkout, where a test may run another.
    sys.path[:] = [entry for entry in sys.path if entry.startswith((sys.prefix, sys.base_prefix))]

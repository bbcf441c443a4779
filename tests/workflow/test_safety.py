"""What leaves the house tells nothing of whoever made it, and nothing in it can run code."""

import http.server
import os
import socket
import struct
import subprocess
import threading
import zlib
from contextlib import contextmanager

import numpy as np
import onnx
import pandas as pd
import pyarrow.parquet as pq
import pytest
from conftest import REPOSITORY, ColdRun, Run
from raw_tables import good_table
from shipped_samples import ship

from stillhouse.config.digest import files_run_by
from stillhouse.errors import UserError
from stillhouse.intake.loaders.url import fetched, read
from stillhouse.shipping.serving import Shipped

SECRET, PASSWORD, USER, HOST = "s3cr3tt0k3n", "p4ssw0rd", "zaphod", "beeblebrox"
SHARED = {".parquet", ".json", ".csv", ".html", ".svg", ".onnx", ".md"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server on this machine that hands a table to whoever has the token and the password."""
    table = good_table().to_csv(index=False).encode()

    def answer(request):
        is_allowed = SECRET in request.path and "Basic" in request.headers.get("Authorization", "")
        request.send_response(200 if is_allowed else 403)
        request.end_headers()
        request.wfile.write(table if is_allowed else b"")

    with serving(answer) as address:
        yield f"{address}/rows.csv?token={SECRET}"


@contextmanager
def serving(answer):
    """Yield the address of a server on this machine that answers as it is told to."""
    methods = {"do_GET": answer, "log_message": lambda *_: None}
    handler = type("Handler", (http.server.BaseHTTPRequestHandler,), methods)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.shutdown()


@pytest.fixture(scope="module")
def finished(server, tmp_path_factory):
    """A finished run of a user with a name, a host, a home and a password."""
    home = tmp_path_factory.mktemp("homes") / USER
    home.mkdir()
    (home / ".netrc").write_text(f"machine 127.0.0.1 login {USER} password {PASSWORD}\n")
    (home / ".netrc").chmod(0o600)
    good_table().drop(columns="ill").to_csv(home / "later.csv", index=False)
    config = {
        "datasets": {"d": {"train": server, "deploy": str(home / "later.csv"), "target": "ill", "source": "origin"}},
        "folds": {"k": 3},
        "models": {
            "tree": {"fit": {"method": "tree"}},
            "student": {"distill": {"method": "mlp", "width": 4, "epochs": 2, "teacher": "tree"}},
        },
        "export": ["student"],
        "report": {"draws": 100},
    }
    run = ColdRun(home / "run", config)
    named = {"HOME": str(home), "USER": USER, "LOGNAME": USER, "HOSTNAME": HOST}
    under_a_name = ["unshare", "--uts", "sh", "-c", f'hostname {HOST} && exec "$@"', "sh"]
    is_root = not subprocess.run([*under_a_name, "true"], capture_output=True).returncode
    command = [*(under_a_name if is_root else []), *run.command()]
    done = subprocess.run(command, cwd=run.folder, env={**os.environ, **named}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return run


def contents(path):
    """What a file says, compressed or not."""
    raw = path.read_bytes()
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        return raw + repr(table.schema.metadata).encode() + table.to_pandas().to_csv().encode()
    return raw + (zlib.decompress(raw) if path.suffix == ".joblib" else b"")


def results(run):
    return [path for path in (run / "results").rglob("*") if path.is_file() and path.name != ".snakemake_timestamp"]


@pytest.mark.workflow
@pytest.mark.parametrize("word", [SECRET, PASSWORD, USER, HOST])
def test_no_secret_host_or_user_is_in_any_result(word, finished):
    assert [path for path in results(finished) if word.encode() in contents(path)] == []


@pytest.mark.workflow
def test_no_secret_is_in_a_log_or_in_snakemakes_own_report(finished):
    finished("--report", "all.html")
    page = (finished / "all.html").read_text()
    assert "which model is the best and how sure that is" in page, "captions are there"
    files = [*(finished / "logs").rglob("*.*"), finished / "all.html"]
    assert [path for path in files for word in (SECRET, PASSWORD) if word in path.read_text()] == []


@pytest.mark.workflow
def test_only_the_workflows_own_files_are_pickles(finished):
    for path in results(finished):
        if path.suffix == ".joblib":
            assert path.name in ("fitted.joblib", "preparations.joblib")
        else:
            assert path.suffix in SHARED
            assert not path.read_bytes().startswith((b"\x80", b"PK", b"x\x9c", b"x\x01"))


@pytest.mark.workflow
def test_an_address_that_answers_no_is_named_without_its_token(server, tmp_path):
    config = {"datasets": {"d": {"train": server, "target": "ill"}}, "models": {"m": {"fit": {"method": "tree"}}}}
    run = Run(tmp_path / "run", config)
    run("results/d/table.parquet", check=False)
    assert run.code == 1
    assert "rows.csv: cannot be fetched: Forbidden" in run.printed
    assert SECRET not in "".join(line for line in run.printed.splitlines() if line.startswith("stillhouse"))


@pytest.fixture
def moody(tmp_path, monkeypatch):
    """A server that sends on who asks for ``/old.csv``, wants a password for ``/rows.csv``, and hangs up on all else."""
    table = good_table().to_csv(index=False).encode()

    def answer(request):
        if request.path == "/old.csv":
            request.send_response(302)
            request.send_header("Location", "/rows.csv")
        elif request.path == "/rows.csv":
            request.send_response(200 if "Basic" in request.headers.get("Authorization", "") else 401)
        else:
            request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            request.connection.close()
            return
        request.end_headers()
        request.wfile.write(table)

    (tmp_path / ".netrc").write_text(f"machine 127.0.0.1 login {USER} password {PASSWORD}\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    with serving(answer) as address:
        yield address


def test_whoever_sends_on_to_an_address_with_a_password_is_followed(moody):
    assert b"ill" in fetched(f"{moody}/old.csv")


def test_a_server_that_hangs_up_is_named(moody):
    with pytest.raises(UserError, match=r"/gone.csv: cannot be fetched: .*reset by peer"):
        read(f"{moody}/gone.csv", {}, [])


def test_what_predicts_runs_no_pickle_and_no_code_of_a_file():
    for path in files_run_by("predict.py"):
        words = path.read_text()
        assert not [word for word in ("pickle", "joblib", "torch", "eval(", "exec(", "__import__", "yaml") if word in words], (
            path
        )


def test_a_tampered_model_is_refused_or_only_computes(gappy, tmp_path):
    path, odd, *_ = ship("median", gappy, tmp_path)
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    refused = 0
    for place in rng.choice(len(whole), 200, replace=False):
        tampered = bytearray(whole)
        tampered[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(tampered)
        try:
            found = Shipped(path).predict(odd)
        except UserError:
            refused += 1
        else:
            assert isinstance(found, pd.DataFrame)
    assert refused


@pytest.mark.parametrize("place", ["secret.bin", "folder/secret.bin", "../secret.bin", "/etc/passwd"])
def test_a_model_that_points_to_another_file_is_refused(place, gappy, tmp_path, monkeypatch):
    path, *_ = ship("median", gappy, tmp_path)
    (tmp_path / "folder").mkdir()
    for name in ("secret.bin", "folder/secret.bin"):
        (tmp_path / name).write_bytes(bytes(1 << 20))
    monkeypatch.chdir(tmp_path if place != "../secret.bin" else tmp_path / "folder")
    model = onnx.load(path)
    for tensor in [one for one in model.graph.initializer if one.raw_data and one.data_type == onnx.TensorProto.FLOAT]:
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        entry = tensor.external_data.add()
        entry.key, entry.value = "location", place
    assert any(one.external_data for one in model.graph.initializer)
    path.write_bytes(model.SerializeToString())
    with pytest.raises(UserError, match="is not a complete Stillhouse model"):
        Shipped(path)


def test_metadata_that_is_no_json_is_refused(gappy, tmp_path):
    path, *_ = ship("median", gappy, tmp_path)
    model = onnx.load(path)
    entry = next(one for one in model.metadata_props if one.key == "classes")
    entry.value = "__import__('os').system('touch trap')"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(UserError, match="is not a complete Stillhouse model"):
        Shipped(path)


def test_the_house_has_no_way_to_run_what_a_user_wrote():
    """No shell, no evaluation, no unsafe YAML anywhere in rules, scripts or library."""
    found = [*(REPOSITORY / "workflow").rglob("*.py"), *(REPOSITORY / "workflow").rglob("*.smk")]
    words = ("os.system", "shell=True", "shell:", "eval(", "exec(", "yaml.load(", "yaml.unsafe", "subprocess")
    assert [(path.name, word) for path in found for word in words if word in path.read_text().replace(".eval(", "")] == []

"""A Slurm of two nodes and two pretend GPUs on this machine, for any user: no munge, database, cgroups or systemd."""

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from conftest import ColdRun

# Jobs have other numbers than those of any other Slurm on this machine, as their processes are found by them.
CONFIGURATION = """\
ClusterName=lab
SlurmctldHost=localhost
SlurmctldPort={controller}
AuthType=auth/none
AuthInfo=cred_expire=5
CredType=cred/none
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/run/slurmctld.pid
SlurmdPidFile={folder}/run/%n.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/%n.log
MpiDefault=none
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=2,bf_interval=2
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
EnforcePartLimits=ALL
MinJobAge=3600
FirstJobId={controller}000
OverTimeLimit=0
SlurmdTimeout=10
KillWait=5
ReturnToService=2
DefMemPerCPU=500
GresTypes=gpu
NodeName=n1 NodeHostname=localhost NodeAddr=127.0.0.1 Port={n1} CPUs=2 RealMemory=64000 Weight=10 Gres=gpu:2
NodeName=n2 NodeHostname=localhost NodeAddr=127.0.0.1 Port={n2} CPUs=2 RealMemory=64000
PartitionName=cpu Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP PriorityTier=1
PartitionName=gpu Nodes=n1 MaxTime=INFINITE State=UP PriorityTier=1
PartitionName=urgent Nodes=n1,n2 MaxTime=INFINITE State=UP PriorityTier=9 PreemptMode=OFF
"""
# A pretend GPU has to be a real device.
GPUS = "NodeName=n1 Name=gpu File=/dev/null\nNodeName=n1 Name=gpu File=/dev/zero\n"
# Snakemake's plugin takes SLURM_CONF away from the srun inside a job.
SRUN = '#!/bin/sh\nSLURM_CONF="{conf}" exec "{srun}" "$@"\n'
NODES = ("n1", "n2")
# What differs from the profile is the size of this cluster, and how patiently one waits.
HERE = """--workflow-profile slurm --cores 2 --slurm-init-seconds-before-status-checks 2 --latency-wait 5
          --default-resources slurm_partition=cpu mem_mb=2000*attempt runtime=30""".split()


class Slurm:
    """Daemons that were started from a folder, and the commands that ask them."""

    def __init__(self, folder):
        self.folder, self.daemons = Path(folder), {}
        self.conf = self.folder / "slurm.conf"
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}:/usr/sbin:/sbin"
        self.environment = {**os.environ, "SLURM_CONF": str(self.conf), "PATH": path}

    def __enter__(self):
        for name in ("bin", "run", "log", "state", *(f"spool/{node}" for node in NODES)):
            (self.folder / name).mkdir(parents=True)
        ports = dict(zip(("controller", *NODES), free_ports(3), strict=True))
        self.conf.write_text(CONFIGURATION.format(folder=self.folder, user=getpass.getuser(), **ports))
        (self.folder / "gres.conf").write_text(GPUS)
        wrapper = self.folder / "bin" / "srun"
        wrapper.write_text(SRUN.format(conf=self.conf, srun=shutil.which("srun")))
        wrapper.chmod(0o755)
        self._start("controller", "slurmctld", "-D")
        for node in NODES:
            self.start_node(node)
        return self

    def __exit__(self, *_):
        self("scancel", "--user", getpass.getuser(), check=False)
        try:
            self.wait_until(lambda: not self("squeue", "-h", "-t", "running,completing"), 30)
        finally:
            for daemon in self.daemons.values():
                daemon.terminate()
            for daemon in self.daemons.values():
                daemon.wait(20)

    def __call__(self, *command, check=True):
        """Return the lines that a command of Slurm prints."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout.splitlines()

    def _start(self, name, *command):
        log = (self.folder / "log" / f"{name}.out").open("a")
        self.daemons[name] = subprocess.Popen(
            [shutil.which(command[0], path=self.environment["PATH"]), *command[1:]],
            env=self.environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip

    def start_node(self, node):
        """Start the daemon of a node, and wait until it takes jobs."""
        self._start(node, "slurmd", "-D", "-N", node)
        self.wait_until(lambda: self.state_of(node) in ("idle", "mixed", "allocated"), 60)

    def kill_node(self, node):
        """Kill the daemon of a node and all that runs there, as if its power went, and wait until it is missed."""
        self.daemons[node].kill()
        for number in self.processes_on(node):
            os.kill(number, signal.SIGKILL)
        self.wait_until(lambda: self.state_of(node).startswith("down"), 120)

    def state_of(self, node):
        """Return the state of a node, such as ``idle``."""
        return self("sinfo", "-h", "-N", "-n", node, "-o", "%T")[0]

    def processes_on(self, node):
        """Return the processes of jobs on a node, the daemons of their steps among them."""
        jobs = {number for number, job in self.jobs().items() if job[0] == "RUNNING" and job[2] == node}
        found = []
        for entry in filter(lambda entry: entry.name.isdecimal(), Path("/proc").iterdir()):
            step = f"{text_of(entry / 'cmdline')}.".removeprefix("slurmstepd: [").split(".")[0]
            if step in jobs or variables_of(entry.name).get("SLURM_JOB_ID") in jobs:
                found.append(int(entry.name))
        return found

    def jobs(self):
        """Return all jobs that there have been, as ``{id: (state, partition, node, comment)}``."""
        lines = self("squeue", "-h", "-a", "-t", "all", "-o", "%i|%T|%P|%N|%k")
        return {line.split("|")[0]: tuple(line.split("|")[1:]) for line in lines}

    def wait_until(self, holds, seconds):
        """Wait until something holds; an error says that it never did."""
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, f"waited {seconds} s in vain; see {self.folder / 'log'}"
            time.sleep(0.3)


class ClusterRun(ColdRun):
    """A folder in which the workflow runs on Slurm."""

    options = HERE

    def __init__(self, folder, slurm, config=None):
        super().__init__(folder, config)
        self.slurm, self.environment = slurm, slurm.environment

    def submitted(self, *targets):
        """Run the workflow and return the jobs that it submitted, as ``{rule and wildcards: [(state, partition, node)]}``."""
        before = self.slurm.jobs()
        self("--", *targets)
        jobs = {}
        for number, (state, partition, node, rule) in self.slurm.jobs().items():
            if number not in before:
                jobs.setdefault(rule, []).append((state, partition, node))
        return jobs


def variables_of(process):
    """Return the environment that a process was started with; empty where it has ended."""
    lines = text_of(Path("/proc", str(process), "environ")).split("\0")
    return dict(line.split("=", 1) for line in lines if "=" in line)


def text_of(path):
    """Return what a file of /proc says; nothing where its process has ended."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def free_ports(count):
    """Return ports that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports

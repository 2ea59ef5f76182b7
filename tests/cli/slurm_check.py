"""A real Slurm on this machine: an array of shards as `limrisk slurm` writes it, one node killed in mid-run and its task queued again, the
stores merged by the dependent job, equal bit for bit to a single run.

Usage: slurm_check.py LIMRISK. Starts munged, one slurmctld and several slurmd in a directory of its own and ends them. Exit code 77, and why, where
Debian's packages slurm-wlm and munge are missing or the daemons may not run.
"""
import contextlib
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NODES = 4
SKIPPED = 77

CAMPAIGN = """name = "slurm"
trials = 24000
steps = 20000
{store}
[problem]
input = {{ law = "uniform", dimension = 1, low = 0.0, high = 1.0 }}
target = "x1^2"
[network]
width = [1, 4]
[training]
batch = 16
optimizer = {{ name = "sgd", learning_rate = 0.05 }}
[tracking]
checks = 8
"""


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Cluster:
    """The daemons, all children of this process, in `folder`."""

    def __init__(self, folder):
        self.folder = folder
        self.processes = {}
        controller, *nodes = free_ports(NODES + 1)
        host = socket.gethostname()
        self.environment = dict(os.environ, SLURM_CONF=str(folder / "slurm.conf"))
        for name in list(self.environment):
            if name.startswith(("SLURM_", "SLURMD_", "SBATCH_")) and name != "SLURM_CONF":
                del self.environment[name]
        key = folder / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o600)
        lines = [
            "ClusterName=limrisk", f"SlurmctldHost={host}(127.0.0.1)", f"SlurmctldPort={controller}", "SlurmUser=root", "SlurmdUser=root",
            "AuthType=auth/munge", f"AuthInfo=socket={folder}/munge.socket,cred_expire=5", "CredType=cred/munge",
            f"StateSaveLocation={folder}/state", f"SlurmdSpoolDir={folder}/spool-%n", f"SlurmctldPidFile={folder}/slurmctld.pid",
            f"SlurmdPidFile={folder}/slurmd-%n.pid", f"SlurmctldLogFile={folder}/slurmctld.log", f"SlurmdLogFile={folder}/slurmd-%n.log",
            "ProctrackType=proctrack/linuxproc", "TaskPlugin=task/none", "SelectType=select/cons_tres", "SelectTypeParameters=CR_Core",
            "MpiDefault=none", "SwitchType=switch/none", "JobAcctGatherType=jobacct_gather/none", "ReturnToService=2", "SlurmdTimeout=5",
            "InactiveLimit=0", "KillWait=1", "MinJobAge=300", "JobRequeue=1", "SchedulerParameters=batch_sched_delay=0,sched_interval=1",
        ]
        for k, port in enumerate(nodes):
            lines.append(f"NodeName=node{k + 1} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=1 State=UNKNOWN")
        lines.append(f"PartitionName=all Nodes=node[1-{NODES}] Default=YES MaxTime=INFINITE State=UP")
        (folder / "slurm.conf").write_text("\n".join(lines) + "\n")
        (folder / "state").mkdir()

    def start(self, name, words):
        log = open(self.folder / f"{name}.out", "ab")
        self.processes[name] = subprocess.Popen(words, env=self.environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder,
                                                start_new_session=True)

    def start_node(self, number):
        (self.folder / f"spool-node{number}").mkdir(exist_ok=True)
        self.start(f"node{number}", ["slurmd", "-D", "-N", f"node{number}", "-f", str(self.folder / "slurm.conf")])

    def start_all(self):
        folder = self.folder
        self.start("munged", ["munged", "--foreground", "--force", f"--key-file={folder}/munge.key", f"--socket={folder}/munge.socket",
                              f"--pid-file={folder}/munged.pid", f"--log-file={folder}/munged.log", f"--seed-file={folder}/munge.seed"])
        wait(lambda: (folder / "munge.socket").exists(), "munged", 20)
        self.start("slurmctld", ["slurmctld", "-D", "-f", str(folder / "slurm.conf")])
        for number in range(1, NODES + 1):
            self.start_node(number)
        wait(lambda: self.call("sinfo", "-h", "-t", "idle", "-o", "%D").strip() == str(NODES), "the nodes", 60)

    def call(self, *words):
        done = subprocess.run(words, env=self.environment, cwd=self.folder, capture_output=True, text=True, check=False)
        return done.stdout

    def kill_node(self, number):
        """The daemon and everything that it started, all at once, as when a machine loses its power."""
        marks = [f"SLURMD_NODENAME=node{number}".encode(), f"SLURM_CONF={self.folder}/slurm.conf".encode()]
        victims = {self.processes[f"node{number}"].pid}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                environment = (entry / "environ").read_bytes().split(b"\0")
                if not all(mark in environment for mark in marks):
                    continue
                victims.add(int(entry.name))
                parent = int(re.search(r"^PPid:\t(\d+)$", (entry / "status").read_text(), re.M).group(1))
                if (Path("/proc") / str(parent) / "comm").read_text().startswith("slurmstepd"):
                    victims.add(parent)
            except OSError:
                continue
        # Stopped first: none of them sees another one's end and reports it.
        for blow in (signal.SIGSTOP, signal.SIGKILL):
            for victim in victims:
                try:
                    os.kill(victim, blow)
                except ProcessLookupError:
                    pass
        self.processes[f"node{number}"].wait()
        return len(victims)

    def end(self):
        self.call("scancel", "--full", "--user=root")
        time.sleep(1)
        for process in reversed(list(self.processes.values())):
            if process.poll() is None:
                process.terminate()
        for process in self.processes.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def logs(self):
        text = ""
        for path in sorted(self.folder.glob("**/*.log")) + sorted(self.folder.glob("*.out")):
            text += f"== {path}\n" + path.read_text(errors="replace")[-3000:] + "\n"
        return text


def wait(condition, what, seconds):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"waited {seconds} s for {what}")
        time.sleep(0.1)


def limrisk(program, folder, *words):
    subprocess.run([program, *words], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def exported(program, folder, store):
    limrisk(program, folder, "export", store, "--format", "csv", "--out", "rows.csv", "--force")
    return (folder / "rows.csv").read_bytes()


def check(cluster, program, contents):
    folder = cluster.folder / contents
    folder.mkdir()
    (folder / "c.toml").write_text(CAMPAIGN.format(store=f'store = "{contents}"'))
    limrisk(program, folder, "run", "c.toml", "--quiet", "--store", "single.db")
    limrisk(program, folder, "slurm", "c.toml", "--jobs", "8", "--time", "0:20:00", "--out", "job.sh")
    submitted = subprocess.run(["bash", "job.sh"], cwd=folder, env=cluster.environment, capture_output=True, text=True, check=True)
    array, merge = re.match(r"array (\d+), then merge (\d+)\n", submitted.stdout).groups()

    def running():
        lines = cluster.call("squeue", "-h", "-r", "-t", "R", "-j", array, "-o", "%i %N").split("\n")
        return [line.split() for line in lines if line]

    def begun(task):
        """Some of its blocks are stored, and more are to come."""
        store = folder / "c-shards" / f"shard-{task.split('_')[1]}.db"
        try:
            with contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as database:
                table = "blocks" if contents == "trials" else "aggregates"
                return 0 < database.execute(f"SELECT coalesce(sum(count), 0) FROM {table}").fetchone()[0] < 3000
        except sqlite3.Error:
            return False

    wait(lambda: any(begun(task) for task, _ in running()), "a shard at work", 120)
    task, node = next(one for one in running() if begun(one[0]))
    killed = cluster.kill_node(int(node.removeprefix("node")))
    if killed < 3:
        raise RuntimeError(f"of {node} only {killed} processes were found and killed: not in mid-run")
    wait(lambda: "Restarts=1" in cluster.call("scontrol", "show", "job", task), f"task {task} to be queued again", 120)
    cluster.start_node(int(node.removeprefix("node")))
    wait(lambda: not cluster.call("squeue", "-h", "-j", merge).strip(), "the merge", 400)
    if not (folder / "c.db").exists():
        raise RuntimeError("the merge left no store")
    limrisk(program, folder, "verify", "c.db")
    if exported(program, folder, "c.db") != exported(program, folder, "single.db"):
        raise RuntimeError("the merged store differs from that of a single run")
    print(f"{contents}: 8 shards on {NODES} nodes, {node} killed under task {task} with {killed} processes, merged: equal to a single run", flush=True)


def main(program):
    missing = [name for name in ("munged", "slurmctld", "slurmd", "sbatch") if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        print("skipped: " + (f"no {', '.join(missing)} (Debian: slurm-wlm, munge)" if missing else "the daemons need root"))
        return SKIPPED
    program = str(Path(program).resolve())
    with tempfile.TemporaryDirectory(prefix="limrisk-slurm-") as name:
        cluster = Cluster(Path(name))
        try:
            cluster.start_all()
            for contents in ("trials", "summary"):
                check(cluster, program, contents)
        except Exception:
            print(cluster.logs(), file=sys.stderr)
            raise
        finally:
            cluster.end()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

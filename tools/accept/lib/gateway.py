"""A gateway as a process: started from a configuration, asked, reloaded, drained, read afterwards."""

import json
import os
import shlex
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

BINARY = Path(os.environ.get("COLLOQUY", Path(__file__).resolve().parents[3] / "target/release/colloquy"))
# What the gateway is started through, for instance a filter that refuses io_uring.
LAUNCHER = shlex.split(os.environ.get("ACCEPT_LAUNCHER", ""))
DRIVER = os.environ.get("ACCEPT_DRIVER", "auto")
PATIENCE_S = 60


def colloquy(*arguments, check=False, timeout=120, **options):
    """Runs a verb; its output as text."""
    done = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=timeout, **options)
    if check and done.returncode != 0:
        raise RuntimeError(f"colloquy {' '.join(map(str, arguments))}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def wait_until(what, is_so, patience_s=PATIENCE_S):
    """Polls until `is_so()` is true; its value. Raises what was waited for."""
    end = time.monotonic() + patience_s
    while True:
        value = is_so()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.02)  # Polls.


class Gateway:
    """A running gateway; as a context manager it is ended on the way out.

    `listeners` is TOML without [engine], [admin] and [log], which are added here.
    """

    def __init__(self, folder, config, engine="", admin="", name="gateway", driver=DRIVER):
        self.folder = Path(folder)
        self.path = self.folder / f"{name}.toml"
        self.log_path = self.folder / f"{name}.log"
        self.socket = self.folder / f"{name}.sock"
        self.engine, self.admin, self.driver = engine, admin, driver
        self.write(config)
        self._log = open(self.log_path, "wb")
        self.process = subprocess.Popen([*LAUNCHER, BINARY, "gateway", self.path], stderr=self._log, stdin=subprocess.DEVNULL)
        self.listeners, self.http = {}, None
        wait_until("the gateway listens", self._is_listening)

    def write(self, config):
        """Writes the configuration; a reload reads it."""
        self.path.write_text(
            f'schema_version = 1\n[engine]\ndriver = "{self.driver}"\n{self.engine}\n{config}\n'
            f'[admin]\naddress = "127.0.0.1:0"\ncontrol_socket = "{self.socket}"\n{self.admin}\n'
            '[log]\nformat = "json"\n', encoding="utf-8")

    def _is_listening(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"the gateway ended with {self.process.returncode}:\n{self.log_path.read_text()}")
        for record in self.records():
            if record.get("event_id") == "CLQ-G02":
                self.listeners[record["listener"]] = split(record["address"])
            if record.get("event_id") == "CLQ-G03":
                self.http = record["address"]
        return self.http and self._is_ready()

    def _is_ready(self):
        try:
            return self.get("/readyz")[0] == 200
        except OSError:
            return False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._log.close()

    def get(self, path):
        """Status and text of an admin page."""
        try:
            with urllib.request.urlopen(f"http://{self.http}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metrics(self):
        """Every series with its value."""
        lines = self.get("/metrics")[1].splitlines()
        return {series: float(value) for series, value in
                (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))}

    def metric(self, name, **labels):
        """The sum of the series of a name that have these labels."""
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        return sum(value for series, value in self.metrics().items()
                   if series.split("{")[0] == name and all(label in series for label in wanted))

    def records(self, event_id=None):
        """The log's records so far."""
        found = []
        for line in self.log_path.read_text(errors="replace").splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if event_id is None or record.get("event_id") == event_id:
                found.append(record)
        return found

    def verb(self, *arguments, **options):
        """A verb that talks to this gateway."""
        return colloquy(*arguments, "--socket", self.socket, **options)

    def signal(self, number):
        self.process.send_signal(number)

    def reload(self):
        self.signal(signal.SIGHUP)

    def descriptors(self):
        """Files that are open at rest: the fewest within a second. The gateway may not have closed yet what was asked of
        its admin port just now; what leaks is there all the time."""
        counts = []
        for _ in range(20):
            counts.append(len(os.listdir(f"/proc/{self.pid()}/fd")))
            time.sleep(0.05)  # Between two looks.
        return min(counts)

    def memory_kib(self):
        for line in Path(f"/proc/{self.pid()}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise RuntimeError("no VmRSS")

    def pid(self):
        """The gateway's own process, behind a launcher that replaces itself or waits for it."""
        return self.process.pid

    def wait(self, patience_s=PATIENCE_S):
        return self.process.wait(patience_s)


def drivers(folder):
    """Those that this system has; one alone where the environment has chosen."""
    if DRIVER != "auto" or LAUNCHER:
        return [DRIVER]
    try:
        with Gateway(folder, '[[listener]]\nname = "e"\naddress = "127.0.0.1:0"\napplication = "echo"\n', name="try", driver="io_uring"):
            return ["mio", "io_uring"]
    except RuntimeError:
        return ["mio"]


def split(address):
    host, port = address.rsplit(":", 1)
    return host.strip("[]"), int(port)


def free_port():
    """A port that nobody had a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]

"""A gateway as a process of its own: its configuration, its start and end, and its counters."""

import http.client
import subprocess
import time
from pathlib import Path

from parts import processes

START_S = 10.0

_CONFIG = """schema_version = 1

[engine]
driver = "{driver}"
shards = {shards}
sessions_max = {sessions_max}

[admin]
address = "127.0.0.1:{admin}"

[log]
level = "warn"

[[listener]]
name = "bench"
address = "127.0.0.1:{port}"
application = "{application}"
sessions_max = {sessions_max}
connections_not_established_max = {sessions_max}
connect_timeout = "30s"
"""

# Both sides of the relay agree on the same size of TPDU, so that its work is to forward, not to cut anew.
_TARGET = """target = "echo"

[[target]]
name = "echo"
address = "127.0.0.1:{target}"
tpdu_octets_max = 8192
connect_timeout = "20s"
"""


class Gateway:
    """A running gateway; as a context manager it is ended on the way out."""

    def __init__(self, binary, folder, driver, core, *, target=None, shards=1, sessions_max=16384):
        self.port, self.admin = processes.free_port(), processes.free_port()
        self.application = "echo" if target is None else "relay"
        self.config = _CONFIG.format(
            driver=driver, shards=shards, sessions_max=sessions_max,
            admin=self.admin, port=self.port, application=self.application,
        )
        if target is not None:
            self.config += _TARGET.format(target=target)
        path = Path(folder) / f"{self.application}-{self.port}.toml"
        path.write_text(self.config, encoding="utf-8")
        self._log = path.with_suffix(".log")
        with open(self._log, "wb") as log:
            self.process = processes.start([str(binary), "gateway", str(path)], core, log)
        self.pid = self.process.pid
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Ends it; returns the exit status."""
        return processes.end(self.process)

    def log_tail(self, lines=5):
        """The last lines it has logged: warnings and errors only."""
        return self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]

    def _get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def _wait_until_ready(self):
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                if self._get("/readyz")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.01)
        raise RuntimeError(f"{self.application} gateway does not start: {' | '.join(self.log_tail())}")

    def metrics(self):
        """Every series of /metrics: {"name{labels}": value}."""
        series = {}
        for line in self._get("/metrics")[1].splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                series[name] = float(value)
        return series

    def wait_for_established(self, count, patience_s, load):
        """Polls until `count` sessions are established; False when time or the load ends before."""
        return self._poll(lambda now: now[ESTABLISHED] >= count, patience_s, lambda: load.poll() is not None)

    def wait_until_empty(self, patience_s):
        """Polls until no session is left; False when time ends before."""
        return self._poll(lambda now: sessions_open(now) == 0, patience_s, lambda: False)

    def _poll(self, done, patience_s, hopeless):
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            if done(self.metrics()):
                return True
            if hopeless():
                return False
            time.sleep(0.05)
        return False


ESTABLISHED = 'colloquy_sessions{state="established",role="any"}'
DATA_IN = 'colloquy_spdus_total{spdu="DT",direction="in"}'
DATA_OUT = 'colloquy_spdus_total{spdu="DT",direction="out"}'
SYSTEM_CALLS = "colloquy_system_calls_total"


def sessions_open(series):
    """Sessions of all states and both roles."""
    return sum(series[f'colloquy_sessions{{state="all",role="{role}"}}'] for role in ("initiator", "responder"))


def difference(before, after):
    """What counters have counted between two looks: only those that moved, without gauges."""
    moved = {}
    for name, value in after.items():
        if name.split("{")[0].endswith("_total") and value != before.get(name, 0.0):
            moved[name] = int(value - before.get(name, 0.0))
    return moved


def version(binary):
    """What the binary says it is."""
    return subprocess.run([str(binary), "--version"], capture_output=True, text=True, check=True).stdout.strip()

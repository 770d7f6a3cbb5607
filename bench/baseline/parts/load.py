"""The load generator as a process of its own."""

import json
import tempfile
from pathlib import Path

from parts import processes

_PLAN = """schema_version = 1
to = ["127.0.0.1:{port}"]
sessions = {sessions}
ssdu_octets = {ssdu_octets}
depth = {depth}
mode = "closed"
warm_up_ms = {warm_up_ms}
duration_ms = {duration_ms}
drain_ms = 10000
driver = "{driver}"
check = "echo"
connect_timeout_ms = 30000
"""


class Load:
    """A running load; as a context manager it is ended on the way out."""

    def __init__(self, binary, folder, core, **plan):
        path = Path(folder) / f"load-{plan['port']}.toml"
        path.write_text(_PLAN.format(**plan), encoding="utf-8")
        self._out = tempfile.TemporaryFile(dir=folder)
        self.process = processes.start([str(binary), "load", str(path), "--json"], core, self._out)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        processes.end(self.process)
        self._out.close()

    def poll(self):
        """The exit status, or None while it runs."""
        return self.process.poll()

    def result(self, patience_s):
        """Waits for its end; the record it printed. Raises what says why there is none."""
        self.process.wait(patience_s)
        self._out.seek(0)
        text = self._out.read().decode(errors="replace")
        for line in text.splitlines():
            if line.startswith("{"):
                return json.loads(line)
        raise RuntimeError(f"load ended with {self.process.returncode} and no record: {text.strip()[-300:]}")

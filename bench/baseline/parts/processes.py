"""Processes under measurement: started on a core, looked at through /proc, ended whatever happens."""

import ctypes
import functools
import itertools
import os
import re
import resource
import signal
import socket
import subprocess
import time

_PR_SET_PDEATHSIG = 1
_CPUCLOCK_SCHED = 2
# Times that a busy ring is asked for its table.
RING_LOOKS_MAX = 200
_RING_ENTRY = re.compile(r" *\d+: ")
# Loaded here: nothing may be imported between fork and exec.
_LIBC = ctypes.CDLL(None, use_errno=True)


@functools.cache
def cores():
    """(core of the gateway, core of everything else); the same one where there is only one.

    Kept from the first call on: this process pins itself after it."""
    mine = sorted(os.sched_getaffinity(0))
    return mine[0], mine[-1] if len(mine) == 1 else mine[1]


def raise_open_files(wanted):
    """Raises the limit on open files of this process and its children as far as the system permits, up to
    `wanted`; returns the soft limit that came of it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limits in ((wanted, max(hard, wanted)), (min(wanted, hard), hard)):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            break
        except (ValueError, OSError):
            continue
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def start(command, core, output):
    """Starts a process on one core; it dies with this one."""

    def prepare():
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        os.sched_setaffinity(0, {core})

    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, preexec_fn=prepare
    )


def end(process, patience_s=5.0):
    """Asks a process to end, then makes it; returns the exit status (negative: the signal that ended it)."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return process.returncode


def free_port():
    """A TCP port on loopback, below the range that outgoing connections take theirs from."""
    for port in range(20000 + os.getpid() % 5000, 32000):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            if port not in _given:
                _given.add(port)
                return port
    raise RuntimeError("no free port")


_given = set()


def cpu_ns(pid):
    """CPU time of a process, all threads, living and ended, user and system: the pid clock of the system
    (`clock_getcpuclockid`)."""
    return time.clock_gettime_ns((~pid << 3) | _CPUCLOCK_SCHED)


def cpu_split_ticks(pid):
    """(user, system) CPU time of a process as the system samples it, in ticks of 10 ms."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return int(fields[11]), int(fields[12])


def open_files(pid):
    """Descriptors of a process; direct descriptors of its rings are none of them."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def direct_descriptors(pid):
    """Entries in use in the tables of a process's rings; None where the system does not tell."""
    folder, count = f"/proc/{pid}/fd", 0
    for name in os.listdir(folder):
        try:
            is_ring = "io_uring" in os.readlink(f"{folder}/{name}")
        except OSError:
            continue
        if is_ring:
            entries = _ring_entries(f"/proc/{pid}/fdinfo/{name}")
            if entries is None:
                return None
            count += entries
    return count


def _ring_entries(path):
    """The entries that a ring's fdinfo lists (`    7: ...`, one for each socket, under `UserFiles:`). A ring that is busy at
    the moment lists nothing at all, so it is asked again."""
    for _ in range(RING_LOOKS_MAX):
        with open(path, encoding="ascii", errors="replace") as file:
            lines = iter(file.read().splitlines())
        if any(line.startswith("UserFiles:") for line in lines):
            return sum(1 for _ in itertools.takewhile(_RING_ENTRY.match, lines))
        time.sleep(0.002)
    return None


def resident_octets(pid):
    """Resident memory of a process (VmRSS)."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    raise RuntimeError(f"process {pid} has no VmRSS")

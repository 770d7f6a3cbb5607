"""The machine: what it is, how busy others keep it, and how fast it is at this moment."""

import gzip
import hashlib
import os
import platform
import subprocess
import time
from datetime import datetime, timezone
from pathlib import Path

from parts import gateway, processes

# Fixed work of the calibration: about 40 ms on a core of 2023.
CALIBRATION_OCTETS = 48 << 20
_BLOCK = bytes(64 << 10)
_CORE_FIELDS = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")


def now():
    """RFC 3339 in UTC."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def calibrate(core):
    """Times a fixed amount of work (SHA-256) on a core: CPU time says how fast the core is, wall time
    beyond it what others took."""
    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        wall, cpu = time.monotonic_ns(), time.thread_time_ns()
        digest = hashlib.sha256()
        for _ in range(CALIBRATION_OCTETS // len(_BLOCK)):
            digest.update(_BLOCK)
        digest.digest()
        return {
            "core": core,
            "cpu_ns": time.thread_time_ns() - cpu,
            "wall_ns": time.monotonic_ns() - wall,
        }
    finally:
        os.sched_setaffinity(0, mine)


def core_times():
    """Ticks of 10 ms that each core has spent, by kind."""
    times = {}
    for line in _read("/proc/stat").splitlines():
        name, *ticks = line.split()
        if name.startswith("cpu") and name != "cpu":
            times[int(name[3:])] = dict(zip(_CORE_FIELDS, map(int, ticks)))
    return times


def core_shares(before, after):
    """For each core the share of the time between two looks, by kind."""
    shares = {}
    for core, ticks in after.items():
        spent = {kind: count - before[core][kind] for kind, count in ticks.items()}
        total = sum(spent.values())
        shares[str(core)] = {kind: round(count / total, 4) for kind, count in spent.items() if total and count}
    return shares


def load_average():
    return [float(word) for word in _read("/proc/loadavg").split()[:3]]


def socket_memory():
    """TCP sockets of the whole machine, and the memory the kernel holds in their queues."""
    for line in _read("/proc/net/sockstat").splitlines():
        if line.startswith("TCP:"):
            words = line.split()[1:]
            values = dict(zip(words[::2], map(int, words[1::2])))
            return {"in_use": values["inuse"], "time_wait": values["tw"],
                    "queued_octets": values["mem"] * os.sysconf("SC_PAGE_SIZE")}
    return None


def environment(binary, root):
    """What the numbers depend on, as far as it can be read."""
    info = _read("/proc/cpuinfo")
    gateway_core, load_core = processes.cores()
    return {
        "began_at": now(),
        "kernel": f"{platform.system()} {platform.release()}",
        "kernel_build": platform.version(),
        "kernel_preemption": _read("/sys/kernel/debug/sched/preempt") or None,
        "irq_time_accounting": _kernel_option("CONFIG_IRQ_TIME_ACCOUNTING"),
        "cpu_model": next((l.split(":")[1].strip() for l in info.splitlines() if l.startswith("model name")), None),
        "virtual": "hypervisor" in info,
        "cores": os.cpu_count(),
        "gateway_core": gateway_core,
        "load_core": load_core,
        "memory_octets": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "congestion_control": _read("/proc/sys/net/ipv4/tcp_congestion_control") or None,
        "tcp_rmem": _read("/proc/sys/net/ipv4/tcp_rmem") or None,
        "tcp_wmem": _read("/proc/sys/net/ipv4/tcp_wmem") or None,
        "load_average_before": load_average(),
        "python": platform.python_version(),
        "colloquy": gateway.version(binary),
        "binary_sha256": hashlib.sha256(Path(binary).read_bytes()).hexdigest(),
        "binary_built_at": datetime.fromtimestamp(Path(binary).stat().st_mtime, timezone.utc).strftime(
            "%Y-%m-%dT%H:%M:%SZ"
        ),
        "rustc": _output(["rustc", "--version"], root),
        "commit": _output(["git", "rev-parse", "HEAD"], root),
        "commit_at": _output(["git", "show", "-s", "--format=%cI", "HEAD"], root),
        "tree_is_clean": _output(["git", "status", "--porcelain", "--untracked-files=no"], root) == "",
    }


def kind():
    """A short name for this kind of machine, for the folder of a record: `xeon-2-cores-virtual`."""
    info = _read("/proc/cpuinfo").lower()
    families = ("xeon", "epyc", "ryzen", "core(tm)", "neoverse", "graviton", "apple")
    family = next((name for name in families if name in info), platform.machine().lower()).replace("(tm)", "")
    virtual = "-virtual" if "hypervisor" in info else ""
    return f"{family}-{os.cpu_count()}-cores{virtual}"


def _read(path):
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _output(command, root):
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _kernel_option(name):
    """"y", "n", or None where the kernel does not say how it was built."""
    try:
        text = gzip.decompress(Path("/proc/config.gz").read_bytes()).decode()
    except OSError:
        text = _read(f"/boot/config-{platform.release()}")
    if not text:
        return None
    return "y" if f"{name}=y" in text else "n"

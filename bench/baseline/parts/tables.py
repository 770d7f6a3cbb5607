"""The README of a record, made from its raw data alone."""

import json
from pathlib import Path

from parts import reading
from parts.occupancy import mib
from parts.statistics import Cell, cells_of, median, number, spread

# Share of a core from which it counts as full.
FULL = 0.95
LARGE_COPIES = 'colloquy_copies_total{size="large"}'
SIDES = ("io_uring", "mio")


def readme(folder):
    """The text of FOLDER/README.md."""
    folder = Path(folder)
    lines = _lines(folder / "raw.jsonl")
    environment = json.loads((folder / "environment.json").read_text(encoding="utf-8"))
    runs = [line for line in lines if line["kind"] == "run"]
    calibrations = [line for line in lines if line["kind"] == "calibration"]
    parts = [
        "# Baseline record: echo and relay on io_uring and mio\n",
        "Made by `bench/baseline/report` from `raw.jsonl`, `ten-thousand.jsonl` and `environment.json`; not edited.\n",
        _environment(environment, runs),
        reading.HOW_TO_READ,
    ]
    for application in ("echo", "relay"):
        cells = cells_of(runs, application, SIDES)
        if cells:
            parts += [f"## {application}\n", _cost(cells, environment["rounds"]), _rate(cells)]
    parts += [_occupancy(_lines(folder / "ten-thousand.jsonl")), _noise(calibrations, runs, environment)]
    parts.append(_not_counted(runs))
    return "\n".join(part for part in parts if part)


def _lines(path):
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def _table(head, rows):
    return "\n".join(["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
                     + ["| " + " | ".join(map(str, row)) + " |" for row in rows]) + "\n"


def _environment(environment, runs):
    clean = "clean tree" if environment.get("tree_is_clean") else "tree with changes"
    facts = [
        ("begun, ended", f"{environment['began_at']}, {environment.get('ended_at', 'not')}"),
        ("command", f"`{environment['command']}`"),
        ("commit", f"{environment['commit']} ({clean})"),
        ("binary", f"{environment['colloquy']}, built {environment['binary_built_at']}, "
                   f"SHA-256 {environment['binary_sha256'][:16]}..., {environment['rustc']}"),
        ("kernel", environment["kernel"]),
        ("CPU", f"{environment['cpu_model']}, {environment['cores']} cores"
                f"{', virtual machine' if environment['virtual'] else ''}"),
        ("congestion control", environment["congestion_control"]),
        ("gateway core, core of all else", f"{environment['gateway_core']}, {environment['load_core']}"),
        ("load average before, after", f"{environment['load_average_before']}, {environment.get('load_average_after')}"),
        ("rounds, window", f"{environment['rounds']}, {environment['seconds']} s after {environment['warm_up_s']} s of warm-up"),
        ("generator", f"`colloquy load`, closed loop, on {environment['load_driver']} in all runs, contents and order checked"),
        ("runs", f"{len(runs)}, of which {sum(run['counted'] for run in runs)} count"),
    ]
    return _table(("", ""), facts)


def _cost(cells, rounds):
    head = ["sessions", "octets", "depth"]
    for name in ("CPU us/SSDU", "CPU us/SPDU", "system calls/SPDU"):
        head += [f"{name} {side}" for side in SIDES]
        if name == "CPU us/SSDU":
            head.append("io_uring / mio: median (min..max)")
    head += [f"copies from 2 KiB/SSDU {side}" for side in SIDES]
    head.append(f"runs of {rounds}")
    rows = []
    for cell in cells:
        row = [cell.sessions, cell.ssdu_octets, cell.depth]
        for key, digits in (("cpu_us_per_ssdu", 2), ("cpu_us_per_spdu", 2), ("system_calls_per_spdu", 4)):
            row += [number(cell.median(side, key), digits) for side in SIDES]
            if key == "cpu_us_per_ssdu":
                row.append(spread(cell.paired_ratios("cpu_us_per_ssdu"), 2))
        row += [number(cell.median(side, _large_copies_per_ssdu), 2) for side in SIDES]
        rows.append(row + [" + ".join(str(len(cell.runs[side])) for side in SIDES)])
    return "What the gateway spends:\n\n" + _table(head, rows)


def _large_copies_per_ssdu(run):
    return run["window"]["counted"].get(LARGE_COPIES, 0) / run["ssdus"]


def _rate(cells):
    head = ["sessions", "octets", "depth"]
    for name in ("SSDU/s", "MB/s", "p50 us", "p99 us", "p99.9 us", "gateway's core %"):
        head += [f"{name} {side}" for side in SIDES]
    rows = []
    for cell in cells:
        row = [cell.sessions, cell.ssdu_octets, cell.depth]
        for key, digits in (("ssdu_per_s", 0), ("mb_per_s", 1)):
            row += [number(cell.median(side, key), digits) + _limited(cell, side) for side in SIDES]
        for key in ("p50", "p99", "p999"):
            row += [number(cell.median(side, lambda run, key=key: run["response_us"][key]), 0) for side in SIDES]
        row += [number(cell.median(side, lambda run: 100 * run["gateway_cpu_share"]), 0) for side in SIDES]
        rows.append(row)
    return "What the load saw, in a closed loop:\n\n" + _table(head, rows)


def _limited(cell: Cell, side):
    """` g` where in most runs the other side was what limited the rate."""
    runs = cell.runs[side]
    return " g" if runs and 2 * sum(map(_other_side_limits, runs)) > len(runs) else ""


def _other_side_limits(run):
    load_core = max(run["window"]["core_shares"], key=int)
    shares = run["window"]["core_shares"][load_core]
    busy = 1 - shares.get("idle", 0) - shares.get("iowait", 0)
    return run["generator_limited"] or (busy >= FULL > run["gateway_cpu_share"])


def _occupancy(lines):
    if not lines:
        return ""
    head = ("driver", "wave", "sessions", "shards", "descriptors before, peak, after",
            "direct descriptors before, peak, after", "resident MiB before, peak, after", "KiB/session at peak",
            "sessions after", "pinned octets after", "SSDUs answered", "lost, reordered, changed", "counts")
    rows = []
    for line in lines:
        row = [line["driver"], line["wave"], line["sessions"], line["shards"]]
        if "before" in line:
            looks = [line[name] for name in ("before", "peak", "after")]
            counts = line["load"]["counts"]
            row += [
                ", ".join(str(look["descriptors"]) for look in looks),
                ", ".join("?" if look["direct_descriptors"] is None else str(look["direct_descriptors"]) for look in looks),
                ", ".join(str(mib(look)) for look in looks),
                number(line["octets_per_session_at_peak"] / 1024, 2),
                number(looks[2]["sessions"], 0),
                "not told" if looks[2]["pinned_octets"] is None else number(looks[2]["pinned_octets"], 0),
                counts["answered"],
                f"{counts['lost']}, {counts['reordered']}, {counts['corrupted']}",
            ]
        else:
            row += ["-"] * 8
        rows.append(row + ["yes" if not line["marks"] else "; ".join(line["marks"])])
    return f"## {lines[0]['sessions_wanted']} sessions at once through the relay\n\n{reading.OCCUPANCY}\n" + _table(head, rows)


def _noise(calibrations, runs, environment):
    rows = []
    for core in sorted({line["core"] for line in calibrations}):
        mine = [line for line in calibrations if line["core"] == core]
        cpu = [line["cpu_ns"] / 1e6 for line in mine]
        taken = [100 * (1 - line["cpu_ns"] / line["wall_ns"]) for line in mine]
        rows.append((core, len(mine), spread(cpu, 1), spread(taken, 1)))
    text = f"## Noise\n\n{reading.NOISE}\n" + _table(
        ("core", "times", "CPU ms of the fixed work: median (min..max)", "% of its wall time taken by others"), rows
    )
    others = [
        100 * max(0.0, 1 - shares.get("idle", 0) - shares.get("iowait", 0) - run["gateway_cpu_share"])
        for run in runs
        if run["counted"]
        for shares in [run["window"]["core_shares"][str(environment["gateway_core"])]]
    ]
    if others:
        text += f"\nInside the windows, others had {spread(others, 1)} % of the gateway's core.\n"
    return text


def _not_counted(runs):
    left_out = [run for run in runs if not run["counted"]]
    if not left_out:
        return "## Runs that do not count\n\nNone.\n"
    rows = [(run["round"], run["cell"], run["driver"], run["attempt"], "; ".join(run["marks"])) for run in left_out]
    return "## Runs that do not count\n\nThey are in `raw.jsonl` and in no median.\n\n" + _table(
        ("round", "cell", "driver", "attempt", "why"), rows
    )

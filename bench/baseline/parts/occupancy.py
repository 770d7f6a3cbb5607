"""Ten thousand sessions at once through a relay: what they take, and whether it is given back."""

import contextlib
import json
import math
import tempfile
import time

from parts import machine, processes
from parts.cells import DRIVERS
from parts.gateway import Gateway, difference, sessions_open
from parts.load import Load

SESSIONS = 10_000
QUICK_SESSIONS = 500
WAVES = 2
SSDU_OCTETS = 256
DEPTH = 1
WARM_UP_S = 1.0
MEASURED_S = 3.0
ESTABLISH_S = 90.0
END_S = 90.0
EMPTY_S = 30.0
SETTLE_S = 3.0

# The relay has two connections a session; io_uring wants places for those that close beside them.
OPEN_FILES_WANTED = 65_536
DESCRIPTORS_SPARE = 64

BLOCKS_FREE = "colloquy_receive_blocks_free"
PINNED = "colloquy_receive_pinned_bytes"


def record(binary, sessions, load_driver, path):
    """Runs both drivers, writes a line for each wave, returns the lines."""
    lines = []
    limit = processes.raise_open_files(OPEN_FILES_WANTED)
    with open(path, "w", encoding="utf-8") as out:
        for driver in DRIVERS:
            for line in _driver(binary, driver, sessions, load_driver, limit):
                lines.append(line)
                out.write(json.dumps(line) + "\n")
                out.flush()
                print(f"{line['sessions']} sessions, {driver}, wave {line['wave']}: {in_words(line)}", flush=True)
    return lines


def in_words(line):
    if line["marks"]:
        return "MARKED " + "; ".join(line["marks"])
    before, peak, after = (line[name] for name in ("before", "peak", "after"))
    return (f"descriptors {before['descriptors']} -> {peak['descriptors']} (direct {peak['direct_descriptors']}) "
            f"-> {after['descriptors']}, resident MiB {mib(before)} -> {mib(peak)} -> {mib(after)}")


def mib(look):
    return round(look["resident_octets"] / (1 << 20), 1)


def shards_for(driver, sessions, limit):
    """Shards of the relay: one, but as many rings as it takes where the limit on open files, which bounds the
    table of each ring, does not let one hold both sides of all sessions. SO_REUSEPORT spreads unevenly."""
    connections = 2 * sessions
    if driver == "mio" or connections + DESCRIPTORS_SPARE <= limit:
        return 1
    return math.ceil((connections * 9 / 8 + DESCRIPTORS_SPARE) / limit)


def sessions_that_fit(driver, sessions, limit):
    """Sessions of the relay: on mio each takes two descriptors of a limit that is the whole process's."""
    return min(sessions, (limit - DESCRIPTORS_SPARE) // 2) if driver == "mio" else sessions


def _driver(binary, driver, wanted, load_driver, limit):
    """The waves of one driver, on the same relay: the second shows whether the first left anything behind."""
    sessions = sessions_that_fit(driver, wanted, limit)
    base = {"kind": "occupancy", "driver": driver, "sessions_wanted": wanted, "sessions": sessions, "ssdu_octets": SSDU_OCTETS,
            "depth": DEPTH, "open_files_limit": limit, "shards": shards_for(driver, sessions, limit)}
    room = 2 * sessions + 1024
    core, load_core = processes.cores()
    wave, empty = 0, None
    try:
        with contextlib.ExitStack() as running:
            folder = running.enter_context(tempfile.TemporaryDirectory(prefix="colloquy-baseline-"))
            echo = running.enter_context(Gateway(binary, folder, driver, load_core, sessions_max=room))
            relay = running.enter_context(Gateway(
                binary, folder, driver, core, target=echo.port, shards=base["shards"], sessions_max=room
            ))
            for wave in range(1, WAVES + 1):
                line = base | {"wave": wave, "began_at": machine.now(), "load_average": machine.load_average()}
                line |= _wave(binary, folder, relay, empty, sessions, load_driver)
                empty = empty or line["before"]
                line["marks"] = _marks(line)
                yield line
    except Exception as error:  # A driver that cannot do it is a result too, and the other goes on.
        yield base | {"wave": max(wave, 1), "marks": [f"failed: {type(error).__name__}: {error}"]}


def _wave(binary, folder, relay, empty, sessions, load_driver):
    before = _look(relay)
    empty = empty or before
    first = relay.metrics()
    _, load_core = processes.cores()
    with Load(binary, folder, load_core, port=relay.port, sessions=sessions, driver=load_driver,
              ssdu_octets=SSDU_OCTETS, depth=DEPTH, warm_up_ms=round(WARM_UP_S * 1000),
              duration_ms=round(MEASURED_S * 1000)) as load:
        established = relay.wait_for_established(2 * sessions, ESTABLISH_S, load)
        time.sleep(WARM_UP_S + MEASURED_S / 2)
        peak = _look(relay)
        result = load.result(END_S)
    emptied = relay.wait_until_empty(EMPTY_S)
    after = _settled(relay, before)
    return {
        "all_established": established, "emptied": emptied, "before": before, "peak": peak, "after": after,
        "octets_per_session_at_peak": (peak["resident_octets"] - empty["resident_octets"]) / sessions,
        "counted": difference(first, relay.metrics()), "load": result, "gateway_log": relay.log_tail(),
    }


def _look(relay):
    descriptors = processes.open_files(relay.pid)
    for _ in range(5):
        # The connection of the last look at the metrics may still be closing.
        time.sleep(0.01)
        descriptors = min(descriptors, processes.open_files(relay.pid))
    series = relay.metrics()
    return {
        "descriptors": descriptors,
        "direct_descriptors": processes.direct_descriptors(relay.pid),
        "resident_octets": processes.resident_octets(relay.pid),
        "sessions": sessions_open(series),
        "blocks_free": series.get(BLOCKS_FREE),
        "pinned_octets": series.get(PINNED),
        "kernel_sockets": machine.socket_memory(),
    }


def _settled(relay, before):
    """The look after a wave: polled, because the system closes sockets after the sessions have ended."""
    deadline = time.monotonic() + SETTLE_S
    while True:
        look = _look(relay)
        same = not any(_left(before, look).values())
        if same or time.monotonic() > deadline:
            return look
        time.sleep(0.05)


def _marks(line):
    counts, before, peak, after = line["load"]["counts"], line["before"], line["peak"], line["after"]
    reasons = [
        f"{counts[name]} SSDUs {name}" for name in ("lost", "reordered", "corrupted", "unexpected") if counts[name]
    ]
    if counts["released"] != line["sessions"]:
        reasons.append(f"{counts['released']} of {line['sessions']} sessions were released in order")
    if not line["all_established"] or peak["sessions"] < 2 * line["sessions"]:
        reasons.append(f"{peak['sessions']:.0f} of {2 * line['sessions']} sides were open at the peak")
    if not line["emptied"] or after["sessions"]:
        reasons.append(f"{after['sessions']:.0f} sides are left")
    reasons += [f"{count} {name.replace('_', ' ')} are left" for name, count in _left(before, after).items() if count]
    if after["pinned_octets"]:
        reasons.append(f"{after['pinned_octets']:.0f} octets of the receive pool are left pinned")
    return reasons


def _left(before, after):
    """Descriptors that are there after and were not before, by kind."""
    return {
        name: max(0, after[name] - before[name])
        for name in ("descriptors", "direct_descriptors")
        if None not in (before[name], after[name])
    }

"""One run: a fresh gateway of one driver, a load, and what the gateway spent inside the measured window."""

import contextlib
import tempfile
import time

from parts import machine, processes
from parts.gateway import DATA_IN, DATA_OUT, ESTABLISHED, SYSTEM_CALLS, Gateway, difference
from parts.load import Load

WARM_UP_S = 0.4
# The load's measured part is longer than the window, because that its sessions are established is seen late.
MARGIN_S = 0.3
ESTABLISH_S = 60.0
END_S = 60.0

# SPDUs (DT, in and out) that the gateway handles for each SSDU that goes to the echo and comes back.
SPDUS_PER_SSDU = {"echo": 2, "relay": 4}
# Established sessions that the gateway counts for each session of the load: a relay has both sides.
SIDES = {"echo": 1, "relay": 2}

GENERATOR_REASON = "the generator used"


def run(binary, shape, driver, load_driver, seconds):
    """The record of one run. Never raises for what goes wrong in it: that is in the record."""
    record = {"kind": "run", "began_at": machine.now(), "application": shape.application, "driver": driver,
              "sessions": shape.sessions, "ssdu_octets": shape.ssdu_octets, "depth": shape.depth}
    try:
        with tempfile.TemporaryDirectory(prefix="colloquy-baseline-") as folder:
            record |= _run(binary, folder, shape, driver, load_driver, seconds)
    except Exception as error:  # A failing cell is a result too, and the others go on.
        record["error"] = f"{type(error).__name__}: {error}"
    record["marks"] = marks(record)
    record["counted"] = not record["marks"]
    return record


def _run(binary, folder, shape, driver, load_driver, seconds):
    gateway_core, load_core = processes.cores()
    with contextlib.ExitStack() as running:
        echo = None
        if shape.application == "relay":
            echo = running.enter_context(Gateway(binary, folder, driver, load_core))
        gateway = running.enter_context(
            Gateway(binary, folder, driver, gateway_core, target=echo and echo.port)
        )
        load = running.enter_context(Load(
            binary, folder, load_core, port=gateway.port, sessions=shape.sessions, driver=load_driver,
            ssdu_octets=shape.ssdu_octets, depth=shape.depth, warm_up_ms=round(WARM_UP_S * 1000),
            duration_ms=round((seconds + MARGIN_S) * 1000),
        ))
        expected = shape.sessions * SIDES[shape.application]
        established = gateway.wait_for_established(expected, ESTABLISH_S, load)
        window = _window(gateway, echo, seconds) if established else None
        record = {"load": load.result(END_S)}
        if window is not None:
            record["window"] = window
            record["whole_window_under_load"] = window.pop("established_at_end") == expected
            record |= _derive(shape, window)
        load_record = record["load"]
        record |= {key: load_record[key] for key in ("ssdu_per_s", "mb_per_s", "response_us")}
        reasons = load_record["invalid_reasons"]
        record["generator_limited"] = any(reason.startswith(GENERATOR_REASON) for reason in reasons)
        record["gateway_exit"] = gateway.stop()
        record["gateway_log"] = gateway.log_tail()
        return record


def _look(gateway, echo):
    """Counters, then clocks. The counters come first at both ends of the window, so that what a look costs
    falls into the window once and what it delays cancels out."""
    series = gateway.metrics()
    return {
        "series": series,
        "at": time.monotonic(),
        "cpu_ns": processes.cpu_ns(gateway.pid),
        "ticks": processes.cpu_split_ticks(gateway.pid),
        "echo_cpu_ns": processes.cpu_ns(echo.pid) if echo else None,
        "cores": machine.core_times(),
    }


def _window(gateway, echo, seconds):
    time.sleep(WARM_UP_S)
    first = _look(gateway, echo)
    time.sleep(seconds)
    last = _look(gateway, echo)
    user, system = (last["ticks"][i] - first["ticks"][i] for i in (0, 1))
    return {
        "seconds": last["at"] - first["at"],
        "cpu_ns": last["cpu_ns"] - first["cpu_ns"],
        "cpu_user_ticks": user,
        "cpu_system_ticks": system,
        "echo_cpu_ns": last["echo_cpu_ns"] - first["echo_cpu_ns"] if echo else None,
        "counted": difference(first["series"], last["series"]),
        "core_shares": machine.core_shares(first["cores"], last["cores"]),
        "load_average": machine.load_average(),
        "established_at_end": last["series"][ESTABLISHED],
    }


def _derive(shape, window):
    counted = window["counted"]
    spdus = counted.get(DATA_IN, 0) + counted.get(DATA_OUT, 0)
    ssdus = spdus / SPDUS_PER_SSDU[shape.application]
    cpu_us = window["cpu_ns"] / 1000
    per = lambda value, count: value / count if count else None
    return {
        "spdus": spdus,
        "ssdus": ssdus,
        "cpu_us_per_ssdu": per(cpu_us, ssdus),
        "cpu_us_per_spdu": per(cpu_us, spdus),
        "system_calls_per_spdu": per(counted.get(SYSTEM_CALLS, 0), spdus),
        "gateway_cpu_share": cpu_us / 1e6 / window["seconds"],
        "window_ssdu_per_s": ssdus / window["seconds"],
    }


def marks(record):
    """Why a run does not count; empty when it does.

    That the generator was busy is no such reason: it limits the rate and is in the latency, and both are
    marked in the tables; what the gateway spent on each SSDU that came is measured all the same.
    """
    if "error" in record:
        return [f"failed: {record['error']}"]
    load = record["load"]
    reasons = [reason for reason in load["invalid_reasons"] if not reason.startswith(GENERATOR_REASON)]
    if load["counts"]["lost"] and not any("lost" in reason for reason in reasons):
        reasons.append(f"{load['counts']['lost']} SSDUs were lost")
    if "window" not in record:
        reasons.append("the sessions were not all established in time")
    elif not record["whole_window_under_load"]:
        reasons.append("sessions ended inside the window")
    elif not record["spdus"]:
        reasons.append("the gateway carried nothing inside the window")
    if record["gateway_exit"] != 0:
        reasons.append(f"the gateway ended with {record['gateway_exit']}")
    return reasons

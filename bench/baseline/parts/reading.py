"""What the tables of a record mean: the words that stand beside the numbers."""

HOW_TO_READ = """## How to read it

- **SSDU**: one that the load sent and that came back. The echo handles 2 DT SPDUs for it (in, out), the relay 4
  (in and out on each side). SPDUs are counted by the gateway (`colloquy_spdus_total{spdu="DT"}`); SSDUs are these
  over 2 or 4.
- **CPU us/SSDU**: CPU time of the gateway process, all threads, user and system, by the pid clock of the system,
  over the SSDUs of the same window. Left out: the generator, and with the relay the echo behind it. What the kernel
  does for TCP on loopback runs in the context of whoever sends, so the gateway pays for the way of its octets up to
  the other side's socket, and the other side for the way to the gateway. Both drivers are alike in that. Where
  the kernel has `CONFIG_IRQ_TIME_ACCOUNTING` (`irq_time_accounting` in `environment.json`), softirq time is in no
  process's CPU time and the numbers are lower; what `ksoftirqd` takes over is in none either (`core_shares` of each
  run in `raw.jsonl` has the whole core).
- **System calls/SPDU**: what the gateway's driver counts (`colloquy_system_calls_total`) over SPDUs. Calls of the
  admin and log threads are not in it.
- **Copies from 2 KiB/SSDU**: user-space copies of 2 KiB or more that the gateway counts (`colloquy_copies_total`).
- **io_uring / mio**: the two drivers run one after the other in each round, in turning order; the ratio is taken
  within each pair. Below 1, io_uring spends less. A range that contains 1 shows no difference.
- All numbers are medians over the runs that count; the last column of the first table says how many those are.
- **Placement**: gateway with one shard on a core of its own; the generator, and with the relay the echo behind it
  (same driver as the relay), share the other core. **g** marks rates that this other core limited in most runs:
  the gateway could have carried more, and its CPU per SSDU is that of a gateway which waits in between. The
  generator calls such a run not valid when it used over 85 % of its core; that verdict is in `raw.jsonl` and alone
  keeps no run out of the medians, because what it doubts is the rate and not what the gateway spent.
- **What keeps a run out of all medians**: an SSDU lost, out of order or changed; a session that failed or ended
  early; a window that the load did not fill; a gateway that did not end in order; any other verdict of the
  generator than the one above. Such a run is repeated once in its place.
- **SSDU/s, MB/s** (10^6 octets of user data, each way) and latency are the generator's, over its measured part,
  which begins a little before the window and is 0.3 s longer.
- **Latency** (p50, p99, p99.9) is from sending to the whole answer, in a closed loop: it holds the time in the
  queues of all sessions x depth SSDUs in flight and is about their number over the rate. It compares drivers under
  the same load, and is not what a user sees at a lower one.
- **gateway's core %**: CPU time of the gateway over wall time.
- Each run has a new gateway; SSDUs are all of one size; log level is `warn`; a TPDU has up to 8192 octets on both
  sides of the relay; otherwise the gateway's defaults. With 16 x 1000 x 16384 octets in flight, a round trip is a
  large part of the window.
"""

OCCUPANCY = """One relay process for each driver, loaded twice with the same number of sessions, each SSDU of 256 octets checked for
content and order, depth 1. "Peak" is read under load with all sessions established; "after" when the gateway counts
no session any more. Each session is two connections of the relay. On mio each is a descriptor, and the limit on open
files of a process bounds the sessions (`open_files_limit` and `sessions_wanted` in `ten-thousand.jsonl`). On io_uring
connections are direct descriptors, which the same limit bounds for each ring and not for the process: hence the shards,
one ring each. KiB/session is resident memory at the peak less that of the relay before its first session. Resident memory is VmRSS of the relay: what the kernel holds for sockets is not in
it. Tables and pools that have grown are kept for the next sessions: that memory of the second wave ends where it
began is what says that nothing leaks.
"""

NOISE = """Before each pair the same work (SHA-256 over 48 MiB) is timed on both cores.
"""

"""Runs a program under the seccomp profile of a container runtime: what the profile does not allow fails with EPERM.

usage: under_profile.py PROFILE.json PROGRAM ARGUMENTS...

Understands profiles that allow by name and nothing else. The numbers of system calls come from the kernel's header.
"""

import ctypes
import errno
import json
import os
import re
import struct
import sys

HEADER = "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 22, 38
SECCOMP_MODE_FILTER = 2
RET_ALLOW, RET_ERRNO = 0x7FFF0000, 0x00050000
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06


def instruction(code, then, otherwise, value):
    return struct.pack("HBBI", code, then, otherwise, value)


def main(profile, program):
    with open(HEADER, encoding="ascii") as header:
        numbers = dict(re.findall(r"#define __NR_(\w+) (\d+)", header.read()))
    with open(profile, encoding="utf-8") as file:
        rules = json.load(file)
    assert rules["defaultAction"] == "SCMP_ACT_ERRNO"
    code = [instruction(LOAD, 0, 0, 0)]
    for rule in rules["syscalls"]:
        assert rule["action"] == "SCMP_ACT_ALLOW" and set(rule) == {"comment", "names", "action"}
        for name in rule["names"]:
            # Each followed by its own return: jumps reach no further than 255.
            code.append(instruction(JUMP_IF_EQUAL, 0, 1, int(numbers[name])))
            code.append(instruction(RETURN, 0, 0, RET_ALLOW))
    code.append(instruction(RETURN, 0, 0, RET_ERRNO | errno.EPERM))
    octets = ctypes.create_string_buffer(b"".join(code))
    filter_program = struct.pack("HxxxxxxP", len(code), ctypes.addressof(octets))
    libc = ctypes.CDLL(None, use_errno=True)
    for call in (
        (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filter_program, 0, 0),
    ):
        if libc.prctl(*call) != 0:
            sys.exit(f"under_profile.py: prctl: {os.strerror(ctypes.get_errno())}")
    os.execv(program[0], program)


main(sys.argv[1], sys.argv[2:])

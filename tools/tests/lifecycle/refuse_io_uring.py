"""Runs a program under a seccomp filter that refuses io_uring, as container runtimes do: io_uring_setup, _enter and
_register fail with EPERM. A real filter of the kernel, which the program cannot take off.

usage: refuse_io_uring.py PROGRAM ARGUMENTS...
"""

import ctypes
import errno
import os
import struct
import sys

PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 22, 38
SECCOMP_MODE_FILTER = 2
RET_ALLOW, RET_ERRNO = 0x7FFF0000, 0x00050000
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
# The same numbers on x86-64 and aarch64.
IO_URING = (425, 426, 427)


def instruction(code, then, otherwise, value):
    return struct.pack("HBBI", code, then, otherwise, value)


def main(program):
    # Octet 0 of what the filter sees is the number of the system call.
    code = [instruction(LOAD, 0, 0, 0)]
    for place, number in enumerate(IO_URING):
        code.append(instruction(JUMP_IF_EQUAL, len(IO_URING) - place, 0, number))
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
            sys.exit(f"refuse_io_uring.py: prctl: {os.strerror(ctypes.get_errno())}")
    os.execv(program[0], program)


main(sys.argv[1:])

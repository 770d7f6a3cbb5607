"""Starts a program as a service manager does: passes listening sockets, sets whose environment it is.

usage: launch.py [--socket NAME=PORT]... [--heir FILE] [--watchdog MICROSECONDS] -- PROGRAM ARGUMENTS...

Prints the addresses of the sockets, one a line. The program gets this process, so that its number stays. An heir keeps the
first socket as a service manager does, and serves one connection of it once FILE is there.
"""

import os
import socket
import sys
import time

FIRST = 3


def inherit(listener, path):
    """What the next process does with who has waited for it."""
    # The log is read until nobody has its pipe.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    end = time.monotonic() + 60
    while not os.path.exists(path):
        if time.monotonic() > end:
            os._exit(1)
        time.sleep(0.01)
    listener.settimeout(20)
    connection, _ = listener.accept()
    connection.sendall(b"the next process")
    connection.close()
    os._exit(0)


def main(arguments):
    split = arguments.index("--")
    options, program = arguments[:split], arguments[split + 1 :]
    names, sockets, heir = [], [], None
    while options:
        option, value = options.pop(0), options.pop(0)
        if option == "--socket":
            name, port = value.split("=")
            names.append(name)
            sockets.append(socket.create_server(("127.0.0.1", int(port)), reuse_port=True))
        elif option == "--heir":
            heir = value
        elif option == "--watchdog":
            os.environ["WATCHDOG_USEC"] = value
            os.environ["WATCHDOG_PID"] = str(os.getpid())
        else:
            sys.exit(f"launch.py: {option}")
    for listener in sockets:
        print("{}:{}".format(*listener.getsockname()), flush=True)
    if heir and os.fork() == 0:
        inherit(sockets[0], heir)
    # Above every number that is to be taken, so that no copy closes another.
    copies = [os.dup2(listener.fileno(), 100 + index) for index, listener in enumerate(sockets)]
    for index, copy in enumerate(copies):
        os.dup2(copy, FIRST + index, inheritable=True)
    if sockets:
        os.environ["LISTEN_FDS"] = str(len(sockets))
        os.environ["LISTEN_FDNAMES"] = ":".join(names)
        os.environ["LISTEN_PID"] = str(os.getpid())
    os.execv(program[0], program)


main(sys.argv[1:])

"""MMS client of libiec61850 (pyiec61850-ng) that waits to be ended: mms_waiter.py HOST PORT

Associates, reads the names of the devices, prints WAITING, and ends with status 0 when the association is gone.
"""
import sys
import time

from pyiec61850 import pyiec61850 as lib

ATTEMPTS = 10
TIME_MAX = 40.0


def associate(host, port):
    """An association that works: see connect() of mms_client.py for why the first may not."""
    for _ in range(ATTEMPTS):
        connection = lib.IedConnection_create()
        _, error = lib.IedConnection_connect(connection, host, port)
        if error == lib.IED_ERROR_OK and lib.IedConnection_getState(connection) == lib.IED_STATE_CONNECTED:
            devices, error = lib.IedConnection_getLogicalDeviceList(connection)
            if error == lib.IED_ERROR_OK and devices is not None:
                return connection
        lib.IedConnection_destroy(connection)
    sys.exit("no association")


def main():
    connection = associate(sys.argv[1], int(sys.argv[2]))
    print("WAITING", flush=True)
    end = time.monotonic() + TIME_MAX
    while lib.IedConnection_getState(connection) == lib.IED_STATE_CONNECTED:
        if time.monotonic() > end:
            sys.exit("the association is still there")
        time.sleep(0.02)
    lib.IedConnection_destroy(connection)


main()

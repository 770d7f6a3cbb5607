"""Transport class 0 of python-snap7: snap7_client.py HOST PORT

The transport is snap7's (CR, CC, DT, DR), the SPDUs in it are by hand: snap7 knows no session. Echoes SSDUs
that fit one TPDU of 1024 octets, and ends with DR, as snap7 does.
"""
import os
import sys

from snap7.connection import ISOTCPConnection

CONNECT = bytes.fromhex("0d19 0506130100160102 14020002 33020001 34020001 c103a1a2a3")
ACCEPT = bytes.fromhex("0e15 0506130100160102 14020002 34020001 c103a1a2a3")
HEADER = bytes.fromhex("01000100")


def main():
    connection = ISOTCPConnection(sys.argv[1], int(sys.argv[2]), local_tsap=0x0100, remote_tsap=0x0102)
    connection.connect()
    assert connection.pdu_size == 1024, connection.pdu_size
    connection.send_data(CONNECT)
    accept = connection.receive_data()
    assert accept == ACCEPT, accept.hex()
    sizes = [1, 2, 254, 255, 256, 1000, 1017]
    for size in sizes:
        ssdu = os.urandom(size)
        connection.send_data(HEADER + ssdu)
        assert connection.receive_data() == HEADER + ssdu, f"SSDU of {size} octets"
    connection.disconnect()
    print("echoed", len(sizes))


main()

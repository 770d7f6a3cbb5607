"""Session initiator of icspacket: icspacket_initiator.py HOST PORT [SSDUS]

Its CONNECT has parameters out of order (22 before 19, 52 before 51), which a responder must accept.
Releases with FINISH and demands DISCONNECT; then opens a second session and aborts it.
"""
import os
import sys

from icspacket.proto.cotp.connection import COTP_Connection
from icspacket.proto.iso_ses.session import ISO_Session
from icspacket.proto.tpkt import tpktsock


def open_session(address):
    session = ISO_Session(COTP_Connection(sock_cls=tpktsock, timeout=10))
    session.init_session(b"hello from icspacket", address)
    assert session.negotiated is not None and session.negotiated.version == 2, session.negotiated
    return session


def main():
    address = (sys.argv[1], int(sys.argv[2]))
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 50
    session = open_session(address)
    for index in range(count):
        ssdu = os.urandom(1 + index * 97 % 2500)
        session.send_data(ssdu)
        assert session.recv_data() == ssdu, f"SSDU {index}"
    result = session.close_session_result(b"bye", graceful=True)
    assert result is not None and result.accepted, result
    open_session(address).abort_session(b"enough")
    print("echoed", count)


main()

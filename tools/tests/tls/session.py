"""A session over TLS with the ssl module of Python: CR and CC, CN and AC, DT and their echo, FN and DN.

Prints one JSON object: what was agreed, or how it was refused.
"""

import argparse
import json
import socket
import ssl
import struct
import sys

VERSIONS = {"1.1": ssl.TLSVersion.TLSv1_1, "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--authority", required=True)
    parser.add_argument("--certificate")
    parser.add_argument("--version", choices=VERSIONS)
    parser.add_argument("--name", default="gateway.example")
    parser.add_argument("--calling-tsap", default="0001")
    parser.add_argument("--called-ssap", default="")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--hold", action="store_true")
    parser.add_argument("--cut", action="store_true")
    return parser.parse_args()


def context(options):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.load_verify_locations(options.authority)
    if options.certificate:
        made.load_cert_chain(options.certificate + ".pem", options.certificate + ".key")
    if options.version:
        if options.version == "1.1":
            made.set_ciphers("DEFAULT:@SECLEVEL=0")
        made.minimum_version = made.maximum_version = VERSIONS[options.version]
    return made


class Peer:
    def __init__(self, stream):
        self.stream = stream

    def send(self, tpdu):
        self.stream.sendall(struct.pack(">BBH", 3, 0, len(tpdu) + 4) + tpdu)

    def data(self, spdus):
        self.send(b"\x02\xf0\x80" + spdus)

    def exactly(self, count):
        octets = b""
        while len(octets) < count:
            more = self.stream.recv(count - len(octets))
            if not more:
                raise EOFError(f"closed after {len(octets)} of {count} octets")
            octets += more
        return octets

    def receive(self):
        version, _, length = struct.unpack(">BBH", self.exactly(4))
        assert version == 3, version
        return self.exactly(length - 4)

    def tsdu(self):
        whole = b""
        while True:
            tpdu = self.receive()
            assert tpdu[1] == 0xF0, tpdu
            whole += tpdu[3:]
            if tpdu[2] & 0x80:
                return whole


def session(peer, options):
    tsap = bytes.fromhex(options.calling_tsap)
    parameters = b"\xc0\x01\x0d" + b"\xc1" + bytes([len(tsap)]) + tsap + b"\xc2\x02\x00\x01"
    body = b"\xe0\x00\x00\x00\x01\x00" + parameters
    peer.send(bytes([len(body)]) + body)
    answer = peer.receive()
    if answer[1] == 0x80:
        return {"disconnect": answer[6]}
    assert answer[1] == 0xD0, answer
    ssap = bytes.fromhex(options.called_ssap)
    selectors = b"\x34" + bytes([len(ssap)]) + ssap if ssap else b""
    items = b"\x05\x06\x13\x01\x00\x16\x01\x02" + b"\x14\x02\x00\x02" + selectors
    peer.data(b"\x0d" + bytes([len(items)]) + items)
    accept = peer.tsdu()
    if accept[0] == 0x0C:
        at = accept.find(b"\x32\x01")
        return {"refused": accept[at + 2] if at >= 0 else None}
    assert accept[0] == 0x0E, accept
    for number in range(options.rounds):
        user_data = bytes([number & 0xFF]) * (1, 64, 1000, 4000)[number % 4]
        peer.data(b"\x01\x00\x01\x00" + user_data)
        echoed = peer.tsdu()
        assert echoed == b"\x01\x00\x01\x00" + user_data, (number, echoed[:20])
    if options.hold:
        print("open", flush=True)
        for line in sys.stdin:
            user_data = line.encode()
            peer.data(b"\x01\x00\x01\x00" + user_data)
            assert peer.tsdu()[4:] == user_data
            print("echoed", flush=True)
    if options.cut:
        return {"cut": True}
    peer.data(b"\x09\x00")
    answer = peer.tsdu()
    assert answer[0] == 0x0A, answer
    return {"released": True}


def main():
    options = parse()
    with socket.create_connection(("127.0.0.1", options.port), timeout=30) as plain:
        address = plain.getsockname()
        result = {"peer": f"{address[0]}:{address[1]}"}
        try:
            with context(options).wrap_socket(plain, server_hostname=options.name) as stream:
                result["version"], result["cipher"] = stream.version(), stream.cipher()[0]
                result.update(session(Peer(stream), options))
                if not options.cut:
                    stream.unwrap()
        except (ssl.SSLError, OSError, EOFError) as error:
            result["error"] = f"{type(error).__name__}: {error}"
    print(json.dumps(result))


main()

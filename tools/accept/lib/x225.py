"""An X.225 user in a few lines: TPKT, COTP class 0 and the kernel with duplex, over asyncio streams.

Written from the Recommendations and sharing no code with the gateway, so that it judges and does not agree.
"""

import asyncio
import socket
import ssl as _ssl
import struct

GT_DT = b"\x01\x00\x01\x00"
# SPDU identifiers, X.225 8.3.
CN, AC, RF, FN, DN, NF, AB, AA = 13, 14, 12, 9, 10, 8, 25, 26


class Gone(Exception):
    """The connection is over: `how` is eof or reset."""

    def __init__(self, how):
        super().__init__(how)
        self.how = how


def tpkt(tpdu):
    return b"\x03\x00" + (len(tpdu) + 4).to_bytes(2, "big") + tpdu


def connect_request(called, calling, tpdu_code=0x0A):
    body = b"\x00\x00\x00\x01\x00" + bytes([0xC0, 1, tpdu_code])
    for code, selector in ((0xC1, calling), (0xC2, called)):
        if selector:
            body += bytes([code, len(selector)]) + selector
    return tpkt(bytes([len(body) + 1, 0xE0]) + body)


def parameter(code, value):
    if len(value) < 255:
        return bytes([code, len(value)]) + value
    return bytes([code, 255]) + len(value).to_bytes(2, "big") + value


def spdu(identifier, body=b""):
    return parameter(identifier, body)


def connect_spdu(called, calling, user_data, units=2):
    body = parameter(5, parameter(0x13, b"\x00") + parameter(0x16, b"\x02"))
    body += parameter(0x14, units.to_bytes(2, "big"))
    body += parameter(0x33, calling) + parameter(0x34, called)
    return spdu(CN, body + (parameter(0xC1, user_data) if user_data else b""))


def dt_tpdus(tsdu, size=1024):
    """The TSDU in DT TPDUs of at most `size` octets."""
    room = size - 3
    pieces = [tsdu[at:at + room] for at in range(0, len(tsdu), room)] or [b""]
    last = len(pieces) - 1
    return b"".join(tpkt(b"\x02\xf0" + (b"\x80" if at == last else b"\x00") + piece) for at, piece in enumerate(pieces))


def first_spdu(tsdu):
    """Identifier and parameter field of the first SPDU of a TSDU."""
    identifier, length, at = tsdu[0], tsdu[1], 2
    if length == 255:
        length, at = int.from_bytes(tsdu[2:4], "big"), 4
    return identifier, tsdu[at:at + length], tsdu[at + length:]


def parameters(field):
    """The parameters of a field, groups opened, as a dictionary."""
    found, at = {}, 0
    while at + 1 < len(field):
        code, length, begin = field[at], field[at + 1], at + 2
        if length == 255:
            length, begin = int.from_bytes(field[at + 2:at + 4], "big"), at + 4
        value = field[begin:begin + length]
        found[code] = value
        if code in (1, 5, 33):
            found.update(parameters(value))
        at = begin + length
    return found


class Refused(Exception):
    """DR (`layer` transport) or RF (`layer` session) with its reason."""

    def __init__(self, layer, reason):
        super().__init__(f"{layer} refused: {reason}")
        self.layer, self.reason = layer, reason


class User:
    """One session; every method may raise Gone."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    @classmethod
    async def connect(cls, address, called_tsap=b"\x00\x01", called_ssap=b"\x00\x01", calling_tsap=b"\x00\x02",
                      calling_ssap=b"\x00\x02", user_data=b"hello", tls=None, name=None, units=2, before=b""):
        host, port = address
        try:
            reader, writer = await asyncio.open_connection(
                host, port, ssl=tls, server_hostname=name if tls else None)
        except _ssl.SSLError:
            raise
        except OSError as error:
            raise Gone(f"connect: {error}") from error
        user = cls(reader, writer)
        if before:
            writer.write(before)
        await user.transport(called_tsap, calling_tsap)
        writer.write(dt_tpdus(connect_spdu(called_ssap, calling_ssap, user_data, units)))
        identifier, field, _ = first_spdu(await user.tsdu())
        if identifier == AC:
            user.accepted = parameters(field)
            return user
        writer.close()
        if identifier == RF:
            reason = parameters(field).get(50, b"\xff")
            raise Refused("session", reason[0])
        raise Refused("session", f"SI {identifier}")

    async def transport(self, called, calling):
        self.writer.write(connect_request(called, calling))
        tpdu = await self.tpdu()
        if tpdu[1] & 0xF0 == 0x80:
            self.writer.close()
            raise Refused("transport", tpdu[6])
        assert tpdu[1] & 0xF0 == 0xD0, f"no CC: {tpdu.hex()}"

    async def tpdu(self):
        try:
            head = await self.reader.readexactly(4)
            return await self.reader.readexactly(int.from_bytes(head[2:4], "big") - 4)
        except asyncio.IncompleteReadError as error:
            raise Gone("eof") from error
        except ConnectionResetError as error:
            raise Gone("reset") from error
        except OSError as error:
            raise Gone(f"network: {error}") from error

    async def tsdu(self):
        whole = b""
        while True:
            tpdu = await self.tpdu()
            if tpdu[1] & 0xF0 == 0x80:
                raise Gone("eof")
            whole += tpdu[3:]
            if tpdu[2] & 0x80:
                return whole

    async def event(self):
        """("data", octets), ("release", octets), ("abort", parameters) or ("other", identifier)."""
        tsdu = await self.tsdu()
        if tsdu.startswith(GT_DT):
            return "data", tsdu[4:]
        identifier, field, _ = first_spdu(tsdu)
        if identifier == FN:
            return "release", field
        if identifier == AB:
            return "abort", parameters(field)
        return "other", identifier

    async def send(self, data, size=1024):
        self.writer.write(dt_tpdus(GT_DT + data, size))
        try:
            await self.writer.drain()
        except ConnectionResetError as error:
            raise Gone("reset") from error

    async def echo(self, data):
        """Sends an SSDU and takes the answer of an echo."""
        await self.send(data)
        kind, back = await self.event()
        assert (kind, back) == ("data", data), f"{kind} instead of the echo: {back!r:.80}"

    async def release(self):
        """FN, DN, end of the connection."""
        self.writer.write(dt_tpdus(spdu(FN)))
        while True:
            identifier, _, _ = first_spdu(await self.tsdu())
            if identifier == DN:
                break
        self.writer.close()

    async def answer_release(self):
        """DN to the FN that has come; then the end of the connection is awaited: True if it is an orderly one."""
        self.writer.write(dt_tpdus(spdu(DN)))
        return await self.is_closed_in_order()

    async def is_closed_in_order(self):
        try:
            rest = await self.reader.read()
            while rest:
                rest = await self.reader.read()
            self.writer.close()
            return True
        except ConnectionResetError:
            return False

    def abort(self):
        """AB by the user, then the end of the connection."""
        self.writer.write(dt_tpdus(spdu(AB, parameter(17, b"\x03"))))
        self.writer.close()

    def cut(self):
        """The connection is reset, also where all that came has been read."""
        own = self.writer.get_extra_info("socket")
        if own is not None:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

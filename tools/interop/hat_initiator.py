"""Session initiator of hat-drivers: hat_initiator.py HOST PORT [SSDUS]

Sends SSDUs of many sizes, one by one and then pipelined, and demands each back, in order and equal.
Prints the connect user data that came back, and the number of SSDUs.
"""
import asyncio
import os
import sys

from hat.drivers import cosp, net

SIZES = [1, 2, 63, 64, 254, 255, 256, 1000, 1023, 1024, 1025, 2047, 2048, 2049, 4096, 8192, 16384, 60000]


async def main():
    address = net.TcpAddress(sys.argv[1], int(sys.argv[2]))
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 200
    connection = await cosp.connect(
        address, b"hello from hat", local_tsel=1, remote_tsel=2, local_ssel=1, remote_ssel=2)
    print("accepted with", bytes(connection.conn_res_user_data or b""))
    for size in SIZES:
        ssdu = os.urandom(size)
        await connection.send(ssdu)
        assert bytes(await asyncio.wait_for(connection.receive(), 10)) == ssdu, f"SSDU of {size} octets"
    ssdus = [os.urandom(1 + index * 37 % 3000) for index in range(count)]
    for ssdu in ssdus:
        await connection.send(ssdu)
    for index, ssdu in enumerate(ssdus):
        assert bytes(await asyncio.wait_for(connection.receive(), 10)) == ssdu, f"pipelined SSDU {index}"
    await connection.async_close(b"bye")
    print("echoed", len(SIZES) + count)


asyncio.run(main())

"""Session initiator of hat-drivers that waits to be ended: hat_waiter.py HOST PORT

Echoes one SSDU, prints WAITING, and ends with status 0 when the other side has ended the session.
"""
import asyncio
import sys

from hat.drivers import cosp, net


async def main():
    address = net.TcpAddress(sys.argv[1], int(sys.argv[2]))
    connection = await cosp.connect(
        address, b"hello from hat", local_tsel=1, remote_tsel=2, local_ssel=1, remote_ssel=2)
    await connection.send(b"once")
    assert bytes(await asyncio.wait_for(connection.receive(), 10)) == b"once"
    print("WAITING", flush=True)
    try:
        await asyncio.wait_for(connection.receive(), 40)
    except ConnectionError:
        return
    sys.exit("an SSDU came that nobody sent")


asyncio.run(main())

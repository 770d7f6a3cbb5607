"""Session responder of hat-drivers: hat_responder.py PORT

Echoes every SSDU; answers the connect user data with "accepted:" before it. Prints READY and serves
until standard input ends.
"""
import asyncio
import sys

from hat.drivers import cosp, net


async def echo(connection):
    try:
        while True:
            await connection.send(bytes(await connection.receive()))
    except ConnectionError:
        pass
    finally:
        await connection.async_close()


def on_connection(connection):
    connection.async_group.spawn(echo, connection)


async def main():
    def validate(user_data):
        return b"accepted:" + bytes(user_data or b"")

    server = await cosp.listen(validate, on_connection, net.TcpAddress("127.0.0.1", int(sys.argv[1])))
    print("READY", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.async_close()


asyncio.run(main())

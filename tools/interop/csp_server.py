"""MMS server of the PyPI package iec61850: csp_server.py PORT MODEL.icd

Prints READY and serves until standard input ends.
"""
import asyncio
import sys

from iec61850 import IedServer


async def main():
    server = IedServer.from_scl(sys.argv[2], ied_name="IED1")
    server.bind(f"127.0.0.1:{sys.argv[1]}")
    async with server:
        print("READY", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())

"""MMS server of libiec61850 (pyiec61850-ng): mms_server.py PORT MODEL

Prints READY and serves until standard input ends.
"""
import sys

from pyiec61850.server import IedServer, ServerConfig

port = int(sys.argv[1])
server = IedServer(sys.argv[2], ServerConfig(port=port, max_connections=50))
server.start(port)
print("READY", flush=True)
sys.stdin.read()
server.stop()

"""MMS client of libiec61850 (pyiec61850-ng): mms_client.py HOST PORT [ASSOCIATIONS]

Reads the whole model, prints it as sorted lines, and releases. Exit status 0 only when every read gave
a value.
"""
import sys

from pyiec61850 import pyiec61850 as lib
from pyiec61850.mms import MMSClient
from pyiec61850.mms.exceptions import MMSError

FUNCTIONAL_CONSTRAINTS = {"ST": lib.IEC61850_FC_ST, "MX": lib.IEC61850_FC_MX, "CF": lib.IEC61850_FC_CF, "DC": lib.IEC61850_FC_DC}

# Leaf attributes of model.cfg, with the value the server was configured with where it has one.
EXPECTED = {
    ("GenericIO/LLN0.Mod.stVal", "ST"): 1,
    ("GenericIO/LLN0.NamPlt.vendor", "DC"): "Colloquy",
    ("GenericIO/GGIO1.AnIn1.mag.f", "MX"): 1.5,
    ("GenericIO/GGIO1.AnIn2.mag.f", "MX"): 2.5,
    ("GenericIO/GGIO1.Ind1.stVal", "ST"): True,
}


def browse(client):
    """The whole model, one line for each object."""
    lines = []
    for device in client.get_logical_devices():
        for node in client.get_logical_nodes(device):
            for data_object in client.get_data_objects(device, node):
                attributes = sorted(client.get_data_attributes(device, node, data_object))
                lines.append(f"{device}/{node}.{data_object} {','.join(attributes)}")
    return sorted(lines)


def read(client):
    lines = []
    for (reference, constraint), value in EXPECTED.items():
        reference = client.get_logical_devices()[0] + reference[reference.index("/"):]
        got = client.read_value(reference, FUNCTIONAL_CONSTRAINTS[constraint])
        assert got == value, f"{reference}: {got!r} instead of {value!r}"
        lines.append(f"{reference} = {got!r}")
    return lines


def connect(host, port):
    """A client that is associated, and knows it.

    libiec61850 may note "connecting" after its other thread has noted "connected", when the answer is fast:
    it then sends nothing on a good connection and says "connection-lost" for ever.
    """
    for attempt in range(10):
        client = MMSClient()
        client.connect(host, port)
        try:
            client.get_logical_devices()
            return client
        except MMSError as error:
            client.disconnect()
            if attempt == 9 or "connection-lost" not in str(error):
                raise


def main():
    host, port = sys.argv[1], int(sys.argv[2])
    for _ in range(int(sys.argv[3]) if len(sys.argv) > 3 else 1):
        client = connect(host, port)
        lines = browse(client) + read(client)
        client.disconnect()
    assert any("GGIO1.AnIn1" in line for line in lines), lines
    print("\n".join(lines))


main()

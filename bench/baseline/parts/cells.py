"""What is measured: the cells, and the order in which they run."""

from dataclasses import dataclass

APPLICATIONS = ("echo", "relay")
DRIVERS = ("io_uring", "mio")
SESSIONS = (64, 1000)
SSDU_OCTETS = (64, 256, 4096, 16384)
DEPTHS = (1, 16)


@dataclass(frozen=True)
class Shape:
    """A cell without its driver: what both drivers of a pair are given."""

    application: str
    sessions: int
    ssdu_octets: int
    depth: int

    @property
    def name(self):
        return f"{self.application}-{self.sessions}x{self.ssdu_octets}x{self.depth}"


def shapes():
    """All shapes, in the order of the tables."""
    return [
        Shape(application, sessions, octets, depth)
        for application in APPLICATIONS
        for sessions in SESSIONS
        for octets in SSDU_OCTETS
        for depth in DEPTHS
    ]


def quick_shapes():
    """A few shapes that touch everything once."""
    return [Shape("echo", 64, 64, 16), Shape("echo", 64, 16384, 1), Shape("relay", 64, 256, 1)]


def matching(all_shapes, pattern):
    """The shapes whose name holds one of the comma-separated words, in order: `echo-64x,relay-1000x64x16`."""
    words = [word for word in pattern.split(",") if word]
    return [shape for shape in all_shapes if any(shape.name.startswith(word) for word in words)]


def schedule(all_shapes, rounds):
    """(round, shape, drivers in their order): the order within pairs alternates from round to round, and
    from shape to shape, so that neither driver is always the first one on a warm or a cold machine."""
    for round_number in range(1, rounds + 1):
        for index, shape in enumerate(all_shapes):
            turned = (round_number + index) % 2 == 1
            yield round_number, shape, DRIVERS if turned else DRIVERS[::-1]

"""Medians and paired ratios over the runs of a cell."""

import statistics as standard


class Cell:
    """The runs of one shape that count, by driver."""

    def __init__(self, key, runs, sides):
        self.sessions, self.ssdu_octets, self.depth = key
        self.runs = {side: [run for run in runs if run["driver"] == side and run["counted"]] for side in sides}
        self._sides = sides

    def median(self, side, key):
        """The median of a field, or of a function, over the runs of a driver; None without runs."""
        pick = key if callable(key) else lambda run: run[key]
        return median([pick(run) for run in self.runs[side]])

    def paired_ratios(self, key):
        """First driver over second driver, for each round in which both have a run that counts."""
        by_round = [{run["round"]: run[key] for run in self.runs[side]} for side in self._sides]
        return [by_round[0][number] / by_round[1][number] for number in sorted(by_round[0].keys() & by_round[1].keys())]


def cells_of(runs, application, sides):
    """The cells of an application, in the order in which they first ran."""
    groups = {}
    for run in runs:
        if run["application"] == application:
            groups.setdefault((run["sessions"], run["ssdu_octets"], run["depth"]), []).append(run)
    return [Cell(key, group, sides) for key, group in sorted(groups.items())]


def median(values):
    return standard.median(values) if values else None


def number(value, digits):
    return "-" if value is None else f"{value:.{digits}f}"


def spread(values, digits):
    """`median (min..max)`."""
    if not values:
        return "-"
    return f"{median(values):.{digits}f} ({min(values):.{digits}f}..{max(values):.{digits}f})"

"""What a script prints: each point with its figure, then the verdict, which is also the exit status."""

import sys
import tempfile
import traceback
from pathlib import Path


class Story:
    """Collects points; leaving it prints the verdict and ends the process."""

    def __init__(self, title):
        self.title, self.failed = title, 0
        self._folder = tempfile.TemporaryDirectory(prefix="colloquy-accept-")
        self.folder = Path(self._folder.name)

    def point(self, holds, text):
        """One point: does it hold, and what was measured."""
        print(f"  {'ok  ' if holds else 'FAIL'} {text}", flush=True)
        self.failed += not holds
        return holds

    def note(self, text):
        print(f"       {text}", flush=True)

    def __enter__(self):
        print(self.title, flush=True)
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None:
            traceback.print_exception(kind, error, trace)
            self.failed += 1
        self._folder.cleanup()
        print(f"{'FAILED' if self.failed else 'passed'}: {self.title}", flush=True)
        sys.exit(1 if self.failed else 0)

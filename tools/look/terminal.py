"""A program in a terminal, by tmux, and its screen as HTML: characters, colours, bold, underlined, reversed."""

import html as _html
import os
import re
import shlex
import subprocess
import time
import uuid

PATIENCE_S = 20
COLOURS = ["#1d1f21", "#cc6666", "#8fbf5f", "#f0c674", "#81a2be", "#b294bb", "#5fbfbf", "#d5d8d6"]


class Terminal:
    """A program on a screen of so many columns and lines; ended on the way out."""

    def __init__(self, columns, lines, command):
        self.name = f"look-{uuid.uuid4().hex[:8]}"
        environment = {**os.environ, "TERM": "xterm-256color"}
        environment.pop("TMUX", None)
        environment.pop("NO_COLOR", None)
        self._environment = environment
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(lines),
                   shlex.join(map(str, command)), ";", "set", "-g", "status", "off")

    def _tmux(self, *arguments):
        return subprocess.run(["tmux", "-L", self.name, *arguments], check=True, capture_output=True, text=True,
                              timeout=30, env=self._environment).stdout

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["tmux", "-L", self.name, "kill-server"], capture_output=True, timeout=30, env=self._environment)

    def press(self, *keys):
        self._tmux("send-keys", *keys)

    def screen(self):
        """Its lines, with the escape sequences of how they look."""
        return self._tmux("capture-pane", "-e", "-p")

    def wait_for(self, text):
        end = time.monotonic() + PATIENCE_S
        while text not in self._tmux("capture-pane", "-p"):
            if time.monotonic() > end:
                raise TimeoutError(f"{text!r} is not shown:\n{self.screen()}")
            time.sleep(0.05)  # Polls.


def style(state):
    """The style of characters."""
    front, back = state.get("front", COLOURS[7]), state.get("back", COLOURS[0])
    if state.get("reversed"):
        front, back = back, front
    return (f"color:{front};background:{back};" + ("font-weight:bold;" if state.get("bold") else "")
            + ("text-decoration:underline;" if state.get("underlined") else ""))


def apply(codes, state):
    """Select graphic rendition, as far as top uses it."""
    left = [int(code or 0) for code in codes.split(";")]
    while left:
        code = left.pop(0)
        if code in (38, 48) and left[:1] == [5]:
            # One of 256 colours: of those, the first sixteen are used.
            state["front" if code == 38 else "back"] = COLOURS[left[1] % 8]
            del left[:2]
        elif code == 0:
            state.clear()
        elif code in (1, 4, 7):
            state[{1: "bold", 4: "underlined", 7: "reversed"}[code]] = True
        elif code in (22, 24, 27):
            state.pop({22: "bold", 24: "underlined", 27: "reversed"}[code], None)
        elif 30 <= code <= 37 or 90 <= code <= 97:
            state["front"] = COLOURS[code % 10]
        elif 40 <= code <= 47:
            state["back"] = COLOURS[code % 10]
        elif code == 39:
            state.pop("front", None)
        elif code == 49:
            state.pop("back", None)


def html(screen, columns):
    """A document that looks like the screen."""
    out, state = [], {}
    for line in screen.split("\n"):
        for part in re.split(r"(\x1b\[[0-9;]*m)", line):
            if part.startswith("\x1b["):
                apply(part[2:-1], state)
            elif part:
                out.append(f'<span style="{style(state)}">{_html.escape(part)}</span>')
        out.append("\n")
    return (f'<!doctype html><meta charset="utf-8"><style>body{{margin:8px;background:{COLOURS[0]}}}'
            f'pre{{margin:0;font:15px/19px "DejaVu Sans Mono",monospace;width:{columns}ch;color:{COLOURS[7]}}}</style>'
            f'<pre>{"".join(out)}</pre>')

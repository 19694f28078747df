"""Drawings made in a process of their own: Vega-Lite or SVG text -> SVG, PNG or PDF.

vl-convert brings a JavaScript engine of about 100 MB, which a page that is open for days need not hold between two
visitors. The process starts with the first drawing, and ends when nobody has wanted one for a while.

This file is also the program of that process: a JSON object a line in, one out.
"""

from __future__ import annotations

import base64
import contextlib
import json
import signal
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path
from typing import Literal

VEGA_LITE = "6.4"
IDLE = 30.0  # seconds
Drawing = Literal["svg", "png", "pdf"]


class DrawingError(ValueError):
    """What was to be drawn cannot be read; the message says why."""


class Renderer:
    """One process at a time, for all threads; ``idle``: seconds without a wish after which it ends."""

    def __init__(self, idle: float = IDLE) -> None:
        self._idle = idle
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._end: threading.Timer | None = None

    def draw(self, drawing: Drawing, text: str) -> bytes:
        """Vega-Lite JSON as SVG or PNG (two pixels a point), or an SVG as PDF; :class:`DrawingError` if it is none."""
        with self._lock:
            if self._end is not None:
                self._end.cancel()
            try:
                answer = self._ask(json.dumps({"drawing": drawing, "text": text}))
            finally:
                self._end = threading.Timer(self._idle, self.close)
                self._end.daemon = True
                self._end.start()
        if "error" in answer:
            raise DrawingError(answer["error"])
        return base64.b64decode(answer["base64"])

    def is_running(self) -> bool:
        """Whether the process is there."""
        process = self._process
        return process is not None and process.poll() is None

    def close(self) -> None:
        """Ends the process; the next drawing starts another one."""
        with self._lock:
            self._discard()

    def _discard(self) -> None:
        if self._process is not None:
            self._process.kill()
            with contextlib.suppress(OSError):  # what was never read is lost with it
                self._process.communicate()  # takes its end and closes the pipes
        self._process = None

    def _ask(self, line: str) -> dict[str, str]:
        for _ in range(2):  # a process that has died is started anew, once
            if not self.is_running():
                self._discard()
                self._process = subprocess.Popen(
                    # The folder of this file, full of modules with common names, stays out of its path.
                    [sys.executable, "-P", str(Path(__file__).resolve())],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    encoding="utf-8",
                )
            assert self._process is not None and self._process.stdin is not None
            assert self._process.stdout is not None
            try:
                self._process.stdin.write(line + "\n")
                self._process.stdin.flush()
                told = self._process.stdout.readline()
            except OSError:
                told = ""
            if told:
                answer: dict[str, str] = json.loads(told)
                return answer
            self._discard()
        raise DrawingError("The drawing could not be made: its process ended twice.")


@cache
def renderer() -> Renderer:
    """The one of this program; its process serves everybody."""
    return Renderer()


def _serve() -> None:
    """The process: answers every line of the standard input until there are no more."""
    import vl_convert

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program that asks; with its questions this ends
    for line in sys.stdin:
        wish = json.loads(line)
        drawing, text = wish["drawing"], wish["text"]
        try:
            if drawing == "pdf":
                made = vl_convert.svg_to_pdf(text)
            elif drawing == "png":
                made = vl_convert.vegalite_to_png(text, vl_version=VEGA_LITE, scale=2)
            else:
                made = vl_convert.vegalite_to_svg(text, vl_version=VEGA_LITE).encode()
            answer = {"base64": base64.b64encode(made).decode()}
        except (ValueError, RuntimeError) as error:
            answer = {"error": str(error)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()

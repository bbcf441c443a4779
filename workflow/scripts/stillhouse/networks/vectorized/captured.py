"""A step that a GPU repeats by itself: captured once as a CUDA graph, then replayed without the processor."""

from contextlib import nullcontext

import torch

from stillhouse.errors import log

# Libraries and buffers are set up in the first calls, which a graph must not hold.
CALLS_BEFORE = 3


class Captured:
    """A function that reads and writes tensors which stay where they are, and nothing else.

    With a stream of a GPU it is called a few times as it is, then captured, and replayed from then on; without one, or where
    it can't be captured, it is always called as it is. What cannot be captured once is not tried again in this process.
    """

    fails = False

    def __init__(self, function, stream=None):
        self.function, self.stream = function, stream
        self._graph, self._calls = None, 0

    def __call__(self):
        """Call the function, or repeat what it did when it was captured."""
        if self._graph is None and self.stream is not None and self._calls == CALLS_BEFORE and not Captured.fails:
            self._capture()
        if self._graph is not None:
            self._graph.replay()
            return
        self._calls += 1
        self.function()

    def _capture(self):
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph, stream=self.stream):
                self.function()
        except RuntimeError as error:
            log.info("training launches each step anew, as a step cannot be captured as a CUDA graph: %s", first_cause(error))
            Captured.fails, self.stream = True, None
            return
        self._graph = graph


def on(stream):
    """Return a context in which the device's work is put on a stream, or, without one, where it is put anyway."""
    return nullcontext() if stream is None else torch.cuda.stream(stream)


def first_cause(error):
    """Return the first line of the error that came first: what ends a failed capture fails too, and says less."""
    while error.__context__:
        error = error.__context__
    return str(error).partition("\n")[0]

"""What a network that somebody else trained makes of pictures, from an ONNX file, and its leading components.

The network is not trained further, and its file cannot become a part of a shipped one: it teaches, and a student that reads
pictures by another encoder is shipped.
"""

import hashlib
import math
from pathlib import Path

import numpy as np
import onnxruntime

from stillhouse.errors import UserError
from stillhouse.preparation.picture_encoders.components import WHITE, Components

# The numbers of the pictures that a network gets at once.
VALUES_AT_ONCE = 20_000_000


class Frozen:
    """The first output of a network for pictures, flat. The file must stay as it was when the encoder was made.

    The network reads single precision (rows, channels, height, width): pixels from 0 to 1, less ``mean``, divided by
    ``deviation``, one number for all channels or one for each.
    """

    def __init__(self, file, mean, deviation):
        self.file, self.mean, self.deviation = file, mean, deviation
        self.digest, self._session = hashlib.sha256(self._content()).hexdigest(), None

    def __call__(self, pixels):
        """Return what the network makes of pictures (rows, channels, height, width); shape (rows, read), float64."""
        mean, deviation = (self._by_channel(name, pixels.shape[1]) for name in ("mean", "deviation"))
        first, parts = self._opened().get_inputs()[0], []
        # Some networks take so many pictures at once and no others.
        fixed = first.shape[0] if first.shape and isinstance(first.shape[0], int) else None
        count = fixed or max(1, VALUES_AT_ONCE // math.prod(pixels.shape[1:]))
        for start in range(0, max(1, len(pixels)), count):
            part = pixels[start : start + count].astype("float32") / np.float32(WHITE)
            whole = np.resize(part, (fixed, *part.shape[1:])) if fixed else part
            parts.append(self._made((whole - mean) / deviation, first.name)[: len(part)])
        return np.concatenate(parts)

    def _by_channel(self, name, channels):
        """Return a setting as an array that fits pictures of so many channels."""
        values = np.ravel(getattr(self, name)).astype("float32")
        if len(values) not in (1, channels):
            raise UserError(
                f"pictures.{name}: {len(values)} numbers for pictures of {channels} channels; give one, or {channels}"
            )
        return values.reshape(1, -1, 1, 1)

    def _made(self, pixels, name):
        """Return what the network makes of scaled pictures, flat."""
        try:
            found = self._opened().run(None, {name: pixels})[0]
        except Exception as error:  # onnxruntime raises its own types
            shape = " x ".join(map(str, pixels.shape[1:]))
            raise UserError(
                f"pictures.file: {self.file} cannot read pictures of {shape} (channels, height, width); `size` and `mode` "
                f"under the dataset's `pictures` make others of them: {error}"
            ) from error
        if found.ndim < 2 or len(found) != len(pixels) or not np.isfinite(found).all():
            raise UserError(
                f"pictures.file: {self.file} does not make finite numbers of each picture: of {len(pixels)} it made an output "
                f"of shape {found.shape}"
            )
        return found.reshape(len(pixels), math.prod(found.shape[1:])).astype("float64")

    def _content(self):
        try:
            return Path(self.file).read_bytes()
        except OSError as error:
            raise UserError(f"pictures.file: {self.file} cannot be read: {error.strerror}") from error

    def _opened(self):
        if self._session is None:
            content = self._content()
            if hashlib.sha256(content).hexdigest() != self.digest:
                raise UserError(
                    f"pictures.file: {self.file} is another file than the one that this preparation was fitted with"
                )
            options = onnxruntime.SessionOptions()
            # On one thread, as sums of several would differ in their last digits.
            options.intra_op_num_threads, options.log_severity_level = 1, 4
            try:
                self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
            except Exception as error:  # onnxruntime raises its own types
                raise UserError(f"pictures.file: {self.file} is no network that onnxruntime can run: {error}") from error
        return self._session

    def __getstate__(self):
        return {**self.__dict__, "_session": None}


def make(seed, file, mean, deviation, size, rows, unlabelled):
    """Return the encoder."""
    return Components(size, rows, seed, Frozen(file, mean, deviation), unlabelled)

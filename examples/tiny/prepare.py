"""Data, budget and evaluation of the tiny target. Protected: no experiment changes this file.

The data is the text of Python's language reference as `pydoc` carries it, so there is nothing to download. Python
versions carry different texts: compare a value with values of the same Python only.
"""

import math
import os
from array import array

from pydoc_data.topics import topics

# Seconds of training by the wall clock; set-up and evaluation are not counted. The runner says what the configuration says.
TIME_BUDGET = float(os.environ.get("AUTORESEARCH_BUDGET_SECONDS", "3"))
TRAINING_BYTES = 163_840  # at most: a CPU of today reads them in a fraction of the budget
HELD_OUT_BYTES = 12_288  # the end of the text, never trained on


def load_text():
    """All topics in the order of their names, and each paragraph once, because topics repeat each other."""
    paragraphs = [paragraph for name in sorted(topics) for paragraph in topics[name].split("\n\n")]
    return "\n\n".join(dict.fromkeys(paragraphs)).encode("utf-8")


def load_training_data():
    return load_text()[:-HELD_OUT_BYTES][-TRAINING_BYTES:]


def evaluate_bpb(model):
    """Bits per byte of the held-out text; the model sees each byte only after it has predicted it.

    `model.predict()` gives 256 probabilities for the next byte, then `model.update(byte)` tells which it was.
    Infinite when the model held a byte that came for impossible. Raises ValueError when an answer is no distribution.
    """
    bits = 0.0
    for position, byte in enumerate(load_text()[-HELD_OUT_BYTES:]):
        answer = array("d", model.predict())  # a copy in plain numbers: what is checked is what is scored
        if len(answer) != 256 or not abs(sum(answer) - 1.0) <= 1e-6 or min(answer) < 0.0:
            raise ValueError(f"no distribution over 256 bytes at held-out position {position}")
        if answer[byte] == 0.0:
            return math.inf
        bits -= math.log2(answer[byte])
        model.update(byte)
    return bits / HELD_OUT_BYTES

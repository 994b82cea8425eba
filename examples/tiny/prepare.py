"""Data and budget of the tiny target. Protected: no experiment changes this file.

The data is the text of Python's language reference as `pydoc` carries it, so there is nothing to download. Python
versions carry different texts: compare a value with values of the same Python only.
"""

import os

from pydoc_data.topics import topics

# Seconds of processor time for the training, so that what else the machine does changes little; set-up and evaluation are
# not counted. The runner says what the configuration says.
TIME_BUDGET = float(os.environ.get("AUTORESEARCH_BUDGET_SECONDS", "2"))
TRAINING_BYTES = 163_840  # at most: a CPU of today reads them in a fraction of the budget


def load_text():
    """All topics in the order of their names, and each paragraph once, because topics repeat each other."""
    paragraphs = [paragraph for name in sorted(topics) for paragraph in topics[name].split("\n\n")]
    return "\n\n".join(dict.fromkeys(paragraphs)).encode("utf-8")


def load_training_data():
    return load_text()[-TRAINING_BYTES:]

"""A language model for bytes that trains in seconds on any CPU: counts of what followed each context, mixed by gates.

For each order n a table holds which bytes followed the last n bytes, and how often. A prediction starts from order 0,
and each higher order comes in through a gate, a learned weight between 0 and 1 that depends on the order and on how
often the context was seen:  p_n = gate * share_n + (1 - gate) * p_(n-1).

The model reads the data once: it predicts a byte, moves the gates by gradient descent, then counts the byte. While time
is left it rehearses: it goes back to the counts of three quarters of the way and reads the last quarter again, which
moves the gates further. The counts that stay are those of the first reading. While it is asked about a text it goes on
learning from what it is told, so a few steps of training more or less leave hardly a trace in its answers.

`python3 train.py` trains and keeps the model; `python3 train.py --serve` answers evaluate.py with it.
"""

import gc
import math
import pickle
import resource
import sys
import time
import traceback
from array import array
from zlib import crc32

from prepare import TIME_BUDGET, load_training_data

MAX_ORDER = 4  # longest context, in bytes
TABLE_BITS = 15  # each order has 2 ** TABLE_BITS slots; contexts that meet in one share it
COUNT_LIMIT = 10  # a count above this halves its slot, so that what is newer weighs more
DISCOUNT = 0.2  # taken off each count: what was seen once is seldom seen again
READING_RATE = 0.003  # of the gates, learned on while a text is being predicted
RECENT_WEIGHT = 1  # count of a byte of the text being predicted; a byte of the training data counts 1
GATE_BUCKETS = 2  # gates of each order, by how often the context was seen: once, 2 or 3 times, 4 to 7 times, ...
LEARNING_RATE = 0.01  # of the gates, at the start; falls to zero over the budget

MODEL_FILE = "model.pickle"


class Model:
    def __init__(self):
        assert 1 <= MAX_ORDER <= 16, "MAX_ORDER must be 1 to 16"
        assert 8 <= TABLE_BITS <= 20, "TABLE_BITS must be 8 to 20: more does not fit in memory"
        self.orders = range(1, MAX_ORDER + 1)
        self.mask = (1 << TABLE_BITS) - 1
        self.order0 = [1] * 256
        self.tables = [[None] * (1 << TABLE_BITS) for _ in self.orders]
        self.gates = [[0.0] * GATE_BUCKETS for _ in self.orders]  # as logits
        self.tail = bytes(MAX_ORDER)

    def twin(self):
        """A model that counts on its own from here and learns the same gates."""
        twin = Model()
        twin.order0 = self.order0.copy()
        twin.tables = [[slot and slot.copy() for slot in table] for table in self.tables]
        twin.gates = self.gates
        return twin

    def count(self, data, start, end, weight=1):
        """Counts the bytes of `data` from `start` to `end`, each with the contexts before it."""
        mask = self.mask
        for n, table in zip(self.orders, self.tables):
            for i in range(start, end):
                slot_id = crc32(data[i - n : i]) & mask
                slot = table[slot_id]
                if slot is None:
                    slot = table[slot_id] = {}
                slot[data[i]] = seen = slot.get(data[i], 0) + weight
                if seen > COUNT_LIMIT:
                    for byte, seen in slot.items():
                        slot[byte] = (seen + 1) // 2
        for byte in data[start:end]:
            self.order0[byte] += weight
        self.tail = data[end - MAX_ORDER : end]

    def learn(self, data, i, rate):
        """Moves the gates for byte `i`, which is not counted yet; gives its loss in bits."""
        byte = data[i]
        p = self.order0[byte] / sum(self.order0)
        path = []
        for n, table, gates in zip(self.orders, self.tables, self.gates):
            slot = table[crc32(data[i - n : i]) & self.mask]
            if slot:
                total = sum(slot.values())
                share = (slot[byte] - DISCOUNT) / (total - DISCOUNT * len(slot)) if byte in slot else 0.0
                bucket = min(total.bit_length(), GATE_BUCKETS) - 1
                gate = sigmoid(gates[bucket])
                path.append((gates, bucket, gate, share - p))
                p += gate * (share - p)
        pull = rate / p
        for gates, bucket, gate, difference in reversed(path):
            gates[bucket] += pull * difference * gate * (1.0 - gate)
            pull *= 1.0 - gate
        return -math.log2(p)

    def predict(self):
        """The probabilities of the 256 bytes that may come next."""
        rest, parts = 1.0, []
        for n, table, gates in zip(reversed(self.orders), reversed(self.tables), reversed(self.gates)):
            slot = table[crc32(self.tail[-n:]) & self.mask]
            if slot:
                total = sum(slot.values())
                gate = sigmoid(gates[min(total.bit_length(), GATE_BUCKETS) - 1])
                parts.append((slot, rest * gate / (total - DISCOUNT * len(slot))))
                rest *= 1.0 - gate
        scale = rest / sum(self.order0)
        probabilities = [seen * scale for seen in self.order0]
        for slot, scale in parts:
            for byte, seen in slot.items():
                probabilities[byte] += (seen - DISCOUNT) * scale
        return probabilities

    def update(self, byte):
        """Tells the model which byte came."""
        data = self.tail + bytes((byte,))
        self.learn(data, MAX_ORDER, READING_RATE)
        self.count(data, MAX_ORDER, MAX_ORDER + 1, RECENT_WEIGHT)

    def size(self):
        return 256 + MAX_ORDER * GATE_BUCKETS + sum(len(slot) for table in self.tables for slot in table if slot)


def sigmoid(logit):
    return 1.0 / (1.0 + math.exp(-logit))


def pieces(model, data, size):
    """Where to read next and the model that reads there, without end: the data once, then rehearsals of its end."""
    first = MAX_ORDER + (len(data) - MAX_ORDER) % size
    rehearsal = first + (len(data) - first) // size * 3 // 4 * size
    for start in range(first, len(data), size):
        if start == rehearsal:
            before = model.twin()
        yield model, start
    while True:
        reader = before.twin()
        for start in range(rehearsal, len(data), size):
            yield reader, start


def train(model, data, size=1024, learn_every=7):
    """Trains until the budget of processor time is spent; gives the seconds, the steps, and the bytes read."""
    begin = time.process_time()
    smooth_loss, lines = 0.0, 0
    for step, (reader, start) in enumerate(pieces(model, data, size)):
        seconds = time.process_time() - begin
        left = 1.0 - seconds / TIME_BUDGET
        if left <= 0.0:
            return seconds, step, step * size
        some = range(start + step % learn_every, start + size, learn_every)
        loss = sum(reader.learn(data, i, LEARNING_RATE * left) for i in some) / len(some)
        reader.count(data, start, start + size)
        smooth_loss = 0.95 * smooth_loss + 0.05 * loss
        loss = smooth_loss / (1.0 - 0.95 ** (step + 1))
        if not loss < 100.0:
            fail()
        if 20 * (1.0 - left) >= lines:
            lines += 1
            done, remaining = f"{100 * (1.0 - left):.1f}%", f"{TIME_BUDGET - seconds:.1f}s"
            print(f"step {step:05d} ({done}) | loss: {loss:.6f} | remaining: {remaining}", flush=True)


def fail():
    print("FAIL")
    sys.exit(1)


def main():
    begin = time.perf_counter()
    data = load_training_data()
    model = Model()
    gc.disable()  # no garbage lies in cycles here, and looking for it takes time
    training_seconds, steps, bytes_read = train(model, data)
    with open(MODEL_FILE, "wb") as file:
        pickle.dump(model, file, protocol=5)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)
    print("---")
    print(f"training_seconds: {training_seconds:.1f}")
    print(f"total_seconds:    {time.perf_counter() - begin:.1f}")
    print(f"peak_vram_mb:     {peak:.1f}")
    print(f"total_tokens_M:   {bytes_read / 1e6:.3f}")
    print(f"num_steps:        {steps}")
    print(f"num_params_M:     {model.size() / 1e6:.3f}")


def serve():
    """Says what it expects of the next byte, is told which came, and so on to the end: the form is evaluate.py's."""
    gc.disable()
    with open(MODEL_FILE, "rb") as file:
        model = pickle.load(file)
    questions, answers = open(0, "rb", buffering=0), open(1, "wb", buffering=0)
    try:
        answers.write(array("d", model.predict()).tobytes())
        while byte := questions.read(1):
            model.update(byte[0])
            answers.write(array("d", model.predict()).tobytes())
    except BrokenPipeError:
        pass  # all has been asked


if __name__ == "__main__":
    try:
        serve() if "--serve" in sys.argv else main()
    except Exception:
        traceback.print_exc()
        fail()

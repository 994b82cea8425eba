"""The evaluation of the tiny target: asks the candidate's model for the next byte of a text that the model never sees.

Protected, and run apart from the candidate: `train.py --serve` is on the other end of two pipes, in a sandbox of its own
where `held_out.txt` does not exist. It writes what it expects of the next byte, 256 numbers (little-endian doubles), then
reads the byte that came; so it knows the past, and nothing else. Nothing it sends is more than numbers here.

By hand, `python3 evaluate.py` starts `train.py --serve` itself: the same value, without the walls.
"""

import math
import os
import struct
import subprocess
import sys

here = os.path.dirname(os.path.abspath(__file__))
answer = struct.Struct("<256d")


def channel():
    """Where the model's answers come from, and where it is told which byte came."""
    if "AUTORESEARCH_ANSWERS_FD" in os.environ:
        answers, questions = os.environ["AUTORESEARCH_ANSWERS_FD"], os.environ["AUTORESEARCH_QUESTIONS_FD"]
        return open(int(answers), "rb"), open(int(questions), "wb", buffering=0)
    model = subprocess.Popen(
        [sys.executable, os.path.join(here, "train.py"), "--serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
    )
    return open(model.stdout.fileno(), "rb", closefd=False), model.stdin


def bits_per_byte(text, answers, questions):
    """Infinite when the model held a byte that came for impossible. Raises ValueError when an answer is no distribution."""
    bits = 0.0
    for position, byte in enumerate(text):
        frame = answers.read(answer.size)
        if len(frame) < answer.size:
            raise EOFError(f"the model ended at byte {position} of {len(text)}")
        probabilities = answer.unpack(frame)
        # Written so that a sum that is no number fails, too.
        if not abs(math.fsum(probabilities) - 1.0) <= 1e-6 or min(probabilities) < 0.0:
            raise ValueError(f"no distribution over 256 bytes at byte {position}")
        if probabilities[byte] == 0.0:
            return math.inf
        bits -= math.log2(probabilities[byte])
        questions.write(bytes((byte,)))
    return bits / len(text)


if __name__ == "__main__":
    with open(os.path.join(here, "held_out.txt"), "rb") as file:
        held_out = file.read()
    value = bits_per_byte(held_out, *channel())
    print("---")
    print(f"val_bpb:          {value:.6f}")
    print(f"held_out_bytes:   {len(held_out)}")

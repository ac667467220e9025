"""Prints what the room says of some random cases, as one number: ``python -m tests.unit.rules.naive.digest 40``."""

import sys
from hashlib import sha256
from random import Random

from tests.unit.rules.naive.cases import by_room, case, room_of, short

if __name__ == "__main__":
    scale = short()
    digest = sha256()
    for seed in range(int(sys.argv[1])):
        of = case(scale, Random(seed))
        digest.update(repr(by_room(of, room_of(of), Random(seed))).encode())
    print(digest.hexdigest())

"""Prints what the room says of so many random cases of each scale: ``python -m tests.unit.rules.naive.digest 4``."""

import sys
from hashlib import sha256
from random import Random

from tests.unit.rules.naive.cases import ALL, by_room, case, room_of

if __name__ == "__main__":
    digest = sha256()
    for scale in (each() for each in ALL):
        for seed in range(int(sys.argv[1])):
            of = case(scale, Random(seed))
            digest.update(repr(by_room(of, room_of(of), Random(seed))).encode())
    print(digest.hexdigest())

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linecontrol_modbus.frames import Misfit, fits

READ = bytes.fromhex("0007 0000 0006 01 03 0064 0002")
ANSWER = bytes.fromhex("0007 0000 0007 01 03 04 1234 5678")
EXCEPTION = bytes.fromhex("0007 0000 0003 01 83 02")
BITS = bytes.fromhex("0007 0000 0006 01 01 0000 0009")
WRITE = bytes.fromhex("0008 0000 0006 01 06 0064 0005")
WRITE_TWO = bytes.fromhex("0009 0000 000b 01 10 0064 0002 04 0001 0002")

GOOD = [
    (READ, ANSWER),
    (READ, EXCEPTION),
    (BITS, bytes.fromhex("0007 0000 0005 01 01 02 FF01")),
    (WRITE, WRITE),
    (WRITE, bytes.fromhex("0008 0000 0003 01 86 04")),
    (WRITE_TWO, bytes.fromhex("0009 0000 0006 01 10 0064 0002")),
]


@pytest.mark.parametrize(("request_", "answer"), GOOD)
def test_an_answer_fits_when_it_is_whole(request_: bytes, answer: bytes) -> None:
    assert [fits(request_, answer[:size]) for size in range(len(answer) + 1)] == [False] * len(answer) + [True]


@pytest.mark.parametrize(
    ("request_", "answer", "message"),
    [
        (READ, "0006 0000 0007 01 03 04 1234 5678", "to another request"),
        (READ, "0000 0000 0007 01 03 04 1234 5678", "to another request"),
        (READ, "0007 0001 0007 01 03 04 1234 5678", "not Modbus"),
        (READ, "0007 0000 0007 02 03 04 1234 5678", "from unit 2"),
        (READ, "0007 0000 0007 01 04 04 1234 5678", "to function 4, not 3"),
        (READ, "0007 0000 0003 01 84 02", "to function 132, not 3"),
        (READ, "0007 0000 0005 01 03 02 1234", "too short or too long"),
        (READ, "0007 0000 0009 01 03 06 1234 5678 9ABC", "too short or too long"),
        (READ, "0007 0000 0007 01 03 03 1234 5678", "too little or too much"),
        (READ, "0007 0000 FFFF 01 03 04 1234 5678", "too short or too long"),
        (READ, "0007 0000 0007 01 03 04 1234 5678 00", "too short or too long"),
        (WRITE, "0008 0000 0006 01 06 0064 0006", "another write"),
        (WRITE, "0008 0000 0006 01 06 0065 0005", "another write"),
        (WRITE, "0008 0000 0007 01 03 04 1234 5678", "to function 3, not 6"),
        (WRITE_TWO, "0009 0000 0006 01 10 0064 0001", "another write"),
    ],
)
def test_what_does_not_fit_is_refused(request_: bytes, answer: str, message: str) -> None:
    with pytest.raises(Misfit, match=message):
        fits(request_, bytes.fromhex(answer))


@given(request_=st.sampled_from([pair[0] for pair in GOOD]), answer=st.binary(max_size=300))
def test_nothing_else_is_raised_whatever_comes(request_: bytes, answer: bytes) -> None:
    try:
        whole = fits(request_, answer)
    except Misfit:
        return
    assert not whole or answer[:2] == request_[:2]

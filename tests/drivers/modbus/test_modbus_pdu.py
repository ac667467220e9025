import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linecontrol_modbus.pdu import Misfit, Refused, answer_size, payload, read_request, write_request
from linecontrol_modbus.tag import Table

READ = bytes.fromhex("03 0064 0002")
BITS = bytes.fromhex("01 0000 0009")
WRITE = bytes.fromhex("06 0064 0005")
WRITE_TWO = bytes.fromhex("10 0064 0002 04 0001 0002")
COIL = bytes.fromhex("05 0007 FF00")


def test_requests_are_as_the_protocol_has_them() -> None:
    assert read_request(Table.HOLDING, 100, 2) == READ
    assert read_request(Table.COIL, 0, 9) == BITS
    assert write_request(Table.HOLDING, 100, [5]) == WRITE
    assert write_request(Table.HOLDING, 100, [1, 2]) == WRITE_TWO
    assert write_request(Table.COIL, 7, [1]) == COIL


@pytest.mark.parametrize(
    ("request_", "answer", "data"),
    [
        (READ, "03 04 1234 5678", "1234 5678"),
        (BITS, "01 02 FF01", "FF01"),
        (WRITE, "06 0064 0005", "0064 0005"),
        (WRITE_TWO, "10 0064 0002", "0064 0002"),
        (COIL, "05 0007 FF00", "0007 FF00"),
    ],
)
def test_an_answer_that_fits_is_believed(request_: bytes, answer: str, data: str) -> None:
    assert payload(request_, bytes.fromhex(answer)) == bytes.fromhex(data)


def test_a_refusal_has_its_code() -> None:
    with pytest.raises(Refused, match=r"exception 2 \(illegal address\)"):
        payload(READ, b"\x83\2")


@pytest.mark.parametrize(
    ("request_", "answer", "message"),
    [
        (READ, "04 04 1234 5678", "to function 4, not 3"),
        (READ, "84 02", "to function 132, not 3"),
        (READ, "83 02 00", "to function 131, not 3"),
        (READ, "03 02 1234", "too short or too long"),
        (READ, "03 06 1234 5678 9ABC", "too short or too long"),
        (READ, "03 03 1234 5678", "too little or too much"),
        (WRITE, "06 0064 0006", "another write"),
        (WRITE, "06 0065 0005", "another write"),
        (WRITE, "03 04 1234 5678", "to function 3, not 6"),
        (WRITE_TWO, "10 0064 0001", "another write"),
        (COIL, "05 0007 0000", "another write"),
    ],
)
def test_what_does_not_fit_is_not_believed(request_: bytes, answer: str, message: str) -> None:
    with pytest.raises(Misfit, match=message):
        payload(request_, bytes.fromhex(answer))


@settings(derandomize=True, database=None, deadline=None)
@given(request_=st.sampled_from([READ, BITS, WRITE, WRITE_TWO, COIL]), answer=st.binary(min_size=1, max_size=300))
def test_nothing_else_is_raised_whatever_comes(request_: bytes, answer: bytes) -> None:
    try:
        payload(request_, answer)
    except (Misfit, Refused):
        return
    assert len(answer) == answer_size(request_)

"""What can go wrong with an OPC UA server, in the two errors that a driver may raise."""

from collections.abc import Iterator
from contextlib import contextmanager

from asyncua.ua.status_codes import StatusCodes, get_name_and_doc
from asyncua.ua.uaerrors import UaStatusCodeError

from linecontrol.driver import ConnectionLost, DeviceRefused, Traffic
from linecontrol_opcua.decode import Refusal
from linecontrol_opcua.wire import Misfit

_WANTS_USER = "it wants a user and password that it knows: see user and password_file, or user_certificate"
_WANTS_SECURITY = "it wants other security: see security and policy"
_REFUSALS = {
    StatusCodes.BadIdentityTokenInvalid: _WANTS_USER,
    StatusCodes.BadIdentityTokenRejected: _WANTS_USER,
    StatusCodes.BadUserAccessDenied: "it does not let the user in, or wrong user or password",
    StatusCodes.BadSecurityModeInsufficient: _WANTS_SECURITY,
    StatusCodes.BadSecurityModeRejected: _WANTS_SECURITY,
    StatusCodes.BadSecurityPolicyRejected: _WANTS_SECURITY,
    StatusCodes.BadSecurityChecksFailed: "it does not take our certificate: have it trusted at the server",
    StatusCodes.BadCertificateUntrusted: "it does not trust our certificate: have it trusted at the server",
    StatusCodes.BadCertificateInvalid: "it does not take our certificate: have it trusted at the server",
    StatusCodes.BadCertificateUriInvalid: "it does not take the application URI in our certificate",
    StatusCodes.BadCertificateTimeInvalid: "our certificate is not valid at its time: set its clock",
    StatusCodes.BadServiceUnsupported: "it lacks a service that this driver needs",
}


def status_name(status: int) -> str:
    """Name of a status code, such as ``BadNodeIdUnknown``; with its number if it has no name of its own."""
    name, _ = get_name_and_doc(status & 0xFFFF_0000)
    return name if name not in {"Bad", "Uncertain"} else f"{name} 0x{status:08X}"


def count(traffic: Traffic, error: Misfit) -> None:
    """Count a message that was not believed, once."""
    traffic.misfits += not error.counted
    error.counted = True


@contextmanager
def told(name: str, url: str) -> Iterator[None]:
    """Tell whatever goes wrong inside as the gateway expects it, naming the connection.

    Raises:
        ConnectionLost: a new connection may do better.
        DeviceRefused: the server said no.
    """
    who = f"{name} ({url})"
    try:
        yield
    except (ConnectionLost, DeviceRefused):
        raise
    except (UaStatusCodeError, Refusal) as error:
        code = error.status if isinstance(error, Refusal) else int(error.code)
        if code in _REFUSALS:
            msg = f"{who} refused: {_REFUSALS[code]} ({status_name(code)})"
            raise DeviceRefused(msg) from error
        msg = f"{who} answered {status_name(code)}"
        raise ConnectionLost(msg) from error
    except TimeoutError as error:
        msg = f"{who} did not answer in time; is it running and reachable?"
        raise ConnectionLost(msg) from error
    except ConnectionRefusedError as error:
        msg = f"{who} refused the connection; is the OPC UA server running at that port?"
        raise ConnectionLost(msg) from error
    except OSError as error:
        msg = f"{who} can't be reached: {error.strerror or str(error) or type(error).__name__}"
        raise ConnectionLost(msg) from error
    except Exception as error:
        msg = f"{who} sent what can't be understood: {str(error) or type(error).__name__}"
        raise ConnectionLost(msg) from error

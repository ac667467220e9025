"""The folder with our key and certificate, and the certificates of servers that are trusted and rejected.

All of it touches the disk: never in the event loop.
"""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from linecontrol.driver import is_credential
from linecontrol_opcua import certificate
from linecontrol_opcua.certificate import Unfit

MOST_REJECTED = 50
"""Rejected certificates that are kept: a server that changes its own all the time fills no disk."""
LARGEST_SECRET = 4096
_FOR_OTHERS = 0o077

_making = threading.Lock()


class Identity(NamedTuple):
    """Who we are to a server."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey

    @property
    def uri(self) -> str:
        """Our application URI."""
        return certificate.names(self.certificate)[0]


def default_folder() -> Path:
    """Where the folder is if config doesn't say."""
    state = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    return Path(state or Path.home() / ".local/state/linecontrol") / "pki" / "opcua"


class Pki:
    """The folder."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or default_folder()
        self.own = self.folder / "own" / "certificate.der"
        self.key = self.folder / "own" / "key.pem"
        self._lists = {"trusted": self.folder / "trusted", "rejected": self.folder / "rejected"}

    def identity(self, now_ns: int) -> Identity:
        """Our key and certificate; made if there are none, the certificate renewed in time.

        Raises:
            OSError: the folder can't be used.
            ValueError: what is in it can't.
        """
        with _making:
            if not self.key.exists():
                new = rsa.generate_private_key(public_exponent=65537, key_size=certificate.SMALLEST_KEY)
                pem = new.private_bytes(
                    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
                )
                _write(self.key, pem, 0o600)
            key = serialization.load_pem_private_key(secret(self.key), None)
            if not isinstance(key, rsa.RSAPrivateKey):
                msg = f"{self.key} is no RSA key"
                raise ValueError(msg)
            ours = certificate.load(self.own.read_bytes()) if self.own.exists() else None
            if ours is None or certificate.due(ours, now_ns):
                ours = certificate.make(key, socket.gethostname() or "localhost", now_ns)
                _write(self.own, ours.public_bytes(serialization.Encoding.DER), 0o644)
            return Identity(ours, key)

    def trusts(self, der: bytes) -> bool:
        """Whether exactly that certificate is trusted."""
        try:
            return self._path("trusted", der).read_bytes() == der
        except FileNotFoundError:
            return False

    def reject(self, der: bytes) -> None:
        """Keep a stranger's certificate, to be looked at."""
        path = self._path("rejected", der)
        if not path.exists():
            _write(path, der, 0o644)
            kept = sorted(path.parent.glob("*.der"), key=lambda other: other.stat().st_mtime)
            for oldest in kept[:-MOST_REJECTED]:
                oldest.unlink(missing_ok=True)

    def certificates(self) -> Iterator[tuple[str, bytes]]:
        """List and bytes of each certificate: ours, trusted ones, rejected ones."""
        if self.own.exists():
            yield "own", self.own.read_bytes()
        for name, folder in self._lists.items():
            for path in sorted(folder.glob("*.der")):
                yield name, path.read_bytes()

    def move(self, prefix: str, to: str) -> str:
        """Put the one certificate whose thumbprint begins so on that list; its thumbprint.

        Raises:
            LookupError: there is none, or there are several.
        """
        wanted = prefix.upper().replace(":", "").replace(" ", "")
        found = {
            certificate.thumbprint(der): der
            for name, der in self.certificates()
            if name != "own" and certificate.thumbprint(der).startswith(wanted)
        }
        if len(found) != 1 or not wanted:
            several = f"several certificates begin with {prefix!r}: {', '.join(found)}"
            msg = (
                several if found else f"no certificate's thumbprint begins with {prefix!r}; see linecontrol trust list"
            )
            raise LookupError(msg)
        ((name, der),) = found.items()
        _write(self._path(to, der), der, 0o644)
        other = "rejected" if to == "trusted" else "trusted"
        with suppress(FileNotFoundError):
            self._path(other, der).unlink()
        return name

    def _path(self, name: str, der: bytes) -> Path:
        return self._lists[name] / f"{certificate.thumbprint(der)}.der"


def secret(path: Path) -> bytes:
    """What a file holds that only its owner may read, or that systemd guards in its own way.

    Raises:
        OSError: it can't be read.
        ValueError: others may read it.
    """
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if mode & _FOR_OTHERS and not is_credential(path):
            msg = f"{path} may be read by others (mode {mode & 0o777:o}); chmod 600 it"
            raise ValueError(msg)
        return file.read(LARGEST_SECRET)


def _write(path: Path, data: bytes, mode: int) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.{threading.get_ident()}.new")
    temporary.unlink(missing_ok=True)
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


__all__ = ["Identity", "Pki", "Unfit", "default_folder", "secret"]

"""``linecontrol trust``: which servers' certificates are trusted."""

import json
from pathlib import Path
from typing import Annotated

import typer

from linecontrol_opcua import certificate
from linecontrol_opcua.pki import Pki

app = typer.Typer(no_args_is_help=True, help="Which OPC UA servers are trusted.")

_Folder = Annotated[Path | None, typer.Option("--pki", help="Folder with the certificates, if not the usual one.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_Thumbprint = Annotated[str, typer.Argument(help="The thumbprint, or how it begins.")]


@app.command("list")
def list_(pki: _Folder = None, as_json: _Json = False) -> None:
    """Show our own certificate, trusted ones and rejected ones."""
    rows = [_row(name, der) for name, der in Pki(pki).certificates()]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for row in rows:
        typer.echo(f"{row['list']:9}{row['thumbprint']}  until {row['until']}  {row['application']}  {row['subject']}")
    if not rows:
        typer.echo(f"no certificates in {Pki(pki).folder}")


def _row(name: str, der: bytes) -> dict[str, str]:
    row = {"list": name, "thumbprint": certificate.thumbprint(der), "subject": "", "application": "", "until": ""}
    try:
        loaded = certificate.load(der)
        uri, hosts = certificate.names(loaded)
        subject = loaded.subject.rfc4514_string()
    except ValueError:
        return row | {"subject": "can't be read"}
    until = f"{loaded.not_valid_after_utc:%Y-%m-%d}"
    return row | {
        "subject": _plain(subject),
        "application": _plain(uri),
        "hosts": _plain(", ".join(hosts)),
        "until": until,
    }


def _plain(text: str) -> str:
    """Nothing that a stranger put into a certificate moves the cursor."""
    return "".join(char if char.isprintable() else "?" for char in text)


@app.command()
def accept(thumbprint: _Thumbprint, pki: _Folder = None, as_json: _Json = False) -> None:
    """Trust a server's certificate."""
    _move(thumbprint, "trusted", pki, as_json=as_json)


@app.command()
def reject(thumbprint: _Thumbprint, pki: _Folder = None, as_json: _Json = False) -> None:
    """Trust a server's certificate no longer."""
    _move(thumbprint, "rejected", pki, as_json=as_json)


def _move(thumbprint: str, to: str, pki: Path | None, *, as_json: bool) -> None:
    try:
        name = Pki(pki).move(thumbprint, to)
    except (LookupError, OSError) as error:
        typer.echo(str(error.args[0] if isinstance(error, LookupError) else error), err=True)
        raise typer.Exit(1) from error
    typer.echo(json.dumps({"list": to, "thumbprint": name}) if as_json else f"{to}: {name}")

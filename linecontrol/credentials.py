"""Where secrets are: in systemd's credentials folder, never in the config."""

import os
from pathlib import Path


def in_credentials(path: Path) -> Path:
    """A file as config names it: relative to systemd's credentials folder (or to where we run), or absolute."""
    return Path(os.environ.get("CREDENTIALS_DIRECTORY", ".")) / path


def is_credential(path: Path) -> bool:
    """Whether the file is in systemd's credentials folder, which systemd guards in its own way."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    return folder is not None and path.parent == Path(folder)

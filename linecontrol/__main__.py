"""``python -m linecontrol`` is the ``linecontrol`` command."""

from linecontrol.cli import main

if __name__ == "__main__":
    main()

"""The live board: events folded into one page, served on loopback with server-sent events."""

from linecontrol.board.app import Board
from linecontrol.board.view import BoardView

__all__ = ["Board", "BoardView"]

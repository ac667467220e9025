"""Rules tried out: the engineers' own tests, backtests over recorded events, what a rule would have said and why.

Pure: events in, transitions out; files are read by the commands.
"""

from linecontrol.trial.backtest import Backtest, Episode
from linecontrol.trial.expected import Failure
from linecontrol.trial.explain import Explained, explain
from linecontrol.trial.run import Outcome, run_test

__all__ = ["Backtest", "Episode", "Explained", "Failure", "Outcome", "explain", "run_test"]

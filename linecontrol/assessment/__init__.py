"""The plant judged from what was recorded: verdicts and forecasts, made beside the engine. Pure."""

from linecontrol.assessment.assess import Assessment
from linecontrol.assessment.question import Question

__all__ = ["Assessment", "Question"]

"""Rules: a typed condition language, windows over cycles, and the life of alarms. Events in, ``FlagChanged`` out."""

from linecontrol.rules.compile import RuleProblem, problems
from linecontrol.rules.kpi import AlarmKpiRoom
from linecontrol.rules.room import RulesRoom

__all__ = ["AlarmKpiRoom", "RuleProblem", "RulesRoom", "problems"]

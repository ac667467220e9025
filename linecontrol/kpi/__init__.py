"""ISO 22400-2 figures of stations and lines over shifts and days."""

from linecontrol.kpi.room import KpiRoom

__all__ = ["KpiRoom"]

"""A plant that behaves: a pure step function of time, and its signals served through the drivers' own servers."""

from linecontrol.simulator.plant import Change, SimPlant
from linecontrol.simulator.truth import LineTruth, PlantTruth, StationTruth

__all__ = ["Change", "LineTruth", "PlantTruth", "SimPlant", "StationTruth"]

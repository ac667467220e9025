"""The same plain line as a discrete-event simulation in SimPy: what a user would pick instead of the recursion."""

import numpy as np
import simpy
from numpy.typing import NDArray
from simpy.resources.resource import Request

from linecontrol.flowline import Layout


def departures(times: NDArray[np.float64], layout: Layout) -> NDArray[np.float64]:
    """When each unit departs from each station [unit, station], blocking after service; twins only at the end."""
    env = simpy.Environment()
    stations = [simpy.Resource(env, servers) for servers in layout.servers]
    places = [simpy.Resource(env, count) if count else None for count in layout.places[:-1]]
    out = np.empty_like(times)

    def unit(number: int, held: Request) -> simpy.events.ProcessGenerator:
        yield held
        for i, station in enumerate(stations):
            yield env.timeout(times[number, i])
            if i == len(stations) - 1:
                out[number, i] = env.now
                station.release(held)
                return
            buffer = places[i]
            place = None if buffer is None else buffer.request()
            if place is not None:
                yield place
                out[number, i] = env.now
                station.release(held)
            following = stations[i + 1].request()
            yield following
            if buffer is not None and place is not None:
                buffer.release(place)
            else:
                out[number, i] = env.now
                station.release(held)
            held = following

    for number in range(len(times)):
        env.process(unit(number, stations[0].request()))
    env.run()
    return out

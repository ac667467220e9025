"""How long a forecast takes: 1,000 futures of 750 units at 20 stations, random numbers and all. One JSON line."""

import json
import time

from linecontrol.flowline import Layout, LineLog
from linecontrol.target.outlook import foresee
from linecontrol.target.prospect import Goal, Prospect

UNITS, STATIONS, REPLICATIONS = 750, 20, 1000


def main() -> None:
    """Foresee a whole year from its first moment, five times; the best one counts."""
    planned = [{"a": 2.0, "b": 2.2} for _ in range(STATIONS)]
    names = [f"s{i}" for i in range(STATIONS)]
    layout = Layout.chain((1, 0) * (STATIONS // 2 - 1) + (1,))
    log = LineLog(layout, names, [], [], [[] for _ in names], planned, 0.0, 0.0)
    days = [(7.5 * day, 7.5 * (day + 1)) for day in range(225)]
    prospect = Prospect(log, days, [Goal("year", 600, 0, days[-1][1])], mix={"a": 1.0, "b": 1.0})
    seconds, median = [], 0.0
    for seed in range(5):
        begun = time.perf_counter()
        outlook = foresee(prospect, replications=REPLICATIONS, seed=seed)
        seconds.append(time.perf_counter() - begun)
        median = outlook.goals["year"].likely
    result = {"benchmark": "forecast", "stations": STATIONS, "replications": REPLICATIONS, "seconds": min(seconds)}
    print(json.dumps({**result, "units_simulated_at_least": UNITS, "median": median}))


if __name__ == "__main__":
    main()

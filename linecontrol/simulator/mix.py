"""Which product is released next, so that the planned mix is kept as smoothly as whole units allow."""

from collections.abc import Callable

from linecontrol.config import Config


class Mix:
    """The sequence of products at the head of a line."""

    def __init__(self, config: Config, line: str) -> None:
        """Families weigh as their first target for the line does (1 without one), products as their share."""
        self._weight: dict[str, float] = {}
        for family in config.lines[line].families:
            targets = (
                target.units for target in config.targets.values() if (target.family, target.line) == (family, line)
            )
            units = next(targets, 1)
            shares = {name: product.share for name, product in config.products.items() if product.family == family}
            self._weight.update({name: units * share / sum(shares.values()) for name, share in shares.items()})
        self._released = dict.fromkeys(self._weight, 0)

    def choose(self, can_be_built: Callable[[str], bool]) -> str | None:
        """The product whose next unit is due first among those that can be built, counted as released.

        Unit ``n`` of a product is due at ``(n - 1/2) / weight``; of equals the first in config is chosen.
        """
        buildable = [name for name in self._weight if can_be_built(name)]
        if not buildable:
            return None
        chosen = min(buildable, key=lambda name: (self._released[name] + 0.5) / self._weight[name])
        self._released[chosen] += 1
        return chosen

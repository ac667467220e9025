"""Random rules, on a grid: whatever time moves is held against whole steps, so that it turns at a step or just after.

A step is the unit of all durations. Sums of two running times turn at half a step, which the reference looks at too.
"""

import re
from collections.abc import Callable
from random import Random
from typing import Any

ORDERED = ("<", "<=", ">", ">=")
STATES = ("working", "blocked", "starved", "down", "setup", "idle")
SIDES = ("", "", "", "upstream.", "downstream.")


class Dice:
    """Rolls rules. ``step`` is the unit of time, as text (``10 s``) it is ``unit`` times a number."""

    def __init__(self, chance: Random, step_s: int) -> None:
        self.chance = chance
        self.step_s = step_s

    def rule(self, each: str) -> dict[str, Any]:
        """A rule about one kind of subject, as in a file."""
        chance = self.chance
        rule: dict[str, Any] = {"each": each, "message": "m"}
        if each == "station":
            names = ["line/first", "line/second", "line/third", "other/left", "other/right"]
            rule["only"] = chance.choice(
                [["*"], ["line/*"], ["other/*"], ["line/second"], [chance.choice(names)], ["*/[ls]*"]]
            )
        rule["when"] = self.sequence() if each == "station" and chance.random() < 0.25 else self.condition(each, 2)
        if chance.random() < 0.3:
            rule["clear_when"] = self.condition(each, 1)
        if chance.random() < 0.35:
            rule["for"] = self.length(6)
        if chance.random() < 0.25:
            rule["off_delay"] = self.length(5)
        if chance.random() < 0.15:
            rule["suppress"] = self.condition(each, 1)
        rule |= chance.choice([{}, {}, {}, {"ack": "required"}, {"latch": True}, {"ack": "required", "latch": True}])
        if chance.random() < 0.25:
            rule["on_unknown"] = chance.choice(["clear", "raise"])
        if ("ack" in rule or "latch" in rule) and chance.random() < 0.4:
            rule["realarm"] = self.length(5)
        if chance.random() < 0.3:
            rule["shelve_max"] = self.length(6)
        if chance.random() < 0.15:
            wants = {"ack", "latch", "realarm", "shelve_max"} & rule.keys()
            rule["actions"] = ["flag", "note"] if wants else chance.choice([["flag", "note"], ["note"]])
        return rule

    def lively(self) -> dict[str, Any]:
        """A rule about stations whose flags are raised and cleared often."""
        chance = self.chance
        conditions = [f"state == '{chance.choice(STATES[:4])}'", "andon", "not andon", "running", "not running",
                      "tag.torque > 1", "upstream.andon", f"since_cycle < {self.length(2)}"]  # fmt: skip
        rule: dict[str, Any] = {"each": "station", "message": "m", "when": chance.choice(conditions)}
        rule |= chance.choice([{}, {}, {"suppress": chance.choice(conditions)}, {"for": self.length(2)}])
        return rule | chance.choice([{}, {}, {"ack": "required"}, {"latch": True}, {"shelve_max": self.length(4)}])

    def with_param(self, rule: dict[str, Any], name: str, values: dict[str, str] | str) -> dict[str, Any]:
        """The rule with the param in the places of a delay and of some durations of whole steps."""

        def put(match: re.Match[str]) -> str:
            return name if int(match[1]) % self.step_s == 0 and self.chance.random() < 0.5 else match[0]

        filled = {**rule, "params": {name: values}, "for": name}
        for field in ("when", "clear_when", "suppress"):
            if field in rule:
                filled[field] = re.sub(r"(?<=[<>=] )(\d+) s\b", put, rule[field])
        return filled

    def length(self, most: int) -> str:
        """A duration of some steps."""
        return f"{self.step_s * self.chance.randint(1, most)} s"

    def half(self) -> str:
        """A duration that is no whole number of steps."""
        return f"{self.step_s * self.chance.randint(0, 5) + self.step_s // 2} s"

    def sequence(self) -> str:
        """Conditions one after the other."""
        text = self.turning()
        for _ in range(self.chance.choice([1, 1, 2])):
            text += f" then {self.turning()} within {self.length(self.chance.choice([2, 4, 8]))}"
        return text + (f" unless {self.turning()}" if self.chance.random() < 0.4 else "")

    def turning(self) -> str:
        """What becomes true now and then."""
        states = [f"state == '{state}'" for state in STATES[:4]]
        simple = [*states, "andon", "running", f"since_cycle < {self.length(2)}", "tag.torque > 1", "not running"]
        return self.chance.choice(simple) if self.chance.random() < 0.7 else self.condition("station", 1)

    def condition(self, each: str, depth: int) -> str:
        """What is true or false."""
        chance = self.chance
        if depth and chance.random() < 0.45:
            one, other = self.condition(each, depth - 1), self.condition(each, depth - 1)
            return chance.choice([f"({one}) and ({other})", f"({one}) or ({other})", f"not ({one})"])
        return chance.choice(_LEAVES[each])(self)

    # --- of stations ----------------------------------------------------------------------------------------

    def truth(self) -> str:
        """A name that is true or false."""
        side = self.chance.choice(SIDES)
        return side + self.chance.choice(["observed", "running", "andon", "provisional", "shift"])

    def state(self) -> str:
        """What a station does."""
        chance = self.chance
        name = chance.choice(["state", "state", "upstream.state", "downstream.state", 'at("line/second").state',
                              'at("other/left").state'])  # fmt: skip
        some = chance.sample(STATES, 3)
        return chance.choice([f"{name} == '{some[0]}'", f"'{some[0]}' != {name}",
                              f"{name} in ({', '.join(map(repr, some))})"])  # fmt: skip

    def text(self) -> str:
        """A text against another."""
        chance = self.chance
        side = chance.choice(SIDES)
        return chance.choice(
            [f"not ({side}unit in ('U2', downstream.unit))", f"{side}unit == 'U1'", f"{side}unit in ('U1', 'U2')",
             f"{side}product == 'mtz'", f"{side}unit != 'U3'",
             "unit == downstream.unit", 'product == at("line/first").product'])  # fmt: skip

    def number(self, depth: int = 1) -> str:
        """A number that no time moves but that of the calendar."""
        chance = self.chance
        if depth and chance.random() < 0.3:
            one, other = self.number(depth - 1), self.number(depth - 1)
            return chance.choice([f"({one} {chance.choice('+-*/')} {other})", f"(-{one})"])
        side = chance.choice(SIDES)
        names = ["bottleneck", "share", "gain", "cycles_today", "cycles_today"]
        tags = ["tag.torque", "tag.torque", "tag.temp", 'at("line/second").tag.torque']
        others = ['target("year").behind', 'target("side").probability', 'commitment("turkey").left',
                  'line("other").probability', 'line("line").lag', 'kit("cab").stock']  # fmt: skip
        return chance.choice([self.constant(), side + chance.choice(names), chance.choice(tags), chance.choice(others),
                              self.window(number=True)])  # fmt: skip

    def constant(self) -> str:
        """A number as written."""
        return self.chance.choice(["0", "1", "2", "3", "0.5", "30%", "0.1", "7"])

    def duration(self) -> str:
        """A duration that no time moves; not on the grid."""
        return self.chance.choice(["planned", "takt", self.length(9), "2 * planned", "1.5 * takt", "planned + takt",
                                   "upstream.planned", "downstream.running.planned", "takt / 2",
                                   self.window(number=False), 'target("year").required_takt',
                                   "-planned"])  # fmt: skip

    def grid(self) -> str:
        """A duration of whole steps."""
        side = self.chance.choice(SIDES)
        return self.chance.choice([self.length(9), f"{side}planned", "2 * planned", "planned + takt", "takt",
                                   f"planned - {self.length(2)}", "1.5 * planned"])  # fmt: skip

    def running(self) -> str:
        """A working time that runs."""
        chance = self.chance
        names = ["state_for", "running.active", "since_cycle", "since_cycle"]
        one = chance.choice(SIDES) + chance.choice(names)
        ages = [f"age({name})" for name in ("state", "unit", "planned", "andon", "running", "product", "tag.torque")]
        return chance.choice([one, one, one, chance.choice(ages), f"2 * {one}", f"{one} / 2", f"-{one}",
                              f"({one} + {chance.choice(names)})",
                              f"({one} + {self.length(2)})"])  # fmt: skip

    def passing(self) -> str:
        """A running time against whole steps; the difference of two, which may stand still, against half ones."""
        if self.chance.random() < 0.1:
            return f"state_for - {self.chance.choice(SIDES)}running.active {self.chance.choice(ORDERED)} {self.half()}"
        one, other, sign = self.running(), self.grid(), self.chance.choice(ORDERED)
        return f"{one} {sign} {other}" if self.chance.random() < 0.8 else f"{other} {sign} {one}"

    def progress(self) -> str:
        """How far the running cycle is."""
        return f"running.progress {self.chance.choice(ORDERED)} {self.chance.choice(['0.5', '1', '150%', '2'])}"

    def down(self) -> str:
        """A time of something else."""
        line = self.chance.choice(["line", "other"])
        return self.chance.choice([f'line("{line}").bottleneck_for {self.chance.choice(ORDERED)} {self.length(9)}',
                                   f'connection("plc").down_for {self.chance.choice(ORDERED)} {self.length(9)}',
                                   f'kit("cab").runs_out_in {self.chance.choice(ORDERED)} {self.length(30)}',
                                   'connection("edge").up', 'connection("edge").unsafe'])  # fmt: skip

    def magnitude(self) -> str:
        """Numbers or durations against each other."""
        kind: Callable[[], str] = self.chance.choice([self.number, self.duration])
        return f"{kind()} {self.chance.choice((*ORDERED, '==', '!='))} {kind()}"

    def divided(self) -> str:
        """A quotient, by what may well be 0."""
        chance = self.chance
        zeros = ["cycles_today", "tag.torque", "(tag.torque - tag.torque)", 'target("year").left', 'kit("cab").short',
                 "count(cycle.good, last 30 s)", "bottleneck", "(cycles_today - 1)", "(planned - planned)"]  # fmt: skip
        below = chance.choice(zeros)
        numbers = ["1", "7", "cycles_today", "tag.temp"]
        above = f"({self.duration()})" if below == "(planned - planned)" else chance.choice(numbers)
        quotient = f"{above} / {below} {chance.choice(ORDERED)} {self.constant()}"
        return chance.choice([quotient, f"not {quotient}"])

    def rate(self) -> str:
        """How fast a tag changes, an hour; often between two samples of one moment."""
        window = f"tag.torque, {self.reach('samples')}"
        return f"rate({window}) {self.chance.choice(ORDERED)} {self.chance.choice(['0', '-40', '100', '300', '1000'])}"

    def today(self) -> str:
        """How many cycles there were on this day."""
        return f"{self.chance.choice(SIDES)}cycles_today {self.chance.choice(ORDERED)} {self.chance.randint(1, 3)}"

    def absent(self) -> str:
        """No cycle for a time."""
        return f"absent(cycle, {self.grid()})"

    def changed(self) -> str:
        """A name that changed lately."""
        return f"changed({self.chance.choice(['state', 'unit', 'andon', 'tag.torque'])}, last {self.length(8)})"

    def windowed(self) -> str:
        """A figure of a window against what it is now and then."""
        chance, sign = self.chance, self.chance.choice(ORDERED)
        if chance.random() < 0.5:
            item = chance.choice(
                ["cycle.good", "not cycle.good", "cycle.active > 50 s", "state == 'down' or cycle.good"]
            )
            figure = f"{chance.choice(['count', 'share'])}({item}, {self.reach('cycles')})"
            return f"{figure} {sign} {chance.choice(['0', '0.5', '1', '2', '3'])}"
        function = chance.choice(["mean", "mean", "median", "min", "max", "quantile", "ewma", "delta"])
        rank = f", {chance.choice(['90%', '50%', '0.3'])}" if function == "quantile" else ""
        figure = f"{function}(cycle.active{rank}, {self.reach('cycles', sized=function == 'ewma')})"
        return f"{figure} {sign} {chance.choice(['0 s', '20 s', '30.1 s', '55.1 s', '80.1 s', '90 s'])}"

    def window(self, *, number: bool) -> str:
        """A figure of a window: a number or a duration."""
        chance = self.chance
        tag = chance.choice(["tag.torque", "tag.torque", "tag.temp"])
        counted = ["cycle.active > cycle.planned", "cycle.good", "not cycle.good", f"cycle.active >= {self.length(9)}",
                   "cycle.lost > 3 s", f"state == '{chance.choice(STATES)}'", "cycle.active > takt", "running",
                   f"since_cycle >= {self.length(5)}", "unit == 'U1' or cycle.good"]  # fmt: skip
        samples = [f"{tag} > 3", f"{tag} < 1 or andon", f"{tag} >= {self.constant()} and observed"]
        if number and chance.random() < 0.5:
            item, stream = (
                (chance.choice(counted), "cycles") if chance.random() < 0.6 else (chance.choice(samples), "samples")
            )
            return f"{chance.choice(['count', 'count', 'share'])}({item}, {self.reach(stream)})"
        item, stream = chance.choice(["cycle.active", "cycle.lost", "cycle.planned - cycle.active", "takt"]), "cycles"
        if number:
            item, stream = chance.choice([tag, f"{tag} * 2", f"{tag} - cycles_today"]), "samples"
        function = chance.choice(["mean", "mean", "median", "min", "max", "quantile", "ewma", "delta", "rate"])
        if function == "rate" and not number:
            function = "delta"
        if function == "quantile":
            return f"quantile({item}, {chance.choice(['90%', '50%', '0.3', '100%'])}, {self.reach(stream)})"
        return f"{function}({item}, {self.reach(stream, sized=function == 'ewma')})"

    def reach(self, stream: str, *, sized: bool = False) -> str:
        """How far a window looks back."""
        chance = self.chance
        size = chance.randint(1, 5)
        if sized or chance.random() < 0.55:
            least = f", min {chance.randint(1, size)}" if chance.random() < 0.4 else ""
            return f"last {size} {stream}{least}"
        return f"last {self.length(12)}{f', min {chance.randint(1, 3)}' if chance.random() < 0.3 else ''}"

    # --- of others ------------------------------------------------------------------------------------------

    def of_line(self) -> str:
        """Of a line."""
        chance = self.chance
        return chance.choice(
            ["bottleneck == 'Second'", "previous != ''", f"bottleneck_for {chance.choice(ORDERED)} {self.length(9)}",
             f"probability >= {chance.choice(['0.6', '0.7', '0.5'])}", "provisional", "lag > 1", "verdict == 'v'",
             'lag < line("other").lag', 'connection("plc").up', 'at("line/first").state == \'down\'',
             f'target("year").behind > {self.constant()}'])  # fmt: skip

    def of_target(self) -> str:
        """Of a target."""
        chance = self.chance
        names = ["done", "due", "today", "behind", "behind_days", "left", "units", "units_low", "units_likely",
                 "units_high", "hours_needed", "hours_left", "kits_limit"]  # fmt: skip
        lengths = ["required_takt", "planned_takt", "takt_achieved", self.length(9)]
        return chance.choice(
            [f"{chance.choice(names)} {chance.choice(ORDERED)} {self.constant()}",
             f"{chance.choice(names)} {chance.choice(ORDERED)} {chance.choice(names)}",
             f"{chance.choice(lengths)} {chance.choice(ORDERED)} {chance.choice(lengths)}",
             f"probability {chance.choice(ORDERED)} 50%", 'behind > target("side").behind',
             f"{self.days('target')} {chance.choice(ORDERED)} {chance.choice(['0.3', '50%', '2'])}",
             self.down(), 'kit("cab").short > 0', 'commitment("turkey").margin_days < 1'])  # fmt: skip

    def days(self, each: str) -> str:
        """A figure of the last working days."""
        chance = self.chance
        size = chance.randint(1, 3)
        least = f", min {chance.randint(1, size)}" if chance.random() < 0.3 else ""
        function = chance.choice(["max", "min", "mean", "median", "delta", "count", "share"])
        item = "probability" if each == "commitment" or chance.random() < 0.7 else "behind"
        item += " < 50%" if function in ("count", "share") else ""
        return f"{function}({item}, last {size} days{least})"

    def of_commitment(self) -> str:
        """Of a commitment."""
        chance = self.chance
        return chance.choice(
            [f"{chance.choice(['done', 'left', 'units', 'margin_days'])} {chance.choice(ORDERED)} {self.constant()}",
             f"required_takt {chance.choice(ORDERED)} {self.length(9)}", f"probability {chance.choice(ORDERED)} 50%",
             self.down(),
             f"{self.days('commitment')} {chance.choice(ORDERED)} {chance.choice(['0.3', '50%', '2'])}"])  # fmt: skip

    def of_kit(self) -> str:
        """Of a kit."""
        chance = self.chance
        return chance.choice(
            [f"{chance.choice(['stock', 'needed_next_day', 'arriving', 'short'])} {chance.choice(ORDERED)} "
             f"{chance.choice(['needed_next_day', self.constant()])}",
             f"runs_out_in {chance.choice(ORDERED)} {self.length(30)}", "runs_out == ''", self.down()])  # fmt: skip

    def of_connection(self) -> str:
        """Of a connection."""
        chance = self.chance
        return chance.choice(["up", "not up", f"down_for {chance.choice(ORDERED)} {self.length(9)}", "unsafe",
                              "warning == 'w'", f"2 * down_for > {self.length(9)}"])  # fmt: skip


_LEAVES: dict[str, list[Callable[[Dice], str]]] = {
    "station": [Dice.truth, Dice.state, Dice.state, Dice.text, Dice.magnitude, Dice.magnitude, Dice.passing,
                Dice.passing, Dice.passing, Dice.progress, Dice.today, Dice.absent, Dice.changed, Dice.down,
                Dice.divided, Dice.rate, Dice.windowed, Dice.windowed, Dice.windowed],
    "line": [Dice.of_line],
    "target": [Dice.of_target],
    "commitment": [Dice.of_commitment],
    "kit": [Dice.of_kit],
    "connection": [Dice.of_connection],
}  # fmt: skip

"""The forms of PromQL that our rules and pictures use, evaluated over a few looks at /metrics.

Parsed by promql-parser, which is Prometheus's own grammar; what is evaluated here is the part of
the language that `docs/monitoring` needs, and anything else fails by name. A window is all looks
there are: what a counter grew by is counted from the first of them that shows it, for Prometheus
knows of nothing before, and a counter that shows less was begun anew. What Prometheus adds for the
ends of a window, where it did not look (extrapolation), is left out: it changes how much, not
whether.
"""

from __future__ import annotations

import math
import operator
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import promql_parser as promql
from prometheus_client.samples import Sample

Labels = frozenset[tuple[str, str]]
Vector = Mapping[Labels, float]
Value = Vector | float

COMPARES: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "==": operator.eq,
}
COMPUTES: Mapping[str, Callable[[float, float], float]] = {
    "/": lambda a, b: a / b if b else math.nan,
    "-": operator.sub,
    "+": operator.add,
}
AGGREGATES: Mapping[str, Callable[[Sequence[float]], float]] = {
    "sum": sum,
    "min": min,
    "max": max,
    "count": len,
}


@dataclass(frozen=True)
class Look:
    """The samples of /metrics at a moment, in seconds."""

    at: float
    samples: Sequence[Sample]

    @cached_property
    def by_name(self) -> Mapping[str, Sequence[Sample]]:
        """The samples of each name."""
        found: dict[str, list[Sample]] = defaultdict(list)
        for sample in self.samples:
            found[sample.name].append(sample)
        return found


class Selector(NamedTuple):
    """A name with the labels that an expression picks it by."""

    name: str
    labels: frozenset[str]


def asked(look: Look, **target: str) -> Look:
    """What Prometheus keeps of a look: each sample with its target's labels, and that it is up."""
    samples = [one._replace(labels={**target, **one.labels}) for one in look.samples]
    return Look(look.at, [*samples, Sample("up", target, 1.0)])


def parse(expression: str) -> promql.Expr:
    """An expression, with Grafana's window in place of its variable."""
    return promql.parse(expression.replace("$__rate_interval", "5m"))


def selectors(expression: Any) -> Iterator[Selector]:
    """Every name that an expression asks for."""
    match expression:
        case promql.VectorSelector():
            yield Selector(
                expression.name, frozenset(one.name for one in expression.matchers.matchers)
            )
        case promql.MatrixSelector():
            yield from selectors(expression.vector_selector)
        case promql.Call():
            for one in expression.args:
                yield from selectors(one)
        case promql.AggregateExpr() | promql.ParenExpr() | promql.SubqueryExpr():
            yield from selectors(expression.expr)
        case promql.BinaryExpr():
            yield from selectors(expression.lhs)
            yield from selectors(expression.rhs)


def evaluate(expression: Any, looks: Sequence[Look]) -> Value:
    """The value of an expression at the last of the looks."""
    match expression:
        case promql.NumberLiteral():
            return float(expression.val)
        case promql.ParenExpr():
            return evaluate(expression.expr, looks)
        case promql.VectorSelector():
            return _select(expression, looks[-1])
        case promql.Call():
            return _call(expression, looks)
        case promql.AggregateExpr():
            return _aggregate(expression, looks)
        case promql.BinaryExpr():
            return _binary(expression, looks)
    raise NotImplementedError(type(expression).__name__)


def _select(selector: Any, look: Look) -> Vector:
    found: dict[Labels, float] = {}
    for sample in look.by_name.get(selector.name, ()):
        if all(_fits(one, sample.labels.get(one.name, "")) for one in selector.matchers.matchers):
            found[frozenset(sample.labels.items())] = sample.value
    return found


def _fits(matcher: Any, value: str) -> bool:
    equal = value == matcher.value
    # the parser's enum has no hash: compared one by one
    if matcher.op in (promql.MatchOp.Re, promql.MatchOp.NotRe):
        equal = re.fullmatch(matcher.value, value) is not None
    return equal == (matcher.op in (promql.MatchOp.Equal, promql.MatchOp.Re))


def _call(call: Any, looks: Sequence[Look]) -> Value:
    name, arguments = call.func.name, call.args
    if name in {"rate", "increase"}:
        grown = _grown(arguments[0].vector_selector, looks)
        seconds = looks[-1].at - looks[0].at if name == "rate" else 1.0
        return {labels: value / seconds for labels, value in grown.items()}
    if name == "time":
        return looks[-1].at
    if name == "quantile_over_time":
        return _over_time(_number(evaluate(arguments[0], looks)), arguments[1].expr, looks)
    values = [evaluate(one, looks) for one in arguments]
    if name == "vector":
        return {frozenset(): _number(values[0])}
    if name == "absent":
        return {} if _vector(values[0]) else {frozenset(): 1.0}
    if name == "histogram_quantile":
        return _quantile(_number(values[0]), _vector(values[1]))
    raise NotImplementedError(name)


def _over_time(wanted: float, inner: Any, looks: Sequence[Look]) -> Vector:
    """A quantile of what an expression was at each look, straight between two of its values."""
    shown: dict[Labels, list[float]] = defaultdict(list)
    for count in range(1, len(looks) + 1):
        for labels, value in _vector(evaluate(inner, looks[:count])).items():
            shown[labels].append(value)
    found: dict[Labels, float] = {}
    for labels, values in shown.items():
        rank = wanted * (len(values) - 1)
        low, high = sorted(values)[math.floor(rank)], sorted(values)[math.ceil(rank)]
        found[labels] = low + (high - low) * (rank % 1)
    return found


def _grown(selector: Any, looks: Sequence[Look]) -> Vector:
    """The growth of each counter that at least two looks show."""
    shown: dict[Labels, list[float]] = defaultdict(list)
    for look in looks:
        for labels, value in _select(selector, look).items():
            shown[labels].append(value)
    found: dict[Labels, float] = {}
    for labels, values in shown.items():
        if len(values) > 1:
            steps = pairwise(values)
            found[labels] = sum(now - before if now >= before else now for before, now in steps)
    return found


def _quantile(wanted: float, buckets: Vector) -> Vector:
    series: dict[Labels, dict[float, float]] = defaultdict(dict)
    for labels, count in buckets.items():
        bound = dict(labels)["le"]
        series[frozenset(one for one in labels if one[0] != "le")][float(bound)] = count
    return {labels: _rank(wanted, counts) for labels, counts in series.items()}


def _rank(wanted: float, counts: Mapping[float, float]) -> float:
    """The value below which so many are, straight within its bucket as Prometheus has it."""
    bounds = sorted(counts)
    rank = wanted * counts[math.inf]
    if counts[math.inf] == 0:
        return math.nan
    low, under = 0.0, 0.0
    for bound in bounds:
        if counts[bound] >= rank:
            if bound == math.inf:
                return low
            return low + (bound - low) * (rank - under) / (counts[bound] - under)
        low, under = bound, counts[bound]
    return math.nan


def _aggregate(aggregate: Any, looks: Sequence[Look]) -> Vector:
    found = _vector(evaluate(aggregate.expr, looks))
    name = str(aggregate.op)
    if name == "topk":
        most = int(aggregate.param.val)
        return dict(sorted(found.items(), key=lambda one: -one[1])[:most])
    by: frozenset[str] = frozenset()
    if aggregate.modifier is not None:
        assert aggregate.modifier.type == promql.AggModifierType.By
        by = frozenset(aggregate.modifier.labels)
    groups: dict[Labels, list[float]] = defaultdict(list)
    for labels, value in found.items():
        groups[frozenset(one for one in labels if one[0] in by)].append(value)
    return {labels: float(AGGREGATES[name](values)) for labels, values in groups.items()}


def _binary(binary: Any, looks: Sequence[Look]) -> Value:
    left, right = evaluate(binary.lhs, looks), evaluate(binary.rhs, looks)
    name = str(binary.op)
    if name in {"and", "or"}:
        return _joined(name, _vector(left), _vector(right), binary.modifier)
    if isinstance(left, float) and isinstance(right, float):
        return COMPUTES[name](left, right)
    keys = left if not isinstance(left, float) else _vector(right)
    found: dict[Labels, float] = {}
    for labels in keys:
        a, b = _at(left, labels), _at(right, labels)
        if a is None or b is None:
            continue
        if name not in COMPARES:
            found[labels] = COMPUTES[name](a, b)
        elif COMPARES[name](a, b):
            found[labels] = a
    return found


def _joined(name: str, left: Vector, right: Vector, modifier: Any) -> Vector:
    """Series of one side by what the other has: matched by all labels, or by those of `on`."""
    on: frozenset[str] | None = None
    if modifier is not None and modifier.matching is not None:
        assert modifier.matching.type == promql.LabelModifierType.Include
        on = frozenset(modifier.matching.labels)

    def key(labels: Labels) -> Labels:
        return labels if on is None else frozenset(one for one in labels if one[0] in on)

    if name == "and":
        there = {key(labels) for labels in right}
        return {labels: value for labels, value in left.items() if key(labels) in there}
    there = {key(labels) for labels in left}
    more = {labels: value for labels, value in right.items() if key(labels) not in there}
    return {**left, **more}


def _at(value: Value, labels: Labels) -> float | None:
    if isinstance(value, float):
        return value
    return value.get(labels)


def _vector(value: Value) -> Vector:
    assert not isinstance(value, float)
    return value


def _number(value: Value) -> float:
    assert isinstance(value, float)
    return value

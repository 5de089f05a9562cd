"""The forms of PromQL that our rules and pictures use, evaluated over a few looks at /metrics.

Parsed by promql-parser, which is Prometheus's own grammar; what is evaluated here is the part of
the language that `docs/monitoring` needs, and anything else fails by name. A window is all looks
there are, so that a rate is what happened between the first and the last.
"""

from __future__ import annotations

import math
import operator
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import promql_parser as promql
from prometheus_client.samples import Sample

Labels = frozenset[tuple[str, str]]
Vector = Mapping[Labels, float]
Value = Vector | float

COMPARES: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
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


class Look(NamedTuple):
    """The samples of /metrics at a moment, in seconds."""

    at: float
    samples: Sequence[Sample]


class Selector(NamedTuple):
    """A name with the labels that an expression picks it by."""

    name: str
    labels: frozenset[str]


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
        case promql.AggregateExpr() | promql.ParenExpr():
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
    for sample in look.samples:
        labels = {"instance": "one", **sample.labels}
        if sample.name == selector.name and all(
            _fits(one, labels.get(one.name, "")) for one in selector.matchers.matchers
        ):
            found[frozenset(labels.items())] = sample.value
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
    values = [evaluate(one, looks) for one in arguments]
    if name == "vector":
        return {frozenset(): _number(values[0])}
    if name == "absent":
        return {} if _vector(values[0]) else {frozenset(): 1.0}
    if name == "histogram_quantile":
        return _quantile(_number(values[0]), _vector(values[1]))
    raise NotImplementedError(name)


def _grown(selector: Any, looks: Sequence[Look]) -> Vector:
    """The growth of each counter; one that is new began at nothing."""
    before = _select(selector, looks[0])
    after = _select(selector, looks[-1])
    return {labels: value - before.get(labels, 0.0) for labels, value in after.items()}


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
    if name == "unless":
        return {one: value for one, value in _vector(left).items() if one not in _vector(right)}
    if name == "or":
        return {**_vector(right), **_vector(left)} if _vector(left) else _vector(right)
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

"""Does the config ask for more memory than a model of this size needs?

A kilobyte of config can ask for any number of parameters, or for outputs of any size. What a layer's variables hold at
least can be told from its arguments alone (a `Dense` has a row of `units` numbers for each input feature); a file that
was saved holds those numbers. So what the config asks for is compared with what the file stores, before anything is
built. `build.budget` watches the variables that are made, for what can't be told here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from safeload.budgets import MAX_CALLS, MAX_LAYERS, MAX_RANK, MAX_STEPS, parameters_allowed
from safeload.checks import Examination
from safeload.checks.budget_table import CAPS, PARAMETERS, SIZES, STEPS
from safeload.document import ModelDocument
from safeload.errors import InsufficientMemoryError
from safeload.findings import Finding, Rule, Severity
from safeload.objects.catalog import KINDS, builtin
from safeload.operations import MAX_ELEMENTS

__all__ = ["OVER_BUDGET", "check"]

OVER_BUDGET = Rule(
    "SL208",
    "over-budget",
    Severity.ERROR,
    """\
What it sees: a config that asks for far more parameters than the file stores, for an output of more than a quarter of a
billion numbers for each sample, for more layers than any model has, or for a graph whose parts call each other so often
that building it never ends.
Why it matters: a few characters can ask for all of the machine's memory or time.
Example: `Dense(10000000000)` in a file of one kilobyte.
What to do: don't load the file, if it isn't yours.
References: none.
""",
    InsufficientMemoryError,
)


def check(examination: Examination) -> Iterable[Finding]:
    """A finding for each layer that asks for too much, and one for all of them together."""
    document, dialect = examination.repaired, examination.runtime.dialect
    allowed = parameters_allowed(document)
    layers, total, longest, unrolled = 0, 0, 0.0, None
    for tree, root in ((document.architecture, ""), (document.training, "training")):
        for where, name, config in _objects(tree, root):
            layers += 1
            if not isinstance(config, Mapping) or not _own(dialect, name):
                continue
            plain = name.rpartition(">")[2]
            wanted = PARAMETERS[plain](config) if plain in PARAMETERS else 0
            if wanted > allowed:
                yield OVER_BUDGET.finding(
                    f"{plain} asks for at least {wanted:,} parameters, and the file stores {stored(document):,} numbers",
                    where=where,
                )
            total += wanted
            longest = max([longest, *(_largest(config[k]) for k in STEPS & config.keys())])
            unrolled = where if config.get("unroll") is True else unrolled
            yield from _outputs(plain, config, where)
    if layers > MAX_LAYERS:
        yield OVER_BUDGET.finding(f"the config holds {layers:,} objects")
    elif total > allowed:
        yield OVER_BUDGET.finding(
            f"the layers ask for at least {total:,} parameters, and the file stores {stored(document):,} numbers"
        )
    if unrolled is not None and longest > MAX_STEPS:
        yield OVER_BUDGET.finding(f"a loop over up to {longest:,} steps is unrolled", where=unrolled)
    calls = _calls(document.architecture)
    if calls > MAX_CALLS:
        yield OVER_BUDGET.finding(f"building the graph takes {calls:,} calls of layers")


def stored(document: ModelDocument) -> int:
    """The numbers that a document stores as weights."""
    return sum(e.size for e in document.weights.walk()) if document.weights is not None else 0


def _own(dialect: str, name: str) -> bool:
    plain = name.removeprefix("safeload>")
    return any(builtin(dialect, kind, plain) is not None for kind in KINDS)


def _outputs(name: str, config: Mapping[str, Any], where: str) -> Iterator[Finding]:
    if _product([config.get("height"), config.get("width")]) > MAX_ELEMENTS:
        yield OVER_BUDGET.finding(f"{name} makes images of too many pixels", where=where)
    for argument, value in config.items():
        if argument in CAPS:
            if _largest(value) > CAPS[argument]:
                yield OVER_BUDGET.finding(f"{name} has {argument}={str(value)[:40]}", where=f"{where}.{argument}")
        elif argument in SIZES:
            rank = len(value) if isinstance(value, list | tuple) else 1
            if _product(value) > MAX_ELEMENTS or rank > MAX_RANK:
                yield OVER_BUDGET.finding(f"{name} has {argument}={str(value)[:40]}", where=f"{where}.{argument}")


def _product(value: Any) -> int:
    if isinstance(value, bool):
        return 1
    if isinstance(value, int | float):
        return max(abs(int(value)), 1) if value == value and abs(value) < float("inf") else 1
    if isinstance(value, list | tuple):
        product = 1
        for item in value:
            product *= _product(item)
            if product > MAX_ELEMENTS:
                return product
        return product
    return 1


def _largest(value: Any) -> float:
    if isinstance(value, list | tuple):
        return max((_largest(v) for v in value), default=0)
    return abs(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0


def _objects(config: Any, root: str) -> Iterator[tuple[str, str, Any]]:
    """Place, class and config of every object in a config."""
    stack: list[tuple[Any, str]] = [(config, root)]
    while stack:
        node, at = stack.pop()
        if isinstance(node, list | tuple):
            stack += [(v, f"{at}[{i}]") for i, v in enumerate(node) if isinstance(v, Mapping | list | tuple)]
        elif isinstance(node, Mapping):
            name = node.get("class_name")
            if isinstance(name, str) and not name.startswith("__"):
                yield at, name, node.get("config")
            stack += [
                (v, at if k == "config" else f"{at}.{k}".lstrip("."))
                for k, v in node.items()
                if k != "inbound_nodes" and isinstance(v, Mapping | list | tuple)
            ]


def _calls(config: Any) -> int:
    """How many calls of layers building a model takes: a nested model's, for each call of the nested model."""
    if not isinstance(config, Mapping):
        return 0
    inner = config.get("config")
    layers = inner.get("layers") if isinstance(inner, Mapping) else inner
    if not isinstance(layers, list | tuple):
        return 1
    total = 1
    for layer in layers:
        if isinstance(layer, Mapping):
            nodes = layer.get("inbound_nodes")
            times = len(nodes) if isinstance(nodes, list | tuple) else 1
            total += (times + 1) * _calls(layer)
    return total

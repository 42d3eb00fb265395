"""JSON and YAML texts inside model files: strict, bounded, plain data only."""

from __future__ import annotations

import codecs
import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from safeload.errors import CorruptedModelError, MissingDependencyError

__all__ = ["MAX_TEXT", "decoded", "parse_json", "parse_yaml"]

MAX_TEXT = 1 << 26
"""Bytes of one text. The config of a model of 10,000 layers has about 5 MB; vocabularies lie in assets."""

MAX_DEPTH = 200
"""Lists and objects inside each other. A nested model adds three; Keras itself recurses over them."""

MAX_CONTAINERS = 2_000_000
"""Lists and objects in one text: each costs some 64 bytes, whatever it holds."""

_MAX_ALIASED = 100
"""How often aliases may make a YAML document larger than its text."""

_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_TEXT_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class _Refused(ValueError):
    """The text is well-formed, but no writer of models makes such a one."""


def decoded(data: bytes) -> str:
    """The text of some bytes: UTF-8, or what a byte order mark at their start says (editors on Windows add one).

    Raises:
        UnicodeDecodeError: They are not that.
    """
    return data.decode(next((name for mark, name in _TEXT_MARKS if data.startswith(mark)), "utf-8"))


def parse_json(text: str | bytes, *, path: str | None, where: str) -> Any:
    """The value of a JSON text.

    Refused: a key twice in one object (programs disagree on which one counts), texts that are no Unicode, documents that
    are deeper or larger than any model's. `NaN` and `Infinity` pass: Keras writes them.

    Raises:
        CorruptedModelError: It is no JSON, or one of these.
    """
    try:
        if len(text) > MAX_TEXT:
            raise _Refused(f"a text of {len(text):,} bytes")
        plain = text if isinstance(text, str) else decoded(text)
        if plain.count("{") + plain.count("[") > MAX_CONTAINERS:
            raise _Refused("more lists and objects than any model has")
        value = json.loads(plain)
        keys = _walked(value)
        if keys != _keys_of_text(plain):
            json.loads(plain, object_pairs_hook=_once)
        if _ESCAPED_SURROGATE.search(plain):
            json.dumps(value, ensure_ascii=False).encode()
        return value
    except RecursionError as error:
        raise _error("it is nested too deeply", path, where) from error
    except UnicodeError as error:
        raise _error("it is no valid Unicode", path, where) from error
    except _Refused as error:
        raise _error(str(error), path, where) from error
    except ValueError as error:
        raise _error(f"{error}", path, where) from error


def _error(what: str, path: str | None, where: str) -> CorruptedModelError:
    return CorruptedModelError(
        f"{where} is no JSON that Keras writes: {what}", path=path, where=where, damage=(f"{where}: {what}",)
    )


def _walked(value: Any) -> int:
    """The number of keys in a value, level by level.

    Raises:
        _Refused: It is deeper than any model's config.
    """
    level, depth, keys = [value], 0, 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise _Refused(f"lists and objects inside each other more than {MAX_DEPTH} deep")
        objects = [n for n in level if type(n) is dict]
        keys += sum(map(len, objects))
        children = [v for n in objects for v in n.values()]
        children += [v for n in level if type(n) is list for v in n]
        level = [v for v in children if type(v) is dict or type(v) is list]
    return keys


def _keys_of_text(text: str) -> int | None:
    """How many keys stand in a text, where that can be told by counting; finding a key twice is slow otherwise.

    In a JSON text, a quote that is followed by a colon ends a key, unless it is escaped; None where blanks stand between
    a quote and what follows it.
    """
    if any(f'"{blank}' in text for blank in " \t\r\n"):
        return None
    return text.count('":') - text.count('\\":')


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(key for key, count in Counter(k for k, _ in pairs).items() if count > 1)
        raise _Refused(f"the key {twice[:80]!r} stands twice in one object")
    return found


def parse_yaml(data: bytes, *, path: str | None) -> Any:
    """The value of a YAML text: plain data, and the tuples that Keras 1 and 2 wrote with a Python tag.

    Raises:
        CorruptedModelError: It is no YAML, asks for other Python objects, or its aliases make it larger than any model.
        MissingDependencyError: PyYAML is not installed.
    """
    try:
        import yaml
    except ImportError as error:
        raise MissingDependencyError(
            "reading a YAML architecture needs PyYAML",
            path=path,
            hint="python -m pip install pyyaml",
            packages=("pyyaml",),
        ) from error

    class Loader(yaml.SafeLoader):
        """Plain data, with tuples as lists; a key twice in one mapping is an error."""

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            names = [k.value for k, _ in node.value if isinstance(getattr(k, "value", None), str)]
            if len(names) != len(set(names)):
                raise _Refused("a key stands twice in one mapping")
            return super().construct_mapping(node, deep)

    def sequence(loader: Any, node: Any) -> Any:
        return loader.construct_sequence(node, deep=True)

    Loader.add_constructor("tag:yaml.org,2002:python/tuple", sequence)
    try:
        if len(data) > MAX_TEXT // 8:  # PyYAML is slow
            raise _Refused(f"a text of {len(data):,} bytes")
        value = yaml.load(decoded(data), Loader)  # a SafeLoader: plain data only
        _check_size(value, _MAX_ALIASED * len(data))
        return value
    except (yaml.YAMLError, RecursionError, ValueError, TypeError, AttributeError) as error:
        what = " ".join(str(error).split())[:300]
        raise CorruptedModelError(f"this is no YAML that Keras writes: {what}", path=path, damage=(what,)) from error


def _check_size(value: Any, most: int) -> None:
    """Aliases may name one node many times, or make a cycle ("billion laughs"): count what it would be written out."""
    sizes: dict[int, int] = {}

    def size(node: Any, depth: int) -> int:
        if not isinstance(node, Mapping | list | tuple):
            return 1
        if depth > MAX_DEPTH:
            raise _Refused(f"mappings and lists inside each other more than {MAX_DEPTH} deep")
        if id(node) not in sizes:
            children = list(node.values()) if isinstance(node, Mapping) else node
            sizes[id(node)] = 1 + sum(size(child, depth + 1) for child in children)
        if sizes[id(node)] > most:
            raise _Refused("its aliases make it larger than any model")
        return sizes[id(node)]

    size(value, 0)

"""Make `src/safeload/lambdas/opcodes.json`: the instructions of each CPython, asked of the interpreters themselves.

    python tools/make_opcodes.py PYTHON2.7 PYTHON3.6 ... PYTHON3.13

3.5 is 3.6 with the differences of `Include/opcode.h` of 3.5, which are written out here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ASK = r"""
import dis, json, opcode, sys
names = dict((op, name) for name, op in dis.opmap.items() if op < 256)
caches = {}
if sys.version_info >= (3, 13):
    caches = dict((name, n) for name, n in opcode._inline_cache_entries.items() if n)
elif sys.version_info >= (3, 11):
    caches = dict((opcode.opname[i], n) for i, n in enumerate(opcode._inline_cache_entries) if n)
print(json.dumps({
    "python": "%d.%d" % sys.version_info[:2],
    "argument_from": dis.HAVE_ARGUMENT,
    "names": dict((str(op), name) for op, name in names.items()),
    "caches": caches,
    "compare": list(dis.cmp_op),
    "binary": [pair[1] for pair in getattr(opcode, "_nb_ops", [])],
    "relative": sorted(names[op] for op in dis.hasjrel if op in names),
    "absolute": sorted(names[op] for op in dis.hasjabs if op in names),
}))
"""

OLD_NAMES = {
    "140": "CALL_FUNCTION_VAR",
    "141": "CALL_FUNCTION_KW",
    "142": "CALL_FUNCTION_VAR_KW",
    "134": "MAKE_CLOSURE",
}
NOT_YET = {"FORMAT_VALUE", "BUILD_CONST_KEY_MAP", "BUILD_STRING", "BUILD_TUPLE_UNPACK_WITH_CALL", "CALL_FUNCTION_EX"}
NOT_YET |= {"SETUP_ANNOTATIONS", "STORE_ANNOTATION"}


def main(pythons: list[str]) -> None:
    tables = {}
    for python in pythons:
        table = json.loads(subprocess.run([python, "-c", ASK], capture_output=True, check=True, text=True).stdout)
        tables[table.pop("python")] = table
    names = {op: name for op, name in tables["3.6"]["names"].items() if name not in NOT_YET}
    tables["3.5"] = {**tables["3.6"], "names": {**names, **OLD_NAMES}}
    ordered = {v: tables[v] for v in sorted(tables, key=lambda v: tuple(map(int, v.split("."))))}
    lines = [f" {json.dumps(v)}: {json.dumps(t, sort_keys=True)}" for v, t in ordered.items()]
    target = Path(__file__).parents[1] / "src" / "safeload" / "lambdas" / "opcodes.json"
    target.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

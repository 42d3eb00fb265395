"""Make `tests/lambdas/codes.json.gz`: the Lambdas of `tests/lambdas/expressions.txt` as each Python marshals them.

    python tools/make_lambda_codes.py PYTHON2.7 PYTHON3.6 ... PYTHON3.13

So the tests need no Python but their own.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "tests" / "lambdas"

COMPILE = r"""
from __future__ import print_function
import base64, json, marshal, sys
found = {}
for line in sys.stdin.read().splitlines():
    line, _, only = line.partition("  # ")
    if line.startswith("lambda") and not (only == "3" and sys.version_info < (3,)):
        function = eval(line)
        found[line] = base64.b64encode(marshal.dumps(function.__code__)).decode("ascii")
print(json.dumps({"%d.%d" % sys.version_info[:2]: found}))
"""


def main(pythons: list[str]) -> None:
    lines = (FOLDER / "expressions.txt").read_text(encoding="utf-8")
    codes: dict[str, dict[str, str]] = {}
    for python in pythons:
        done = subprocess.run([python, "-c", COMPILE], input=lines, capture_output=True, check=True, text=True)
        codes.update(json.loads(done.stdout))
    data = json.dumps(codes, sort_keys=True, indent=0).encode()
    (FOLDER / "codes.json.gz").write_bytes(gzip.compress(data, 9, mtime=0))


if __name__ == "__main__":
    main(sys.argv[1:])

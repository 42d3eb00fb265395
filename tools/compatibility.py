"""Write docs/compatibility.md from the scores of the corpus: which writer's files load in which runtime.

    python tools/compatibility.py CORPUS "Keras 3.15, TensorFlow 2.21"=scores.json [NAME=FILE ...]

`make corpus` runs it. CORPUS holds a folder for each writer with a manifest.json; a score file says of each row what became of
it: `ok` (loaded, with the writer's numbers), `refused` (works only by running code from the file), `typed-error`, and
`wrong-numbers`, `error`, `crash`, `timeout`, of which there should be none.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

OUT = Path(__file__).resolve().parents[1] / "docs" / "compatibility.md"

HEAD = """\
# Compatibility

Made by `make corpus` from model files that the real versions wrote, each with recorded inputs and outputs. A file counts as
loaded when `safeload.load_model(path)`, with its custom objects' modules registered and every other argument at its default,
gives a model whose outputs are the writer's. {refused} of the {total} files hold Python bytecode (`Lambda` layers): it is read
instead of run; a file whose bytecode can't be read is refused and left out of the rates.
"""


def writer(manifest: list[dict[str, Any]]) -> str:
    """Who wrote a folder's files, in words."""
    producer = manifest[0]["producer"]
    version, tensorflow = str(producer.get("keras", "?")), producer.get("tensorflow")
    name = "tf.keras" if "tf" in version or version == tensorflow else "Keras"
    on = {"tensorflow": f"TensorFlow {tensorflow}"}.get(
        producer.get("backend", ""), str(producer.get("backend")).capitalize()
    )
    return f"{name} {version} on {on}"


def cell(rows: list[dict[str, Any]]) -> str:
    counted = [row for row in rows if row["status"] != "refused"]
    good = sum(row["status"] == "ok" for row in counted)
    return f"{good} of {len(counted)}"


def main() -> None:
    corpus = Path(sys.argv[1])
    scores = {}
    for argument in sys.argv[2:]:
        name, _, file = argument.rpartition("=")
        scores[name] = [
            r for r in json.loads(Path(file).read_text(encoding="utf-8"))["results"] if r["loader"] == "safeload"
        ]
    manifests = {
        p.parent.name: json.loads(p.read_text(encoding="utf-8")) for p in sorted(corpus.glob("*/manifest.json"))
    }
    total = sum(len(m) for m in manifests.values())
    refused = sum(bool(row.get("needs_code_from_file")) for m in manifests.values() for row in m)
    lines = [
        HEAD.format(refused=refused, total=total),
        f"| written by | {' | '.join(scores)} |",
        "|---" * (len(scores) + 1) + "|",
    ]
    for folder, manifest in sorted(manifests.items(), key=lambda item: writer(item[1])):
        cells = [cell([r for r in rows if r["producer"] == folder]) for rows in scores.values()]
        ordering = "channels first, " if any(r.get("image_data_format") == "channels_first" for r in manifest) else ""
        lines.append(f"| {writer(manifest)} ({ordering}`{folder}`) | {' | '.join(cells)} |")
    lines.append(f"| **all** | {' | '.join(f'**{cell(rows)}**' for rows in scores.values())} |")
    lines += ["", "## What became of every file", "", f"| | {' | '.join(scores)} |", "|---" * (len(scores) + 1) + "|"]
    counts = [Counter(r["status"] for r in rows) for rows in scores.values()]
    for status in ("ok", "refused", "typed-error", "wrong-numbers", "error", "crash", "timeout"):
        lines.append(f"| {status} | {' | '.join(str(c[status]) for c in counts)} |")
    lines += ["", "Optimizer state of the files that store one, by runtime:", ""]
    for name, rows in scores.items():
        told = Counter(r["optimizer"] for r in rows if r.get("optimizer") not in ("n/a", None))
        lines.append(f"- {name}: {', '.join(f'{k} {v}' for k, v in told.most_common())}")
    lines += ["", "## Files that don't load, and why", ""]
    for name, rows in scores.items():
        lines += [f"### {name}", "", "| file | error |", "|---|---|"]
        for row in sorted(rows, key=lambda r: r["id"]):
            if row["status"] not in ("ok", "refused"):
                text = " ".join(str(row.get("message") or row["status"]).split())
                text = text.split("/corpus/")[-1].partition("Hint:")[0].strip().replace("|", "\\|")
                lines.append(f"| {row['id']} | {row['status']}: {row.get('error') or ''} {text[:160]} |")
        lines.append("")
    OUT.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    print(f"wrote {OUT}")


if __name__ == "__main__":
    main()

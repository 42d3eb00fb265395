"""What the graphs of a SavedModel may do: an allow-list of operations over every graph and function in the file.

A graph is code: TensorFlow runs initialisers when a SavedModel is loaded, and functions when the model is called. Where
a model is built from its layers' configs no graph runs; the list of hazards is looked for all the same.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from safeload.checks import Examination
from safeload.checks.graph_cost import GRAPH_COST, costs
from safeload.checks.graph_op_table import PURE, STATEFUL
from safeload.checks.graph_saver import in_place, saver_functions, saver_nodes, traced
from safeload.checks.packages import COMPUTING, Package, install_line, installed, package_of_op
from safeload.errors import CorruptedModelError, MissingDependencyError, UnsafeModelError
from safeload.findings import Finding, Rule, Severity
from safeload.formats.tensorflow.graphs import Graph, Node
from safeload.formats.tensorflow.protos import TENSOR
from safeload.formats.tensorflow.wire import parse
from safeload.objects.registry import registered_modules

__all__ = ["HAZARDS", "RULES", "Available", "check", "judge", "needed_modules"]

HAZARDS: Mapping[str, str] = {
    **dict.fromkeys(
        ("ReadFile", "WholeFileReader", "WholeFileReaderV2", "MatchingFiles", "ImmutableConst"), "reads files"
    ),
    **dict.fromkeys(
        ("FixedLengthRecordReaderV2", "TextLineReader", "TextLineReaderV2", "TFRecordReader"), "reads files"
    ),
    **dict.fromkeys(("TFRecordReaderV2", "LMDBReader", "RecordInput", "LoadAndRemapMatrix"), "reads files"),
    **dict.fromkeys(("TextLineDataset", "TFRecordDataset", "TFRecordDatasetV2", "LoadDataset"), "reads files"),
    **dict.fromkeys(
        ("FixedLengthRecordDataset", "FixedLengthRecordDatasetV2", "CSVDataset", "SqlDataset"), "reads files"
    ),
    **dict.fromkeys(("ExperimentalCSVDataset", "ExperimentalSqlDataset", "ExperimentalLMDBDataset"), "reads files"),
    **dict.fromkeys(("CSVDatasetV2", "LMDBDataset", "MatchingFilesDataset", "SnapshotDataset"), "reads files"),
    **dict.fromkeys(("GenerateVocabRemapping", "FixedUnigramCandidateSampler", "DecodeProtoV2"), "reads files"),
    **dict.fromkeys(("EncodeProto", "GetElementAtIndex", "DistributedSave"), "reads or writes files"),
    **dict.fromkeys(("WriteFile", "SaveDataset", "SaveDatasetV2", "DumpTensor", "SnapshotDatasetV2"), "writes files"),
    **dict.fromkeys(("CreateSummaryFileWriter", "CreateSummaryDbWriter", "WriteSummary"), "writes files"),
    **dict.fromkeys(("WriteScalarSummary", "WriteGraphSummary", "ImportEvent", "DatasetToTFRecord"), "writes files"),
    **dict.fromkeys(("ExperimentalDatasetToTFRecord", "CalibrationStatisticsSaver"), "writes files"),
    **dict.fromkeys(("PyFunc", "PyFuncStateless", "EagerPyFunc", "GeneratorDataset"), "calls Python"),
    **dict.fromkeys(
        ("DebugIdentity", "DebugIdentityV2", "DebugIdentityV3", "DebugNanCount"), "sends data to a debugger"
    ),
    **dict.fromkeys(("DebugNumericSummary", "DebugNumericSummaryV2"), "sends data to a debugger"),
    **dict.fromkeys(("Copy", "CopyHost"), "sends data to a debugger"),
    **dict.fromkeys(("RemoteCall", "RpcClient", "RpcCall", "RpcServer", "RpcServerStart"), "opens connections"),
    **dict.fromkeys(("DataServiceDataset", "DataServiceDatasetV2", "DataServiceDatasetV3"), "opens connections"),
    **dict.fromkeys(("DataServiceDatasetV4", "RegisterDataset", "RegisterDatasetV2"), "opens connections"),
    **dict.fromkeys(("_Send", "_Recv", "_HostSend", "_HostRecv", "Send", "Recv"), "talks to other processes"),
    "FileSystemSetConfiguration": "changes settings of the process",
    "Abort": "stops the process",
    "XlaCustomCall": "calls native code by name",
    "XlaCustomCallV2": "calls native code by name",
    "XlaLaunch": "compiles and runs what the file says",
    "MlirPassthroughOp": "compiles and runs what the file says",
}
"""Operations that no model needs, and what they do. What is in no table is refused as well, when a graph has to run."""

_SAVING = frozenset(
    "SaveV2 RestoreV2 MergeV2Checkpoints ShardedFilename ShardedFilespec Save SaveSlices Restore RestoreSlice".split()
)
_FROM_FILES = frozenset({"InitializeTableFromTextFile", "InitializeTableFromTextFileV2"})
_KNOWN = PURE | STATEFUL
_PYTHON = frozenset({"PyFunc", "PyFuncStateless", "EagerPyFunc"})
_ADAPTING = "__inference_adapt_step_"
"""What Keras 2.5-2.15 traces of `adapt`: an adapted Discretization (num_bins=...) has a `PyFunc` there.

It is let be only where the model is built from its layers and no graph runs at all.
"""
_HANDLES = frozenset({20, 21})
"""DT_RESOURCE and DT_VARIANT (`tensorflow/core/framework/types.proto`)."""

GRAPH_OPERATION = Rule(
    "SL230",
    "graph-operation",
    Severity.ERROR,
    """\
What it sees: an operation in a SavedModel's graph that isn't on the list of those that only compute.
Why it matters: a graph is code. Initialisers run at load time, functions when the model is called; `ReadFile`,
`WriteFile` or `PyFunc` in one of them acts with your rights.
Example: `ReadFile` in the function `__inference_serve_12`.
What to do: ask where the model comes from. If it is yours, export it again without the operation.
References: tensorflow/core/ops/*.cc; TensorFlow's SECURITY.md ('models are programs').
""",
    UnsafeModelError,
)
GRAPH_PACKAGE = Rule(
    "SL503",
    "graph-package",
    Severity.ERROR,
    """\
What it sees: operations that a package registers with TensorFlow when it is imported.
Why it matters: without the package no one can run the graph.
Example: `SentencepieceOp` of tensorflow_text.
What to do: install the package and register it: `safeload.register_module("tensorflow_text")`. Of its operations, those
that only compute run then; those that open files or connections stay refused.
References: the packages' own documentation.
""",
    MissingDependencyError,
)
MISSING_ASSET = Rule(
    "SL130",
    "missing-asset",
    Severity.ERROR,
    """\
What it sees: a SavedModel that refers to a file under `assets/` which is not there.
Why it matters: tables are filled from such files.
Example: `assets/vocab.txt` left behind when the model was copied.
What to do: copy the folder again, with `assets`.
References: TensorFlow's SavedModel guide.
""",
    CorruptedModelError,
)
RULES = (GRAPH_OPERATION, MISSING_ASSET, GRAPH_COST, GRAPH_PACKAGE)


def check(examination: Examination) -> Iterator[Finding]:
    """The findings for a SavedModel; none for other formats."""
    document = examination.document
    if document.format != "savedmodel":
        return
    function = examination.repaired.architecture is None
    for number, saved in enumerate(document.extras.get("all_graphs", ())):
        runs = function and number == document.extras["meta_graph"]
        if runs:
            yield from _assets(saved, document.assets)
        if runs or _may_hold(saved.data, HAZARDS):
            yield from judge(saved, document.extras.get("object_graph"), runs=runs, packages=Available.of(examination))


def _assets(saved: Any, members: Mapping[str, Any]) -> Iterator[Finding]:
    """Every asset is a file of the model: TensorFlow joins its name to the folder's, wherever that leads."""
    for name in saved.asset_files:
        if name not in members:
            outside = name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") or ":" in name
            if outside:
                yield GRAPH_OPERATION.finding(
                    f"the asset {name!r} lies outside the model", where=f"assets/{name}", threats=(f"reads {name!r}",)
                )
            else:
                yield MISSING_ASSET.finding(
                    f"the asset {name!r} is missing", where=f"assets/{name}", damage=(f"assets/{name}",)
                )


def _may_hold(data: Any, names: Iterable[str]) -> bool:
    """Whether one of the names is among the bytes: told much faster than by parsing the graphs."""
    text = bytes(data)
    return any(name.encode() in text for name in names)


def judge(saved: Any, objects: Any, *, runs: bool, packages: Available | None = None) -> Iterator[Finding]:
    """What is wrong with the graphs of one meta graph.

    Args:
        saved: A `formats.savedmodel.SavedGraphs`.
        objects: The object graph, None in TensorFlow 1.
        runs: Whether a graph will run; else only hazards are looked for.
        packages: Which packages' operations may run.
    """
    graphs: Mapping[str, Graph] = saved.graphs
    refused: dict[str, list[str]] = {}
    unknown: dict[str, list[str]] = {}
    functions = saver_functions(saved)
    nodes = saver_nodes(saved)
    for name, graph in graphs.items():
        for node in graph.nodes:
            place = f"{name}/{node.name}" if name else node.name
            if not runs and node.op in _PYTHON and name.startswith(_ADAPTING):
                continue
            why = _refusal(node, name, saved, functions, nodes)
            if why == "unknown":
                unknown.setdefault(node.op, []).append(place)
            elif why is not None:
                refused.setdefault(f"{node.op} {why}", []).append(place)
            for called in node.functions():  # TensorFlow runs an operation where it finds no function of that name
                if called not in graphs and called and (called in HAZARDS or called not in _KNOWN):
                    refused.setdefault(f"{node.op} of {called} calls what is no function of the file", []).append(place)
            if any(_is_handle(tensor, node, saved.path) for tensor in node.tensors()):
                refused.setdefault(f"{node.op} holds a handle to memory of the process", []).append(place)
    for what, places in refused.items():
        yield GRAPH_OPERATION.finding(
            f"the graph {'runs' if runs else 'holds'} {what}",
            where=places[0],
            threats=(f"{places[0]}: {what}",),
            hint="don't load it unless you know who made it; if it is yours, export it again without that operation",
        )
    if runs:
        yield from _unknown(unknown, packages or Available())
        yield from costs(saved, graphs, objects)


def _refusal(
    node: Node, function: str, saved: Any, functions: Mapping[str, frozenset[str]], nodes: frozenset[str]
) -> str | None:
    """Why an operation is refused; `unknown` where no table has it; None where it may stay."""
    op = node.op
    if op in HAZARDS:
        return HAZARDS[op]
    if op in _SAVING:
        allowed = in_place(node, function, functions, saved) if function else node.name in nodes
        return None if allowed else "reads or writes checkpoints outside the functions that the saver names"
    if op in _FROM_FILES:
        return None if traced(node, function, saved) else "reads a file that is no asset of the model"
    if op == "PrintV2":
        stream = node.attr("output_stream").get("s", b"stderr").decode("utf-8", "replace")
        return "writes files" if stream not in ("stderr", "stdout", "log(info)", "log(warning)", "log(error)") else None
    if op == "ParseTensor":
        handle = node.attr("out_type").get("type") in _HANDLES
        return "makes handles to memory of the process" if handle else None
    if op == "XlaCallModule":
        return "calls native code by name" if b"custom_call" in node.attr("module").get("s", b"") else None
    if op in PURE or op in STATEFUL or op in saved.graphs:
        return None
    return "unknown"


def _is_handle(tensor: Any, node: Node, path: str | None) -> bool:
    """Whether a constant is a resource handle or an opaque object: one may be forged that leads to another model's."""
    return parse(tensor, TENSOR, path=path, where=node.name).get("dtype", 0) in _HANDLES


@dataclass(frozen=True, slots=True)
class Available:
    """Whose operations TensorFlow knows, or will know when the model is built.

    Attributes:
        modules: Modules that the user imported, registered or gave.
        tensorflow, flavour: What runs here; see `runtime.Runtime`.
    """

    modules: frozenset[str] = frozenset()
    tensorflow: str | None = None
    flavour: str | None = None

    @classmethod
    def of(cls, examination: Examination) -> Available:
        given = [
            m if isinstance(m, str) else m.__name__ for m in (examination.scope.modules if examination.scope else ())
        ]
        named = {m.split(".")[0] for m in (*given, *registered_modules(), *sys.modules)}
        return cls(frozenset(named), examination.runtime.tensorflow, examination.runtime.flavour)


def _unknown(unknown: Mapping[str, list[str]], available: Available) -> Iterator[Finding]:
    missing: dict[str, tuple[Package, list[str]]] = {}
    for op, places in unknown.items():
        package = package_of_op(op)
        if package is not None and op in COMPUTING and package.module in available.modules:
            continue
        if package is not None and (op in COMPUTING or not installed(package.module)):
            missing.setdefault(package.module, (package, []))[1].append(op)
            continue
        of = f" of {package.shown}" if package is not None else ""
        yield GRAPH_OPERATION.finding(
            f"the graph runs {op}{of}, which is on no list of operations that only compute",
            where=places[0],
            threats=(f"{places[0]}: {op}",),
        )
    for package, ops in missing.values():
        shown = f"the graph runs {', '.join(sorted(ops)[:5])} of the package {package.shown}"
        if installed(package.module):
            yield GRAPH_PACKAGE.finding(
                f"{shown}, which is installed but not imported",
                hint=f'safeload.register_module("{package.module}"), or import {package.module} before you load the model',
                packages=(package.pip,),
            )
        else:
            yield GRAPH_PACKAGE.finding(
                shown,
                hint=install_line(package, available.tensorflow, available.flavour, layers=False),
                packages=(package.pip,),
            )


def needed_modules(saved: Any) -> tuple[str, ...]:
    """The modules that register operations of a graph with TensorFlow; `check` let pass those that may be imported."""
    ops = {node.op for graph in saved.graphs.values() for node in graph.nodes}
    return tuple(sorted({p.module for op in ops & COMPUTING if (p := package_of_op(op)) is not None}))

"""What the graphs of a SavedModel may do: an allow-list of operations over every graph and function in the file.

A graph is code: TensorFlow runs initialisers when a SavedModel is loaded, and functions when the model is called. Where
a model is built from its layers' configs no graph runs; the list of hazards is looked for all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from safeload.checks import Examination
from safeload.checks.graph_op_table import PURE, STATEFUL
from safeload.checks.graph_saver import in_place, saver_functions, saver_nodes, traced
from safeload.errors import CorruptedModelError, MissingDependencyError, UnsafeModelError
from safeload.findings import Finding, Rule, Severity
from safeload.formats.tensorflow.graphs import Graph, Node
from safeload.formats.tensorflow.protos import TENSOR
from safeload.formats.tensorflow.tensors import elements
from safeload.formats.tensorflow.wire import parse

__all__ = ["HAZARDS", "RULES", "check", "judge"]

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
_LOOPS = frozenset("While StatelessWhile For LoopCond NextIteration RefNextIteration XlaWhile MapDefun".split())
_SIZED = {
    "Fill": 0,
    "Empty": 0,
    "BroadcastTo": 1,
    "Tile": 1,
    "Range": 1,
    "LinSpace": 2,
    "EmptyTensorList": 0,
} | dict.fromkeys(
    "RandomUniform RandomStandardNormal TruncatedNormal RandomUniformInt StatelessRandomUniform StatelessRandomNormal "
    "StatelessRandomUniformV2 StatelessRandomNormalV2 StatelessTruncatedNormal StatelessTruncatedNormalV2".split(),
    0,
)
"""Operations whose result is as large as a number says, and which input has the number."""
MAX_ELEMENTS = 1 << 26
"""Elements that a few bytes of a constant, or an initialiser, may stand for."""

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
GRAPH_COST = Rule(
    "SL231",
    "graph-cost",
    Severity.ERROR,
    """\
What it sees: a loop or a giant tensor in what runs while the model is loaded, or a constant whose few bytes stand
for billions of elements.
Why it matters: a file of a kilobyte can take all memory or never come back.
Example: a `Fill` of 10^12 elements in an initialiser.
What to do: ask where the model comes from.
References: safeload's issue 5, rule 9.
""",
    UnsafeModelError,
)
GRAPH_PACKAGE = Rule(
    "SL520",
    "graph-package",
    Severity.ERROR,
    """\
What it sees: operations that a package registers with TensorFlow when it is imported.
Why it matters: without the package no one can run the graph.
Example: `SentencepieceOp` of tensorflow_text.
What to do: install the package, import it before loading, and name its operations in the policy.
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

_PACKAGES: tuple[tuple[tuple[str, ...], str], ...] = (
    (("Sentencepiece", "WordpieceTokenize", "FastWordpiece", "FastBertNormalize", "RegexSplit", "NormalizeUTF8",
      "CaseFoldUTF8", "WhitespaceTokenize", "UnicodeScriptTokenize", "SplitMergeTokenize", "SentenceFragments",
      "TFText>", "RoundRobin", "BertNormalize", "Phrase", "StateBased", "Utf8"), "tensorflow-text"),
    (("SimpleML", "Yggdrasil"), "tensorflow-decision-forests"),
    (("Addons>",), "tensorflow-addons"),
    (("Ragged>", "Recommenders>"), "tensorflow-recommenders-addons"),
    (("IO>",), "tensorflow-io"),
)  # fmt: skip
"""What the operations of well-known packages begin with."""


def check(examination: Examination) -> Iterator[Finding]:
    """The findings for a SavedModel; none for other formats."""
    document = examination.document
    if document.format != "savedmodel":
        return
    runs = examination.repaired.architecture is None
    for saved in document.extras.get("all_graphs", ()):
        if runs:
            yield from _assets(saved, document.assets)
        if runs or _may_hold(saved.data, HAZARDS):
            yield from judge(saved, document.extras.get("object_graph"), runs=runs)


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


def judge(saved: Any, objects: Any, *, runs: bool) -> Iterator[Finding]:
    """What is wrong with the graphs of one meta graph.

    Args:
        saved: A `formats.savedmodel.SavedGraphs`.
        objects: The object graph, None in TensorFlow 1.
        runs: Whether a graph will run; else only hazards are looked for.
    """
    graphs: Mapping[str, Graph] = saved.graphs
    refused: dict[str, list[str]] = {}
    unknown: dict[str, list[str]] = {}
    functions = saver_functions(saved)
    nodes = saver_nodes(saved)
    for name, graph in graphs.items():
        for node in graph.nodes:
            place = f"{name}/{node.name}" if name else node.name
            why = _refusal(node, name, saved, functions, nodes)
            if why == "unknown":
                unknown.setdefault(node.op, []).append(place)
            elif why is not None:
                refused.setdefault(f"{node.op} {why}", []).append(place)
    for what, places in refused.items():
        yield GRAPH_OPERATION.finding(
            f"the graph {'runs' if runs else 'holds'} {what}",
            where=places[0],
            threats=(f"{places[0]}: {what}",),
            hint="don't load it unless you know who made it; if it is yours, export it again without that operation",
        )
    if runs:
        yield from _unknown(unknown)
        yield from _costs(saved, graphs, objects)


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
    if op == "XlaCallModule":
        return "calls native code by name" if b"custom_call" in node.attr("module").get("s", b"") else None
    if op in PURE or op in STATEFUL or op in saved.graphs:
        return None
    return "unknown"


def _unknown(unknown: Mapping[str, list[str]]) -> Iterator[Finding]:
    packages: dict[str, list[str]] = {}
    for op, places in unknown.items():
        package = next((p for prefixes, p in _PACKAGES if op.startswith(prefixes)), None)
        if package is None:
            yield GRAPH_OPERATION.finding(
                f"the graph runs {op}, which is on no list of operations that only compute",
                where=places[0],
                threats=(f"{places[0]}: {op}",),
            )
        else:
            packages.setdefault(package, []).append(op)
    for package, ops in packages.items():
        yield GRAPH_PACKAGE.finding(
            f"the graph runs {', '.join(sorted(ops)[:5])} of the package {package}",
            hint=f'python -m pip install "{package}"',
            packages=(package,),
        )


def _costs(saved: Any, graphs: Mapping[str, Graph], objects: Any) -> Iterator[Finding]:
    """Constants that stand for more than they store, and what initialisers do."""
    for graph in graphs.values():
        for node in graph.nodes:
            if node.op == "Const" and (tensor := node.attr("value").get("tensor")) is not None:
                message = parse(tensor, TENSOR, path=saved.path, where=node.name)
                count = elements(message)
                if count > MAX_ELEMENTS and len(message.get("tensor_content", b"")) < count // 8:
                    yield GRAPH_COST.finding(
                        f"a constant of {len(tensor):,} bytes stands for {count:,} elements",
                        where=node.name,
                        threats=(f"{node.name}: {count:,} elements",),
                    )
    for place, node, inside in _initialising(saved, graphs, objects):
        if node.op in _LOOPS:
            yield GRAPH_COST.finding(
                f"an initialiser runs a loop ({node.op})", where=place, threats=(f"{place}: {node.op}",)
            )
        elif node.op in _SIZED and not _bounded(node, inside, saved.path):
            yield GRAPH_COST.finding(
                f"an initialiser makes a tensor without a bound ({node.op})",
                where=place,
                threats=(f"{place}: {node.op}",),
            )


def _initialising(
    saved: Any, graphs: Mapping[str, Graph], objects: Any
) -> Iterator[tuple[str, Node, Mapping[str, Node]]]:
    """Every node that runs while the model is loaded, with the nodes beside it by name."""
    main = {node.name: node for node in graphs[""].nodes}
    wanted: list[str] = [n.split(":")[0].lstrip("^") for n in saved.initialisers]
    seen: set[str] = set()
    functions: list[str] = []
    if objects is not None:
        for node in objects.nodes:
            for name in ("_initialize", "_create_resource"):
                held = objects.child(node, name)
                functions += held.functions if held is not None else ()
    while wanted:
        name = wanted.pop()
        node = main.get(name)
        if node is None or name in seen:
            continue
        seen.add(name)
        wanted += [i.split(":")[0].lstrip("^") for i in node.inputs]
        functions += [*node.functions(), *([node.op] if node.op in graphs else [])]
        yield name, node, main
    done: set[str] = set()
    while functions:
        name = functions.pop()
        if name in done or name not in graphs:
            continue
        done.add(name)
        inside = {node.name: node for node in graphs[name].nodes}
        for node in inside.values():
            functions += [*node.functions(), *([node.op] if node.op in graphs else [])]
            yield f"{name}/{node.name}", node, inside


def _bounded(node: Node, beside: Mapping[str, Node], path: str | None) -> bool:
    from safeload.formats.tensorflow.tensors import values

    index = _SIZED[node.op]
    source = beside.get(node.inputs[index].split(":")[0]) if len(node.inputs) > index else None
    if source is None or source.op != "Const":
        return False
    tensor = source.attr("value").get("tensor")
    if tensor is None or elements(parse(tensor, TENSOR, path=path, where=source.name)) > 64:
        return False
    count = 1
    for size in values(tensor, path, source.name):
        count *= abs(int(size)) if isinstance(size, int | float) else MAX_ELEMENTS
    return count <= MAX_ELEMENTS

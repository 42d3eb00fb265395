"""The fields of TensorFlow's messages that we read, by number, from `tensorflow/core/{protobuf,framework}/*.proto`.

Numbers are never reused in these files, so the tables hold for every version of TensorFlow. A map is a list of messages
with `key` and `value`.
"""

from __future__ import annotations

from typing import Any

from safeload.formats.tensorflow.wire import BLOB, BOOL, BYTES, DOUBLE, FIXED32, FLOAT, INT, RAW, TEXT, Field, Schema

__all__ = [
    "ASSET_FILE",
    "ATTR_VALUE",
    "BUNDLE_ENTRY",
    "BUNDLE_HEADER",
    "CHECKPOINT_GRAPH",
    "DTYPES",
    "GRAPH",
    "KERAS_METADATA",
    "META_GRAPH",
    "NODE",
    "SAVED_MODEL",
    "SAVED_OBJECT_GRAPH",
    "TENSOR",
    "VARIABLE",
]


def _map(value: Any, key: str = TEXT) -> Schema:
    return {1: Field("key", key), 2: Field("value", value)}


SHAPE: Schema = {
    2: Field("dim", {1: Field("size", INT)}, many=True),
    3: Field("unknown_rank", BOOL),
}
TENSOR: Schema = {
    1: Field("dtype", INT),
    2: Field("tensor_shape", SHAPE),
    4: Field("tensor_content", BLOB),
    5: Field("float_val", FLOAT, many=True),
    6: Field("double_val", DOUBLE, many=True),
    7: Field("int_val", INT, many=True),
    8: Field("string_val", BYTES, many=True),
    10: Field("int64_val", INT, many=True),
    11: Field("bool_val", BOOL, many=True),
    13: Field("half_val", INT, many=True),
    16: Field("uint32_val", INT, many=True),
    17: Field("uint64_val", INT, many=True),
}
NAME_ATTR_LIST: Schema = {1: Field("name", TEXT)}
ATTR_VALUE: Schema = {
    1: Field(
        "list",
        {
            2: Field("s", BYTES, many=True),
            3: Field("i", INT, many=True),
            6: Field("type", INT, many=True),
            7: Field("shape", SHAPE, many=True),
            9: Field("func", NAME_ATTR_LIST, many=True),
        },
    ),
    2: Field("s", BYTES),
    3: Field("i", INT),
    4: Field("f", FLOAT),
    5: Field("b", BOOL),
    6: Field("type", INT),
    7: Field("shape", SHAPE),
    8: Field("tensor", RAW),
    10: Field("func", NAME_ATTR_LIST),
}
NODE: Schema = {
    1: Field("name", TEXT),
    2: Field("op", TEXT),
    3: Field("input", TEXT, many=True),
    4: Field("device", TEXT),
    5: Field("attr", {1: Field("key", TEXT), 2: Field("value", RAW)}, many=True),
}
OP_SIGNATURE: Schema = {
    1: Field("name", TEXT),
    2: Field("input_arg", {1: Field("name", TEXT), 3: Field("type", INT)}, many=True),
    3: Field("output_arg", {1: Field("name", TEXT), 3: Field("type", INT)}, many=True),
}
GRAPH: Schema = {
    1: Field("node", NODE, many=True),
    2: Field(
        "library",
        {
            1: Field(
                "function",
                {1: Field("signature", OP_SIGNATURE), 3: Field("node_def", NODE, many=True)},
                many=True,
            ),
            3: Field("registered_gradients", {1: Field("gradient_func", TEXT)}, many=True),
        },
    ),
}
TENSOR_INFO: Schema = {
    1: Field("name", TEXT),
    2: Field("dtype", INT),
    3: Field("tensor_shape", SHAPE),
    4: Field(
        "coo_sparse",
        {
            1: Field("values_tensor_name", TEXT),
            2: Field("indices_tensor_name", TEXT),
            3: Field("dense_shape_tensor_name", TEXT),
        },
    ),
    5: Field("composite_tensor", {2: Field("components", {1: Field("name", TEXT)}, many=True)}),
}
SIGNATURE: Schema = {
    1: Field("inputs", _map(TENSOR_INFO), many=True),
    2: Field("outputs", _map(TENSOR_INFO), many=True),
    3: Field("method_name", TEXT),
    4: Field("defaults", _map(TENSOR), many=True),
}
OBJECT_REFERENCE: Schema = {1: Field("node_id", INT), 2: Field("local_name", TEXT)}
SLOT_VARIABLE: Schema = {
    1: Field("original_variable_node_id", INT),
    2: Field("slot_name", TEXT),
    3: Field("slot_variable_node_id", INT),
}
STRUCTURED_VALUE: dict[int, Field] = {}
TENSOR_SPEC: Schema = {1: Field("name", TEXT), 2: Field("shape", SHAPE), 3: Field("dtype", INT)}
STRUCTURED_VALUE.update(
    {
        1: Field("none_value", RAW),
        11: Field("float64_value", DOUBLE),
        12: Field("int64_value", INT),
        13: Field("string_value", TEXT),
        14: Field("bool_value", BOOL),
        31: Field("tensor_shape_value", SHAPE),
        33: Field("tensor_spec_value", TENSOR_SPEC),
        34: Field("type_spec_value", {1: Field("type_spec_class", INT), 3: Field("type_spec_class_name", TEXT)}),
        51: Field("list_value", {1: Field("values", STRUCTURED_VALUE, many=True)}),
        52: Field("tuple_value", {1: Field("values", STRUCTURED_VALUE, many=True)}),
        53: Field("dict_value", {1: Field("fields", _map(STRUCTURED_VALUE), many=True)}),
    }
)
SAVED_OBJECT: Schema = {
    1: Field("children", OBJECT_REFERENCE, many=True),
    3: Field("slot_variables", SLOT_VARIABLE, many=True),
    4: Field("user_object", {1: Field("identifier", TEXT), 3: Field("metadata", TEXT)}),
    5: Field("asset", {1: Field("asset_file_def_index", INT)}),
    6: Field("function", {1: Field("concrete_functions", TEXT, many=True)}),
    7: Field(
        "variable",
        {
            1: Field("dtype", INT),
            2: Field("shape", SHAPE),
            3: Field("trainable", BOOL),
            6: Field("name", TEXT),
            7: Field("device", TEXT),
        },
    ),
    8: Field("bare_concrete_function", {1: Field("concrete_function_name", TEXT)}),
    9: Field("constant", {1: Field("operation", TEXT)}),
    10: Field("resource", {1: Field("device", TEXT)}),
    11: Field("saveable_objects", _map({2: Field("save_function", INT), 3: Field("restore_function", INT)}), many=True),
    13: Field("registered_name", TEXT),
    16: Field("registered_saver", TEXT),
}
SAVED_OBJECT_GRAPH: Schema = {
    1: Field("nodes", SAVED_OBJECT, many=True),
    2: Field(
        "concrete_functions",
        _map(
            {
                2: Field("bound_inputs", INT, many=True),
                3: Field("canonicalized_input_signature", STRUCTURED_VALUE),
                4: Field("output_signature", STRUCTURED_VALUE),
            }
        ),
        many=True,
    ),
}
VARIABLE: Schema = {
    1: Field("variable_name", TEXT),
    2: Field("initializer_name", TEXT),
    3: Field("snapshot_name", TEXT),
    6: Field("initial_value_name", TEXT),
}
"""`VariableDef`: what TensorFlow 1 keeps of a variable in its collections."""
ASSET_FILE: Schema = {1: Field("tensor_info", TENSOR_INFO), 2: Field("filename", TEXT)}
COLLECTION: Schema = {
    1: Field("node_list", {1: Field("value", TEXT, many=True)}),
    2: Field("bytes_list", {1: Field("value", BYTES, many=True)}),
    5: Field("any_list", {1: Field("value", {1: Field("type_url", TEXT), 2: Field("value", BLOB)}, many=True)}),
}
META_GRAPH: Schema = {
    1: Field(
        "meta_info_def",
        {
            4: Field("tags", TEXT, many=True),
            5: Field("tensorflow_version", TEXT),
            8: Field("function_aliases", _map(TEXT), many=True),
        },
    ),
    2: Field("graph_def", RAW),
    3: Field(
        "saver_def",
        {1: Field("filename_tensor_name", TEXT), 2: Field("save_tensor_name", TEXT), 3: Field("restore_op_name", TEXT)},
    ),
    4: Field("collection_def", _map(COLLECTION), many=True),
    5: Field("signature_def", _map(SIGNATURE), many=True),
    6: Field("asset_file_def", ASSET_FILE, many=True),
    7: Field("object_graph_def", SAVED_OBJECT_GRAPH),
}
SAVED_MODEL: Schema = {1: Field("saved_model_schema_version", INT), 2: Field("meta_graphs", META_GRAPH, many=True)}
CHECKPOINT_GRAPH: Schema = {
    1: Field(
        "nodes",
        {
            1: Field("children", OBJECT_REFERENCE, many=True),
            2: Field(
                "attributes",
                {1: Field("name", TEXT), 2: Field("full_name", TEXT), 3: Field("checkpoint_key", TEXT)},
                many=True,
            ),
            3: Field("slot_variables", SLOT_VARIABLE, many=True),
        },
        many=True,
    )
}
KERAS_METADATA: Schema = {
    1: Field(
        "nodes",
        {
            2: Field("node_id", INT),
            3: Field("node_path", TEXT),
            4: Field("identifier", TEXT),
            5: Field("metadata", TEXT),
        },
        many=True,
    )
}
"""`keras/protobuf/saved_metadata.proto` (Keras 2.5 on)."""

BUNDLE_HEADER: Schema = {
    1: Field("num_shards", INT),
    2: Field("endianness", INT),
    3: Field("version", {1: Field("producer", INT)}),
}
BUNDLE_ENTRY: Schema = {
    1: Field("dtype", INT),
    2: Field("shape", SHAPE),
    3: Field("shard_id", INT),
    4: Field("offset", INT),
    5: Field("size", INT),
    6: Field("crc32c", FIXED32),
    7: Field("slices", {1: Field("extent", {1: Field("start", INT), 2: Field("length", INT)}, many=True)}, many=True),
}

DTYPES: dict[int, str] = {
    1: "float32",
    2: "float64",
    3: "int32",
    4: "uint8",
    5: "int16",
    6: "int8",
    7: "string",
    8: "complex64",
    9: "int64",
    10: "bool",
    11: "qint8",
    12: "quint8",
    13: "qint32",
    14: "bfloat16",
    15: "qint16",
    16: "quint16",
    17: "uint16",
    18: "complex128",
    19: "float16",
    20: "resource",
    21: "variant",
    22: "uint32",
    23: "uint64",
    24: "float8_e5m2",
    25: "float8_e4m3fn",
    29: "int4",
    30: "uint4",
}
"""`tensorflow/core/framework/types.proto`; 100 more for references to variables (TF 1)."""

"""TensorFlow's own containers, read without TensorFlow: protocol buffers, tables, tensor bundles, object graphs."""

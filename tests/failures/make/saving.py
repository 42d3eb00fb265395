"""Shared by the scripts that write the files: a model, and what goes in and comes out. Runs on Python 2.7 as well."""

import os

import numpy as np

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "files")


def place(name):
    """Where a file of that name goes; an older one is removed."""
    path = os.path.join(FOLDER, name)
    if os.path.isfile(path):
        os.remove(path)
    return path


def numbers(name, model, *inputs):
    """Store the inputs and what the model makes of them."""
    outputs = model.predict(list(inputs) if len(inputs) > 1 else inputs[0])
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    arrays = {"in_%d" % i: a for i, a in enumerate(inputs)}
    arrays.update({"out_%d" % i: np.asarray(a) for i, a in enumerate(outputs)})
    np.savez_compressed(place(name + ".npz"), **arrays)


def save(name, model, *inputs, **options):
    """Save a model, by default as HDF5, and its numbers."""
    ending = options.pop("ending", ".h5")
    model.save(place(name + ending), **options)
    numbers(name, model, *inputs)


def save_parts(name, model, *inputs):
    """Save the architecture as JSON and the weights by themselves."""
    with open(place(name + ".json"), "w") as file:
        file.write(model.to_json())
    model.save_weights(place(name + "_weights.h5"))
    numbers(name, model, *inputs)


def floats(*shape):
    return np.random.RandomState(7).uniform(-1, 1, shape).astype("float32")


def integers(high, *shape):
    return np.random.RandomState(7).randint(1, high, shape).astype("int32")

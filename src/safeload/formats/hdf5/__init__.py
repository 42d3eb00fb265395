"""Our own reader of HDF5: the subset that h5py writes for Keras, safe by what it does not read, and fast.

`open_hdf5` walks every object of a file once, checks it, and gives groups, datasets and attributes; arrays are read when
they are asked for. Only hard links, plain datatypes and data inside the file are allowed: see `limits`, `faults` and the
page docs/formats.md. libhdf5 is used for one thing alone: to list the chunks of the index types of HDF5 1.10 on.
"""

from __future__ import annotations

from safeload.formats.hdf5.plan import DatasetPlace, byte_plan, open_hdf5, recoverable
from safeload.formats.hdf5.tree import Dataset, Group

__all__ = ["Dataset", "DatasetPlace", "Group", "byte_plan", "open_hdf5", "recoverable"]

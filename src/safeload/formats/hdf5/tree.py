"""The walk: every group and dataset of a file once, checked as it is met."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from safeload.bytesource import ByteRange
from safeload.formats.hdf5.attributes import Attributes
from safeload.formats.hdf5.chunks import read_chunks
from safeload.formats.hdf5.datatypes import Dataspace, Datatype, parse_dataspace, parse_datatype
from safeload.formats.hdf5.faults import FAULTS, Damaged, Unsafe, as_error
from safeload.formats.hdf5.global_heap import GlobalHeaps
from safeload.formats.hdf5.headers import ATTRIBUTE_INFO, DATASPACE, DATATYPE, LAYOUT, Header, read_header
from safeload.formats.hdf5.image import UNDEFINED, Image
from safeload.formats.hdf5.limits import (
    MAX_DEPTH,
    MAX_EXPANSION,
    MAX_OBJECTS,
    MAX_UNSTORED,
    MIN_WORK_BYTES,
)
from safeload.formats.hdf5.links import group_links
from safeload.formats.hdf5.storage import Storage, parse_storage
from safeload.formats.hdf5.superblock import Superblock
from safeload.formats.hdf5.values import empty_array, native, text_array

__all__ = ["Dataset", "Group", "Tree"]

_PIECE = 1 << 23
"""Bytes that are read at once into an array: its bytes are never in memory twice."""


class Tree:
    """All objects of a file.

    Args:
        run: The file.
        superblock: What its superblock says.
        path: For messages.
        lenient: Leave damaged objects out, with their places in `broken`, instead of raising.

    Raises:
        CorruptedModelError: An object is damaged.
        UnsafeModelError: An object or a link is of a kind that no model needs.
    """

    def __init__(self, run: ByteRange, superblock: Superblock, path: str | None, *, lenient: bool = False) -> None:
        self.path = path
        self.image = Image(run, superblock.base)
        self.heaps = GlobalHeaps(self.image)
        self.broken: list[str] = []
        self._lenient = lenient
        self._types: dict[bytes, Datatype] = {}
        self._spaces: dict[bytes, Dataspace] = {}
        self._unstored = 0
        self._expanded = 0
        self._visited: set[int] = set()
        self._runs: list[tuple[int, int, Dataset]] = []
        try:
            if superblock.extension != UNDEFINED:
                read_header(self.image, superblock.extension)  # refuses what must not be there
            root = self._object(None, "", superblock.root)
            if not isinstance(root, Group):
                raise Damaged("the root is no group")
        except FAULTS as fault:
            raise as_error(fault, path=path, where="/") from fault
        self.root: Group = root
        self._walk()

    def _walk(self) -> None:
        stack = [(self.root, 1)]
        count = 0
        while stack:
            group, depth = stack.pop()
            for name, address in group.links.items():
                try:
                    count += 1
                    if count > MAX_OBJECTS:
                        raise Unsafe(f"more than {MAX_OBJECTS:,} objects")
                    if depth > MAX_DEPTH:
                        raise Unsafe(f"groups nested more than {MAX_DEPTH} deep")
                    node = self._object(group, name, address)
                except FAULTS as fault:
                    where = f"{group.name.rstrip('/')}/{name}"
                    if not self._lenient:
                        raise as_error(fault, path=self.path, where=where) from fault
                    self.broken.append(where)
                    continue
                group.children[name] = node
                if isinstance(node, Group):
                    stack.append((node, depth + 1))
            group.links = {}
        self._check_overlap()

    def _object(self, parent: Group | None, name: str, address: int) -> Group | Dataset:
        if address in self._visited:
            raise Unsafe("two links lead to one object: a cycle, or one array under two names")
        self._visited.add(address)
        header = read_header(self.image, address)
        if LAYOUT in header.bodies:
            return self._dataset(parent, name, address, header)
        links = group_links(self.image, header)
        if links is None:
            raise Unsafe("an object that is neither a group nor a dataset (a committed datatype)")
        return Group(self, parent, name, header, links)

    def _dataset(self, parent: Group | None, name: str, address: int, header: Header) -> Dataset:
        if DATASPACE not in header.bodies or DATATYPE not in header.bodies:
            raise Damaged("a dataset without a shape or a datatype")
        kind, extent = header.bodies[DATATYPE], header.bodies[DATASPACE]
        datatype = self._types.get(kind)
        if datatype is None:
            datatype = self._types[kind] = parse_datatype(kind)
        dataspace = self._spaces.get(extent)
        if dataspace is None:
            dataspace = self._spaces[extent] = parse_dataspace(extent)
        storage = parse_storage(header, datatype, dataspace)
        dataset = Dataset(self, parent, name, header, address, dataspace.shape or (), datatype, storage)
        self._check_storage(dataset, dataspace.count * datatype.size)
        return dataset

    def _check_storage(self, dataset: Dataset, needed: int) -> None:
        """The storage must cover the shape: nothing is allocated for elements that the file doesn't hold."""
        storage, size = dataset.stored, self.image.size
        if storage.kind == "contiguous":
            if storage.length < needed:
                raise Damaged(f"its {needed:,} bytes are said to lie in {storage.length:,}")
            if storage.address + needed > size:
                held = max(size - storage.address, 0)
                raise Damaged(f"the file ends inside it: {held:,} of {needed:,} bytes are there")
            if needed:
                self._runs.append((storage.address, storage.address + needed, dataset))
        elif storage.kind == "compact":
            if len(storage.data) < needed:
                raise Damaged(f"its {needed:,} bytes are said to lie in {len(storage.data):,}")
        elif storage.kind == "chunked":
            self._check_chunks(dataset, needed)
        else:
            self._unstored += needed
            if self._unstored > MAX_UNSTORED:
                raise Unsafe(f"a dataset of {needed:,} bytes that are not stored")

    def _check_chunks(self, dataset: Dataset, needed: int) -> None:
        chunks = dataset.stored.chunks
        assert chunks is not None
        if len(chunks.shape) != len(dataset.shape):
            raise Damaged("chunks have other axes than their dataset")
        chunk = dataset.datatype.size
        for length in chunks.shape:
            chunk *= length
        if chunk > max(needed, 16 * MIN_WORK_BYTES):
            raise Unsafe(f"chunks of {chunk:,} bytes for {needed:,} bytes of data")
        self._expanded += needed // max((MAX_EXPANSION.get(f.name, 1) for f in dataset.stored.filters), default=1)
        if self._expanded > self.image.size + MIN_WORK_BYTES:
            raise Unsafe(f"a dataset of {needed:,} bytes in a file that is too small for it")

    def _check_overlap(self) -> None:
        self._runs.sort(key=lambda run: run[0])
        for (_, end, before), (start, _, dataset) in zip(self._runs, self._runs[1:], strict=False):
            if start < end and not self._lenient:
                fault = Damaged(f"its data overlaps that of {before.name}")
                raise as_error(fault, path=self.path, where=dataset.name)
        self._runs = []


class _Node:
    """What groups and datasets have in common."""

    __slots__ = ("_attrs", "_header", "_tree", "key", "parent")

    _header: Header | None

    def __init__(self, tree: Tree, parent: Group | None, key: str, header: Header) -> None:
        self._tree = tree
        # As many of these are kept as there are objects: only what concerns attributes, if there is any.
        if header.attributes or ATTRIBUTE_INFO in header.bodies:
            header.bodies = {k: v for k, v in header.bodies.items() if k == ATTRIBUTE_INFO}
            self._header = header
        else:
            self._header = None
        self._attrs: Attributes | None = None
        self.parent = parent
        self.key = key

    @property
    def name(self) -> str:
        """The full path, as h5py has it: `/dense/kernel:0`."""
        parts = []
        node: _Node | None = self
        while node is not None and node.parent is not None:
            parts.append(node.key)
            node = node.parent
        return "/" + "/".join(reversed(parts))

    @property
    def attrs(self) -> Attributes:
        """Its attributes, decoded when they are asked for."""
        if self._attrs is None:
            self._attrs = Attributes(self._tree, self._header or Header(), lambda: self.name)
        return self._attrs

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


class Group(_Node):
    """A group: attributes, and groups and datasets by name."""

    __slots__ = ("children", "links")

    def __init__(self, tree: Tree, parent: Group | None, key: str, header: Header, links: dict[str, int]) -> None:
        super().__init__(tree, parent, key, header)
        self.links = links
        self.children: dict[str, Group | Dataset] = {}

    def keys(self) -> list[str]:
        """Names in h5py's order: by creation where the group keeps track of it, else by name."""
        return list(self.children)

    def __iter__(self) -> Iterator[str]:
        return iter(self.children)

    def __len__(self) -> int:
        return len(self.children)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def get(self, name: str) -> Group | Dataset | None:
        """What lies at a path below this group (`dense/kernel:0`), or from the root with a leading slash."""
        node: Group | Dataset | None = self.children.get(name)
        if node is not None:
            return node
        node = self._tree.root if name.startswith("/") else self
        for part in filter(None, name.split("/")):
            node = node.children.get(part) if isinstance(node, Group) else None
        return node

    def groups(self) -> Iterator[tuple[str, Group]]:
        return ((name, node) for name, node in self.children.items() if isinstance(node, Group))

    def datasets(self) -> Iterator[tuple[str, Dataset]]:
        return ((name, node) for name, node in self.children.items() if isinstance(node, Dataset))

    def walk(self) -> Iterator[Dataset]:
        """All datasets below, depth first."""
        stack: list[Group | Dataset] = [self]
        while stack:
            node = stack.pop()
            if isinstance(node, Dataset):
                yield node
            else:
                stack.extend(reversed(node.children.values()))


class Dataset(_Node):
    """A dataset: its shape, its type and where it lies; its array when it is asked for.

    Attributes:
        shape: `()` for scalars and for h5py's `Empty`.
        dtype: NumPy's name of its type; `string`; `bfloat16`.
        storage: `contiguous`, `compact`, `chunked` or `empty` (no element is stored).
        offset, length: The run of bytes in the file when it is contiguous, else None.
        address: Of its object header.
        stored: Its storage in detail.
    """

    __slots__ = ("address", "datatype", "shape", "stored")

    def __init__(
        self,
        tree: Tree,
        parent: Group | None,
        key: str,
        header: Header,
        address: int,
        shape: tuple[int, ...],
        datatype: Datatype,
        stored: Storage,
    ) -> None:
        super().__init__(tree, parent, key, header)
        self.address = address
        self.shape = shape
        self.datatype = datatype
        self.stored = stored

    @property
    def dtype(self) -> str:
        return self.datatype.name

    @property
    def storage(self) -> str:
        return self.stored.kind

    @property
    def offset(self) -> int | None:
        return self._tree.image.base + self.stored.address if self.stored.kind == "contiguous" else None

    @property
    def length(self) -> int | None:
        return self.stored.length if self.stored.kind == "contiguous" else None

    def read(self) -> Any:
        """The elements as an array that may be written to, in native byte order; nothing pickled is ever read.

        Raises:
            CorruptedModelError: The stored bytes are damaged.
            UnsafeModelError: The chunks that are stored don't cover the shape.
        """
        try:
            array = self._elements()
            if self.datatype.name == "string":
                return text_array(self._tree.heaps, self.datatype, self.shape, array.tobytes())
            return native(self.datatype, array)
        except FAULTS as fault:
            raise as_error(fault, path=self._tree.path, where=self.name) from fault

    def _elements(self) -> Any:
        """The elements in the byte order of the file."""
        image, stored = self._tree.image, self.stored
        if stored.kind == "chunked":
            return read_chunks(image.fork(), self)
        array = empty_array(self.datatype, self.shape)
        view = memoryview(array.reshape(-1).view("u1"))
        if stored.kind == "contiguous":
            for at in range(0, len(view), _PIECE):
                image.fetch_into(stored.address + at, view[at : at + _PIECE])
        elif stored.kind == "compact":
            view[:] = stored.data[: len(view)]
        else:
            view[:] = (stored.fill or bytes(self.datatype.size)) * (len(view) // self.datatype.size)
        return array

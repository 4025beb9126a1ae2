"""Catalogues as rows: the flat lists, the tree of regions and the trees of bodies, at any step.

Steps remove, restore, rename or add entries here as they do in the large datasets. Texts come from
catalogues.py and organs.py.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from fisio_ayida.simulators.bdns import catalogues as cat
from fisio_ayida.simulators.bdns.catalogues import Node
from fisio_ayida.simulators.bdns.config import SimulatorConfig
from fisio_ayida.simulators.bdns.hashing import Draw
from fisio_ayida.simulators.bdns.organs import ADMINISTRATIONS, trees
from fisio_ayida.simulators.bdns.population import Population
from fisio_ayida.simulators.bdns.timeline import Timeline

ADDED_ID: Final = 900_000


class Listed:
    """One catalogue: entries by part (administration type, ámbito, or a single part)."""

    def __init__(
        self, dataset: str, config: SimulatorConfig, timeline: Timeline, forests: dict[str, tuple[Node, ...]]
    ) -> None:
        self.dataset = dataset
        self.timeline = timeline
        self.forests = forests
        self.names = list(forests)
        # A step acts on leaves; a node that has children stays as it is.
        self.leaves = {name: _leaves(forest) for name, forest in forests.items()}
        counts = [len(self.leaves[name]) for name in self.names]
        self.population = Population(dataset, config, timeline, range(len(self.names)), counts, False)

    def forest(self, name: str, step: int | None = None) -> tuple[Node, ...]:
        """The trees of one part as published at a step."""
        now = self.timeline.now if step is None else step
        part = self.names.index(name)
        leaves = self.leaves[name]
        indices = self.population.indices(part, now)
        kept = set(indices.tolist())
        renamed: dict[int, int] = {}
        rows = self.population.rows_of(part, indices)
        moved = self.timeline.changed(self.dataset, rows.keys, 1, now)
        if moved is not None:
            renamed = {int(indices[at]): int(moved.times[0, at]) for at in np.nonzero(moved.times[0])[0]}
        if not renamed and len(kept) == len(leaves) and (not kept or max(kept) < len(leaves)):
            return self.forests[name]
        number = iter(range(len(leaves)))

        def prune(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
            found = []
            for node in nodes:
                if node.children:
                    found.append(Node(node.id, node.descripcion, prune(node.children)))
                else:
                    at = next(number)
                    if at in kept:
                        found.append(_renamed(node, renamed.get(at, 0)))
            return tuple(found)

        pruned = prune(self.forests[name])
        added = [_renamed(self._new(name, at), renamed.get(at, 0)) for at in sorted(kept) if at >= len(leaves)]
        return self._graft(pruned, added)

    def _new(self, name: str, at: int) -> Node:
        leaf = self.leaves[name][0] if self.leaves[name] else Node(0, "")
        return Node(ADDED_ID + self.names.index(name) * 1_000 + at, f"ENTRADA AÑADIDA {at}", leaf.children)

    def _graft(self, forest: tuple[Node, ...], added: list[Node]) -> tuple[Node, ...]:
        """New leaves hang at the depth of the first leaf."""
        if not added:
            return forest
        if not forest or not forest[0].children:
            return (*forest, *added)
        first = forest[0]
        return (Node(first.id, first.descripcion, self._graft(first.children or (), added)), *forest[1:])

    def keys(self, name: str, step: int | None = None) -> list[str]:
        """The natural keys of one part, as the truth call joins them."""
        forest = self.forest(name, step)
        if self.dataset == "organos":
            return [f"{name}|{depth}|{node.id}" for depth, node in _all(forest, 1)]
        if self.dataset in ("organos_agrupacion", "reglamentos"):
            return [f"{name}|{node.id}" for node in forest]
        return [str(node.id) for _, node in _all(forest, 1)]

    def texts(self, name: str, step: int) -> dict[str, str]:
        """Key to text at a step, to tell what changed."""
        nodes = [node.descripcion for _, node in _all(self.forest(name, step), 1)]
        return dict(zip(self.keys(name, step), nodes, strict=True))


def _renamed(node: Node, times: int) -> Node:
    if not times:
        return node
    return Node(node.id, f"{node.descripcion.strip()} Y OTRAS MATERIAS {times}", node.children)


def _leaves(forest: tuple[Node, ...]) -> list[Node]:
    found: list[Node] = []
    for node in forest:
        found += _leaves(node.children) if node.children else [node]
    return found


def _all(forest: tuple[Node, ...], depth: int) -> list[tuple[int, Node]]:
    found = []
    for node in forest:
        found.append((depth, node))
        found += _all(node.children or (), depth + 1)
    return found


def as_json(forest: tuple[Node, ...], call: int, shuffled: bool, mixed_keys: bool) -> list[dict[str, object]]:
    """Nodes as the service writes them: another order of children (Q21) and of keys (Q19) per call."""
    nodes = list(forest)
    if shuffled and len(nodes) > 1:
        nodes.sort(key=lambda node: Draw(call).below(1 << 30, f"child {node.id}"))
    found = []
    for node in nodes:
        value: dict[str, object] = {"descripcion": node.descripcion}
        if node.children is not None:
            value["children"] = as_json(node.children, call, shuffled, mixed_keys)
        value["id"] = node.id
        if mixed_keys and (node.id * 31 + call) % 3 == 0:
            value = dict(reversed(value.items()))
        found.append(value)
    return found


def _flat(entries: tuple[cat.Entry, ...]) -> tuple[Node, ...]:
    return tuple(Node(id_, text) for id_, text in entries)


def listed_catalogues(config: SimulatorConfig, timeline: Timeline) -> dict[str, Listed]:
    """Every catalogue of the service."""
    first_level = {
        name: tuple(Node(node.id, node.descripcion) for node in trees()[name]) for name in ADMINISTRATIONS
    }
    found: dict[str, dict[str, tuple[Node, ...]]] = {name: {"": _flat(rows)} for name, rows in cat.FLAT.items()}
    found["regiones"] = {"": cat.region_tree()}
    found["reglamentos"] = {name: _flat(cat.REGLAMENTOS[name]) for name in cat.AMBITOS}
    found["organos"] = dict(trees())
    found["organos_agrupacion"] = first_level
    return {name: Listed(name, config, timeline, forests) for name, forests in found.items()}

"""Three people together, where somebody would be left without a partner."""

from collections.abc import Sequence

from lti_tool.matching.alternating import ALONE, Near, Tree, exchange, grow, largest


def triad_of_group(person: int, mate: list[int], near: Near, may: Sequence[bool]) -> tuple[int, int, int] | None:
    """Three who could go together so that one fewer is left in all, this person no longer; None if there are none.

    `may`: for each person, whether they may be one of three.

    `mate` has the greatest number of pairs, and `person` no partner. By Gallai and Edmonds the three are of one
    group of the tree, of an odd number, and the others of that group can be paired.
    """
    tree = grow(person, mate, near)
    for start in sorted(tree.outer, key=lambda each: (each != person, each)):
        moved = _left_instead(tree, start, mate)
        by = set(near[start])
        for a in near[start]:
            b = moved[a]
            if a < b and b in by and may[start] and may[a] and may[b]:
                return tuple(sorted((start, a, b)))  # type: ignore[return-value]
    return _any_triad(tree, mate, near, may)


def _left_instead(tree: Tree, start: int, mate: list[int]) -> list[int]:
    """The pairs with `start` left in place of the root."""
    if start == tree.root:
        return mate
    moved = mate.copy()
    partner = moved[start]
    moved[start] = ALONE
    exchange(Tree(tree.root, partner, tree.outer, tree.inner, tree.before), moved)
    return moved


def _any_triad(tree: Tree, mate: list[int], near: Near, may: Sequence[bool]) -> tuple[int, int, int] | None:
    """Every three of the tree who are possible with each other, tried in turn."""
    outer = {each for each in tree.outer if may[each]}
    neighbours = {each: set(near[each]) & outer for each in outer}
    for a in sorted(outer):
        for b in sorted(each for each in neighbours[a] if each > a):
            for c in sorted(each for each in neighbours[a] & neighbours[b] if each > b):
                if frees((a, b, c), mate, near):
                    return a, b, c
    return None


def frees(triad: tuple[int, int, int], mate: list[int], near: Near) -> bool:
    """Whether the others, without the three, make as many pairs as there are now but one."""
    rest = mate.copy()
    for each in triad:
        if mate[each] != ALONE:
            rest[mate[each]] = rest[each] = ALONE
    rest = largest(rest, near, frozenset(triad))
    return rest.count(ALONE) == mate.count(ALONE) + 2

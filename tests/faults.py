"""The small faults that ``tests.mutants`` makes in a module: one node of its syntax replaced."""

import ast
from collections.abc import Iterator, Mapping
from copy import copy
from types import CodeType
from typing import Any

from attrs import frozen
from typing_extensions import override

_OPERATORS: Mapping[type[ast.AST], tuple[type[ast.AST], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.Mod: (ast.Mult,),
    ast.LShift: (ast.RShift,),
}
_PAIRS = ("any all", "min max", "startswith endswith", "removeprefix removesuffix", "lower upper")
_NAMES = {one: other for pair in _PAIRS for one, other in (pair.split(), pair.split()[::-1])}
_NAMES["fullmatch"] = "match"
_LISTS: Mapping[type[ast.AST], tuple[str, int]] = {
    ast.Tuple: ("elts", 1),
    ast.List: ("elts", 1),
    ast.Set: ("elts", 1),
    ast.comprehension: ("ifs", 1),
    ast.Call: ("keywords", 1),
    ast.BoolOp: ("values", 2),
    ast.Match: ("cases", 2),
    ast.Try: ("handlers", 2),
}
"""Lists of which each member is left out once, if there are so many at least."""

_NOT_RUN = {"annotation", "returns", "decorator_list", "bases", "type_ignores"}
_WRONG = ast.Name("ArithmeticError", ast.Load())


@frozen
class Fault:
    """A node of a tree, and what it is replaced by."""

    tree: ast.Module
    parent: ast.AST
    name: str
    index: int | None
    other: ast.AST

    def make(self, path: str) -> CodeType:
        """Spoil the tree, and compile it."""
        if self.index is None:
            setattr(self.parent, self.name, self.other)
        else:
            getattr(self.parent, self.name)[self.index] = self.other
        return compile(ast.fix_missing_locations(self.tree), path, "exec")

    @override
    def __str__(self) -> str:
        node: Any = getattr(self.parent, self.name)
        node = node if self.index is None else node[self.index]
        one, other = (" ".join(ast.unparse(each).split()) for each in (node, self.other))
        if not one:
            one, other = (type(each).__name__ for each in (node, self.other))
        differ = [
            place for place, pair in enumerate(zip(one, other, strict=False)) if len(set(pair)) > 1
        ]
        start = max(0, min(differ, default=0) - 40)
        line = getattr(node, "lineno", getattr(self.parent, "lineno", 0))
        return f"{line}: {one[start:][:100]}  ->  {other[start:][:100]}"


def faults(tree: ast.Module, parent: ast.AST | None = None) -> Iterator[Fault]:
    """Tell each fault that can be made in what runs of a module."""
    parent = parent or tree
    for name, value in ast.iter_fields(parent):
        for index, node in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(node, ast.AST) and name not in _NOT_RUN and _runs(node):
                place = index if isinstance(value, list) else None
                yield from (Fault(tree, parent, name, place, other) for other in _instead(node))
                yield from faults(tree, node)


def _runs(node: ast.AST) -> bool:
    match node:
        case ast.Expr(ast.Constant()) | ast.Call(ast.Name("NewType" | "TypeVar")):
            return False  # a docstring, a type
        case ast.Assign(value=ast.BinOp(op=ast.BitOr())) | ast.keyword("kw_only" | "init"):
            return False  # another name for types, a manner of writing
        case _:
            return True


def _instead(node: ast.AST) -> Iterator[ast.AST]:
    yield from (kind() for kind in _OPERATORS.get(type(node), ()))
    name, at_least = _LISTS.get(type(node), ("", 0))
    members = getattr(node, name, [])
    if len(members) >= at_least and not isinstance(getattr(node, "ctx", None), ast.Store):
        for place in (place for place, member in enumerate(members) if _runs(member)):
            yield _changed(node, **{name: members[:place] + members[place + 1 :]})
    for instead in (_instead_of_value, _instead_of_expression, _instead_of_statement):
        yield from instead(node)
    if isinstance(node, ast.Dict):
        yield from _instead_of_table(node)


def _instead_of_value(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Constant(bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(int() | float() as number):
            yield ast.Constant(number + 1)
        case ast.Constant(str() as text) if len(text.split()) < 3:  # else a sentence
            yield ast.Constant(text + "x")
        case ast.Constant(bytes() as raw):
            yield ast.Constant(raw + b"x")
        case ast.Name(id) if id in _NAMES:
            yield ast.Name(_NAMES[id], node.ctx)
        case ast.Attribute(attr=attr) if attr in _NAMES:
            yield _changed(node, attr=_NAMES[attr])
        case _:
            pass


def _instead_of_expression(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.UnaryOp(ast.Not() | ast.USub(), operand):
            yield operand
        case ast.BinOp(left, ast.BitOr(), right):
            yield from (left, right)
        case ast.If(ast.Call() | ast.Name() | ast.Attribute() as test):
            yield _changed(node, test=ast.UnaryOp(ast.Not(), test))
        case ast.IfExp(_, one, other):
            yield from (one, other)
        case _:
            pass


def _instead_of_statement(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Return(ast.AST() as value):
            if not (isinstance(value, ast.Constant) and value.value in {None, False}):
                yield ast.Return()
        case ast.Raise(ast.AST()):
            yield from (ast.Pass(), ast.Raise(_WRONG))
        case ast.Expr() | ast.Break() | ast.Continue() | ast.Assign([ast.Attribute()]):
            yield ast.Pass()
        case ast.ExceptHandler(ast.AST()):
            yield _changed(node, type=_WRONG)
        case ast.match_case(guard=ast.AST()):
            yield _changed(node, guard=None)
        case ast.With(body=body) | ast.AsyncWith(body=body):
            if not any(item.optional_vars for item in node.items):
                yield ast.If(ast.Constant(value=True), body, [])
        case _:
            pass


def _instead_of_table(node: ast.Dict) -> Iterator[ast.AST]:
    """Leave out each row, or give it another's value."""
    names = sorted({value.id for value in node.values if isinstance(value, ast.Name)})
    for place, value in enumerate(node.values):
        before, after = node.values[:place], node.values[place + 1 :]
        keys = node.keys[:place] + node.keys[place + 1 :]
        yield _changed(node, keys=keys, values=[*before, *after])
        if isinstance(value, ast.Name) and len(names) > 1:
            other = ast.Name(names[names.index(value.id) - 1], ast.Load())
            yield _changed(node, values=[*before, other, *after])


def _changed(node: ast.AST, **fields: object) -> ast.AST:
    other = copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return other

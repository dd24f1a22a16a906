"""Mutation operators on a syntax tree: drop a statement, negate a condition, swap neighbours, make an atomic plain.

Not made are the stillborn: a local variable's only assignment dropped, or swapped with what reads it; neighbours that touch
no memory; and what changes a docstring or a constant of the module.
"""

from __future__ import annotations

import ast
from copy import deepcopy
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Function = ast.FunctionDef

KINDS = ("drop", "negate", "swap", "plain")
SIMPLE = (ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Return, ast.Raise, ast.Break, ast.Continue)
LEAVES = (ast.Return, ast.Raise, ast.Break, ast.Continue)
PLAIN = {
    "cas": "({port}.load({0}) == {1} and ({port}.store({0}, {2}) or True))",
    "xchg": "({port}.load({0}), {port}.store({0}, {1}))[0]",
    "xadd": "[{port}.store({0}, new) or new for new in [{port}.load({0}) + {1} & 0xFFFFFFFFFFFFFFFF]][0]",
    "or8": "{port}.store(({0}) // 8, {port}.load(({0}) // 8) | ({1}) << ({0}) % 8 * 8)",
}
"""What becomes of an atomic: a load and a store, between which others may come."""


class Change(NamedTuple):
    """One change of a function."""

    kind: str
    """One of KINDS."""
    line: int
    was: str
    """The source that is changed, as `ast.unparse` writes it; of swapped neighbours both."""
    made: Callable[[], Function]
    """Makes a copy of the function, with the change."""


def functions(tree: ast.Module) -> Iterator[tuple[str, Function]]:
    """Every function and method of a module, under its qualified name; those inside a function are part of it."""

    def within(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, Function]]:
        for node in body:
            if isinstance(node, ast.FunctionDef):
                yield prefix + node.name, node
            elif isinstance(node, ast.ClassDef):
                yield from within(node.body, f"{prefix}{node.name}.")

    return within(tree.body, "")


def changes(function: Function) -> Iterator[Change]:
    """Every mutation of a function."""
    bound = bindings(function)
    for at, node in enumerate(ast.walk(function)):
        for name, body in bodies(node):
            for i, statement in enumerate(body):
                if isinstance(statement, SIMPLE) and not documents(statement) and not stillborn(statement, bound):
                    yield Change(
                        "drop", statement.lineno, ast.unparse(statement), partial(dropped, function, at, name, i)
                    )
                if i + 1 < len(body) and swappable(statement, body[i + 1]):
                    both = f"{ast.unparse(statement)} <> {ast.unparse(body[i + 1])}"
                    yield Change("swap", statement.lineno, both, partial(swapped, function, at, name, i))
        if isinstance(node, ast.If | ast.While | ast.IfExp) and not isinstance(node.test, ast.Constant):
            yield Change("negate", node.test.lineno, ast.unparse(node.test), partial(negated, function, at))
        if isinstance(node, ast.Call) and (expression := plain(node)):
            yield Change("plain", node.lineno, ast.unparse(node), partial(replaced, function, at, expression))


def dropped(function: Function, number: int, body: str, i: int) -> Function:
    """A copy without statement `i` of a body of the node of that number."""
    copy = deepcopy(function)
    statements = getattr(nth(copy, number), body)
    statements[i] = ast.copy_location(ast.Pass(), statements[i])
    return copy


def swapped(function: Function, number: int, body: str, i: int) -> Function:
    """A copy in which statement `i` and the next have changed places."""
    copy = deepcopy(function)
    statements = getattr(nth(copy, number), body)
    statements[i], statements[i + 1] = statements[i + 1], statements[i]
    return copy


def negated(function: Function, number: int) -> Function:
    """A copy in which the condition of the node of that number is its contrary."""
    copy = deepcopy(function)
    node: Any = nth(copy, number)
    node.test = ast.copy_location(ast.UnaryOp(ast.Not(), node.test), node.test)
    return copy


def replaced(function: Function, number: int, new: ast.expr) -> Function:
    """A copy in which the expression of that number is another."""
    copy = deepcopy(function)
    target = nth(copy, number)

    class Replace(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            return ast.copy_location(new, target) if node is target else self.generic_visit(node)

    Replace().visit(copy)
    return copy


def nth(function: Function, number: int) -> ast.AST:
    """The node of that number; a copy is walked in the same order, so the same number is the same node in it."""
    return next(node for at, node in enumerate(ast.walk(function)) if at == number)


def bodies(node: ast.AST) -> Iterator[tuple[str, list[ast.stmt]]]:
    """The lists of statements in a node."""
    for name in ("body", "orelse", "finalbody"):
        body = getattr(node, name, None)
        if isinstance(body, list) and body:
            yield name, body


def documents(statement: ast.stmt) -> bool:
    """Is it a docstring, or one of an attribute?"""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def bindings(function: Function) -> dict[str, int]:
    """How often each local name is bound."""
    found = {argument.arg: 1 for argument in ast.walk(function.args) if isinstance(argument, ast.arg)}
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found[node.id] = found.get(node.id, 0) + 1
    return found


def names(statement: ast.stmt, context: type[ast.expr_context]) -> set[str]:
    """The names that a statement binds, or reads."""
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, context)}


def stillborn(statement: ast.stmt, bound: dict[str, int]) -> bool:
    """Does it bind a name that nothing else binds?  Without it there is a NameError and nothing else."""
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    stored = (node for target in targets for node in ast.walk(target) if isinstance(node, ast.Name))
    return any(bound.get(node.id) == 1 for node in stored if isinstance(node.ctx, ast.Store))


def swappable(one: ast.stmt, other: ast.stmt) -> bool:
    """Do both touch memory or call something, and does neither read what the other binds?"""
    if any(documents(each) or not isinstance(each, SIMPLE) or isinstance(each, LEAVES) for each in (one, other)):
        return False
    if not all(any(isinstance(node, ast.Call | ast.Subscript) for node in ast.walk(each)) for each in (one, other)):
        return False
    return not (names(one, ast.Store) & names(other, ast.Load) or names(other, ast.Store) & names(one, ast.Load))


def plain(call: ast.Call) -> ast.expr | None:
    """What a call of an atomic becomes; None if it is none."""
    function = call.func
    if isinstance(function, ast.Attribute) and function.attr in PLAIN and ast.unparse(function.value).endswith("port"):
        operation, port = function.attr, ast.unparse(function.value)
    elif isinstance(function, ast.Name) and function.id in PLAIN:
        operation, port = function.id, "self.port"  # a method that has bound the operation to a local name
    else:
        return None
    source = PLAIN[operation].format(*map(ast.unparse, call.args), port=port)
    return ast.parse(source, mode="eval").body

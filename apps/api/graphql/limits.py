"""What one request may cost: size of the document, depth, number of resolved fields."""

from typing import Final

from graphql import (
    DocumentNode,
    ExecutionContext,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLObjectType,
    OperationDefinitionNode,
    SelectionSetNode,
    Visitor,
    visit,
)
from graphql.pyutils import AwaitableOrValue, Path, UndefinedType

MAX_BODY_BYTES: Final = 4 * 1024 * 1024  # the largest event (3 MiB) as a variable, with room for the rest
MAX_DOCUMENT_CHARACTERS: Final = 100_000
MAX_TOKENS: Final = 8_000
MAX_FIELDS: Final = 1_000  # validation compares fields pairwise
MAX_DEPTH: Final = 25  # introspection queries of common clients need 15
MAX_RESOLVED_FIELDS: Final = 250_000


class _FieldCounter(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def enter_field(self, *_: object) -> None:
        self.count += 1

    def enter_fragment_spread(self, *_: object) -> None:
        self.count += 1


def check_field_count(document: DocumentNode) -> None:
    """For documents that are not validated yet. Raises GraphQLError."""
    counter = _FieldCounter()
    visit(document, counter)
    if counter.count > MAX_FIELDS:
        raise GraphQLError(f"the document has more than {MAX_FIELDS} fields")


def check_depth(document: DocumentNode) -> None:
    """For valid documents, whose fragments exist and form no cycle. Raises GraphQLError."""
    depths = _Depths(document)
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            depth = depths.of(definition.selection_set)
            if depth > MAX_DEPTH:
                raise GraphQLError(f"the operation is {depth} levels deep, at most {MAX_DEPTH} are allowed")


class _Depths:
    """Depth of selection sets; each fragment is measured once, however often it is spread."""

    def __init__(self, document: DocumentNode) -> None:
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._measured: dict[str, int] = {}

    def of(self, selections: SelectionSetNode | None) -> int:
        if selections is None:
            return 0
        return max(self._of_selection(node) for node in selections.selections)

    def _of_selection(self, node: object) -> int:
        if isinstance(node, FieldNode):
            return 1 + self.of(node.selection_set)
        if isinstance(node, FragmentSpreadNode):
            return self._of_fragment(node.name.value)
        return self.of(getattr(node, "selection_set", None))

    def _of_fragment(self, name: str) -> int:
        if name not in self._measured:
            self._measured[name] = self.of(self._fragments[name].selection_set)
        return self._measured[name]


class BudgetedExecution(ExecutionContext):
    """Stops a request whose lists within lists resolve to more fields than anyone reads."""

    resolved_fields = 0

    def execute_field(
        self,
        parent_type: GraphQLObjectType,
        source: object,
        field_nodes: list[FieldNode],
        path: Path,
    ) -> AwaitableOrValue[object] | UndefinedType:
        self.resolved_fields += 1
        if self.resolved_fields > MAX_RESOLVED_FIELDS:
            raise GraphQLError(f"the request resolves more than {MAX_RESOLVED_FIELDS} fields", field_nodes)
        return super().execute_field(parent_type, source, field_nodes, path)

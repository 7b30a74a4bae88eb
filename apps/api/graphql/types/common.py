"""Types that several others refer to."""

import graphene


class PageInfo(graphene.ObjectType):
    """Relay page information."""

    has_next_page = graphene.Boolean(required=True)
    has_previous_page = graphene.Boolean(required=True)
    start_cursor = graphene.String()
    end_cursor = graphene.String()


class Workspace(graphene.ObjectType):
    """Environment stub; resolved from the environment's id."""

    id = graphene.ID(required=True)

    @staticmethod
    def resolve_id(environment_id: object, info: object) -> str:
        return str(environment_id)

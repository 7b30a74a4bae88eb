"""GraphQL face at /v0/gql (spec 03, chapter 6); names and nullability are those of the published schema."""

"""Railway's servers, as far as a deployment meets them: GraphQL, the upload, and the public edge.

Every document is parsed and validated against `schema.graphql`, which is written by hand from what
Railway documents and answers. What is "deployed" is a real service, behind a real health check.
"""

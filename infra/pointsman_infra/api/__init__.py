"""The two APIs that dynamic resources speak: S3 for buckets, IAM for principals and their keys."""

"""boto3's own transfer manager, with its defaults."""

import sys

import boto3

_, verb, endpoint, bucket, key, file = sys.argv
client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
if verb == "get":
    client.download_file(bucket, key, file)
else:
    client.upload_file(file, bucket, key)

"""AWS's C runtime, which the AWS CLI and boto3[crt] use for fast transfers."""

import sys
from pathlib import Path
from urllib.parse import urlsplit

from awscrt import auth, http, s3

_, verb, endpoint, bucket, key, file = sys.argv
provider = auth.AwsCredentialsProvider.new_environment()
client = s3.S3Client(
    region="us-east-1",
    tls_mode=s3.S3RequestTlsMode.DISABLED,
    signing_config=s3.create_default_s3_signing_config(
        region="us-east-1", credential_provider=provider
    ),
)
headers = http.HttpHeaders([("host", urlsplit(endpoint).netloc)])
if verb == "get":
    request = http.HttpRequest("GET", f"/{bucket}/{key}", headers)
    kind = s3.S3RequestType.GET_OBJECT
    arguments = {"recv_filepath": file}
else:
    headers.add("content-length", str(Path(file).stat().st_size))
    request = http.HttpRequest("PUT", f"/{bucket}/{key}", headers)
    kind = s3.S3RequestType.PUT_OBJECT
    arguments = {"send_filepath": file}
client.make_request(request=request, type=kind, **arguments).finished_future.result()

"""The program of a plain Pulumi project: `pulumi up` in this directory provisions the stack."""

from pointsman_infra.program import main

main()

"""One module per group of subcommands; each registers its own, and imports what it needs late."""

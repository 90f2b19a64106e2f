"""Where a service can run: one interface (`base`), one module per platform, found by name."""

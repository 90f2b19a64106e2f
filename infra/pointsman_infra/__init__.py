"""What provisioning hands to everything else: `outputs` is the contract."""

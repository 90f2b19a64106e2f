"""What provisioning hands over."""

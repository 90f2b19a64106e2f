"""The service, part by part and whole, in this process and over real connections."""

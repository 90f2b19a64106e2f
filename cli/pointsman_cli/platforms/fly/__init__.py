"""Fly.io: `flyctl` makes every change; what is around it, and proves it, is here."""

"""Fly.io, behind a flyctl that is a real process and a Fly that is not."""

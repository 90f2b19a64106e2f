"""What is measured: each module one question, each answer a ratio within one run."""

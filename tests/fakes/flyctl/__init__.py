"""A stand-in for flyctl and for Fly behind it: `python -m tests.fakes.flyctl apps create …`.

A real process that is first on PATH. It takes the arguments that flyctl 0.4.87 takes and no other
ones, reads secrets as flyctl's parser does, keeps apps, releases and machines in one file, and
records what it was given. Machines are scripted by knobs or, with the knob `real`, are real
processes of the service, with exactly the environment that flyctl was told.
"""

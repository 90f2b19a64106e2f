"""The services that pointsman's is compared with, each as its own documentation would write it.

Run by path, in environments of their own: `python FILE MODEL PORT`. Each gives ONNX Runtime one
thread, like all the others, and serves the input `x`.
"""

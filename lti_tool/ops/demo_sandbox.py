"""The sandbox as a process of its own: `python -m lti_tool.ops.demo_sandbox PORT TOOL_ORIGIN PERSONALITY`."""

import sys

from lti_tool.ops.serving import serve
from lti_tool.sandbox import create_app


def main(port: int, tool_origin: str, personality: str) -> None:
    """Serves the sandbox at 127.0.0.1, from one process, for its state is in memory."""
    serve(
        lambda: create_app(f"http://127.0.0.1:{port}", personality=personality, tool_origin=tool_origin),
        "127.0.0.1",
        port,
        threads=8,
        log_level="warning",
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])

"""Scripts and styles for the tiny servers that test one side of a protocol."""

import mimetypes
from pathlib import Path

from flask import Flask, Response, abort


class FakeApp(Flask):
    """Reads a file at once: a browser that goes away while it is sent leaves none open, which pytest would see."""

    def send_static_file(self, filename: str) -> Response:
        file = Path(self.static_folder or "") / filename
        if not file.is_file():
            abort(404)
        return Response(file.read_bytes(), content_type=mimetypes.guess_type(filename)[0])

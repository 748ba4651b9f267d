"""Security headers of every answer."""

from flask import Flask, g, request
from werkzeug.wrappers import Response


def register(app: Flask) -> None:
    """Adds the headers to every answer of the app."""
    app.after_request(_add)


def _add(response: Response) -> Response:
    headers = response.headers
    headers["Content-Security-Policy"] = "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            # What lets a visit be captured without a network.
            "worker-src 'self'",
            "base-uri 'none'",
            # Browsers hold redirects of a submitted form to this list too, so a page whose form ends at the platform
            # names it in g.form_targets.
            " ".join(("form-action 'self'", *g.get("form_targets", ()))),
            f"frame-ancestors {_ancestors(response)}",
        )
    )
    headers["X-Content-Type-Options"] = "nosniff"
    # Same-origin, not none: the CSRF check compares the referrer of a post over https.
    headers["Referrer-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    if request.is_secure:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    if "Cache-Control" not in headers:
        # What is public says so itself. Else the next person at a staff-room computer must not get a page back with the
        # back button.
        headers["Cache-Control"] = "no-store"
    return response


def _ancestors(response: Response) -> str:
    """Who may show this page in a frame: the platform it was launched from, and nobody else."""
    if given := g.get("frame_ancestors"):
        return str(given)
    if actor := g.get("actor"):
        return f"'self' {actor.platform_origin}"
    # An error page before anyone is known must be readable inside the LMS; it holds nothing to click or to see.
    return "*" if response.status_code >= 400 else "'none'"

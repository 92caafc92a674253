"""openEO errors: a code that clients branch on, a status, a sentence."""

from __future__ import annotations

from uuid import uuid4

from starlette.responses import JSONResponse

from satfusion_assets.sandbox.server.answers import RefusedRequest


class OpenEoError(Exception):
    """An error of the openEO API (its errors.json names the codes)."""

    def __init__(self, code: str, status: int, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.message = message
        self.retry_after = retry_after

    def refusal(self) -> RefusedRequest:
        """The error as the answer that clients see."""
        body = {"id": f"r-{uuid4().hex}", "code": self.code, "message": self.message, "links": []}
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return RefusedRequest(JSONResponse(body, self.status, headers))


def invalid(process: str, parameter: str, reason: str) -> OpenEoError:
    """An argument that a process cannot take."""
    message = f"The value passed for parameter '{parameter}' in process '{process}' is invalid: {reason}"
    return OpenEoError("ProcessParameterInvalid", 400, message)
